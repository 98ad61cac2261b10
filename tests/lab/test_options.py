"""Option pools of the main job: a surface that follows the price, structures, settlement."""

import numpy as np
import pytest

from ringfence.core.command import Kind
from ringfence.core.creation import create_pool
from ringfence.core.options import CALL, PUT
from ringfence.lab.crash import Crash
from ringfence.lab.dice import Dice
from ringfence.lab.market import generated_crash
from ringfence.lab.option_pools import (
    LEVEL_MAX,
    LEVEL_MIN,
    LEVEL_START,
    Volatility,
    options_spec,
    strikes_of,
)
from ringfence.lab.options import Coin
from ringfence.lab.population import PopulationPlan
from ringfence.lab.structures import KINDS, Structure, draw, legs_of, lots_of, need_of
from ringfence.lab.summary import summarise
from ringfence.risk.scenarios import CoinMarket, valuation_rows
from ringfence.units import HOUR_NS, MINUTE_NS, PRICE_UNIT

START = 1_767_225_600 * 10**9
PRICE = 1257 * PRICE_UNIT


def moved(*shares, every=MINUTE_NS):
    """Volatility after prices at these shares of the first, one after the other."""
    volatility = Volatility(PRICE, START)
    for k, share in enumerate(shares, 1):
        volatility.note(int(PRICE * share), START + k * every)
    return volatility


def test_volatility_rises_in_a_fall_and_calms_down_after_it():
    falling = [1 - 0.003 * k for k in range(30)]
    assert moved(*falling).level > LEVEL_START
    calm = [falling[-1]] * 2000
    assert moved(*falling, *calm).level < LEVEL_START
    assert moved(*([1.0] * 5000)).level == LEVEL_MIN
    assert moved(0.5, 0.9, 0.4).level == LEVEL_MAX


