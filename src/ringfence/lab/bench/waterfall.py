"""A burst: one tick makes a tenth of the accounts liquidatable, and all are deleveraged.

Insurance is exhausted and the backstop takes nothing, so every loser is closed against
winners by water-filling, some of them bankrupt. Held against the same rules in plain Python,
which must end in the same state, and checked to the unit.

For scale: in the busiest second of 10 October 2025 Hyperliquid had 11,279 liquidations.
"""

import time
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from ringfence.core.command import Happening, Kind, Rows
from ringfence.core.creation import create_pool
from ringfence.core.invariants import broken_invariants
from ringfence.core.log import Log, empty_log, recorded, room_for
from ringfence.core.machine import apply
from ringfence.core.pool import CASH, Pool, Total, account_count
from ringfence.core.spec import RulesSpec
from ringfence.lab.bench.measure import SECOND, Result, against, at_least
from ringfence.lab.bench.plain import differences
from ringfence.lab.bench.plain_waterfall import PlainWaterfall
from ringfence.lab.bench.pools import (
    PRICE,
    SIZE,
    SPEC,
    START_NS,
    WorkError,
    applied,
    command_rows,
    demand_accepted,
    deposit_rows,
    opening_rows,
    price_rows,
)
from ringfence.risk.screen import all_unhealthy
from ringfence.units import PRICE_UNIT
from ringfence.venue.liquidator import Liquidator, liquidations

