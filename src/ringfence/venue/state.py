"""The state of a venue as a fold of its journal: registries, wallets, pools.

Both the running venue and a replay apply entries through this module, and nothing else
changes the state. It reads no clock and writes no file.
"""

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec
import numpy as np
from numpy.typing import NDArray

from ringfence.columns import Column
from ringfence.core.command import Kind, Rows
from ringfence.core.creation import create_pool
from ringfence.core.log import empty_log, recorded, room_for, room_for_one
from ringfence.core.pool import Pool, account_count, grown, pool_bytes, with_bytes
from ringfence.core.reading import SpecError, scaled
from ringfence.core.spec import PoolSpec, pool_id
from ringfence.core.status import Status
from ringfence.units import ACCOUNTS_MAX, AMOUNT_MAX, PRICE_UNIT, SIZE_DECIMALS
from ringfence.venue.consent.book import Book, Found
from ringfence.venue.fanout import FeedPrice, PriceRows, TickPrices, apply_tick
from ringfence.venue.wallets import Wallets, apply_with_wallets, empty_wallets, grown_wallets

ADDRESS_BYTES = 20
DECIMALS_LIMIT = 18  # of an asset
PRICE_MAX_OVER_FEED = 100_000  # a price_max further above its feed is a wrong scale


class RegisterAsset(msgspec.Struct, frozen=True, tag="register_asset"):
    """List an asset by name, with the decimals of its smallest unit."""

    name: str
    decimals: int


class RegisterOwner(msgspec.Struct, frozen=True, tag="register_owner"):
    """Give an address its registry number."""

    address: bytes


class Receive(msgspec.Struct, frozen=True, tag="receive"):
    """Money came into the venue: outside to wallet."""

    owner: int
    asset: int
    amount: int


class Send(msgspec.Struct, frozen=True, tag="send"):
    """Money leaves the venue: wallet to outside."""

    owner: int
    asset: int
    amount: int


class CreatePool(msgspec.Struct, frozen=True, tag="create_pool"):
    """Make a pool from a spec; the creator owns its backstop."""

    spec: PoolSpec
    creator: int
    time_ns: int


VenueCommand = RegisterAsset | RegisterOwner | Receive | Send | CreatePool | Found


class RefusedError(ValueError):
    """A command of the venue itself that breaks a rule; the message says which and why."""


@dataclass
class PoolRecord:
    """One pool with what the venue knows about it."""

    id: bytes
    spec: PoolSpec
    creator: int
    pool: Pool
    assets: Column  # [c] the venue's number of each asset
    price_rows: PriceRows
    accounts: dict[tuple[int, int], int] = field(default_factory=dict)  # (owner, number): a

    def digest(self) -> bytes:
        """SHA-256 of the pool's canonical bytes."""
        return hashlib.sha256(pool_bytes(self.pool)).digest()


@dataclass(frozen=True)
class Outcome:
    """What a batch of pool commands did."""

    statuses: Column
    events: NDArray[np.void]


