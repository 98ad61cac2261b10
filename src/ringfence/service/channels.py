"""The channels of the stream: what each key stands for, and how it is worked out."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from ringfence.service.accounts import as_row, in_full
from ringfence.service.desk import Desk
from ringfence.service.frames import Frame
from ringfence.service.problems import ProblemError
from ringfence.service.schema import Pool
from ringfence.service.stream import Table, Topic
from ringfence.service.summaries import at_risk, pool_in_full, row
from ringfence.service.waterfall_rows import auctions_of, queue_places
from ringfence.units import PPM

WORST_ROWS = 100
AT_RISK_ROWS = 500
AUCTION_ROWS = 500
TURNS_BETWEEN = 4  # of a table that takes long to work out
ACCOUNTS_MAX = 200  # accounts watched in full at the same time
BELOW_MIN, BELOW_MAX, BELOW_STEP = Decimal(1), Decimal(2), Decimal("0.01")


class Subscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a viewer asks for."""

    op: str
    channel: str
    id: str | None = None
    pool: str | None = None
    instrument: str | None = None
    owner: str | None = None
    number: int = 1
    below: str | None = None
    resume: dict[str, Any] | None = None


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


class Channels:
    """Opens topics."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._openers: dict[str, Callable[[Subscribe], Topic]] = {
            "prices": self._prices,
            "pools": self._pools,
            "pool": self._pool,
            "accounts": self._accounts,
            "account": self._account,
            "at_risk": self._at_risk,
            "liquidations": self._liquidations,
            "auctions": self._auctions,
            "queue": self._queue,
            "journal": self._journal,
            "stats": self._stats,
        }

    def open(self, wanted: Subscribe) -> Topic:
        """Return the topic that a viewer asks for.

        Raises:
            ProblemError: There is no such thing.
        """
        opener = self._openers.get(wanted.channel)
        if opener is None:
            known = ", ".join(self._openers)
            raise ProblemError("malformed", f"no channel {wanted.channel!r}; there are: {known}")
        return opener(wanted)

    # Of the whole venue

    def _prices(self, _wanted: Subscribe) -> Topic:
        prices = self._desk.ledger.prices
        return self._desk.hub.open("prices", lambda: {f: _fields(p) for f, p in prices.items()})

    def _pools(self, _wanted: Subscribe) -> Topic:
        return self._desk.hub.open("pools", self._desk.fields)

    def _stats(self, _wanted: Subscribe) -> Topic:
        return self._desk.hub.open("stats", lambda: {"": _fields(self._desk.stats())})

    def _liquidations(self, _wanted: Subscribe) -> Topic:
        desk = self._desk
        last = list(desk.ledger.liquidations)[-100:]
        return desk.hub.open("liquidations", lambda: desk.new_liquidations, feed=last)

    def _journal(self, _wanted: Subscribe) -> Topic:
        desk = self._desk
        in_short = desk.ledger.in_short

        def new() -> list[dict[str, Any]]:
            return [in_short(entry) for entry in desk.snapshot.entries]

        if desk.hub.is_watched("journal"):
            return desk.hub.open("journal", new, feed=[])
        return desk.hub.open("journal", new, feed=[in_short(e) for e in desk.ledger.recent])

    def _at_risk(self, wanted: Subscribe) -> Topic:
        desk, health = self._desk, threshold(wanted.below)

        def table() -> Table:
            found = at_risk(desk.snapshot.frames.values(), health, AT_RISK_ROWS)
            owners = desk.snapshot.owners
            return {f"{f.facts.id}:{a}": _fields(row(f, a, owners)) for f, a in found}

        return desk.hub.open(f"at_risk:{health / PPM:.2f}", table)

    def _auctions(self, wanted: Subscribe) -> Topic:
        desk = self._desk
        pool = None if wanted.pool is None else self._frame(wanted).facts.id

        def table() -> Table:
            frames = desk.snapshot.frames
            some = frames.values() if pool is None else (frames[pool],)
            found = auctions_of(some, desk.snapshot.owners)[:AUCTION_ROWS]
            return {f"{row.pool}:{row.account}": _fields(row) for row in found}

        return desk.hub.open("auctions" if pool is None else f"auctions:{pool}", table)

    # Of one pool

    def _queue(self, wanted: Subscribe) -> Topic:
        desk, frame = self._desk, self._frame(wanted)
        pool, i = frame.facts.id, instrument_of(frame, wanted.instrument)
        name = frame.facts.spec.instruments[i].name

        def table() -> Table:
            places = queue_places(desk.snapshot.frames[pool], i, desk.snapshot.owners)
            return {f"{place.side}:{place.account}": _fields(place) for place in places}

        return desk.hub.open(f"queue:{pool}:{name}", Seldom(desk, table))

    def _frame(self, wanted: Subscribe) -> Frame:
        if wanted.pool is None:
            raise ProblemError("malformed", f"channel {wanted.channel} needs a pool")
        return self._desk.frame(wanted.pool)

    def _pool(self, wanted: Subscribe) -> Topic:
        desk, pool = self._desk, self._frame(wanted).facts.id

        def table() -> Table:
            return {"": _fields(pool_now(desk, desk.snapshot.frames[pool]))}

        return desk.hub.open(f"pool:{pool}", table)

    def _accounts(self, wanted: Subscribe) -> Topic:
        desk, pool = self._desk, self._frame(wanted).facts.id

        def table() -> Table:
            frame = desk.snapshot.frames[pool]
            worst = worst_first(frame)[:WORST_ROWS]
            return {str(a): _fields(row(frame, a, desk.snapshot.owners)) for a in worst}

        return desk.hub.open(f"accounts:{pool}", table)

    def _account(self, wanted: Subscribe) -> Topic:
        desk, frame = self._desk, self._frame(wanted)
        if wanted.owner is None:
            raise ProblemError("malformed", "channel account needs an owner")
        a = desk.account(frame, wanted.owner, wanted.number)
        pool, owner = frame.facts.id, "0x" + desk.snapshot.owners[int(frame.owner[a])].hex()
        key = f"account:{pool}:{owner}:{wanted.number}"
        watched = sum(key.startswith("account:") for key in desk.hub.topics)
        if watched >= ACCOUNTS_MAX and not desk.hub.is_watched(key):
            detail = f"{watched} accounts are watched, and no more can be; ask again later"
            raise ProblemError("busy", detail)
        return desk.hub.open(key, AccountTable(desk, pool, a, owner))


class Seldom:
    """A table that takes long to work out, so not anew with each snapshot."""

    def __init__(self, desk: Desk, table: Callable[[], Table]) -> None:
        self._desk, self._make = desk, table
        self._table: Table = {}
        self._next_turn = 0

    def __call__(self) -> Table:
        """Return the table; worked out anew when it is time."""
        turn = self._desk.snapshot.turn
        if turn >= self._next_turn:
            self._next_turn = turn + TURNS_BETWEEN
            self._table = self._make()
        return self._table


class AccountTable:
    """One account in full, as often as that can be had."""

    def __init__(self, desk: Desk, pool: str, a: int, owner: str) -> None:
        self._desk, self._pool, self._a, self._owner = desk, pool, a, owner
        self._table: Table = {}
        self._next_turn = 0

    def __call__(self) -> Table:
        """Return the table; worked out anew when it is time, and there is a copy of the pool."""
        snapshot, identity = self._desk.snapshot, bytes.fromhex(self._pool)
        self._desk.writer.look(identity)  # so that the next snapshot has a copy, too
        record = snapshot.copies.get(identity)
        if record is not None and snapshot.turn >= self._next_turn:
            self._next_turn = snapshot.turn + TURNS_BETWEEN
            self._table = {"": as_row(in_full(record, self._a, self._owner, snapshot.seq))}
        return self._table


def instrument_of(frame: Frame, name: str | None) -> int:
    """Return the number of an instrument of a pool; the first one unless named.

    Raises:
        ProblemError: The pool has none of that name, or none at all.
    """
    names = [i.name for i in frame.facts.spec.instruments]
    if not names:
        raise ProblemError("instrument_unknown", f"{frame.facts.name} lists no instruments")
    if name is not None and name not in names:
        detail = f"there is no instrument {name!r} in this pool; it has {', '.join(names)}"
        raise ProblemError("instrument_unknown", detail)
    return names.index(name) if name is not None else 0


def worst_first(frame: Frame) -> list[int]:
    """Accounts of a pool by health factor, then by number; the backstop is left out."""
    order = frame.survey.health.argsort(kind="stable")
    return [a for a in order.tolist() if a > 0]


def pool_now(desk: Desk, frame: Frame) -> Pool:
    """A pool in full."""
    liquidations = desk.ledger.liquidations_of[frame.facts.id]
    return pool_in_full(frame, liquidations, desk.snapshot.owners)


def threshold(below: str | None) -> int:
    """Return a health factor in ppm.

    Raises:
        ProblemError: It is not from 1 to 2 in steps of 0.01.
    """
    try:
        value = Decimal(below or "1.1")
        is_good = BELOW_MIN <= value <= BELOW_MAX and value % BELOW_STEP == 0
    except InvalidOperation:
        is_good = False
    if not is_good:
        raise ProblemError("malformed", f"below is {below!r}; it must be 1 to 2 in steps of 0.01")
    return int(value * PPM)
