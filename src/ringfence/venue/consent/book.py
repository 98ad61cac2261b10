"""The book of keys: spent nonces, session keys, roles, readers and orders; part of the state.

A nonce is spent by the first command that is journaled with it, also by one that its pool
refused. Of each signer the NONCES_KEPT highest are kept: a nonce is taken when it is not among
them, above the lowest once there are so many, and not from the future. So commands of one signer
may arrive in any order within that window, and none can ever arrive twice.
"""

from bisect import insort

import msgspec

from ringfence.signing.typed import Domain

NONCES_KEPT = 64
NONCE_AHEAD_MS = 60_000  # a nonce from the future would lock its own signer out
DAY_MS = 86_400_000
EXPIRY_DAYS_MAX = 1  # of a command
ORDER_DAYS_MAX = 30  # of an order
KEYS_MAX = 64  # session keys of one owner that are not revoked
READERS_MAX = 16  # live read-only keys of one owner
ORDERS_KEPT = 1024  # before the first look for orders that have ended
AMOUNT_WHOLE = 2**62  # filled: an order that is taken back


class Found(msgspec.Struct, frozen=True, tag="found"):
    """Bind signatures to this venue, and name its first admin; from now on it takes them."""

    domain: Domain
    admin: bytes
    requires_consent: bool  # of owners also for commands from within the process


class Spent(msgspec.Struct, frozen=True, array_like=True):
    """A nonce, and where the command that spent it stands in the journal."""

    nonce: int
    seq: int
    client_id: str | None


class Grant(msgspec.Struct, frozen=True, array_like=True):
    """What a session key may do for whom."""

    owner: bytes
    scopes: tuple[str, ...]
    pools: tuple[bytes, ...]  # none: every pool
    notional_max: str
    until_ms: int


class Reader(msgspec.Struct, frozen=True, array_like=True):
    """A read-only API key of an owner."""

    owner: bytes
    until_ms: int


class Filled(msgspec.Struct, frozen=True, array_like=True):
    """How much of an order was traded, in units, and when the order ends."""

    size: int
    expires_ms: int


class Book(msgspec.Struct, array_like=True):
    """What the venue remembers of signatures; every field is part of its digest."""

    domain: Domain | None = None
    requires_consent: bool = False
    spent: dict[bytes, list[Spent]] = {}  # by signer, lowest nonce first
    grants: dict[bytes, Grant] = {}  # by session key, for ever
    used: dict[bytes, dict[bytes, int]] = {}  # notional in quote units by session key and pool
    revoked: dict[bytes, int] = {}  # keys that never return, and when it was, in ms
    roles: dict[bytes, str] = {}  # by key
    readers: dict[bytes, Reader] = {}  # by id
    filled: dict[bytes, Filled] = {}  # by pool, owner and digest of the order
    prune_at: int = ORDERS_KEPT  # orders in `filled` when those that ended are looked for
    floors: dict[bytes, int] = {}  # by pool and owner: orders up to this nonce are taken back

    def found(self, command: Found) -> None:
        """Begin to take signatures, of this domain and no other."""
        self.domain, self.requires_consent = command.domain, command.requires_consent
        self.roles[command.admin] = "admin"

    def is_key(self, address: bytes) -> bool:
        """Whether an address is or was a session key or has a role: then it owns nothing."""
        return address in self.grants or address in self.roles or address in self.revoked

    def grants_of(self, owner: bytes) -> int:
        """Session keys that an owner ever granted."""
        return sum(grant.owner == owner for grant in self.grants.values())

    def revoke(self, key: bytes, now_ms: int) -> None:
        """Bury a session key or a role key."""
        self.grants.pop(key, None)
        self.used.pop(key, None)
        self.roles.pop(key, None)
        self.revoked[key] = now_ms

    def readers_of(self, owner: bytes, now_ms: int) -> int:
        """Read-only keys of an owner that have not expired."""
        return sum(r.owner == owner and r.until_ms >= now_ms for r in self.readers.values())

    def forget_readers(self, owner: bytes, now_ms: int) -> None:
        """Drop the read-only keys of an owner that have expired."""
        for identity, reader in list(self.readers.items()):
            if reader.owner == owner and reader.until_ms < now_ms:
                del self.readers[identity]

    # Nonces

    def nonce_fault(self, signer: bytes, nonce: int, now_ms: int) -> tuple[str, str] | None:
        """Why a nonce is not taken, as code and message."""
        kept = self.spent.get(signer, [])
        if nonce > now_ms + NONCE_AHEAD_MS:
            return "nonce_out_of_window", (
                f"nonce {nonce} is more than {NONCE_AHEAD_MS} ms ahead of the venue's time, "
                f"{now_ms} ms; take the time in ms"
            )
        if any(spent.nonce == nonce for spent in kept):
            return "nonce_used", f"nonce {nonce} was used before; sign with a new one"
        if len(kept) >= NONCES_KEPT and nonce < kept[0].nonce:
            return "nonce_out_of_window", (
                f"nonce {nonce} is below the {NONCES_KEPT} highest of this signer, "
                f"the lowest of which is {kept[0].nonce}"
            )
        return None

    def spend(self, signer: bytes, nonce: int, seq: int, client_id: str | None) -> None:
        """Note that a nonce was used by an entry."""
        kept = self.spent.setdefault(signer, [])
        insort(kept, Spent(nonce, seq, client_id), key=lambda spent: spent.nonce)
        del kept[:-NONCES_KEPT]

    def entry_of(self, signer: bytes, client_id: str) -> int | None:
        """Entry of a signer's command by its client id, among the nonces that are kept."""
        for spent in reversed(self.spent.get(signer, [])):
            if spent.client_id == client_id:
                return spent.seq
        return None

    # Session keys' caps

    def used_of(self, key: bytes, pool: bytes) -> int:
        """Notional in quote units that a session key has moved in a pool."""
        return self.used.get(key, {}).get(pool, 0)

    def use(self, key: bytes, pool: bytes, notional: int) -> None:
        """Add to what a session key has moved in a pool."""
        used = self.used.setdefault(key, {})
        used[pool] = used.get(pool, 0) + notional

    # Orders

    def fill(self, order: bytes, size: int, expires_ms: int, now_ms: int) -> None:
        """Note that so much of an order was traded, and now and then forget those that ended."""
        if len(self.filled) >= self.prune_at:
            ended = [name for name, f in self.filled.items() if f.expires_ms < now_ms]
            for name in ended:
                del self.filled[name]
            self.prune_at = max(ORDERS_KEPT, 2 * len(self.filled))
        before = self.filled.get(order, Filled(0, expires_ms))
        self.filled[order] = Filled(min(AMOUNT_WHOLE, before.size + size), expires_ms)

    def filled_of(self, order: bytes) -> int:
        """Units of an order that were traded."""
        filled = self.filled.get(order)
        return filled.size if filled else 0
