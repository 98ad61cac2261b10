"""Signed commands as callers write them, and what each of their signatures signs.

Every command of a pool can be signed as it is (`ringfence.venue.commands`). Here are those that
only exist signed: of the venue's edge, of keys, and of orders. A signature signs the command's
fields, a nonce and an expiry, in the type that `LINES` gives; the lines never change.
"""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from ringfence.core.spec import PoolSpec
from ringfence.signing.keys import SIGNATURE_PATTERN, keccak
from ringfence.signing.typed import DOMAIN_FIELDS, Domain, TypedStruct
from ringfence.venue import commands as c

CLIENT_ID_MAX = 64  # characters


class OfVenue(msgspec.Struct, frozen=True, kw_only=True, tag=str.lower, forbid_unknown_fields=True):
    """What all commands that concern no single account have in common."""


class Register(OfVenue, frozen=True, kw_only=True):
    """Give the signing wallet its place in the registry of owners."""

    owner: str


class Receive(OfVenue, frozen=True, kw_only=True):
    """Money came into the venue for an owner; a custodian says so."""

    owner: str
    asset: str
    amount: str


class Send(OfVenue, frozen=True, kw_only=True):
    """Let money of the owner's wallet leave the venue."""

    owner: str
    asset: str
    amount: str


class ListAsset(OfVenue, frozen=True, kw_only=True):
    """List an asset with the decimals of its smallest unit; an admin does so."""

    asset: str
    decimals: int


class CreatePool(OfVenue, frozen=True, kw_only=True):
    """Create a pool; the owner owns its backstop."""

    owner: str
    spec: PoolSpec


class GrantKey(OfVenue, frozen=True, kw_only=True):
    """Let a session key sign for the owner; both sign, so that nobody grants another's address."""

    owner: str
    key: str
    scopes: tuple[str, ...]
    pools: tuple[str, ...]  # ids; none: every pool
    notional_max: str  # over the key's life, in each pool, in its settlement asset
    until_ms: int


class RevokeKey(OfVenue, frozen=True, kw_only=True):
    """Take a session key back for ever; the owner or the key itself does so."""

    owner: str
    key: str


class GrantReader(OfVenue, frozen=True, kw_only=True):
    """Make a read-only API key of the owner; its id comes with the receipt."""

    owner: str
    until_ms: int


class RevokeReader(OfVenue, frozen=True, kw_only=True):
    """Take a read-only API key back."""

    owner: str
    reader: str


class AppointKey(OfVenue, frozen=True, kw_only=True):
    """Give a key one of the venue's roles; both sign, an admin and the key."""

    key: str
    role: str


class DismissKey(OfVenue, frozen=True, kw_only=True):
    """Take a key's role for ever; an admin does so."""

    key: str


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Standing consent to trade up to a signed size at a price or better."""

    pool: str
    owner: str
    number: int = 1
    instrument: str
    size: str
    price: str


class CancelOrder(OfVenue, frozen=True, kw_only=True):
    """Take back what is left of one order in a pool, by its digest."""

    pool: str
    owner: str
    order: str


class CancelOrders(OfVenue, frozen=True, kw_only=True):
    """Take back every order of the owner in a pool with a nonce up to this one."""

    pool: str
    owner: str
    before: int


class Authorisation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One signature: who signed, until when, and the nonce that makes it good only once."""

    signer: str
    nonce: Annotated[str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,18})$")]
    expires_ms: int
    signature: Annotated[str, msgspec.Meta(pattern=SIGNATURE_PATTERN)]


class SignedOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that anybody may show to a matcher, and nobody can alter."""

    order: Order
    authorisation: Authorisation


class Match(OfVenue, frozen=True, kw_only=True):
    """Trade two orders with each other at the maker's price; the maker signed first."""

    pool: str
    maker: SignedOrder
    taker: SignedOrder
    size: str  # without sign