def test_the_same_moment_twice_changes_nothing():
    volatility = moved(0.99)
    before = volatility.level
    volatility.note(PRICE // 2, START + MINUTE_NS)
    assert volatility.level == before


@pytest.mark.parametrize("shares", [[1.0] * 5000, [0.5, 0.9, 0.4], [0.999]])
def test_the_surface_admits_no_arbitrage_at_any_level(shares):
    surface = moved(*shares).surface(1257.0)
    assert surface.problems(np.linspace(-2.0, 2.0, 801)) == []
    assert surface.volatility(1257.0, 7 / 365) == pytest.approx(moved(*shares).level)
    assert surface.volatility(1000.0, 7 / 365) > surface.volatility(1400.0, 7 / 365)


@pytest.mark.parametrize("price", [PRICE, 38_202 * PRICE_UNIT, PRICE_UNIT // 2])
def test_a_pool_of_options_can_be_created_at_any_price(price):
    spec = options_spec(1, "ETH", price, START, 300)
    pool = create_pool(spec, owner=0, now_ns=START)
    strikes = strikes_of(price)
    assert strikes == sorted(set(strikes))
    assert len(spec.instruments) == 1 + 3 * 2 * len(strikes)
    assert sorted(set(pool.strike.tolist())) == [0, *strikes]
    assert set(pool.option_side.tolist()) == {0, CALL, PUT}


@pytest.fixture(scope="module")
def valued():
    """A pool with risk arrays that are written straight into its columns."""
    spec = options_spec(1, "ETH", PRICE, START, 300)
    pool = create_pool(spec, owner=0, now_ns=START)
    pool.index_price[0] = PRICE
    market = {"ETH": CoinMarket(1257.0, Volatility(PRICE, START).surface(1257.0))}
    for row in valuation_rows(spec, pool, market, START):
        if row["asset"] == 0 and row["price"] and row["kind"] == Kind.SET_MARK_PRICE:
            pool.mark_price[row["instrument"]] = row["price"]
        elif row["kind"] == Kind.SET_RISK_ARRAY:
            first, width = int(row["asset"]), pool.risk_array.shape[1]
            fields = ("account", "other", "amount", "size", "price")
            for k, name in enumerate(fields[: width - first]):
                pool.risk_array[row["instrument"], first + k] = row[name]
    return pool


def person(kind, side=CALL, which=0, deposit=10_000 * 10**6):
    return Structure(1, 9, 1, kind, side, which, deposit, 50, START, HOUR_NS)


def test_structures_have_the_legs_of_their_names(valued):
    def sides(kind, side=CALL):
        legs = legs_of(person(kind, side), valued, START)
        return [
            (int(valued.option_side[i]), sign, int(valued.strike[i]) // PRICE_UNIT)
            for i, sign in legs
        ]

    assert sides("covered call") == [(CALL, -1, 1320)]
    assert sides("spread") == [(CALL, 1, 1450), (CALL, -1, 1320)]
    assert sides("spread", PUT) == [(PUT, 1, 1070), (PUT, -1, 1190)]
    assert sides("straddle") == [(CALL, -1, 1260), (PUT, -1, 1260)]
    assert sides("naked short", PUT) == [(PUT, -1, 1190)]


def test_what_expires_soon_is_not_opened_any_more(valued):
    last = int(valued.expiry.max())
    assert legs_of(person("straddle"), valued, last) == ()
    (leg, *_) = legs_of(person("straddle"), valued, last - 2 * HOUR_NS)
    assert int(valued.expiry[leg[0]]) == last


def test_a_spread_needs_less_than_its_naked_leg_and_is_held_in_a_larger_size(valued):
    def of(kind):
        holder = person(kind)
        legs = legs_of(holder, valued, START)
        return need_of(valued, legs), lots_of(holder, valued, legs)

    spread, naked = of("spread"), of("naked short")
    assert 0 < spread[0] < naked[0]
    assert spread[1] > naked[1] > 0


def test_people_are_the_same_for_the_same_seed():
    def people(seed):
        return draw(Dice(seed), 40, range(4, 6), range(10, 20), (START, START + HOUR_NS), 10**6)

    assert people(1) == people(1) != people(2)
    assert {p.kind for p in people(1)} == set(KINDS)
    assert len({(p.pool, p.owner, p.number) for p in people(1)}) == 40


def test_a_coin_is_valued_where_it_moved_or_time_passed():
    coin = Coin("ETH", [0])
    coin.note(100_000, START)
    coin.valued_price, coin.valued_ns = 100_000, START
    coin.note(100_100, START + MINUTE_NS)
    assert not coin.is_due(START + MINUTE_NS)
    coin.note(100_200, START + 2 * MINUTE_NS)
    assert coin.is_due(START + 2 * MINUTE_NS)
    coin.note(100_000, START + 4 * MINUTE_NS)
    assert coin.is_due(START + 4 * MINUTE_NS)


def played(seed):
    series = generated_crash(1)
    start, _ = series.span
    plan = PopulationPlan(pools=2, accounts=10, seed=seed, option_pools=1)
    crash = Crash(series.between(start, start + 17 * HOUR_NS), ["ETH"], plan, ":memory:")
    crash.set_up()
    for _ in crash.play():
        pass
    return crash


def test_a_run_with_options_keeps_its_proofs_and_its_head():
    crash = played(1)
    summary = summarise(crash)
    assert summary.wallets_unchanged
    assert summary.unaffected_pools_unchanged
    assert crash.venue.verify() == []
    found = summary.options
    assert (found.pools, found.options) == (1, 30)
    assert found.expired == 10  # those of the first expiry
    assert found.valuations > 17 * 60 // 5
    assert {kind: s.accounts for kind, s in found.structures.items()} == {
        "covered call": 13,
        "spread": 13,
        "straddle": 12,
        "naked short": 12,
    }
    assert all(s.opened > 0 for s in found.structures.values())
    assert found.structures["covered call"].liquidated == 0
    assert found.structures["naked short"].liquidated > 0
    assert summarise(played(1)).head == summary.head
    assert summarise(played(2)).head != summary.head


def test_without_option_pools_a_run_has_no_options():
    plan = PopulationPlan(pools=1, accounts=1)
    crash = Crash(generated_crash(1), ["ETH"], plan, ":memory:")
    assert crash.options.summary(set()) is None
    assert crash.population.structures == ()
