"""What a price tick costs by the number of accounts, and how fast everybody is looked at.

A calm tick reaches nobody; a crash brings a tenth of the accounts below maintenance. The
ladder is held against scans of everybody: this package's, NumPy's, and the time it takes to
read as many bytes.
"""

import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ringfence.columns import Column
from ringfence.compiled import screen
from ringfence.core.command import Rows
from ringfence.core.log import empty_log, room_for_one
from ringfence.core.machine import apply
from ringfence.core.pool import BACKSTOP, Pool, Total, account_count
from ringfence.lab.bench.machine import available_memory
from ringfence.lab.bench.measure import (
    SECOND,
    Progress,
    Result,
    Work,
    against,
    at_most,
    least_seconds,
)
from ringfence.lab.bench.plain import PlainPool
from ringfence.lab.bench.pools import (
    CALM_PRICE,
    CRASH_PRICE,
    PRICE,
    WorkError,
    applied,
    liquidated,
    populated_pool,
    price_rows,
)
from ringfence.risk.screen import Standing, all_unhealthy, lines, standing
from ringfence.units import BASE
from ringfence.venue.liquidator import Liquidator, liquidations

BATCH = 8192  # liquidations applied at once
ACCOUNT_BYTES = 400  # of pool, ladder and scratch arrays while one size is measured
TICKS = 200  # calm ticks timed together

SCAN_ACCOUNTS = 1_000_000  # from here on columns exceed the caches, and memory is the bound

# Goals
GROWTH_MAX = 2.0  # of a calm tick, from the fewest to the most accounts
BANDWIDTH_SHARE = 0.85
NUMPY_GOAL = 6.0

_MICRO, _NANO, _GIGA = 1e6, 1e9, 1e9


class Tick(NamedTuple):
    """Measured at one number of accounts."""

    calm_us: float
    results: list[Result]


@screen
def total_of(column: Column) -> int:
    """Sum a column: the fastest way to read it."""
    total = 0
    for k in range(column.size):
        total += column[k]
    return total


def numpy_suspects(pool: Pool) -> Column:
    """Return whom the same float screen does not clear, written with whole NumPy columns."""
    s, divisor = standing(pool), float(pool.value_divisor[0])
    value = s.size * (float(pool.mark_price[0]) / divisor)
    notional = np.abs(value)
    required = np.zeros(len(value))
    for rate, deduction in zip(*(x.reshape(-1) for x in lines(pool)), strict=True):
        np.maximum(required, notional * rate - deduction, out=required)
    funding = s.size * (pool.funding_index[0] - s.funding_paid) / divisor
    debt = s.debt_shares * (pool.total[Total.BORROW_INDEX] / BASE)
    excess = (s.cash + s.claim - s.due - s.cost) + value - funding - debt - required
    obliged = (s.size | s.debt_shares | s.due) != 0
    return np.flatnonzero((excess < 0) & obliged)


def calm_batches(seconds: Iterator[int]) -> list[Rows]:
    """Return price updates that reach nobody, up and down, each a second later."""
    return [price_rows((CALM_PRICE, PRICE)[k % 2], next(seconds)) for k in range(TICKS)]


def calm_ticks(pool: Pool, liquidator: Liquidator, batches: list[Rows]) -> None:
    """Take over prices that reach nobody, asking after each what the engine has to do."""
    statuses, log = np.zeros(len(batches[0]), dtype=np.int64), empty_log(room_for_one(pool))
    wallets, wrong = np.zeros(0, dtype=np.int64), 0  # nobody has signed an order
    for batch in batches:
        apply(pool, batch, statuses, log)
        ahead = liquidator.look(pool, wallets)
        wrong += int(np.count_nonzero(statuses)) + ahead.has_steps + ahead.has_warnings
    if wrong:
        raise WorkError("a calm tick was refused, or left the engine something to do")


def crash(pool: Pool, liquidator: Liquidator, seconds: int) -> int:
    """Let the price fall and liquidate whom it reaches, batch by batch; return how many."""
    applied("crash", pool, price_rows(CRASH_PRICE, seconds))
    unhealthy = liquidator.unhealthy(pool)
    for start in range(0, len(unhealthy), BATCH):
        batch = liquidations(unhealthy[start : start + BATCH])
        log = applied("liquidations", pool, batch)
        if liquidated(log) != len(batch):
            raise WorkError(f"{len(batch)} liquidations left events of {liquidated(log)} accounts")
        liquidator.follow(pool, batch)
    return len(unhealthy)


