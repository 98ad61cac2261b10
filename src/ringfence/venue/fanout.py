"""Prices of a feed, fanned out to every pool that lists it.

The oracle publishes a price once; the journal keeps it once; each pool gets its own rows from
it: the clock, the index price of each underlying of that name, and the mark price of each
instrument on it, rounded down to the instrument's tick.
"""

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from ringfence.columns import Column
from ringfence.core.command import Kind, Rows, rows
from ringfence.core.pool import Pool
from ringfence.core.spec import PoolSpec
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
        names = [u.name for u in spec.underlyings]
        underlyings, instruments = len(names), len(spec.instruments)
        self.batch: Rows = rows(1 + underlyings + instruments)
        self.batch["kind"][0] = Kind.ADVANCE_CLOCK
        index = self.batch[1 : 1 + underlyings]
        index["kind"], index["instrument"] = Kind.SET_INDEX_PRICE, np.arange(underlyings)
        mark = self.batch[1 + underlyings :]
        mark["kind"], mark["instrument"] = Kind.SET_MARK_PRICE, np.arange(instruments)
        self._names = names
        self._of = pool.instrument_underlying
        self._tick = pool.tick

    def filled(self, prices: Sequence[FeedPrice], time_ns: int) -> Rows | None:
        """Return the pool's rows at these prices; None when it lists none of the feeds."""
        by_name = {price.feed: price for price in prices}
        if len(by_name.keys() & set(self._names)) == 0:
            return None
        found = [by_name.get(name) for name in self._names]
        given = np.array([price is not None for price in found])
        index = self.batch[1 : 1 + len(found)]
        mark = self.batch[1 + len(found) :]
        for u, price in enumerate(found):
            if price is not None:
                index[u]["price"], index[u]["amount"] = price.index_price, price.confidence
                index[u]["size"], index[u]["asset"] = price.publish_time_ns, price.flag
        marks = _column(0 if price is None else price.mark_price for price in found)[self._of]
        mark["price"] = marks // self._tick * self._tick
        self.batch["time_ns"] = time_ns
        if given.all():
            return self.batch
        return self.batch[np.concatenate(([True], given, given[self._of]))]


def _column(values: Iterable[int]) -> Column:
    return np.fromiter(values, dtype=np.int64)
