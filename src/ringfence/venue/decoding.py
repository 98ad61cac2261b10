"""Entries of a journal in names and decimals, as a reader follows them from the first on.

Commands come out with the fields that `ringfence.venue.commands` gives them, and the status
each one met. Nothing is replayed: names of owners, assets and pools stand in the venue's own
entries, and accounts are numbered in the order in which they were opened. An index that
stands for nothing (a refused command may name anything) stays a number, and a body that
cannot be decoded stays in hex.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import msgspec
import numpy as np

from ringfence.core.auction import WHOLE
from ringfence.core.bounds import HARD_BOUNDS, parameter_name
from ringfence.core.command import Kind
from ringfence.core.pool import CASH, account_count
from ringfence.core.spec import PoolSpec, pool_id
from ringfence.core.status import Status
from ringfence.core.validity import Flag
from ringfence.journal.entry import Entry
from ringfence.units import PRICE_UNIT, UNIT
from ringfence.venue import entries
from ringfence.venue.consent.evidence import decode_signed, edge_body
from ringfence.venue.encoding import asset_scale
from ringfence.venue.fanout import FeedPrice
from ringfence.venue.receipts import decimal, event_view
from ringfence.venue.state import (
    CreatePool,
    Receive,
    RegisterAsset,
    RegisterOwner,
    Send,
    State,
)

Fields = dict[str, Any]
SLOT_FIELDS = ("account", "other", "amount", "size", "price")  # of a part of a risk array


@dataclass
class KnownPool:
    """What entries have told of a pool so far."""

    spec: PoolSpec
    accounts: list[tuple[int, int]] = field(default_factory=list)  # (owner, number), by index


class Decoder:
    """Follows a journal from its first entry on and tells what each entry says."""

    def __init__(self) -> None:
        self._assets: list[RegisterAsset] = []
        self._owners: list[bytes] = []
        self._pools: dict[bytes, KnownPool] = {}

    @classmethod
    def of_state(cls, state: State) -> Self:
        """Return one that knows every name of a state, as after following its whole journal."""
        decoder = cls()
        decoder._assets, decoder._owners = list(state.assets), list(state.owners)
        for record in state.pools.values():
            count = account_count(record.pool)
            owners, numbers = record.pool.owner[:count], record.pool.number[:count]
            accounts = list(zip(owners.tolist(), numbers.tolist(), strict=True))
            decoder._pools[record.id] = KnownPool(record.spec, accounts)
        return decoder

    def standing(self, pool: bytes, account: int) -> tuple[str, int] | None:
        """Owner and number of an account by its index; None where no entry told of it."""
        known = self._pools.get(pool)
        if known is None or not 0 <= account < len(known.accounts):
            return None
        owner, number = known.accounts[account]
        return "0x" + self._owners[owner].hex(), number

    def spec(self, pool: bytes) -> PoolSpec | None:
        """Spec of a pool that entries have told of."""
        known = self._pools.get(pool)
        return None if known is None else known.spec

    def follow(self, entry: Entry) -> None:
        """Take note of the names that an entry brings; one that cannot be read brings none."""
        try:
            if entry.kind == entries.VENUE:
                self._learn(entries.decode_venue(entry.body))
            elif entry.kind == entries.POOL and entry.pool in self._pools:
                self._learn_accounts(self._pools[entry.pool], entries.decode_batch(entry.body))
            elif entry.kind == entries.SIGNED:
                self._learn_signed(entry)
        except (entries.MalformedEntryError, IndexError):
            return

    def decoded(self, entry: Entry) -> Fields:
        """Return what an entry says; `follow` comes before, so that it knows its own names."""
        known = self._pools.get(entry.pool)
        fields: Fields = {
            "seq": entry.seq,
            "time_ns": entry.time_ns,
            "kind": entry.kind,
            "pool": entry.pool.hex() or None,
            "pool_name": known.spec.name if known else None,
            "head": entry.head.hex(),
        }
        try:
            return fields | self._body(entry)
        except (ValueError, IndexError) as error:
            return fields | {"undecoded": entry.body.hex(), "reason": str(error)}

    def _learn(self, body: entries.VenueBody) -> None:
        if body.outcome != "ok":
            return
        match body.command:
            case RegisterAsset():
                self._assets.append(body.command)
            case RegisterOwner(address):
                self._owners.append(address)
            case CreatePool(spec, creator):
                known = KnownPool(spec, [(creator, 0)])
                self._pools[pool_id(spec, self._owners[creator])] = known

    def _learn_signed(self, entry: Entry) -> None:
        body = decode_signed(entry.body)
        edge = edge_body(body)
        if edge is not None:
            self._learn(edge)
        elif entry.pool in self._pools:
            self._learn_accounts(self._pools[entry.pool], entries.decode_batch(body.inner))

    @staticmethod
    def _learn_accounts(known: KnownPool, batch: entries.Batch) -> None:
        opened = (batch.rows["kind"] == Kind.OPEN_ACCOUNT) & (batch.outcome.statuses == Status.OK)
        rows = batch.rows[opened]
        known.accounts += zip(rows["other"].tolist(), rows["amount"].tolist(), strict=True)

    def _body(self, entry: Entry) -> Fields:
        if entry.kind == entries.VENUE:
            return self._of_venue(entries.decode_venue(entry.body))
        if entry.kind == entries.PRICES:
            return _of_prices(entries.decode_prices(entry.body))
        if entry.kind == entries.DIGEST:
            return {"digest": entry.body.hex()}
        if entry.kind == entries.SIGNED:
            return self._of_signed(entry)
        if entry.kind == entries.POOL and entry.pool in self._pools:
            return self._of_batch(self._pools[entry.pool], entries.decode_batch(entry.body))
        raise ValueError(f"entries of kind {entry.kind!r} of this pool are not known")

    def _of_venue(self, body: entries.VenueBody) -> Fields:
        command = body.command
        fields: Fields = {"type": command.__struct_config__.tag}
        match command:
            case RegisterOwner(address):
                fields["owner"] = "0x" + address.hex()
            case RegisterAsset(name, decimals):
                fields |= {"asset": name, "decimals": decimals}
            case CreatePool(spec, creator, time_ns):
                fields |= {"creator": self._owner(creator), "time_ns": time_ns}
                fields["spec"] = msgspec.to_builtins(spec)
            case Receive(owner, asset, amount) | Send(owner, asset, amount):
                listed = self._assets[asset]
                fields |= {"owner": self._owner(owner), "asset": listed.name}
                fields["amount"] = decimal(amount, 10**listed.decimals)
        return {"commands": [fields | {"status": body.outcome}], "events": []}

    def _of_signed(self, entry: Entry) -> Fields:
        """What a signed command did, and who signed it."""
        body = decode_signed(entry.body)
        edge = edge_body(body)
        if edge is not None:
            fields = self._of_venue(edge)
        elif entry.pool in self._pools:
            fields = self._of_batch(self._pools[entry.pool], entries.decode_batch(body.inner))
        else:
            command = msgspec.to_builtins(body.signed.command)
            fields = {"commands": [command | {"status": "ok"}], "events": []}
        signatures = msgspec.to_builtins(body.signed.authorisations)
        return fields | {"client_id": body.signed.client_id, "authorisations": signatures}

    def _of_batch(self, known: KnownPool, batch: entries.Batch) -> Fields:
        statuses = batch.outcome.statuses.tolist()
        reader = RowReader(known, self._owner)
        commands = [
            reader.fields(row) | {"status": _status(status)}
            for row, status in zip(batch.rows, statuses, strict=True)
        ]
        events = [
            {"command": int(event["row"]), **msgspec.to_builtins(event_view(known.spec, event))}
            for event in batch.outcome.events
        ]
        return {"commands": commands, "events": events}

    def _owner(self, number: int) -> str | int:
        return "0x" + self._owners[number].hex() if 0 <= number < len(self._owners) else number


class RowReader:
    """Reads rows of one pool's commands back into their fields."""

    def __init__(self, known: KnownPool, owner: Callable[[int], str | int]) -> None:
        self._spec = known.spec
        self._accounts = known.accounts
        self._owner = owner

    def fields(self, row: np.void) -> Fields:
        """Return the type of a command and the fields that it uses."""
        try:
            kind = Kind(int(row["kind"]))
        except ValueError:
            return {"type": int(row["kind"])}
        fields: Fields = {"type": kind.name.lower().replace("_", "")}
        for part in PARTS[kind]:
            fields |= part(self, row)
        return fields

    def account(self, row: np.void) -> Fields:
        """Owner and number of the account, and its index in the pool."""
        owner, number = self._standing(int(row["account"]))
        return {"owner": owner, "number": number, "account": int(row["account"])}

    def other(self, row: np.void) -> Fields:
        """Owner and number of the other account, and its index in the pool."""
        owner, number = self._standing(int(row["other"]))
        return {"other": owner, "other_number": number, "other_account": int(row["other"])}

    def opened(self, row: np.void) -> Fields:
        """Owner and number of an account to open."""
        return {"owner": self._owner(int(row["other"])), "number": int(row["amount"])}

    def asset(self, row: np.void) -> Fields:
        """Asset and amount."""
        asset = int(row["asset"])
        name = _named(self._spec.assets(), asset)
        return {"asset": name, "amount": decimal(row["amount"], asset_scale(self._spec, asset))}

    def cash(self, row: np.void) -> Fields:
        """Amount of the settlement asset."""
        return {"amount": decimal(row["amount"], asset_scale(self._spec, CASH))}

    def bid(self, row: np.void) -> Fields:
        """Share that is wanted at most, and the least bonus."""
        share = decimal(row["amount"], WHOLE)
        return {"share": share, "bonus": decimal(row["size"], asset_scale(self._spec, CASH))}

    def protection(self, row: np.void) -> Fields:
        """What an owner signs: a budget of the wallet, and whether positions may be reduced."""
        budget = decimal(row["amount"], asset_scale(self._spec, CASH))
        return {"budget": budget, "may_reduce": bool(row["size"])}

    def instrument(self, row: np.void) -> Fields:
        """Name of the instrument."""
        names = [i.name for i in self._spec.instruments]
        return {"instrument": _named(names, int(row["instrument"]))}

    def index_price(self, row: np.void) -> Fields:
        """What the oracle says of an underlying."""
        names = [u.name for u in self._spec.underlyings]
        return {
            "underlying": _named(names, int(row["instrument"])),
            "price": decimal(row["price"], PRICE_UNIT),
            "publish_time_ns": int(row["size"]),
            "confidence": decimal(row["amount"], PRICE_UNIT),
            "flag": _named([flag.name.lower() for flag in Flag], int(row["asset"])),
        }

    def change(self, row: np.void) -> Fields:
        """An announced change of a parameter, in raw integers."""
        parameter = int(row["asset"])
        is_known = parameter in HARD_BOUNDS
        return {
            "parameter": parameter_name(parameter) if is_known else parameter,
            "index": int(row["instrument"]),
            "value": int(row["amount"]),
            "start_ns": int(row["size"]),
            "ramp_ns": int(row["price"]),
        }

    def _standing(self, account: int) -> tuple[str | int | None, int | None]:
        if not 0 <= account < len(self._accounts):
            return None, None
        owner, number = self._accounts[account]
        return self._owner(owner), number