def tick_at(accounts: int, *, quick: bool) -> Tick:
    """Measure ticks and scans of one pool of this many accounts."""
    pool = populated_pool(accounts)
    liquidator = Liquidator(pool)
    seconds = iter(range(2, 10**6))
    results = [*_scan_results(pool, liquidator, seconds, rounds=2 if quick else 4)]
    results.append(_crash_result(pool, liquidator, next(seconds)))
    return Tick(results[0].value, results)


def _where(pool: Pool) -> str:
    return f"{account_count(pool) - 1:,} accounts"


def _scan_results(
    pool: Pool, liquidator: Liquidator, seconds: Iterator[int], *, rounds: int
) -> Iterator[Result]:
    """Measure calm ticks, the full scan, NumPy's scan, and reading as many bytes."""
    count, where = account_count(pool), _where(pool)
    column = np.arange(count * len(Standing._fields), dtype=np.int64)
    prices = iter([calm_batches(seconds) for _ in range(rounds + 1)])
    contenders: dict[str, Work] = {
        "calm": lambda: calm_ticks(pool, liquidator, next(prices)),
        "scan": lambda: all_unhealthy(pool),
        "read": lambda: total_of(column),
        "numpy": lambda: numpy_suspects(pool),
    }
    best = least_seconds(contenders, rounds)
    calm, scan, read, numpy = best["calm"] / TICKS, best["scan"], best["read"], best["numpy"]
    yield against(f"calm tick, {where}", calm * _MICRO, "us", "NumPy scan", numpy / calm)
    yield against(
        f"full scan, {where}",
        scan / count * _NANO,
        "ns/account",
        "NumPy scan",
        numpy / scan,
        NUMPY_GOAL if count >= SCAN_ACCOUNTS else None,
    )
    yield against(
        f"full scan, {where}",
        column.nbytes / scan / _GIGA,
        "GB/s",
        f"reading memory at {column.nbytes / read / _GIGA:.1f} GB/s",
        read / scan,
        BANDWIDTH_SHARE if count >= SCAN_ACCOUNTS else None,
    )


def _crash_result(pool: Pool, liquidator: Liquidator, seconds: int) -> Result:
    """Measure the one crash that a pool can have, and check it by the full scan."""
    start = time.process_time_ns()
    count = crash(pool, liquidator, seconds)
    elapsed = (time.process_time_ns() - start) / SECOND
    if not 0.05 < count / account_count(pool) < 0.15:
        raise WorkError(f"the crash liquidated {count} of {account_count(pool)} accounts")
    if len(all_unhealthy(pool)):
        raise WorkError("the full scan finds somebody whom the ladder left unhealthy")
    name = f"tick that liquidates a tenth, {_where(pool)}"
    return Result(name, elapsed / count * _MICRO, "us/liquidation")


def plain_scan(accounts: int) -> Result:
    """Hold the full scan against plain Python objects looked at one by one."""
    pool = populated_pool(accounts)
    twin = PlainPool(pool)
    contenders: dict[str, Work] = {
        "scan": lambda: all_unhealthy(pool),
        "plain": twin.unhealthy,
    }
    best = least_seconds(contenders, 3)
    if twin.unhealthy() != all_unhealthy(pool).tolist():
        raise WorkError("the plain twin finds others below maintenance")
    return against(
        f"full scan, {accounts:,} accounts",
        best["scan"] / accounts * _NANO,
        "ns/account",
        "plain Python dataclasses",
        best["plain"] / best["scan"],
        50.0,
    )


def measured_ticks(*, quick: bool, progress: Progress) -> Iterator[Result]:
    """Measure at growing numbers of accounts, as far as memory allows."""
    yield plain_scan(1_000 if quick else 10_000)
    sizes = (1_000, 4_000) if quick else (10_000, 100_000, 1_000_000, 10_000_000)
    calm = []
    tick_at(1_000, quick=True)  # warms up what a pool can do only once
    for accounts in sizes:
        if accounts * ACCOUNT_BYTES > available_memory():
            progress(f"{accounts:,} accounts are left out: they need more memory than is free")
            continue
        progress(f"ticks at {accounts:,} accounts")
        tick = tick_at(accounts, quick=quick)
        yield from tick.results
        calm.append(tick.calm_us)
    yield at_most("growth of a calm tick with the accounts", calm[-1] / calm[0], "x", GROWTH_MAX)


assert BACKSTOP == 0  # the crash counts accounts from 1