LOSERS, WINNERS = 10, 8  # percent of the accounts
DOLLAR = 10**6
BURST_PRICE = 940 * PRICE_UNIT
# Margins in quote units, drawn evenly. A loser's position loses 6 dollars in the burst and
# then needs 2.35; the others' would lose everything at a third of the price.
LOSER_MARGIN = (5 * DOLLAR + 1, 83 * DOLLAR // 10)
OTHER_MARGIN = (30 * DOLLAR, 100 * DOLLAR)
WINNER_MARGIN = (80 * DOLLAR, 800 * DOLLAR)
BATCH = 8192  # accounts liquidated, and losers deleveraged, by one command batch

GOAL = 25_000.0  # positions a second
PYTHON = "plain Python dataclasses"
PYTHON_GOAL = 10.0

BURST_SPEC = msgspec.structs.replace(
    SPEC, name="burst", rules=RulesSpec(backstop_limit="0", auction_seconds=0)
)


class Burst(NamedTuple):
    """What a burst did."""

    liquidated: int
    closed: int  # positions of losers
    cut: int  # positions of winners
    size_given: int
    size_taken: int


def burst_pool(accounts: int, *, seed: int = 1) -> Pool:
    """Return a pool of winners, who are short of everybody else, losers, and the rest."""
    rng = np.random.default_rng(seed)
    winners, losers = accounts * WINNERS // 100, accounts * LOSERS // 100
    others = accounts - winners - losers
    pool = create_pool(BURST_SPEC, owner=0, now_ns=START_NS, accounts=accounts + 1)
    applied("prices", pool, price_rows(PRICE, 1))
    applied("accounts", pool, opening_rows(accounts))
    parts = ((winners, WINNER_MARGIN), (losers, LOSER_MARGIN), (others, OTHER_MARGIN))
    margins = [rng.integers(low, high, count) for count, (low, high) in parts]
    applied("deposits", pool, deposit_rows(1, np.concatenate(margins)))
    longs = losers + others
    batch = command_rows(Kind.TRADE, longs)
    batch["account"] = winners + 1 + np.arange(longs)
    batch["other"] = 1 + np.arange(longs) % winners
    batch["size"] = SIZE
    batch["price"] = PRICE
    applied("trades", pool, batch)
    return pool


def logged(what: str, pool: Pool, batch: Rows) -> Log:
    """Apply rows that must all be accepted, with room for whatever they record."""
    statuses, log = np.empty(len(batch), dtype=np.int64), empty_log(room_for(pool, batch))
    apply(pool, batch, statuses, log)
    demand_accepted(what, statuses)
    return log


def burst(pool: Pool, liquidator: Liquidator) -> Burst:
    """Find everybody below maintenance, liquidate them, and deleverage until nobody waits."""
    unhealthy = liquidator.unhealthy(pool)
    for start in range(0, len(unhealthy), BATCH):
        logged("liquidations", pool, liquidations(unhealthy[start : start + BATCH]))
    counted = {Happening.POSITION_DELEVERAGED: [0, 0], Happening.WINNER_DELEVERAGED: [0, 0]}
    batch = command_rows(Kind.DELEVERAGE, 1)
    batch["amount"] = BATCH
    while pool.total[Total.WAITING] > 0:
        events = recorded(logged("deleveraging", pool, batch))
        for kind, sums in counted.items():
            sizes = events["size"][events["kind"] == kind]
            sums[0] += len(sizes)
            sums[1] += int(sizes.sum())
    (closed, given), (cut, taken) = counted.values()
    return Burst(len(unhealthy), closed, cut, given, -taken)


def demand_exact(pool: Pool, done: Burst, held: int) -> None:
    """Check that every unit of size and money is accounted for, and nobody is left behind.

    Raises:
        WorkError: Something is not; names it.
    """
    if done.size_given != done.size_taken:
        raise WorkError(f"losers gave {done.size_given}, winners took {done.size_taken}")
    if int(pool.size.sum()) != 0:
        raise WorkError(f"positions sum to {int(pool.size.sum())}")
    problems = broken_invariants(pool, [held])
    if problems:
        raise WorkError(f"{len(problems)} invariants are broken, first: {problems[0]}")
    if len(all_unhealthy(pool)):
        raise WorkError("somebody is still below maintenance")
    if done.liquidated < account_count(pool) * LOSERS // 100 - 1:
        raise WorkError(f"only {done.liquidated} accounts were liquidated")


def run(*, quick: bool = False) -> Iterator[Result]:
    """Yield each figure as it is measured.

    Raises:
        WorkError: Something was not done, or not exactly.
    """
    accounts = 5_000 if quick else 250_000
    yield from _measured(1_000, is_shown=False)  # warms up what a pool can do only once
    yield from _measured(accounts, is_shown=True)


def _measured(accounts: int, *, is_shown: bool) -> Iterator[Result]:
    """Measure one burst, and a tenth of it or so in plain Python."""
    pool = burst_pool(accounts)
    held, liquidator = int(pool.deposited[CASH]), Liquidator(pool)
    held += int(pool.total[Total.INSURANCE_FUND] + pool.total[Total.SETTLED_CASH])
    start = time.process_time_ns()
    applied("crash", pool, price_rows(BURST_PRICE, 2))
    done = burst(pool, liquidator)
    seconds = (time.process_time_ns() - start) / SECOND
    demand_exact(pool, done, held)
    plain = plain_rate(max(accounts // 25, 400))
    if is_shown:
        title = f"burst, {done.closed:,} of {accounts:,} accounts deleveraged"
        rate = done.closed / seconds
        yield at_least(title, rate, "losers closed/s", GOAL)
        yield against(title, rate, "losers closed/s", PYTHON, rate / plain, PYTHON_GOAL)
        yield Result(
            f"burst, against {done.cut:,} winners' cuts", done.cut / seconds, "winners cut/s"
        )


def plain_rate(accounts: int) -> float:
    """Losers closed a second in plain Python, which must end in the core's state.

    Raises:
        WorkError: It ends in another one.
    """
    pool = burst_pool(accounts)
    applied("crash", pool, price_rows(BURST_PRICE, 2))
    twin, liquidator = PlainWaterfall(pool), Liquidator(pool)
    start = time.process_time_ns()
    closed = twin.burst(BATCH)
    seconds = (time.process_time_ns() - start) / SECOND
    done = burst(pool, liquidator)
    different = differences(twin, pool)
    if different or closed != done.closed:
        raise WorkError(f"the plain twin ends with another {', '.join(different) or 'count'}")
    return closed / seconds
