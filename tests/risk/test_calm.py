"""A pool is called calm just when looking closer finds nothing to do, through any history."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.properties.histories import History
from tests.properties.pools import LENDING, MIXED, PLAIN

from ringfence.core.command import Kind, rows
from ringfence.core.log import empty_log, room_for
from ringfence.core.machine import apply
from ringfence.core.pool import Pool
from ringfence.venue.liquidator import CALM, Ahead, Liquidator, warnings

SPECS = {"plain": PLAIN, "mixed": MIXED, "lending": LENDING}


class Thorough(Liquidator):
    """Never calls a pool calm, so that it looks closer every time."""

    def _is_calm(self, *_: object) -> bool:
        return False


def done(pool: Pool, batch: np.ndarray) -> np.ndarray:
    """A batch that was applied to the pool."""
    apply(pool, batch, np.zeros(len(batch), dtype=np.int64), empty_log(room_for(pool, batch)))
    return batch


def orders(pool: Pool, chosen: np.random.Generator) -> np.ndarray:
    """Protective orders of some accounts."""
    batch = rows(2)
    batch["kind"] = Kind.PROTECT
    batch["account"] = chosen.integers(1, 6, len(batch))
    batch["amount"] = chosen.integers(0, 3, len(batch)) * 10**6
    batch["size"] = chosen.integers(0, 2, len(batch))
    return done(pool, batch)


def demand_agreement(quick: Ahead, thorough: Ahead) -> None:
    """Both have found the same."""
    assert quick.protections.tolist() == thorough.protections.tolist()
    assert quick.unhealthy.tolist() == thorough.unhealthy.tolist()
    assert quick.instruments == thorough.instruments
    assert quick.is_ending == thorough.is_ending
    assert quick.has_warnings == thorough.has_warnings
    if quick is not CALM:
        assert quick.near.tolist() == thorough.near.tolist()


@pytest.mark.parametrize("name", SPECS)
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(50, 300))
def test_who_calls_a_pool_calm_misses_nothing(name: str, seed: int, steps: int) -> None:
    history, chosen = History(SPECS[name], seed), np.random.default_rng(seed)
    quick, thorough = Liquidator(history.pool), Thorough(history.pool)
    cash = np.full(100, 10**7)
    calm = 0

    def follow(batch: np.ndarray) -> None:
        quick.follow(history.pool, batch)
        thorough.follow(history.pool, batch)

    follow(orders(history.pool, chosen))
    for step in history.take(steps):
        follow(step.row)
        ahead = quick.look(history.pool, cash)
        demand_agreement(ahead, thorough.look(history.pool, cash))
        calm += ahead is CALM
        if ahead.has_warnings and chosen.random() < 0.5:
            follow(done(history.pool, warnings(ahead.near)))
        if chosen.random() < 0.1:
            follow(orders(history.pool, chosen))
    assert calm > 0
