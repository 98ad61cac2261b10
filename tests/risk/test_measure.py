"""Figures of a whole pool in one pass are those that the core gives one by one."""

import msgspec
import numpy as np
import pytest
from tests.venue.scene import CREATOR, Scene
from tests.venue.test_waterfall import BARE, OFFERED, scene_with

from ringfence.core.backstop import full_capital
from ringfence.core.health import HEALTH_MAX, open_interest_value
from ringfence.core.lending import borrow_rate, lender_assets, total_debt, utilisation
from ringfence.core.pool import Pool, Total, account_count
from ringfence.core.validity import validity
from ringfence.risk.measure import (
    AT_RISK,
    BINS,
    EDGES,
    VALIDITIES,
    Measure,
    figure_places,
    measured,
)
from ringfence.risk.survey import Survey, survey


def traded() -> list:
    return list(Scene.set_up().traded().venue.state.pools.values())


def fallen(rules) -> list:
    scene = scene_with(rules)
    scene.publish(ETH="1050")
    scene.publish(ETH="1020")
    return list(scene.venue.state.pools.values())


def shape_of(pool: Pool) -> tuple[int, int, int]:
    """Underlyings, instruments and assets."""
    return len(pool.index_price), len(pool.mark_price), len(pool.asset_underlying)


@pytest.mark.parametrize(
    "records",
    [traded, lambda: fallen(OFFERED), lambda: fallen(BARE)],
    ids=["at rest", "auction", "bare"],
)
def test_every_figure_is_that_of_the_core(records):
    for record in records():
        pool = record.pool
        rows, figures = measured(pool)
        found, places = Survey(*rows), figure_places(*shape_of(pool))
        for name, place in places.items():
            assert figures[place] == getattr(pool, name).tolist()
        assert figures[: len(Total)] == pool.total.tolist()
        assert len(figures) == places["rule"].stop
        count = account_count(pool)
        for one, other in zip(found, survey(pool), strict=True):
            assert np.array_equal(one, other)
        underlyings = range(len(pool.index_price))
        assert figures[Measure.UNPAID_CLAIMS] == pool.claim[:count].sum()
        assert figures[Measure.DUES] == pool.due[:count].sum()
        assert figures[Measure.TOTAL_DEBT] == total_debt(pool)
        assert figures[Measure.UTILISATION] == utilisation(pool)
        assert figures[Measure.BORROW_RATE] == borrow_rate(pool)
        assert figures[Measure.LENDER_ASSETS] == lender_assets(pool)
        assert figures[Measure.BACKSTOP_CAPITAL] == full_capital(pool)
        if len(pool.mark_price):
            interest = sum(open_interest_value(pool, u) for u in underlyings)
            assert figures[Measure.OPEN_INTEREST_VALUE] == interest
        people = slice(1, None)
        assert figures[Measure.EQUITY] == found.equity[people].sum()
        assert figures[Measure.REQUIRED] == found.required[people].sum()
        assert figures[Measure.REQUIRED_AT_RISK] == found.required[found.health < AT_RISK].sum()
        health = found.health[people][found.is_active[people] == 1]
        bins = np.digitize(health, EDGES)
        assert figures[Measure.BINS :][:BINS] == np.bincount(bins, minlength=BINS).tolist()
        assert figures[VALIDITIES : places["index_price"].start] == [
            validity(pool, u) for u in underlyings
        ]
        if len(health):
            assert figures[Measure.WORST] == 1 + int(found.health[people].argmin())
            assert figures[Measure.WORST_HEALTH] == found.health[people].min()
        assert figures[Measure.IN_STEPS] == np.count_nonzero(pool.step[:count])


def test_a_pool_without_anybody_has_no_worst_account():
    scene = Scene.set_up()
    spec = msgspec.structs.replace(scene.venue.record("alpha").spec, name="empty")
    record = scene.venue.record(scene.venue.create_pool(spec, CREATOR))
    figures = measured(record.pool)[1]
    assert figures[Measure.WORST] == -1
    assert figures[Measure.WORST_HEALTH] == HEALTH_MAX
    assert sum(figures[Measure.BINS :][:BINS]) == 0
