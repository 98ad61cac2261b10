"""Scenario margin of a million accounts: our scan beside scipy.sparse and C intrinsics.

Five legs an account, in 400 options under the 33 rows of a grid that move options on their
own; all contenders find the worst scenario and the value of every account, in int64, and the
results are compared before anything is timed. Then a whole tick: the options are repriced,
their risk arrays rebuilt, all accounts revalued.
"""

import ctypes
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import NamedTuple

import numpy as np
from llvmlite import binding

from ringfence.lab.bench.compiler import MissingError, compiled, package
from ringfence.lab.bench.measure import (
    Result,
    Work,
    against,
    beside,
    least_seconds,
    seconds_in_turn,
)
from ringfence.risk.lanes import LAST, WIDTH, Ints
from ringfence.risk.portfolio import Expiry, Market, Option, Portfolio, Underlying, model_of
from ringfence.risk.portfolio.book import Book, account_of
from ringfence.risk.portfolio.model import SKEWS, ScenarioModel
from ringfence.risk.revaluation import Lot, retable, revalue
from ringfence.risk.scan import Legs, Scan, legs_of, new_table, scan

LEGS = 5  # of an account
DAYS = (1, 2, 7, 14, 30, 60, 90, 180, 270, 365)
STRIKES = 20  # of an expiry, a call and a put each
SPOT = 3000.0
LOT = Lot(coins=0.01, quote_units=1e6)

UNIT = "ns per account"
SCIPY, C = "scipy.sparse", "C with AVX-512 intrinsics"
GOALS = {SCIPY: 6.0, C: 1 / 1.15}
ROWS_OF_A_PRODUCT = 100_000  # scipy is faster in pieces, whose results stay in the cache


class ResultsDifferError(Exception):
    """A contender does not compute what we compute, so its time means nothing."""


class Pools(NamedTuple):
    """Option pools at market."""

    book: Book
    model: ScenarioModel
    legs: Legs
    table: Ints
    found: Scan  # memory for results

    @property
    def scenarios(self) -> int:
        """How many rows of the grid have risk arrays."""
        return sum(row.volatility not in SKEWS for row in self.model.scenarios)


Contender = Callable[[Pools], Callable[[], Scan]]


def pools_of(accounts: int) -> Pools:
    """Accounts with random positions in 400 options."""
    rng = np.random.default_rng(1)
    expiries = {f"{d} days": Expiry(forward=SPOT, days=d, volatility=0.6) for d in DAYS}
    market = Market({"ETH": Underlying(spot=SPOT, expiries=expiries)})
    options = tuple(
        Option("ETH", expiry, SPOT * (0.5 + k / STRIKES), "call" if is_call else "put", 1.0)
        for expiry in expiries
        for k in range(STRIKES)
        for is_call in (True, False)
    )
    model = model_of("deribit-like")
    assert isinstance(model, ScenarioModel)
    (book,) = account_of(Portfolio(options=options), market, model).books
    legs = legs_of(
        np.arange(accounts + 1) * LEGS,
        rng.integers(0, len(options), accounts * LEGS),
        rng.integers(-1000, 1001, accounts * LEGS),
    )
    found = Scan(np.zeros(accounts, dtype=np.int64), np.zeros(accounts, dtype=np.int64))
    pools = Pools(book, model, legs, np.empty(0, dtype=np.int64), found)
    table = new_table(len(options), pools.scenarios)
    retable(table, book, model, LOT)
    return pools._replace(table=table)


def ours(pools: Pools) -> Callable[[], Scan]:
    """Our scan into columns that exist already, like the C function."""
    return lambda: scan(pools.legs, pools.table, into=pools.found)


def with_scipy(pools: Pools) -> Callable[[], Scan]:
    """A sparse matrix of sizes times the table, then the least of every row."""
    sparse = package("scipy", "scipy.sparse")
    legs, rows = pools.legs, pools.table[0]
    lanes = np.ascontiguousarray(rows[:, [*range(pools.scenarios), LAST]])
    matrix = sparse.csr_matrix(
        (legs.size, legs.instrument, legs.start), shape=(len(legs.start) - 1, len(rows))
    )
    starts = range(0, matrix.shape[0], ROWS_OF_A_PRODUCT)
    parts = [matrix[start : start + ROWS_OF_A_PRODUCT] for start in starts]

    def work() -> Scan:
        worst, value = [], []
        for part in parts:
            sums = part @ lanes
            worst.append(np.minimum(sums[:, :-1].min(axis=1), 0))
            value.append(sums[:, -1])
        return Scan(np.concatenate(worst), np.concatenate(value))

    return work


