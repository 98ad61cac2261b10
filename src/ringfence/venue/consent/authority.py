"""Who may do what: one table, and one pure function over it.

An address is one thing for ever: the wallet of an owner, a session key of one, or a key with one
of the venue's roles. A command needs consents, all of them, and each may be given in one of
several ways. An identity is judged for every object that the command names.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from ringfence.venue import commands as c
from ringfence.venue.consent import messages as m
from ringfence.venue.consent.book import Grant
from ringfence.venue.consent.problem import Problem
from ringfence.venue.lookup import pool_of
from ringfence.venue.state import State

SCOPES = ("trade", "collateral", "lend", "keep", "govern")
ROLES = ("admin", "custodian", "oracle", "operator", "governance")


class Class(Enum):
    """What an address is."""

    WALLET = "the wallet of an owner"
    SESSION = "a session key"
    EXPIRED = "a session key that has expired"
    ROLE = "a role key"
    READER = "a read-only key"
    REVOKED = "a revoked key"
    STRANGER = "not known to this venue"


@dataclass(frozen=True)
class Identity:
    """Who signed, as the state knows the address."""

    kind: Class
    address: bytes
    owner: bytes = b""  # whom it acts for
    grant: Grant | None = None
    role: str = ""

    def __str__(self) -> str:
        return f"0x{self.address.hex()} is {self.kind.value}"


@dataclass(frozen=True)
class Of:
    """The owner that a field names, by wallet, or by a session key with all of the scopes.

    Without scopes only the wallet will do.
    """

    field: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Anybody:
    """Any owner, by wallet, or by a session key with the scope."""

    scope: str


@dataclass(frozen=True)
class Role:
    """A key with this role."""

    name: str


@dataclass(frozen=True)
class Itself:
    """The address that a field names, which need not be known yet."""

    field: str


Way = Of | Anybody | Role | Itself
Consents = tuple[tuple[Way, ...], ...]

_WALLET: Consents = ((Of("owner"),),)
_COLLATERAL: Consents = ((Of("owner", ("collateral",)),),)
_LEND: Consents = ((Of("owner", ("lend",)),),)
_TRADE: Consents = ((Of("owner", ("trade",)),),)
_KEEP: Consents = ((Anybody("keep"), Role("operator")),)
_ORACLE: Consents = ((Role("oracle"),),)
_GOVERN: Consents = ((Of("creator", ("govern",)), Role("governance")),)
_ADMIN: Consents = ((Role("admin"),),)

TABLE: dict[type, Consents] = {
    c.OpenAccount: _COLLATERAL,
    c.Deposit: _COLLATERAL,
    c.Withdraw: _COLLATERAL,
    c.FundInsurance: _WALLET,
    c.Supply: _LEND,
    c.Redeem: _LEND,
    c.Borrow: _LEND,
    c.Repay: _LEND,
    c.Exchange: (
        (Of("owner", ("trade", "collateral")),),
        (Of("other", ("trade", "collateral")),),
    ),
    c.Trade: ((Of("owner", ("trade",)),), (Of("other", ("trade",)),)),
    c.OpenPosition: ((Of("owner", ("trade", "collateral")),), (Of("other", ("trade",)),)),
    # No scope allows these: what they commit is not counted against a session key's cap.
    c.FundBond: _WALLET,
    c.ReleaseBond: _WALLET,
    c.Protect: _WALLET,
    c.SupplyBackstop: _WALLET,
    c.RedeemBackstop: _WALLET,
    c.BuyFromBackstop: _WALLET,
    c.BuyCollateral: _WALLET,
    c.Bid: _WALLET,
    c.TopUp: _KEEP,
    c.Reduce: _KEEP,
    c.Warn: _KEEP,
    c.Liquidate: _KEEP,
    c.Deleverage: _KEEP,
    c.EndPool: _KEEP,
    c.Settle: _KEEP,
    c.Expire: _KEEP,
    c.SetIndexPrice: _ORACLE,
    c.SetMarkPrice: _ORACLE,
    c.AccrueFunding: _ORACLE,
    c.AnnounceChange: _GOVERN,
    c.CancelChange: _GOVERN,
    m.Register: ((Itself("owner"),),),
    m.Receive: ((Role("custodian"),),),
    m.Send: _WALLET,
    m.ListAsset: _ADMIN,
    m.CreatePool: _WALLET,
    m.GrantKey: ((Of("owner"),), (Itself("key"),)),
    m.RevokeKey: ((Of("owner"), Itself("key")),),
    m.GrantReader: _WALLET,
    m.RevokeReader: _WALLET,
    m.AppointKey: ((Role("admin"),), (Itself("key"),)),
    m.DismissKey: _ADMIN,
    m.CancelOrder: _TRADE,
    m.CancelOrders: _TRADE,
    m.Order: _TRADE,
    m.Match: ((Of("maker", ("trade",)), Of("taker", ("trade",)), Role("operator")),),
}


def identify(state: State, address: bytes, now_ms: int) -> Identity:
    """Return what an address is in a state at a time."""
    book = state.book
    if address in book.revoked:
        return Identity(Class.REVOKED, address)
    grant = book.grants.get(address)
    if grant is not None:
        kind = Class.SESSION if now_ms <= grant.until_ms else Class.EXPIRED
        return Identity(kind, address, grant.owner, grant)
    if address in book.roles:
        return Identity(Class.ROLE, address, role=book.roles[address])
    if state.owner_number(address) is not None:
        return Identity(Class.WALLET, address, address)
    return Identity(Class.STRANGER, address)


def authorise(identity: Identity, command: m.Signable | m.Order, state: State) -> Problem | None:
    """Why this identity may give none of the consents that a command needs; None when it may."""
    return _first(
        [_judged(way, identity, command, state) for ways in TABLE[type(command)] for way in ways]
    )


def authorise_all(
    identities: list[Identity], command: m.Signable | m.Order, state: State
) -> Problem | None:
    """Why these identities together do not consent to a command; None when they do.

    Each must give a consent that is needed, and each consent that is needed must be given.
    """
    for identity in identities:
        problem = authorise(identity, command, state)
        if problem is not None:
            return problem
    for ways in TABLE[type(command)]:
        judged = [_judged(way, i, command, state) for i in identities for way in ways]
        if None not in judged:
            wanted = " or ".join(_described(way, command) for way in ways)
            return Problem("authorisation_missing", f"this also needs the signature of {wanted}")
    return None


def _first(problems: list[Problem | None]) -> Problem | None:
    """None when one way is open, else the most telling of the problems: the first specific one."""
    if None in problems:
        return None
    known = [problem for problem in problems if problem is not None]
    return next((p for p in known if p.code != "not_allowed"), known[0])


def _judged(
    way: Way, identity: Identity, command: m.Signable | m.Order, state: State
) -> Problem | None:
    """Why one way is closed to an identity; None when it is open."""
    if identity.kind is Class.REVOKED:
        return Problem("key_revoked", f"{identity}; a revoked key never returns")
    match way:
        case Itself(field):
            is_it = identity.address == _address(getattr(command, field))
        case Role(name):
            is_it = identity.kind is Class.ROLE and identity.role == name
        case Of(field):
            is_it = identity.owner != b"" and identity.owner == _owner(command, field, state)
        case Anybody():
            is_it = identity.owner != b""
    if not is_it:
        code = "key_unknown" if identity.kind is Class.STRANGER else "not_allowed"
        return Problem(code, f"{identity}; this needs {_described(way, command)}")
    if isinstance(way, Of | Anybody) and identity.grant is not None:
        scopes = way.scopes if isinstance(way, Of) else (way.scope,)
        return _grant_problem(identity, identity.grant, scopes, command, state)
    return None


def _grant_problem(
    identity: Identity,
    grant: Grant,
    scopes: tuple[str, ...],
    command: m.Signable | m.Order,
    state: State,
) -> Problem | None:
    """Why a session key may not act for its owner here."""
    name = type(command).__name__.lower()
    if identity.kind is Class.EXPIRED:
        return Problem("authorisation_expired", f"{identity}, at {grant.until_ms} ms")
    if not scopes:
        return Problem("not_allowed", f"{identity}; only the owner's wallet may sign a {name}")
    lacking = [scope for scope in scopes if scope not in grant.scopes]
    if lacking:
        return Problem("not_allowed", f"{identity} without the scope {' and '.join(lacking)}")
    pool = getattr(command, "pool", None)
    if grant.pools and pool is not None:
        record = pool_of(state, pool)
        if record is None or record.id not in grant.pools:
            return Problem("not_allowed", f"{identity} that was not granted for pool {pool}")
    return None


def _address(text: str) -> bytes:
    """Bytes of an address whose form a digest has checked before."""
    return bytes.fromhex(text[2:])


def _owner(command: Any, field: str, state: State) -> bytes:
    """Address of the owner that a field stands for; nothing when there is none."""
    if field == "creator":
        record = pool_of(state, command.pool)
        return b"" if record is None else state.owners[record.creator]
    value = getattr(command, field)
    return _address(value.order.owner if isinstance(value, m.SignedOrder) else value)


def _described(way: Way, command: m.Signable | m.Order) -> str:
    """A way to consent, in words."""
    match way:
        case Itself(field):
            return f"{getattr(command, field)} itself"
        case Role(name):
            return f"a key with the role {name}"
        case Anybody():
            return "a registered owner"
        case Of("creator"):
            return "the pool's creator"
        case Of("maker" | "taker" as side):
            return f"the owner of the {side}'s order"
        case Of(field):
            return f"owner {getattr(command, field)}"
