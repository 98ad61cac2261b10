"""Commands a second in memory, on one core, beside the same work in plain Python."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from ringfence.core.command import Kind, Rows
from ringfence.core.log import empty_log
from ringfence.core.machine import apply
from ringfence.core.pool import Pool, account_count, copied
from ringfence.lab.bench.measure import Result, Work, against, at_least, least_seconds
from ringfence.lab.bench.plain import PlainPool, differences
from ringfence.lab.bench.pools import (
    PRICE,
    WorkError,
    applied,
    command_rows,
    demand_accepted,
    populated_pool,
)

MILLION = 1e6
LOT = 10**5  # the size of every trade: a hundredth of the positions

PYTHON = "plain Python dataclasses"
PYTHON_GOAL = 50.0
GOALS = {"deposit": 10.0, "trade": 2.0}  # millions a second


def random_rows(kind: Kind, count: int, accounts: int, rng: np.random.Generator) -> Rows:
    """Return commands of one kind between random accounts."""
    batch = command_rows(kind, count)
    batch["account"] = rng.integers(1, accounts + 1, count)
    if kind == Kind.TRADE:
        steps = rng.integers(1, accounts, count)
        batch["other"] = (batch["account"] - 1 + steps) % accounts + 1
        batch["size"] = rng.choice((-LOT, LOT), count)
        batch["price"] = PRICE
    else:
        batch["amount"] = rng.integers(1, 1000, count)
    return batch


def mixed_rows(count: int, accounts: int, rng: np.random.Generator) -> Rows:
    """Return half trades, a quarter deposits, a quarter withdrawals, in random order."""
    kinds = (Kind.TRADE, Kind.TRADE, Kind.DEPOSIT, Kind.WITHDRAW)
    parts = [random_rows(kind, count // 4, accounts, rng) for kind in kinds]
    return rng.permutation(np.concatenate(parts))


def there_and_back(batch: Rows) -> Rows:
    """Return the rows, then the same with trades reversed, so that positions do not drift."""
    back = batch.copy()
    back["size"] = -back["size"]
    return np.concatenate((batch, back))


def demand_same_work(pool: Pool, batch: Rows) -> None:
    """Check that the twin takes the same decisions and ends in the same state.

    Raises:
        WorkError: It does not; names what differs.
    """
    mine, twin = copied(pool), PlainPool(pool)
    applied("comparison", mine, batch)
    if any(twin.run(batch.tobytes())):
        raise WorkError("the plain twin refuses what the pool accepts")
    different = differences(twin, mine)
    if different:
        raise WorkError(f"the plain twin ends with another {', '.join(different)}")


def measured_commands(*, quick: bool) -> Iterator[Result]:
    """Measure deposits, two-sided margin-checked trades, and a mix of these and withdrawals."""
    accounts = 1_000 if quick else 100_000
    count = 2_000 if quick else 500_000
    rng = np.random.default_rng(1)
    pool = populated_pool(accounts)
    demand_same_work(pool, mixed_rows(20 * accounts // 100, accounts, rng))
    for name, batch in (
        ("deposit", random_rows(Kind.DEPOSIT, count, accounts, rng)),
        ("trade", random_rows(Kind.TRADE, count, accounts, rng)),
        ("mixed", mixed_rows(count, accounts, rng)),
    ):
        yield from _compared(name, pool, there_and_back(batch), quick=quick)


def _compared(name: str, pool: Pool, batch: Rows, *, quick: bool) -> Iterator[Result]:
    """Measure one batch compiled, and the beginning of it in plain Python."""
    twin = PlainPool(pool)
    part = batch[: len(batch) // 50]
    statuses = np.empty(len(batch), dtype=np.int64)
    log = empty_log(0)
    contenders: dict[str, Work] = {
        "compiled": lambda: apply(pool, batch, statuses, log),
        "plain": partial(twin.run, part.tobytes()),
    }
    best = least_seconds(contenders, 2 if quick else 9)
    demand_accepted(name, statuses)
    rate = len(batch) / best["compiled"] / MILLION
    ratio = rate / (len(part) / best["plain"] / MILLION)
    title = f"{name} in memory, {account_count(pool) - 1:,} accounts"
    if name in GOALS:
        yield at_least(title, rate, "M/s", GOALS[name])
    yield against(title, rate, "M/s", PYTHON, ratio, PYTHON_GOAL)
