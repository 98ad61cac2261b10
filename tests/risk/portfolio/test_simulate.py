"""What holds for every portfolio and model: levels, prices of liquidation, trades, Greeks."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.risk.portfolio.books import SPOT, coins, market, option, perpetual, portfolio

from ringfence.risk.portfolio import (
    PRESETS,
    PortfolioError,
    Trade,
    change,
    largest_addition,
    model_of,
    risk_array,
    scanning_risk,
    simulate,
)
from ringfence.risk.portfolio.book import account_of
from ringfence.risk.portfolio.fair_value import fair_value
from ringfence.risk.portfolio.simulate import assess

MODELS = [pytest.param(model_of(name), id=name) for name in PRESETS]
SCENARIO = model_of("deribit-like")
STRADDLE = portfolio(option(3000, -5), option(3000, -5, "put"), cash=9000.0)

SIZES = st.floats(-20, 20).map(lambda size: round(size, 3))
LEGS = st.lists(
    st.one_of(
        st.builds(perpetual, SIZES),
        st.builds(
            option,
            st.sampled_from([2000.0, 2700.0, 3000.0, 3300.0, 4500.0]),
            SIZES,
            st.sampled_from(["call", "put"]),
            st.sampled_from(["near", "far"]),
        ),
    ),
    max_size=6,
)
PORTFOLIOS = st.builds(
    lambda legs, cash, held: portfolio(*legs, cash=cash, collateral=[coins(held)]),
    LEGS,
    st.floats(-1e5, 1e5),
    st.floats(0, 30).map(lambda amount: round(amount, 3)),
)


def levels(held, model, at=None):
    return assess(account_of(held, at or market(), model), model).levels


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=40, deadline=None)
@given(held=PORTFOLIOS)
def test_levels_nest_and_excess_is_equity_less_requirement(model, held):
    found = assess(account_of(held, market(), model), model)
    excesses = [level.excess for level in found.levels.values()]
    assert excesses == sorted(excesses)
    for level in found.levels.values():
        assert level.excess == found.equity.total - level.requirement
        assert level.requirement >= -1e-9
        assert min(msgspec.structs.astuple(level.contingencies)) >= 0


@settings(max_examples=40, deadline=None)
@given(one=PORTFOLIOS, other=PORTFOLIOS)
def test_two_accounts_need_no_less_than_one_that_holds_both(one, other):
    both = portfolio(
        *(*one.perpetuals, *other.perpetuals, *one.options, *other.options),
        cash=one.cash + other.cash,
        collateral=[*one.collateral, *other.collateral],
    )
    model = model_of("span16")
    apart = [levels(held, model)["maintenance"].requirement for held in (one, other)]
    assert levels(both, model)["maintenance"].requirement <= sum(apart) + 1e-6


@pytest.mark.parametrize("model", MODELS)
def test_cash_raises_excess_one_to_one_and_asks_for_nothing(model):
    more = msgspec.structs.replace(STRADDLE, cash=STRADDLE.cash + 1000)
    for name, level in levels(STRADDLE, model).items():
        after = levels(more, model)[name]
        assert after.excess - level.excess == pytest.approx(1000)
        assert after.requirement == pytest.approx(level.requirement)


@pytest.mark.parametrize("model", MODELS)
def test_maintenance_excess_is_zero_at_both_liquidation_prices(model):
    (found,) = simulate(STRADDLE, market(), model).liquidation
    assert found.lower < SPOT < found.upper
    account = account_of(STRADDLE, market(), model)
    for price, outward in ((found.lower, -1e-6), (found.upper, 1e-6)):
        at = account.moved("ETH", price / SPOT - 1)
        assert abs(assess(at, model).levels["maintenance"].excess) < 1e-4
        beyond = account.moved("ETH", price / SPOT - 1 + outward)
        assert assess(beyond, model).levels["maintenance"].excess < 0


def test_a_moved_account_is_the_account_of_the_moved_market():
    held = portfolio(option(3100, -3), perpetual(2, 2900), cash=100, collateral=[coins(1)])
    moved = account_of(held, market(), SCENARIO).moved("ETH", 0.07)
    again = account_of(held, market(SPOT * 1.07), SCENARIO)
    got, wanted = (assess(account, SCENARIO) for account in (moved, again))
    assert got.equity.total == pytest.approx(wanted.equity.total)
    assert got.levels["initial"].requirement == pytest.approx(wanted.levels["initial"].requirement)


def test_liquidation_of_a_perpetual_agrees_with_its_closed_form():
    # 0.8 * 13 % of the value is asked for, so 2000 + 2 (S - 3001.5) = 2 * 0.104 * S.
    held = portfolio(perpetual(2), cash=2000)
    (found,) = simulate(held, market(), SCENARIO).liquidation
    expected = (2 * 1.0005 * SPOT - 2000) / (2 * 1.0005 * (1 - 0.104))
    assert found.lower == pytest.approx(expected)
    assert (found.upper, found.upper_reason) == (None, "none below 20 times spot")


def test_below_maintenance_there_is_no_liquidation_price_but_a_reason():
    report = simulate(portfolio(perpetual(10), cash=10), market(), SCENARIO)
    assert report.liquidation[0].lower is None
    assert report.liquidation[0].lower_reason == "below maintenance already"
    assert report.health.health_factor < 1


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=25, deadline=None)
@given(held=PORTFOLIOS)
def test_health_is_one_where_maintenance_excess_is_zero(model, held):
    found = assess(account_of(held, market(), model), model)
    gap = found.levels["maintenance"].excess
    zeroed = msgspec.structs.replace(held, cash=held.cash - gap)
    factor = simulate(zeroed, market(), model).health.health_factor
    assert factor is None or factor == pytest.approx(1, abs=1e-9)


def test_an_empty_portfolio_has_reasons_instead_of_figures():
    report = simulate(portfolio(), market(), SCENARIO)
    assert report.health.health_factor is None
    assert report.health.health_reason == "nothing is owed or required"
    assert report.health.usage_reason == "equity is not positive"
    assert report.underlyings[0].worst is None


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("leg", [option(3300, -1.0), option(3000, 1.0, "put"), perpetual(-1.0)])
def test_the_largest_addition_is_where_initial_margin_is_used_up(model, leg):
    held = portfolio(perpetual(1), cash=20_000)
    size, reason = largest_addition(held, market(), model, Trade(leg))
    assert (size < 0) == (leg.size < 0)
    assert reason is None
    for share, is_good in ((1 - 1e-9, True), (1 + 1e-6, False)):
        sized = msgspec.structs.replace(leg, size=size * share)
        after = change(held, market(), model, Trade(sized))[0].after
        assert (after.excess >= 0) == is_good


def test_where_initial_margin_is_broken_already_nothing_fits():
    held = portfolio(perpetual(10), cash=10)
    size, reason = largest_addition(held, market(), SCENARIO, Trade(option(3300, -1.0)))
    assert (size, reason) == (0.0, "initial margin is not met without it either")


def test_a_trade_at_mark_leaves_equity_and_one_at_a_worse_price_costs_the_difference():
    at_mark = change(STRADDLE, market(), SCENARIO, Trade(perpetual(1.0)))
    worse = change(STRADDLE, market(), SCENARIO, Trade(perpetual(1.0), 1.0005 * SPOT + 7))
    for fair, paid in zip(at_mark, worse, strict=True):
        assert fair.excess == pytest.approx(-fair.requirement)
        assert paid.excess == pytest.approx(fair.excess - 7)


def test_greeks_agree_with_finite_differences():
    held = portfolio(option(3100, -3), option(2800, 2, "put", "far"), perpetual(1))
    account, step = account_of(held, market(), SCENARIO), 1e-4

    def value(move):
        return assess(account.moved("ETH", move), SCENARIO).equity.total

    greeks = simulate(held, market(), SCENARIO).greeks
    slope = (value(step) - value(-step)) / (2 * step)
    curve = (value(step) - 2 * value(0.0) + value(-step)) / step**2
    assert greeks.delta_cash == pytest.approx(slope, rel=1e-5)
    assert greeks.gamma_cash == pytest.approx(curve / 100, rel=1e-4)
    up, down = (
        assess(account_of(held, market(volatility=v), SCENARIO), SCENARIO).equity.total
        for v in (0.601, 0.599)
    )
    assert greeks.vega == pytest.approx((up - down) / 0.002, rel=1e-5)
    (total,) = greeks.totals
    assert total.delta_cash == pytest.approx(sum(leg.delta_cash for leg in greeks.legs))
    assert total.vega_coin == pytest.approx(total.vega / SPOT)


def test_offsetting_coins_cover_a_call_and_others_do_not():
    sold = option(3300, -10)
    covered = levels(portfolio(sold, collateral=[coins(4)]), SCENARIO)["maintenance"]
    apart = portfolio(sold, collateral=[coins(4, is_offsetting=False)])
    naked = levels(apart, SCENARIO)["maintenance"]
    assert covered.loss < naked.loss / 1.5
    assert naked.loss == levels(portfolio(sold), SCENARIO)["maintenance"].loss
    assert covered.contingencies.collateral < naked.contingencies.collateral


def test_uncertain_prices_and_a_lost_peg_raise_initial_margin_only():
    sure, unsure = market(), market(confidence=0.4, stable=0.9)
    before, after = levels(STRADDLE, SCENARIO, sure), levels(STRADDLE, SCENARIO, unsure)
    parts = after["initial"].contingencies
    assert parts.confidence == pytest.approx(0.6 * 10 * SPOT)
    assert parts.peg == pytest.approx(0.08 * 2 * before["initial"].loss)
    assert after["maintenance"].requirement == pytest.approx(before["maintenance"].requirement)


def test_risk_arrays_add_up_to_the_scan_of_the_model():
    legs = [option(3000, -4), perpetual(2.0)]
    model = model_of("span16")
    arrays = [risk_array(leg, market(), model) for leg in legs]
    requirement, worst = scanning_risk(arrays, [leg.size for leg in legs])
    (found,) = assess(account_of(portfolio(*legs), market(), model), model).underlyings
    assert requirement == pytest.approx(-found.worst_profit)
    assert found.scenarios[worst].name == found.worst


@pytest.mark.parametrize("model", MODELS)
def test_two_coins_need_what_each_needs_alone(model):
    ether, bitcoin = market(), market(60_000.0)
    both = msgspec.structs.replace(
        ether,
        underlyings={**ether.underlyings, "BTC": bitcoin.underlyings["ETH"]},
    )
    renamed = [msgspec.structs.replace(leg, underlying="BTC") for leg in (perpetual(-0.1),)]
    held = portfolio(option(3300, -1), *renamed, cash=5000)
    one = levels(portfolio(option(3300, -1)), model, ether)
    other = levels(portfolio(perpetual(-0.1)), model, bitcoin)
    for name, level in levels(held, model, both).items():
        alone = one[name].requirement + other[name].requirement
        assert level.requirement == pytest.approx(alone)
    report = simulate(held, both, model)
    assert [found.underlying for found in report.liquidation] == ["ETH", "BTC"]
    assert [total.size for total in report.greeks.totals] == [None, None]


def test_at_expiry_nothing_moves_any_more():
    settled = market()
    quote = msgspec.structs.replace(settled.underlyings["ETH"].expiries["near"], days=0)
    coin = msgspec.structs.replace(settled.underlyings["ETH"], expiries={"near": quote})
    report = simulate(
        portfolio(option(2500, -1)),
        msgspec.structs.replace(settled, underlyings={"ETH": coin}),
        SCENARIO,
    )
    assert report.equity.options == pytest.approx(2500 - quote.forward)
    assert {row.profit for row in report.underlyings[0].scenarios} == {0.0}


def test_what_the_market_does_not_know_is_refused_in_python_too():
    with pytest.raises(PortfolioError, match="near, far"):
        simulate(portfolio(option(3000, 1, expiry="later")), market(), SCENARIO)


def test_continuous_funding_is_the_limit_of_frequent_funding():
    terms = {"rate": 0.04, "asset_yield": 0.02}
    for payoff in ("linear", "inverse"):
        always = fair_value(10_000, 0.2, 0.005, period=0, payoff=payoff, **terms)
        often = fair_value(10_000, 0.2 * 1e-6, 0.005 * 1e-6, period=1e-6, payoff=payoff, **terms)
        assert often == pytest.approx(always, rel=1e-5)


def test_funding_weaker_than_the_carry_has_no_fair_value():
    with pytest.raises(ValueError, match="larger funding rate"):
        fair_value(10_000, 0.001, 0.0, rate=0.1, asset_yield=0.0, period=0.25)