OwnCommand = (
    Register
    | Receive
    | Send
    | ListAsset
    | CreatePool
    | GrantKey
    | RevokeKey
    | GrantReader
    | RevokeReader
    | AppointKey
    | DismissKey
    | CancelOrder
    | CancelOrders
    | Match
)
Signable = c.AnyCommand | OwnCommand


class Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command with the signatures it rests on, as it is sent and as it is journaled."""

    command: Signable
    authorisations: Annotated[tuple[Authorisation, ...], msgspec.Meta(min_length=1, max_length=2)]
    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=CLIENT_ID_MAX)] | None = None


_ACCOUNT = "bytes32 pool,address owner,uint64 number"
_OTHER = f"{_ACCOUNT},address other,uint64 other_number,string price"
_BASIS: dict[type, str] = {
    c.OpenAccount: f"OpenAccount({_ACCOUNT}",
    c.Deposit: f"Deposit({_ACCOUNT},string asset,string amount",
    c.Withdraw: f"Withdraw({_ACCOUNT},string asset,string amount",
    c.FundInsurance: f"FundInsurance({_ACCOUNT},string amount",
    c.Supply: f"Supply({_ACCOUNT},string amount",
    c.Redeem: f"Redeem({_ACCOUNT},string shares",
    c.Borrow: f"Borrow({_ACCOUNT},string amount",
    c.Repay: f"Repay({_ACCOUNT},string amount",
    c.Exchange: f"Exchange({_OTHER},string asset,string amount",
    c.Trade: f"Trade({_OTHER},string instrument,string size",
    c.OpenPosition: f"OpenPosition({_OTHER},string instrument,string size,string asset,string amount",
    c.FundBond: f"FundBond({_ACCOUNT},string amount",
    c.ReleaseBond: f"ReleaseBond({_ACCOUNT},string amount",
    c.Protect: f"Protect({_ACCOUNT},string budget,bool may_reduce",
    c.TopUp: f"TopUp({_ACCOUNT},string amount",
    c.Reduce: f"Reduce({_ACCOUNT}",
    c.Warn: f"Warn({_ACCOUNT}",
    c.SupplyBackstop: f"SupplyBackstop({_ACCOUNT},string amount",
    c.RedeemBackstop: f"RedeemBackstop({_ACCOUNT},string shares",
    c.BuyFromBackstop: f"BuyFromBackstop({_ACCOUNT},string instrument,string size",
    c.BuyCollateral: f"BuyCollateral({_ACCOUNT},string asset,string amount",
    c.Bid: f"Bid({_ACCOUNT},address other,uint64 other_number,string share,string bonus",
    c.Liquidate: f"Liquidate({_ACCOUNT}",
    c.Deleverage: "Deleverage(bytes32 pool,string instrument,uint64 accounts",
    c.EndPool: "EndPool(bytes32 pool",
    c.Settle: "Settle(bytes32 pool",
    c.Expire: "Expire(bytes32 pool,string instrument",
    c.SetIndexPrice: (
        "SetIndexPrice(bytes32 pool,string underlying,string price,uint64 publish_time_ns,"
        "string confidence,string flag"
    ),
    c.SetMarkPrice: "SetMarkPrice(bytes32 pool,string instrument,string price",
    c.AccrueFunding: "AccrueFunding(bytes32 pool,string instrument,string rate",
    c.AnnounceChange: (
        "AnnounceChange(bytes32 pool,string parameter,uint64 index,int64 value,uint64 start_ns,"
        "uint64 ramp_ns"
    ),
    c.CancelChange: "CancelChange(bytes32 pool,uint64 change",
    Register: "Register(address owner",
    Receive: "Receive(address owner,string asset,string amount",
    Send: "Send(address owner,string asset,string amount",
    ListAsset: "ListAsset(string asset,uint64 decimals",
    CreatePool: "CreatePool(address owner,bytes32 spec",
    GrantKey: (
        "GrantKey(address owner,address key,string[] scopes,bytes32[] pools,string notional_max,"
        "uint64 until_ms"
    ),
    RevokeKey: "RevokeKey(address owner,address key",
    GrantReader: "GrantReader(address owner,uint64 until_ms",
    RevokeReader: "RevokeReader(address owner,bytes32 reader",
    AppointKey: "AppointKey(address key,string role",
    DismissKey: "DismissKey(address key",
    Order: f"Order({_ACCOUNT},string instrument,string size,string price",
    CancelOrder: "CancelOrder(bytes32 pool,address owner,bytes32 order",
    CancelOrders: "CancelOrders(bytes32 pool,address owner,uint64 before",
    Match: "Match(bytes32 pool,bytes32 maker,bytes32 taker,string size",
}
LINES = {kind: basis + ",uint64 nonce,uint64 expires_ms)" for kind, basis in _BASIS.items()}
_TYPES = {kind: TypedStruct(line) for kind, line in LINES.items()}


def spec_hash(spec: PoolSpec) -> bytes:
    """Keccak-256 of a spec as JSON with sorted keys and every default written out."""
    return keccak(msgspec.json.encode(spec, order="sorted"))


def message(
    command: Signable | Order, nonce: int, expires_ms: int, separator: bytes
) -> dict[str, object]:
    """Return the values that are signed, by field."""
    values: dict[str, object] = {name: getattr(command, name) for name in command.__struct_fields__}
    if isinstance(command, CreatePool):
        values["spec"] = spec_hash(command.spec).hex()
    if isinstance(command, Match):
        values["maker"] = order_digest(command.maker, separator).hex()
        values["taker"] = order_digest(command.taker, separator).hex()
    return values | {"nonce": nonce, "expires_ms": expires_ms}


def digest_of(command: Signable | Order, nonce: int, expires_ms: int, separator: bytes) -> bytes:
    """Return the digest that a wallet or a session key signs.

    Raises:
        TypedDataError: A field cannot hold its value.
    """
    values = message(command, nonce, expires_ms, separator)
    return _TYPES[type(command)].digest(separator, values)


def typed_data(
    command: Signable | Order, nonce: int, expires_ms: int, domain: Domain
) -> dict[str, object]:
    """Return what a wallet shows and signs: the parameter of `eth_signTypedData_v4`."""
    struct = _TYPES[type(command)]
    values = message(command, nonce, expires_ms, domain.separator())
    return {
        "types": {
            "EIP712Domain": [{"name": name, "type": kind} for name, kind in DOMAIN_FIELDS],
            struct.name: [{"name": name, "type": kind} for name, kind in struct.fields],
        },
        "primaryType": struct.name,
        "domain": {
            "name": domain.name,
            "version": domain.version,
            "chainId": domain.chain_id,
            "salt": _prefixed(domain.venue_id),
        },
        "message": {name: _shown(kind, values[name]) for name, kind in struct.fields},
    }


def _shown(kind: str, value: object) -> object:
    """A value as wallets take it: bytes with 0x, large numbers as text."""
    if kind.endswith("[]"):
        assert isinstance(value, tuple)
        return [_shown(kind[:-2], item) for item in value]
    if kind == "bytes32":
        return _prefixed(str(value))
    return str(value) if kind in {"uint64", "int64"} else value


def _prefixed(digits: str) -> str:
    return "0x" + digits.removeprefix("0x")


def order_digest(signed: SignedOrder, separator: bytes) -> bytes:
    """Digest of an order, which also names it."""
    authorisation = signed.authorisation
    return digest_of(signed.order, int(authorisation.nonce), authorisation.expires_ms, separator)


def signatures(signed: Signed, separator: bytes) -> Iterator[tuple[Authorisation, bytes]]:
    """Every signature that a command rests on, with the digest it must be of.

    Raises:
        TypedDataError: A field cannot hold its value.
    """
    for authorisation in signed.authorisations:
        digest = digest_of(
            signed.command, int(authorisation.nonce), authorisation.expires_ms, separator
        )
        yield authorisation, digest
    if isinstance(signed.command, Match):
        for order in (signed.command.maker, signed.command.taker):
            yield order.authorisation, order_digest(order, separator)