Part = Callable[[RowReader, np.void], Fields]


def _scaled(name: str, column: str, scale: int) -> Part:
    return lambda _reader, row: {name: decimal(row[column], scale)}


def _raw(name: str, column: str) -> Part:
    return lambda _reader, row: {name: int(row[column])}


def _slots(_reader: RowReader, row: np.void) -> Fields:
    """Five slots of a risk array, in quote units per lot."""
    return {"slots": [int(row[name]) for name in SLOT_FIELDS]}


_PRICE, _SIZE = _scaled("price", "price", PRICE_UNIT), _scaled("size", "size", UNIT)
_SHARES = _scaled("shares", "amount", 1)
_OF_ACCOUNT = RowReader.account
_CASH = (_OF_ACCOUNT, RowReader.cash)
_TRADE = (_OF_ACCOUNT, RowReader.other, RowReader.instrument, _SIZE, _PRICE)
PARTS: dict[Kind, Sequence[Part]] = {
    Kind.ADVANCE_CLOCK: (_raw("time_ns", "time_ns"),),
    Kind.OPEN_ACCOUNT: (RowReader.opened,),
    Kind.DEPOSIT: (_OF_ACCOUNT, RowReader.asset),
    Kind.WITHDRAW: (_OF_ACCOUNT, RowReader.asset),
    Kind.EXCHANGE: (_OF_ACCOUNT, RowReader.other, RowReader.asset, _PRICE),
    Kind.FUND_INSURANCE: _CASH,
    Kind.SUPPLY_BACKSTOP: _CASH,
    Kind.REDEEM_BACKSTOP: (_OF_ACCOUNT, _SHARES),
    Kind.FUND_BOND: _CASH,
    Kind.RELEASE_BOND: _CASH,
    Kind.PROTECT: (_OF_ACCOUNT, RowReader.protection),
    Kind.SUPPLY: _CASH,
    Kind.REDEEM: (_OF_ACCOUNT, _SHARES),
    Kind.BORROW: _CASH,
    Kind.REPAY: _CASH,
    Kind.TRADE: _TRADE,
    Kind.OPEN_POSITION: (*_TRADE, RowReader.asset),
    Kind.EXPIRE: (RowReader.instrument,),
    Kind.BUY_FROM_BACKSTOP: (_OF_ACCOUNT, RowReader.instrument, _SIZE),
    Kind.BUY_COLLATERAL: (_OF_ACCOUNT, RowReader.asset),
    Kind.SET_INDEX_PRICE: (RowReader.index_price,),
    Kind.SET_MARK_PRICE: (RowReader.instrument, _PRICE),
    Kind.SET_RISK_ARRAY: (RowReader.instrument, _raw("first_slot", "asset"), _slots),
    Kind.ACCRUE_FUNDING: (RowReader.instrument, _scaled("rate", "amount", PRICE_UNIT)),
    Kind.SETTLE: (),
    Kind.LIQUIDATE: (_OF_ACCOUNT,),
    Kind.DELEVERAGE: (RowReader.instrument, _raw("accounts", "amount")),
    Kind.BID: (_OF_ACCOUNT, RowReader.other, RowReader.bid),
    Kind.TOP_UP: _CASH,
    Kind.REDUCE: (_OF_ACCOUNT,),
    Kind.WARN: (_OF_ACCOUNT,),
    Kind.ANNOUNCE_CHANGE: (RowReader.change,),
    Kind.CANCEL_CHANGE: (_raw("change", "instrument"),),
    Kind.END_POOL: (),
}
assert PARTS.keys() == set(Kind)


def _named(names: Sequence[str], index: int) -> str | int:
    return names[index] if 0 <= index < len(names) else index


def _status(status: int) -> str:
    return Status(status).name.lower()


def _of_prices(body: entries.PricesBody) -> Fields:
    counts = Counter(_status(status) for status in body.statuses)
    return {"prices": [_price(price) for price in body.prices], "statuses": dict(counts)}


def _price(price: FeedPrice) -> Fields:
    return {
        "feed": price.feed,
        "index_price": decimal(price.index_price, PRICE_UNIT),
        "mark_price": decimal(price.mark_price, PRICE_UNIT),
        "publish_time_ns": price.publish_time_ns,
        "confidence": decimal(price.confidence, PRICE_UNIT),
        "flag": _named([flag.name.lower() for flag in Flag], price.flag),
        "sources": list(price.sources),
    }
