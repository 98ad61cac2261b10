"""The full scan: floats clear only the healthy, integers decide over the others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.properties.pools import MIXED
from tests.risk.oracle import excess, unhealthy

from ringfence.core.pool import Level, Pool, Total
from ringfence.lab.bench.pools import CRASH_PRICE, populated_pool
from ringfence.risk.screen import (
    BLOCK,
    LINES,
    TOLERANCE,
    all_unhealthy,
    is_plain,
    lines,
    suspects,
)
from ringfence.units import BASE, PPM, VALUE_MAX


def tiered(pool: Pool, rng: np.random.Generator, tiers: int) -> Pool:
    """The pool with other tiers, convex as a spec's must be."""
    rates = np.sort(rng.choice(np.arange(1_000, PPM // 2), tiers, replace=False))
    floors = np.concatenate(([0], np.sort(rng.integers(1, VALUE_MAX // 2, tiers - 1))))
    deductions = np.zeros(tiers, dtype=np.int64)
    for t in range(1, tiers):
        step = int(floors[t]) * int(rates[t] - rates[t - 1]) // PPM
        deductions[t] = deductions[t - 1] + step
    return pool.replaced(
        tier_floor=floors[None].astype(np.int64),
        tier_initial_rate=rates[None].astype(np.int64),
        tier_maintenance_rate=rates[None].astype(np.int64),
        tier_deduction=deductions[None],
    )


def random_pool(rng: np.random.Generator, accounts: int, tiers: int) -> Pool:
    """Accounts of every scale, many of them within a few quote units of maintenance."""
    pool = tiered(populated_pool(accounts), rng, tiers)
    everybody = slice(1, accounts + 1)
    scale = 10.0 ** rng.uniform(0, 12, accounts)
    pool.size[everybody, 0] = rng.normal(size=accounts) * scale * (rng.random(accounts) > 0.2)
    pool.mark_price[0] = int(10 ** rng.uniform(9, 12.5))
    pool.funding_index[0] = rng.integers(-(10**11), 10**11)
    pool.funding_paid[everybody, 0] = rng.integers(-(10**11), 10**11, accounts)
    pool.cost[everybody, 0] = pool.size[everybody, 0] * rng.uniform(0, 2) * (pool.mark_price / 1e11)
    pool.claim[everybody] = rng.integers(0, 10**9, accounts) * rng.integers(0, 2, accounts)
    pool.due[everybody] = rng.integers(0, 10**9, accounts) * rng.integers(0, 2, accounts)
    pool.debt_shares[everybody] = rng.integers(0, 2**40, accounts) * rng.integers(0, 2, accounts)
    pool.total[Total.BORROW_INDEX] = BASE * rng.uniform(1, 3)
    pool.factor[Level.MAINTENANCE, 0] = rng.integers(PPM // 2, 2 * PPM)
    near = rng.integers(-300, 300, accounts + 1) * rng.integers(0, 2, accounts + 1)
    for a in range(1, accounts + 1):
        gap = int(near[a]) - excess(pool, a)
        if gap >= 0:
            pool.balance[a, 0] += gap
        elif pool.size[a, 0] or pool.debt_shares[a] or pool.due[a]:
            pool.due[a] -= gap
    return pool


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), tiers=st.integers(1, 16))
def test_the_screen_clears_nobody_who_is_below_maintenance(seed: int, tiers: int) -> None:
    pool = random_pool(np.random.default_rng(seed), 300, tiers)
    expected = unhealthy(pool)
    assert set(expected) <= set(suspects(pool).tolist())
    assert all_unhealthy(pool).tolist() == expected


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_screen_keeps_only_those_near_maintenance_or_below(seed: int) -> None:
    pool = random_pool(np.random.default_rng(seed), 300, 3)
    assert all(excess(pool, a) < 2 * TOLERANCE for a in suspects(pool) if a)


def test_accounts_that_owe_nothing_are_cleared_even_without_money() -> None:
    pool = populated_pool(10)
    pool.balance[:] = 0
    pool.size[:] = 0
    pool.cost[:] = 0
    assert suspects(pool).tolist() == []


@pytest.mark.parametrize("at", [1, BLOCK - 1, BLOCK, 3 * BLOCK - 1, 3 * BLOCK])
def test_one_unhealthy_account_is_found_wherever_it_stands(at: int) -> None:
    pool = populated_pool(3 * BLOCK)
    assert all_unhealthy(pool).tolist() == []
    pool.balance[at, 0] = 0
    assert all_unhealthy(pool).tolist() == [at]


def test_a_tenth_of_the_accounts_falls_in_the_crash() -> None:
    pool = populated_pool(4000)
    pool.mark_price[0] = CRASH_PRICE
    found = all_unhealthy(pool).tolist()
    assert found == unhealthy(pool)
    assert 300 < len(found) < 500


def test_tiers_beyond_one_pass_are_all_compared() -> None:
    pool = tiered(populated_pool(2), np.random.default_rng(1), 2 * LINES + 1)
    rates, deductions = lines(pool)
    assert rates.shape == deductions.shape == (3, LINES)
    assert rates[2, 0] == rates[2, 3]


def test_only_pools_of_one_instrument_and_cash_are_screened_by_floats() -> None:
    from ringfence.core.creation import create_pool

    assert is_plain(populated_pool(2))
    assert not is_plain(create_pool(MIXED, owner=0, now_ns=10**18))
