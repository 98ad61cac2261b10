"""Price files: Parquet or CSV into a series, each flaw counted and treated as stated.

A file is known by its columns, whatever their case and order:

    quotes   time, bid, ask
    bars     time, open, high, low, close       time is the start of the bar
    closes   time, close (or price)

and a symbol column when it holds several symbols. A bar becomes four ticks, at its start
and after each quarter: open, the extreme nearer to the open, the other one, close; so the
low is not missed, and the close is known before the next bar opens. With equal distances
the low comes first. TREATMENT says what happens to a row that cannot be a price.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ringfence.oracle.sources.series import PriceColumns, PriceSeries
from ringfence.oracle.sources.table import (
    MISSING,
    TOO_LARGE,
    PriceFileError,
    names_of,
    prices_of,
    read_table,
    times_of,
)
from ringfence.units import MINUTE_NS

Layout = tuple[str, ...]
Column = NDArray[np.int64]

QUOTES: Layout = ("bid", "ask")
BARS: Layout = ("open", "high", "low", "close")
CLOSES: Layout = ("close",)
_LAYOUT_NAMES = {QUOTES: "quotes", BARS: "bars", CLOSES: "closes"}
_ALIASES = {
    "time": (
        *("ts", "time", "timestamp", "datetime", "date", "time_ns", "open_time"),
        *("time_unix", "timestamp_x"),  # as files of the public catalogue (lab/datasets)
    ),
    "symbol": ("symbol", "asset", "ticker", "pair"),
    "close": ("close", "price", "close_price"),
}

TREATMENT: Mapping[str, str] = {
    "time_missing": "skipped",
    "symbol_missing": "skipped",
    "price_missing": "skipped: empty, not a number, or infinite",
    "price_not_positive": "skipped: zero, negative, or below 1e-9",
    "price_too_large": "skipped: above the limit of every amount, 2**53 - 1 units of 1e-9",
    "bid_above_ask": "skipped: the two cannot both be right",
    "high_below_low": "skipped: the bar is not a range",
    "out_of_order": "sorted by time, none lost",
    "time_repeated": "skipped: of equal times of one symbol the first row counts",
    "open_or_close_outside_range": "kept: the range is widened to hold all four prices",
}


class ReadReport(msgspec.Struct, frozen=True):
    """What a file held, and what was done to the rows that could not be taken as they are."""

    file: str
    layout: str  # quotes, bars or closes
    time_unit: str  # as found in the file
    rows: int
    rows_skipped: int
    ticks: dict[str, int]  # by symbol
    flaws: dict[str, int]  # rows, by the keys of TREATMENT; those that occurred
    columns_unused: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PriceFile(PriceSeries):
    """The prices of one file."""

    read: ReadReport

    @classmethod
    def open(cls, path: str | Path, symbol: str | None = None) -> "PriceFile":
        """Read a price file.

        Args:
            path: Parquet or CSV file.
            symbol: The one symbol to read, or the name of what a file without a symbol
                column prices. Case, separators and a final USD, USDT or USDC are ignored:
                ETH reads ethusd.

        Raises:
            PriceFileError: Not a price file, no such symbol, or no usable row; the message
                says what is there instead.
        """
        path = Path(path)
        table = read_table(path)
        names = _columns_by_role(path, table)
        layout = _layout(path, table, names)
        groups = _groups(path, table, names, symbol)
        times, unit = times_of(table[names["time"]], names["time"])
        prices = [prices_of(table[names[role]], names[role]) for role in layout]
        flaws = dict.fromkeys(TREATMENT, 0)
        taken = np.zeros(table.num_rows, np.bool_)
        columns = {}
        for name, rows in groups.items():
            taken |= rows
            part = _sorted_rows(times[rows], [column[rows] for column in prices], layout, flaws)
            columns[name] = _ticks_of(layout, *part, flaws)
        if "symbol" in names and symbol is None:
            flaws["symbol_missing"] = int(np.count_nonzero(~taken))
        ticks = {name: int(c.time_ns.size) for name, c in columns.items()}
        found = {flaw: count for flaw, count in flaws.items() if count}
        if not any(ticks.values()):
            raise PriceFileError(f"{path}: no usable row in {table.num_rows}: {found}")
        report = ReadReport(
            file=path.name,
            layout=_LAYOUT_NAMES[layout],
            time_unit=unit,
            rows=table.num_rows,
            rows_skipped=sum(n for f, n in found.items() if TREATMENT[f].startswith("skipped")),
            ticks=ticks,
            flaws=found,
            columns_unused=tuple(c for c in table.column_names if c not in names.values()),
        )
        text = f"{_LAYOUT_NAMES[layout]} read from {path.name}"
        return cls(columns=columns, description=text, read=report)

    def report(self) -> ReadReport:
        """Say what the file held; slicing does not change it."""
        return self.read


def base_symbol(name: str) -> str:
    """Name without case, separators and settlement currency: ethusd, ETH-USDT: ETH."""
    plain = re.sub(r"[^A-Z0-9]", "", name.upper())
    return re.sub(r"(?<=..)(USDT|USDC|USD)$", "", plain)


def _columns_by_role(path: Path, table: pa.Table) -> dict[str, str]:
    """Column names by what they mean: time, symbol, bid, ask, open, high, low, close."""
    lower = {name.strip().lower(): name for name in reversed(table.column_names)}
    if len(lower) != len(table.column_names):
        raise PriceFileError(f"{path}: two columns of the same name: {table.column_names}")
    roles = {role: (role, f"{role}_price") for role in (*QUOTES, *BARS)} | _ALIASES
    found = {
        role: next(lower[name] for name in aliases if name in lower)
        for role, aliases in roles.items()
        if any(name in lower for name in aliases)
    }
    if "time" not in found:
        raise PriceFileError(
            f"{path}: no column of times ({', '.join(_ALIASES['time'])}); "
            f"there are: {', '.join(table.column_names)}"
        )
    return found


def _layout(path: Path, table: pa.Table, names: dict[str, str]) -> Layout:
    """The richest layout that the columns allow; the columns of the others stay unused."""
    layout = next((layout for layout in (QUOTES, BARS, CLOSES) if set(layout) <= set(names)), None)
    if layout is None:
        raise PriceFileError(
            f"{path}: needs columns bid and ask, or open, high, low and close, or close; "
            f"there are: {', '.join(table.column_names)}"
        )
    unused = (set(QUOTES) | set(BARS)) - set(layout)
    for role in unused & set(names):
        del names[role]
    return layout


def _groups(
    path: Path, table: pa.Table, names: dict[str, str], symbol: str | None
) -> dict[str, NDArray[np.bool_]]:
    """Which rows belong to which symbol."""
    if "symbol" not in names:
        if symbol is None or not base_symbol(symbol):
            raise PriceFileError(
                f"{path}: no symbol column; say what it prices, such as `--symbol ETH`"
            )
        return {base_symbol(symbol): np.ones(table.num_rows, np.bool_)}
    texts, which = names_of(table[names["symbol"]])
    wanted = {k: text for k, text in enumerate(texts) if text.strip()}
    if symbol is not None:
        wanted = _matching(path, wanted, symbol)
    bases = [base_symbol(text) for text in wanted.values()]
    # Two pairs of one coin, ETHUSD and ETHUSDT, keep their full names.
    return {
        base if base and bases.count(base) == 1 else text.upper(): which == k
        for (k, text), base in zip(wanted.items(), bases, strict=True)
    }


def _matching(path: Path, texts: dict[int, str], symbol: str) -> dict[int, str]:
    exact = {k: text for k, text in texts.items() if text.upper() == symbol.upper()}
    alike = {k: text for k, text in texts.items() if base_symbol(text) == base_symbol(symbol)}
    found = exact or alike
    if len(found) != 1:
        raise PriceFileError(
            f"{path}: {len(found) or 'no'} symbols match {symbol!r}; "
            f"there are: {', '.join(sorted(texts.values()))}"
        )
    return found


def _sorted_rows(
    times: Column, prices: list[Column], layout: Layout, flaws: dict[str, int]
) -> tuple[Column, list[Column]]:
    """Usable rows in the order of time; each row left out counts for its first flaw."""
    least = np.minimum.reduce(prices)
    tests = {
        "time_missing": times == MISSING,
        "price_missing": least == MISSING,
        "price_not_positive": least <= 0,
        "price_too_large": np.maximum.reduce(prices) == TOO_LARGE,
    }
    if layout == QUOTES:
        tests["bid_above_ask"] = prices[0] > prices[1]
    if layout == BARS:
        tests["high_below_low"] = prices[1] < prices[2]
    usable = np.ones(times.size, np.bool_)
    for flaw, is_flawed in tests.items():
        flaws[flaw] += int(np.count_nonzero(usable & is_flawed))
        usable &= ~is_flawed
    times, prices = times[usable], [column[usable] for column in prices]
    flaws["out_of_order"] += int(np.count_nonzero(np.diff(times) < 0))
    order = np.argsort(times, kind="stable")
    is_first = np.diff(times[order], prepend=MISSING) > 0
    flaws["time_repeated"] += int(np.count_nonzero(~is_first))
    kept = order[is_first]
    return times[kept], [column[kept] for column in prices]


def _ticks_of(
    layout: Layout, times: Column, prices: list[Column], flaws: dict[str, int]
) -> PriceColumns:
    if layout == QUOTES:
        return PriceColumns(times, *prices)
    if layout == CLOSES:
        return PriceColumns(times, prices[0], prices[0])
    return _ticks_of_bars(times, *prices, flaws=flaws)


def _ticks_of_bars(
    times: Column, first: Column, high: Column, low: Column, last: Column, *, flaws: dict[str, int]
) -> PriceColumns:
    top = np.maximum.reduce([first, high, last])
    bottom = np.minimum.reduce([first, low, last])
    flaws["open_or_close_outside_range"] += int(np.count_nonzero((top > high) | (bottom < low)))
    is_low_first = first - bottom <= top - first
    nearer = np.where(is_low_first, bottom, top)
    farther = np.where(is_low_first, top, bottom)
    ticks = np.stack([first, nearer, farther, last], axis=1).ravel()
    offsets = _bar_widths(times)[:, np.newaxis] * np.arange(4) // 4
    return PriceColumns((times[:, np.newaxis] + offsets).ravel(), ticks, ticks)


def _bar_widths(times: Column) -> Column:
    """Width of each bar: the most frequent step of the file, or less where the next is nearer."""
    if times.size < 2:
        return np.full(times.size, MINUTE_NS)
    steps, counts = np.unique(np.diff(times), return_counts=True)
    usual = steps[np.argmax(counts)]
    widths: Column = np.minimum(usual, np.append(np.diff(times), usual))
    return widths
