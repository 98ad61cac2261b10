"""A venue that takes signatures, keys for it, and short words for signing."""

import msgspec
from tests.venue.scene import START_NS, Scene

from ringfence.service import auth
from ringfence.signing.keys import SigningKey, keccak
from ringfence.signing.typed import Domain
from ringfence.venue import commands as c
from ringfence.venue.consent import messages as m
from ringfence.venue.consent.evidence import SignedReceipt

DOMAIN = Domain("Ringfence", "1", 31_337, "0x" + "5a" * 32)
MINUTE_MS = 60_000


def key(name: str) -> SigningKey:
    """The key of somebody, always the same."""
    return SigningKey(keccak(name.encode()))


ADMIN, CUSTODIAN, OPERATOR = key("admin"), key("custodian"), key("operator")
ORACLE, GOVERNOR = key("oracle"), key("governor")
ANN, BEN, EVE = key("ann"), key("ben"), key("eve")  # owners; Eve has no account
SESSION = key("session")
ROLES = {"custodian": CUSTODIAN, "operator": OPERATOR, "oracle": ORACLE, "governance": GOVERNOR}


def signature(
    command: m.Signable | m.Order,
    by: SigningKey,
    nonce: int,
    expires_ms: int,
    domain: Domain = DOMAIN,
) -> m.Authorisation:
    """Somebody's signature of a command."""
    digest = m.digest_of(command, nonce, expires_ms, domain.separator())
    return m.Authorisation(
        signer=by.owner,
        nonce=str(nonce),
        expires_ms=expires_ms,
        signature="0x" + by.sign(digest).hex(),
    )


class Ceremony:
    """A founded venue with two pools, in which Ann and Ben have accounts and 10,000 USDC."""

    def __init__(self, path=":memory:", *, requires_consent: bool = False) -> None:
        self.scene = Scene.set_up(path)
        self.venue = self.scene.venue
        self.venue.found(DOMAIN, ADMIN.owner, requires_consent=requires_consent)
        self.pool, self.other_pool = (self.venue.record(n).id.hex() for n in ("alpha", "beta"))
        self._nonce = START_NS // 10**6
        for role, holder in ROLES.items():
            self.must(m.AppointKey(key=holder.owner, role=role), ADMIN, holder)
        for owner in (ANN, BEN, EVE):
            self.must(m.Register(owner=owner.owner), owner)
            money = m.Receive(owner=owner.owner, asset="USDC", amount="20000")
            self.must(money, CUSTODIAN)
        for owner in (ANN, BEN):
            self.must(c.OpenAccount(pool=self.pool, owner=owner.owner), owner)
            self.must(self.deposit(owner), owner)

    @property
    def now_ms(self) -> int:
        """The venue's time."""
        return self.scene.clock.now_ns() // 10**6

    def nonce(self) -> int:
        """A nonce that was not used before."""
        self._nonce += 1
        return self._nonce

    def sign(self, command: m.Signable, *by: SigningKey, **more: object) -> m.Signed:
        """Return a command that some keys signed."""
        end = self.now_ms + MINUTE_MS
        signatures = tuple(signature(command, one, self.nonce(), end) for one in by)
        return m.Signed(command=command, authorisations=signatures, **more)

    def order(
        self, by: SigningKey, size: str, price: str = "2000", **more: object
    ) -> m.SignedOrder:
        """Return a signed order for ETH-PERP."""
        names = {"pool": self.pool, "owner": by.owner} | more
        order = m.Order(**names, instrument="ETH-PERP", size=size, price=price)
        return m.SignedOrder(
            order=order, authorisation=signature(order, by, self.nonce(), self.now_ms + MINUTE_MS)
        )

    def give(self, signed: m.Signed) -> SignedReceipt:
        """Send a command as it goes over the wire."""
        return self.venue.execute_signed(auth.verify(msgspec.json.encode(signed), DOMAIN))

    def answer(self, signed: m.Signed) -> str:
        """Code of the problem that a command meets, or the status of its receipt."""
        before = self.venue.state.digest(), self.venue.journal.seq
        caught: Exception | None = None
        try:
            return self.give(signed).status
        except ValueError as error:
            caught = error
        assert (self.venue.state.digest(), self.venue.journal.seq) == before, "P4, P16"
        return auth.problem_of(caught).code

    def must(self, command: m.Signable, *by: SigningKey) -> SignedReceipt:
        """Sign and execute what has to be accepted."""
        receipt = self.give(self.sign(command, *by))
        assert receipt.ok, receipt
        return receipt

    def tries(self, command: m.Signable, *by: SigningKey) -> str:
        """Sign and send a command; return the code or the status."""
        return self.answer(self.sign(command, *by))

    def deposit(self, owner: SigningKey, amount: str = "10000") -> c.Deposit:
        """A deposit of an owner."""
        return c.Deposit(pool=self.pool, owner=owner.owner, asset="USDC", amount=amount)

    def grant(self, **changes: object) -> m.GrantKey:
        """A grant of the session key by Ann."""
        fields = {
            "owner": ANN.owner,
            "key": SESSION.owner,
            "scopes": ("trade",),
            "pools": (self.pool,),
            "notional_max": "5000",
            "until_ms": self.now_ms + 10 * MINUTE_MS,
        }
        return m.GrantKey(**(fields | changes))

    def trade(self, size: str = "0.1", price: str = "2000") -> c.Trade:
        """Ann buys from Ben."""
        return c.Trade(
            pool=self.pool,
            owner=ANN.owner,
            other=BEN.owner,
            instrument="ETH-PERP",
            size=size,
            price=price,
        )
