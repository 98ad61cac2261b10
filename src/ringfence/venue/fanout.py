"""Prices of a feed, fanned out to every pool that lists it.

The oracle publishes a price once; the journal keeps it once; each pool gets its own rows from
it: the clock, the index price of each underlying of that name, and the mark price of each
perpetual and future on it, rounded down to the instrument's tick. Options are valued apart.
"""

from collections.abc import Sequence
from enum import IntEnum

import msgspec
import numpy as np

from ringfence.columns import Column
from ringfence.compiled import kernel
from ringfence.core.command import Kind, Rows, rows
from ringfence.core.log import ROW, Log
from ringfence.core.machine import apply_one
from ringfence.core.pool import Pool
from ringfence.core.spec import PoolSpec
from ringfence.core.status import Status
from ringfence.core.validity import Flag

NOWHERE = -1


class FeedPrice(msgspec.Struct, frozen=True, array_like=True):
    """What the oracle says of one underlying: prices in price units, time in ns."""

    feed: str
    index_price: int
    mark_price: int
    publish_time_ns: int
    confidence: int = 0
    flag: int = Flag.NONE
    sources: tuple[str, ...] = ()  # whose quotes made the index price


class Field(IntEnum):
    """Places of a price in the table of a tick."""

    INDEX_PRICE = 0
    MARK_PRICE = 1
    PUBLISH_TIME = 2
    CONFIDENCE = 3
    FLAG = 4


class TickPrices:
    """The prices of one tick as a table; of several for one feed, the last one counts."""

    def __init__(self, prices: Sequence[FeedPrice]) -> None:
        found = {price.feed: price for price in prices}
        self.feeds = tuple(found)
        self.table = np.array(
            [
                (p.index_price, p.mark_price, p.publish_time_ns, p.confidence, p.flag)
                for p in found.values()
            ],
            dtype=np.int64,
        ).reshape(len(found), len(Field))


class PriceRows:
    """The rows that prices become in one pool, with room for all of them."""

    def __init__(self, spec: PoolSpec, pool: Pool) -> None:
        self._names = [u.name for u in spec.underlyings]
        self._linear = np.flatnonzero(pool.option_side == 0)
        self._of = pool.instrument_underlying[self._linear]
        self._tick = pool.tick[self._linear]
        self._rows: Rows = rows(1 + len(self._names) + len(self._linear))
        self._feeds: tuple[str, ...] | None = None  # of the last tick
        self._at = np.zeros(0, dtype=np.int64)  # [u] where in its table

    def filled(self, prices: TickPrices, time_ns: int) -> Rows | None:
        """Return the pool's rows at the prices of a tick; None when it lists none of them.

        The rows belong to this object, and the next call overwrites them.
        """
        if prices.feeds != self._feeds:
            numbers = {feed: row for row, feed in enumerate(prices.feeds)}
            self._at = np.array([numbers.get(name, NOWHERE) for name in self._names])
            self._feeds = prices.feeds
        count = fill_rows(
            self._rows, prices.table, self._at, self._linear, self._of, self._tick, time_ns
        )
        return self._rows[:count] if count > 1 else None


@kernel
def fill_rows(
    found: Rows,
    table: Column,
    at: Column,
    linear: Column,
    of: Column,
    tick: Column,
    time_ns: int,
) -> int:
    """Write a pool's rows of one tick and return how many: clock, index prices, mark prices.

    Args:
        found: Room for them.
        table: [feed, Field] prices of the tick.
        at: [u] row of each underlying in it, or NOWHERE.
        linear: Perpetuals and futures.
        of: Underlying of each of these.
        tick: Tick of each of these, in price units.
        time_ns: Of the venue.
    """
    count = 1
    found[0]["kind"] = Kind.ADVANCE_CLOCK
    for u in range(at.size):
        if at[u] != NOWHERE:
            price, row = table[at[u]], found[count]
            row["kind"], row["instrument"] = Kind.SET_INDEX_PRICE, u
            row["price"], row["amount"] = price[Field.INDEX_PRICE], price[Field.CONFIDENCE]
            row["size"], row["asset"] = price[Field.PUBLISH_TIME], price[Field.FLAG]
            count += 1
    for k in range(linear.size):
        if at[of[k]] != NOWHERE:
            mark, row = table[at[of[k]], Field.MARK_PRICE], found[count]
            row["kind"], row["instrument"] = Kind.SET_MARK_PRICE, linear[k]
            row["price"], row["amount"] = mark // tick[k] * tick[k], 0
            row["size"], row["asset"] = 0, 0
            count += 1
    for r in range(count):
        found[r]["time_ns"] = time_ns
    return count


@kernel
def apply_tick(pool: Pool, commands: Rows, statuses: Column, log: Log) -> None:
    """Apply a pool's rows of one tick; a mark price is refused with the index price it came with.

    A late copy of a message is known by its publish time, which a mark price does not carry.
    """
    index_status = np.zeros(pool.index_price.size, dtype=np.int64)
    for r in range(commands.size):
        log.position[ROW] = r
        kind, at = commands[r]["kind"], commands[r]["instrument"]
        if kind == Kind.SET_MARK_PRICE:
            statuses[r] = index_status[pool.instrument_underlying[at]]
            if statuses[r] != Status.OK:
                continue
        statuses[r] = apply_one(pool, commands[r], log)
        if kind == Kind.SET_INDEX_PRICE:
            index_status[at] = statuses[r]