def with_c(pools: Pools) -> Callable[[], Scan]:
    """The same loop by hand, compiled here by gcc for this processor."""
    features = binding.get_host_cpu_features()
    if not (features.get("avx512f", False) and features.get("avx512dq", False)):
        raise MissingError("the processor has no AVX-512")
    assert pools.table.shape[0] == 1
    assert pools.table.shape[2] == WIDTH
    function = compiled("scan.c", "scan")
    legs, found = pools.legs, Scan(*(np.zeros_like(column) for column in pools.found))
    columns = (legs.start, legs.instrument, legs.size, pools.table, *found)
    pointers = [ctypes.c_void_p(column.ctypes.data) for column in columns]

    def work() -> Scan:
        function(ctypes.c_long(len(found.worst)), *pointers)
        return found

    return work


def run(*, quick: bool = False) -> Iterator[Result]:
    """Measure every contender in turn with our scan, then a whole tick."""
    rounds = 3 if quick else 9
    pools = pools_of(20_000 if quick else 1_000_000)
    yield from compared(pools, {SCIPY: with_scipy, C: with_c}, rounds)
    yield from _threads(pools, rounds)
    yield from _ticks(pools, rounds)


def compared(pools: Pools, contenders: dict[str, Contender], rounds: int) -> Iterator[Result]:
    """Compare our scan with each contender; those that are not there are rows with a reason."""
    mine = ours(pools)
    there: dict[str, Work] = {}
    missing: dict[str, str] = {}
    for name, prepare in contenders.items():
        try:
            work = prepare(pools)
        except MissingError as error:
            missing[name] = str(error)
            continue
        if any(not np.array_equal(a, b) for a, b in zip(work(), mine(), strict=True)):
            raise ResultsDifferError(f"{name}: it finds other results")
        there[name] = work
    least = least_seconds({"ours": mine, **there}, rounds)
    value = least["ours"] / len(pools.found.worst) * 1e9
    ratios = {n: missing.get(n) or least[n] / least["ours"] for n in contenders}
    yield from beside("scenario margin", value, UNIT, ratios, GOALS)


def _threads(pools: Pools, rounds: int) -> Iterator[Result]:
    """Compare one and two threads, by the clock on the wall."""

    def on(threads: int) -> Work:
        return lambda: scan(pools.legs, pools.table, threads=threads, into=pools.found)

    times = seconds_in_turn({"one": on(1), "two": on(2)}, rounds, time.perf_counter_ns)
    one, two = min(times["one"]), min(times["two"])
    value = two / len(pools.found.worst) * 1e9
    yield against("scenario margin on two threads", value, UNIT, "one thread", one / two)


def _ticks(pools: Pools, rounds: int) -> Iterator[Result]:
    """Time a tick from a new forward to the margin of all accounts, and its first part."""
    table, model, found = pools.table, pools.model, pools.found
    markets = cycle([pools.book.moved(move) for move in (-0.001, 0.001)])

    def tick(threads: int) -> Work:
        def work() -> Scan:
            book = next(markets)
            return revalue(pools.legs, table, book, model, LOT, threads=threads, into=found)

        return work

    works: dict[str, Work] = {"part": lambda: retable(table, next(markets), model, LOT)}
    works |= {"one": tick(1), "two": tick(2)}
    times = seconds_in_turn(works, rounds, time.perf_counter_ns)
    least = {name: min(seconds) for name, seconds in times.items()}
    options = len(pools.book.size)
    yield Result(
        f"{options} options repriced in {pools.scenarios} scenarios", least["part"] * 1e6, "us"
    )
    title = f"a tick: {options} options, {len(found.worst):,} accounts revalued"
    yield Result(title, least["one"] * 1e3, "ms")
    ratio = least["one"] / least["two"]
    yield against(f"{title}, two threads", least["two"] * 1e3, "ms", "one thread", ratio)
