"""Prices as columns, and as ticks in the order of time.

A series holds, for each symbol, the times at which a price became known and the bid and
the ask from then on. It is what a price file becomes and what the lab generates, so a
replay does not know the difference.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ringfence.units import DAY_NS, SECOND_NS

_CHUNK = 1 << 16  # ticks turned into Python objects at a time, so memory stays bounded


class PriceColumns(NamedTuple):
    """Prices of one symbol; equal lengths, times strictly increasing, 0 < bid <= ask."""

    time_ns: NDArray[np.int64]  # [t] since 1970, when the price became known
    bid: NDArray[np.int64]  # [t] 1e-9 settlement currency per coin
    ask: NDArray[np.int64]  # [t] 1e-9 settlement currency per coin

    @property
    def mid(self) -> NDArray[np.int64]:
        """Middle of bid and ask, rounded down."""
        return (self.bid + self.ask) // 2

    def between(self, start_ns: int, end_ns: int) -> "PriceColumns":
        """Return the part with start_ns <= time < end_ns."""
        first, last = np.searchsorted(self.time_ns, (start_ns, end_ns))
        return PriceColumns(*(column[first:last] for column in self))


class PriceTick(NamedTuple):
    """Price of one symbol at one time, in price units."""

    bid: int
    ask: int

    @property
    def mid(self) -> int:
        """Middle of bid and ask, rounded down."""
        return (self.bid + self.ask) // 2


class Tick(NamedTuple):
    """What became known at one time: prices of the symbols that have one then, no others."""

    time_ns: int
    prices: dict[str, PriceTick]


class UnknownSymbolError(LookupError):
    """A symbol that the series does not hold; the message lists those it does."""


@dataclass(frozen=True, kw_only=True)
class PriceSeries:
    """Prices of one or more symbols over one span of time."""

    columns: Mapping[str, PriceColumns]
    description: str  # what the prices are and where they are from, for readers

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of what is priced, in alphabetical order."""
        return tuple(sorted(self.columns))

    @property
    def span(self) -> tuple[int, int]:
        """Times of the first and the last price, in ns; (0, 0) when there is none."""
        times = [c.time_ns for c in self.columns.values() if c.time_ns.size]
        if not times:
            return 0, 0
        return min(int(t[0]) for t in times), max(int(t[-1]) for t in times)

    def prices(self, symbol: str) -> PriceColumns:
        """Return the columns of one symbol.

        Raises:
            UnknownSymbolError: There is no such symbol; the message lists those there are.
        """
        if symbol not in self.columns:
            raise UnknownSymbolError(
                f"no prices of {symbol!r}; there are: {', '.join(self.symbols)}"
            )
        return self.columns[symbol]

    def between(self, start_ns: int, end_ns: int) -> Self:
        """Return the part with start_ns <= time < end_ns; empty when there is none."""
        cut = {s: c.between(start_ns, end_ns) for s, c in self.columns.items()}
        return replace(self, columns=cut)

    def day(self, day: date | str) -> Self:
        """Return one day, midnight to midnight UTC; the day as a date or as 2021-01-11."""
        start_ns = midnight_ns(day)
        return self.between(start_ns, start_ns + DAY_NS)

    def ticks(self, symbols: Iterable[str] | None = None) -> Iterator[Tick]:
        """Yield what became known, in the order of time, for these symbols (default: all).

        Prices of the same time come in one tick, symbols in alphabetical order.
        """
        names = sorted(set(self.symbols if symbols is None else symbols))
        columns = [self.prices(name) for name in names]
        return _merge(names, columns)


def midnight_ns(day: date | str) -> int:
    """Start of a day UTC, in ns since 1970."""
    parsed = date.fromisoformat(day) if isinstance(day, str) else day
    start = datetime(parsed.year, parsed.month, parsed.day, tzinfo=UTC)
    return int(start.timestamp()) * SECOND_NS


def _merge(names: list[str], columns: list[PriceColumns]) -> Iterator[Tick]:
    if not names:
        return
    time_ns = np.concatenate([c.time_ns for c in columns])
    which = np.repeat(np.arange(len(names)), [c.time_ns.size for c in columns])
    # A stable sort: at equal times the symbols keep their alphabetical order.
    order = np.argsort(time_ns, kind="stable")
    merged = (
        time_ns,
        which,
        np.concatenate([c.bid for c in columns]),
        np.concatenate([c.ask for c in columns]),
    )
    pending = Tick(0, {})
    for start in range(0, order.size, _CHUNK):
        part = order[start : start + _CHUNK]
        for time, name, bid, ask in zip(*(c[part].tolist() for c in merged), strict=True):
            if pending.prices and pending.time_ns != time:
                yield pending
                pending = Tick(time, {})
            elif not pending.prices:
                pending = Tick(time, {})
            pending.prices[names[name]] = PriceTick(bid, ask)
    if pending.prices:
        yield pending
