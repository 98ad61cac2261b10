"""The square-root law of forced closing, and its scale against a month of real minutes."""

import numpy as np
import pyarrow.parquet
import pytest
from tests.shared import shared

from ringfence.lab.impact import CONSTANT_NS, DEPTH, Market, displaced, fitted_depth
from ringfence.units import MINUTE_NS, PRICE_UNIT

QUOTE = 10**6
PERCENT = PRICE_UNIT // 100
LARGE = 1e6  # dollars closed by force within a minute


def test_the_depth_moves_the_price_by_one_percent_and_four_times_as_much_by_two():
    market = Market(DEPTH * QUOTE)
    market.push(-DEPTH * QUOTE)
    assert market.displacement(MINUTE_NS) == -PERCENT
    market.push(-3 * DEPTH * QUOTE)
    assert market.displacement(MINUTE_NS) == -2 * PERCENT
    assert displaced(1000 * PRICE_UNIT, -2 * PERCENT) == 980 * PRICE_UNIT


def test_parts_sold_at_once_move_the_price_as_the_whole_does():
    parts, whole = Market(DEPTH), Market(DEPTH)
    for _ in range(10):
        parts.push(-100_000)
        parts.displacement(5 * MINUTE_NS)
    whole.push(-1_000_000)
    assert parts.displacement(5 * MINUTE_NS) == whole.displacement(5 * MINUTE_NS)


def test_a_pause_between_the_parts_saves_what_the_market_recovers():
    paced, whole = Market(DEPTH), Market(DEPTH)
    whole.push(-2 * DEPTH)
    paced.push(-DEPTH)
    paced.displacement(1)
    paced.displacement(1 + CONSTANT_NS)
    paced.push(-DEPTH)
    assert whole.displacement(1) < paced.displacement(1 + CONSTANT_NS) < -PERCENT


def test_pressure_is_forgotten_and_the_furthest_point_remembered():
    market = Market(DEPTH)
    market.push(DEPTH)
    assert market.displacement(1) == PERCENT
    assert market.displacement(1 + 3 * CONSTANT_NS) == PERCENT // 2  # a quarter of the pressure
    assert market.furthest == PERCENT


def test_both_sides_offset_each_other_and_nothing_moves_below_half():
    market = Market(DEPTH)
    market.push(DEPTH)
    market.push(-DEPTH)
    assert market.displacement(1) == 0
    market.push(-(10**6) * DEPTH)
    assert market.displacement(1) == -PRICE_UNIT // 2
    assert displaced(1, -PERCENT) == 1


@pytest.mark.parametrize(("depth", "constant"), [(0, 1), (-1, 1), (1, 0)])
def test_a_market_needs_depth_and_time(depth, constant):
    with pytest.raises(ValueError, match="must be positive"):
        Market(depth, constant)


def test_the_fit_finds_the_depth_that_made_the_moves():
    pairs = [(value, 0.01 * (value / 3e6) ** 0.5) for value in (1e5, 1e6, 1e7)]
    assert fitted_depth(pairs) == pytest.approx(3e6)


@pytest.fixture(scope="module")
def minutes():
    """Log moves of the minutes of ETH in January 2021, and what was closed by force in dollars."""
    path = shared("data", "eth_1m_bidask_liquidations_2021-01.parquet")
    table = pyarrow.parquet.ParquetFile(path).read()
    column = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    mid = (column["bid"] + column["ask"]) / 2
    bought, sold = (np.nan_to_num(column[f"liq_{side}_eth"]) * mid for side in ("short", "long"))
    return np.log(mid), (bought - sold)


def test_the_default_depth_is_of_the_scale_of_real_forced_volume(minutes):
    path, forced = minutes
    move, forced = np.diff(path), forced[1:]
    large = np.abs(forced) >= LARGE
    pairs = list(zip(np.abs(forced[large]), move[large] * np.sign(forced[large]), strict=True))
    assert len(pairs) == 287
    assert np.mean([m for _, m in pairs]) == pytest.approx(0.0069, abs=1e-4)
    assert fitted_depth(pairs) == pytest.approx(4.7e6, abs=0.1e6)
    assert fitted_depth(pairs) < DEPTH  # the fit shows the largest impact that can be


def test_a_root_explains_the_moves_better_than_a_straight_line(minutes):
    path, forced = minutes
    move, forced = np.diff(path), forced[1:]
    root = np.sign(forced) * np.sqrt(np.abs(forced))
    assert np.corrcoef(root, move)[0, 1] ** 2 == pytest.approx(0.37, abs=0.01)
    assert np.corrcoef(forced, move)[0, 1] ** 2 == pytest.approx(0.14, abs=0.01)


def test_a_large_forced_move_is_gone_within_the_hour(minutes):
    path, forced = minutes
    at = np.flatnonzero(np.abs(forced[1:]) >= LARGE) + 1
    at = at[at + 60 < len(path)]
    side = np.sign(forced[at])
    after = {m: float(np.mean(side * (path[at + m] - path[at - 1]))) for m in (0, 30, 60)}
    assert after[0] == pytest.approx(0.0069, abs=1e-4)
    assert after[30] == pytest.approx(0.0018, abs=2e-4)
    assert abs(after[60]) < 0.0005