class State:
    """Registries, wallets and pools; every change goes through `apply` or `apply_rows`."""

    def __init__(self) -> None:
        self.assets: list[RegisterAsset] = []
        self.owners: list[bytes] = []
        self.pools: dict[bytes, PoolRecord] = {}
        self.wallets = empty_wallets(16, 4)
        self.book = Book()
        self._owner_numbers: dict[bytes, int] = {}
        self._asset_numbers: dict[str, int] = {}

    # Registries

    def owner_number(self, address: bytes) -> int | None:
        """Registry number of an address, or None."""
        return self._owner_numbers.get(address)

    def asset_number(self, name: str) -> int | None:
        """Number of an asset in the venue, or None."""
        return self._asset_numbers.get(name)

    # Commands of the venue itself

    def apply(self, command: VenueCommand) -> bytes:
        """Apply a command of the venue; return the id of a pool it created, or nothing.

        Raises:
            RefusedError: It breaks a rule; nothing has changed.
            SpecError: The spec of a pool cannot be safe; nothing has changed.
        """
        match command:
            case RegisterAsset():
                self._register_asset(command)
            case RegisterOwner():
                self._register_owner(command)
            case Receive():
                self._move(command.owner, command.asset, command.amount, 1)
            case Send():
                self._move(command.owner, command.asset, command.amount, -1)
            case CreatePool():
                return self._create_pool(command)
            case Found():
                self._found(command)
        return b""

    def _found(self, command: Found) -> None:
        if self.book.domain is not None:
            raise RefusedError("the venue is founded; signatures stay bound to what it was then")
        if self.owner_number(command.admin) is not None:
            raise RefusedError("the admin is an owner; a key with a role owns nothing")
        self.book.found(command)

    def _register_asset(self, command: RegisterAsset) -> None:
        if not 0 <= command.decimals <= DECIMALS_LIMIT:
            raise RefusedError(f"decimals {command.decimals} must lie between 0 and 18")
        if command.name in self._asset_numbers:
            raise RefusedError(f"asset {command.name} is already listed")
        self._asset_numbers[command.name] = len(self.assets)
        self.assets.append(command)
        self.wallets = grown_wallets(self.wallets, len(self.owners), len(self.assets))

    def _register_owner(self, command: RegisterOwner) -> None:
        if len(command.address) != ADDRESS_BYTES:
            raise RefusedError(f"an address has {ADDRESS_BYTES} bytes, not {len(command.address)}")
        if command.address in self._owner_numbers:
            raise RefusedError(f"owner 0x{command.address.hex()} is already registered")
        if self.book.is_key(command.address):
            raise RefusedError(f"0x{command.address.hex()} is or was a key; a key owns nothing")
        self._owner_numbers[command.address] = len(self.owners)
        self.owners.append(command.address)
        self.wallets = grown_wallets(self.wallets, len(self.owners), len(self.assets))

    def _move(self, owner: int, asset: int, amount: int, sign: int) -> None:
        if not (0 <= owner < len(self.owners) and 0 <= asset < len(self.assets)):
            raise RefusedError(f"there is no owner {owner} or no asset {asset}")
        if not 0 < amount <= AMOUNT_MAX:
            raise RefusedError(f"amount {amount} must lie between 1 and {AMOUNT_MAX}")
        after = int(self.wallets.amount[owner, asset]) + sign * amount
        if after < 0:
            raise RefusedError(f"amount {amount} exceeds the wallet by {-after}")
        if after > AMOUNT_MAX:
            raise RefusedError(f"the wallet would exceed {AMOUNT_MAX} smallest units")
        self.wallets.amount[owner, asset] = after

    def _create_pool(self, command: CreatePool) -> bytes:
        if not 0 <= command.creator < len(self.owners):
            raise RefusedError(f"there is no owner {command.creator}")
        identity = pool_id(command.spec, self.owners[command.creator])
        if identity in self.pools:
            raise RefusedError(f"pool {identity.hex()} exists; change its name or salt")
        foreign = asset_problems(command.spec, {a.name: a.decimals for a in self.assets})
        if foreign:
            raise RefusedError("; ".join(foreign))
        problems = scale_problems(command.spec, self._feed_prices())
        if problems:
            raise SpecError(problems)
        pool = create_pool(command.spec, owner=command.creator, now_ns=command.time_ns)
        numbers = [self._asset_numbers[name] for name in command.spec.assets()]
        self.pools[identity] = PoolRecord(
            identity,
            command.spec,
            command.creator,
            pool,
            np.array(numbers, dtype=np.int64),
            PriceRows(command.spec, pool),
        )
        return identity

    def _feed_prices(self) -> dict[str, int]:
        """Newest index price of every feed that a pool has accepted one of."""
        newest: dict[str, tuple[int, int]] = {}
        for record in self.pools.values():
            for u, underlying in enumerate(record.spec.underlyings):
                dated = int(record.pool.publish_time[u]), int(record.pool.index_price[u])
                newest[underlying.name] = max(dated, newest.get(underlying.name, (0, 0)))
        return {feed: price for feed, (_, price) in newest.items() if price > 0}

    # Commands of one pool

    def apply_rows(self, record: PoolRecord, rows: Rows) -> Outcome:
        """Apply a batch to one pool and its owners' wallets, row by row."""
        opened = int(np.count_nonzero(rows["kind"] == Kind.OPEN_ACCOUNT))
        if opened:
            wanted = min(account_count(record.pool) + opened, ACCOUNTS_MAX)
            record.pool = grown(record.pool, wanted)
        statuses = self._refused_openings(record, rows)
        log = empty_log(room_for(record.pool, rows))
        before = account_count(record.pool)
        apply_with_wallets(record.pool, self.wallets, record.assets, rows, statuses, log)
        for a in range(before, account_count(record.pool)):
            record.accounts[int(record.pool.owner[a]), int(record.pool.number[a])] = a
        return Outcome(statuses, recorded(log).copy())

    def apply_prices(self, prices: Sequence[FeedPrice], time_ns: int) -> dict[bytes, Outcome]:
        """Give every pool the prices it lists; return what became of each one's rows."""
        outcomes = {}
        tick, log = TickPrices(prices), empty_log(0)
        for identity, record in self.pools.items():
            batch = record.price_rows.filled(tick, time_ns)
            if batch is None:
                continue
            statuses = np.zeros(len(batch), dtype=np.int64)
            # Only the clock row can record events, and what it may record is bounded.
            room = room_for_one(record.pool)
            if len(recorded(log)) or len(log.events) < room:
                log = empty_log(room)
            apply_tick(record.pool, batch, statuses, log)
            outcomes[identity] = Outcome(statuses, recorded(log))
        return outcomes

    def _refused_openings(self, record: PoolRecord, rows: Rows) -> Column:
        """Statuses of a batch before it runs: only what the registry itself refuses."""
        statuses = np.zeros(len(rows), dtype=np.int64)
        taken = set()
        for r in np.flatnonzero(rows["kind"] == Kind.OPEN_ACCOUNT).tolist():
            owner, number = int(rows["other"][r]), int(rows["amount"][r])
            if not 0 <= owner < len(self.owners):
                statuses[r] = Status.OWNER_IS_NOT_REGISTERED
            elif (owner, number) in record.accounts or (owner, number) in taken:
                statuses[r] = Status.ACCOUNT_NUMBER_IS_TAKEN
            elif number > 0:  # the pool refuses others, so they take nothing
                taken.add((owner, number))
        return statuses

    def with_wallets_copied(self) -> "State":
        """Return the same state with wallets of its own; for simulations."""
        twin = copy.copy(self)
        twin.wallets = Wallets(amount=self.wallets.amount.copy())
        return twin

    # Digests and checkpoints

    def wallets_digest(self) -> bytes:
        """SHA-256 of every wallet, spare room left out."""
        used = self.wallets.amount[: len(self.owners), : len(self.assets)]
        return hashlib.sha256(np.ascontiguousarray(used, dtype="<i8").tobytes()).digest()

    def digest(self) -> bytes:
        """SHA-256 of the whole state: registries, wallets, and every pool."""
        return hashlib.sha256(self.dump()).digest()

    def dump(self) -> bytes:
        """Return the whole state as canonical bytes."""
        used = self.wallets.amount[: len(self.owners), : len(self.assets)]
        return msgspec.msgpack.encode(
            Dump(
                self.assets,
                self.owners,
                np.ascontiguousarray(used, dtype="<i8").tobytes(),
                [
                    PoolDump(record.spec, record.creator, pool_bytes(record.pool))
                    # By age, as in the journal: an entry with prices tells of the pools by age.
                    for record in self.pools.values()
                ],
                self.book,
            )
        )

    @classmethod
    def load(cls, dump: bytes) -> "State":
        """Return the state that `dump` gave.

        Raises:
            ValueError: The bytes are not a dump.
        """
        content = msgspec.msgpack.decode(dump, type=Dump)
        state = cls()
        for asset in content.assets:
            state.apply(asset)
        for address in content.owners:
            state.apply(RegisterOwner(address))
        shape = (len(content.owners), len(content.assets))
        wallets = np.frombuffer(content.wallets, dtype="<i8").reshape(shape)
        state.wallets.amount[: shape[0], : shape[1]] = wallets
        # All of them before any has a price that another's spec would be held against.
        identities = [state.apply(CreatePool(p.spec, p.creator, 0)) for p in content.pools]
        for identity, pool in zip(identities, content.pools, strict=True):
            record = state.pools[identity]
            record.pool = with_bytes(record.pool, pool.state)
            for a in range(1, account_count(record.pool)):
                record.accounts[int(record.pool.owner[a]), int(record.pool.number[a])] = a
        state.book = content.book
        return state


