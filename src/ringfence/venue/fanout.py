"""Prices of a feed, fanned out to every pool that lists it.

The oracle publishes a price once; the journal keeps it once; each pool gets its own rows from
it: the clock, the index price of each underlying of that name, and the mark price of each
perpetual and future on it, rounded down to the instrument's tick. Options are valued apart.
"""

from collections.abc import Mapping

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


class FeedPrice(msgspec.Struct, frozen=True, array_like=True):
    """What the oracle says of one underlying: prices in price units, time in ns."""

    feed: str
    index_price: int
    mark_price: int
    publish_time_ns: int
    confidence: int = 0
    flag: int = Flag.NONE
    sources: tuple[str, ...] = ()  # whose quotes made the index price


class PriceRows:
    """The rows that prices become in one pool, laid out once and filled on every tick."""

    def __init__(self, spec: PoolSpec, pool: Pool) -> None:
        self._feeds = tuple(u.name for u in spec.underlyings)
        linear = np.flatnonzero(pool.option_side == 0)
        self._of = pool.instrument_underlying[linear]
        self._tick = pool.tick[linear]
        underlyings, instruments = len(self._feeds), len(linear)
        self._batch: Rows = rows(1 + underlyings + instruments)
        self._batch["kind"][0] = Kind.ADVANCE_CLOCK
        # Views into the batch: writing into them is all that a tick does.
        index, mark = self._batch[1 : 1 + underlyings], self._batch[1 + underlyings :]
        index["kind"], index["instrument"] = Kind.SET_INDEX_PRICE, np.arange(underlyings)
        mark["kind"], mark["instrument"] = Kind.SET_MARK_PRICE, linear
        self._time, self._mark_price = self._batch["time_ns"], mark["price"]
        self._index_price, self._confidence = index["price"], index["amount"]
        self._publish_time, self._flag = index["size"], index["asset"]

    def filled(self, prices: Mapping[str, FeedPrice], time_ns: int) -> Rows | None:
        """Return the pool's rows at these prices by feed; None when it lists none of them.

        The rows belong to this object, and the next call overwrites them.
        """
        found = [prices.get(feed) for feed in self._feeds]
        given = [price for price in found if price is not None]
        if not given:
            return None
        self._time[:] = time_ns
        if len(given) < len(found):
            return self._some(found)
        self._index_price[:] = [price.index_price for price in given]
        self._confidence[:] = [price.confidence for price in given]
        self._publish_time[:] = [price.publish_time_ns for price in given]
        self._flag[:] = [price.flag for price in given]
        marks = np.array([price.mark_price for price in given], dtype=np.int64)[self._of]
        np.multiply(marks // self._tick, self._tick, out=self._mark_price)
        return self._batch

    def _some(self, found: list[FeedPrice | None]) -> Rows:
        """Return the rows of those underlyings that have a price, and of what is on them."""
        marks = np.zeros(len(found), dtype=np.int64)
        for u, price in enumerate(found):
            if price is not None:
                self._index_price[u], self._confidence[u] = price.index_price, price.confidence
                self._publish_time[u], self._flag[u] = price.publish_time_ns, price.flag
                marks[u] = price.mark_price
        np.multiply(marks[self._of] // self._tick, self._tick, out=self._mark_price)
        given = np.array([price is not None for price in found])
        return self._batch[np.concatenate(([True], given, given[self._of]))]


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