def asset_problems(spec: PoolSpec, listed: Mapping[str, int]) -> list[str]:
    """What in a spec does not go with the assets that a venue lists, with their decimals."""
    unlisted = [name for name in spec.assets() if name not in listed]
    if unlisted:
        return [f"asset {', '.join(unlisted)} is not listed in this venue"]
    problems = [
        f"{c.asset} has {listed[c.asset]} decimals in this venue; collateral is kept in units "
        f"of {SIZE_DECIMALS}, so list it with those"
        for c in spec.collateral
        if listed[c.asset] != SIZE_DECIMALS
    ]
    decimals, given = listed[spec.settlement], spec.settlement_decimals
    if decimals != given:
        stated = f"{spec.settlement} has {decimals} decimals in this venue, not {given}"
        problems.append(f"{stated}; give them as settlement_decimals")
    return problems


def scale_problems(spec: PoolSpec, feed_prices: Mapping[str, int]) -> list[str]:
    """What in a spec is orders of magnitude away from the prices of its feeds."""
    problems = []
    for underlying in spec.underlyings:
        price = feed_prices.get(underlying.name)
        if price is None:
            continue
        where, shown = f"underlying {underlying.name}", Decimal(price) / PRICE_UNIT
        limit = _price_units(underlying.price_max)
        if not 2 * price <= limit <= PRICE_MAX_OVER_FEED * price:
            problems.append(
                f"{where}.price_max is {underlying.price_max}, and its feed says {shown}; it must "
                f"be 2 to {PRICE_MAX_OVER_FEED} times that"
            )
        problems += [
            f"instrument {i.name}.tick is {i.tick}, and its feed says {shown}; a tick is at most "
            "a hundredth of the price"
            for i in spec.instruments
            if i.underlying == underlying.name and _price_units(i.tick) * 100 > price
        ]
    return problems


def _price_units(text: str) -> int:
    """A price of a spec in price units; 0 for what creation will refuse anyway."""
    try:
        return scaled(text, PRICE_UNIT)
    except ValueError:
        return 0


class PoolDump(msgspec.Struct, frozen=True, array_like=True):
    """A pool in a dump."""

    spec: PoolSpec
    creator: int
    state: bytes


class Dump(msgspec.Struct, frozen=True, array_like=True):
    """The layout of a dump."""

    assets: list[RegisterAsset]
    owners: list[bytes]
    wallets: bytes
    pools: list[PoolDump]
    book: Book
