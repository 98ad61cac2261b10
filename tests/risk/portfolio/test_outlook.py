"""What moves cost, matrices and curves: the account revalued, as if the market had moved."""

import math

import pytest
from tests.risk.portfolio.books import SPOT, coins, market, option, perpetual, portfolio

from ringfence.pricing import black76
from ringfence.risk.portfolio import PRESETS, Portfolio, model_of, simulate
from ringfence.risk.portfolio.outlook import SPOT_MOVES, VOLATILITY_MOVES
from ringfence.risk.portfolio.terms import Expiry, Market, Option, Underlying

MODEL = model_of("deribit-like")
CALENDAR = portfolio(option(3200, -5), option(3200, 5, expiry="far"), cash=4000.0)
STRADDLE = portfolio(option(3000, -5), option(3000, -5, "put"), cash=9000.0)
MIXED = portfolio(
    option(3200, -2), option(2800, 3, "put", "far"), perpetual(-1.5, 2900.0), collateral=[coins(4)]
)


def outlook(held, at=None, model=MODEL):
    return simulate(held, at or market(), model, outlook=True).outlook


def equity(held, at):
    return simulate(held, at, MODEL).equity.total


def cost(found, move, underlying=None):
    (row,) = (c for c in found.costs if (c.move, c.underlying) == (move, underlying))
    return row


@pytest.mark.parametrize("held", [CALENDAR, STRADDLE, MIXED])
@pytest.mark.parametrize("move", [0.01, -0.01, 0.1, -0.1])
def test_a_move_of_spot_costs_what_the_moved_market_says(held, move):
    moved = equity(held, market(SPOT * (1 + move))) - equity(held, market())
    found = cost(outlook(held), f"spot {100 * move:+g} %")
    assert found.profit == pytest.approx(moved, abs=1e-9)
    assert found.share == pytest.approx(moved / outlook(held).collateral)


def test_collateral_is_cash_and_coins_before_haircuts():
    assert outlook(MIXED).collateral == pytest.approx(4 * SPOT)
    assert outlook(STRADDLE).collateral == pytest.approx(9000.0)


def test_without_collateral_a_cost_has_no_share():
    held = portfolio(option(3000, 1))
    assert {c.share for c in outlook(held).costs} == {None}


def test_a_point_of_volatility_costs_what_the_moved_market_says():
    after = equity(CALENDAR, market(volatility=0.61)) - equity(CALENDAR, market())
    found = cost(outlook(CALENDAR), "volatility +1 point")
    assert found.profit == pytest.approx(after, abs=1e-9)
    vega = simulate(CALENDAR, market(), MODEL).greeks.vega
    assert found.profit == pytest.approx(vega / 100, rel=0.01)


def test_a_day_costs_theta_and_what_the_forwards_come_closer():
    report = simulate(STRADDLE, market(), MODEL, outlook=True)
    day = cost(report.outlook, "one day").profit
    # Forwards of 0.4 % in thirty days lose a thirtieth of that.
    closer = report.greeks.delta_cash * -math.log(1.004) / 30
    assert day == pytest.approx(report.greeks.theta + closer, rel=0.02)


def test_an_option_that_expires_within_the_day_becomes_cash():
    at = Market({"ETH": Underlying(SPOT, expiries={"now": Expiry(SPOT, days=0.5, volatility=0.6)})})
    held = Portfolio(cash=1000.0, options=(Option("ETH", "now", 2800.0, "call", -1.0),))
    found = cost(outlook(held, at), "one day")
    assert found.profit == pytest.approx(1000.0 - 200.0 - equity(held, at))
    assert found.health_factor is None  # nothing is owed or required any more


def test_several_underlyings_move_alone_and_together():
    btc = Underlying(60_000.0)
    both = Market({"ETH": Underlying(SPOT), "BTC": btc})
    held = portfolio(perpetual(1.0, SPOT), cash=5000.0)
    held = held.adding(type(held.perpetuals[0])("BTC", -0.1, 60_000.0))
    found = outlook(held, both)
    alone = [cost(found, "spot +10 %", name).profit for name in ("ETH", "BTC")]
    assert alone == pytest.approx([300.0, -600.0])
    assert cost(found, "spot +10 %").profit == pytest.approx(-300.0)
    assert len(found.matrices) == len(found.curves) == 2


def test_the_matrix_has_the_account_as_it_is_in_its_middle():
    report = simulate(STRADDLE, market(), MODEL, outlook=True)
    (matrix,) = report.outlook.matrices
    assert len(matrix.cells) == len(SPOT_MOVES) * len(VOLATILITY_MOVES)
    cells = {(c.spot_move, c.volatility_move): c for c in matrix.cells}
    assert cells[0.0, 0.0].profit == 0.0
    assert cells[0.0, 0.0].health_factor == report.health.health_factor
    assert cells[0.0, 0.0].excess == report.levels["maintenance"].excess


def test_a_cell_of_the_matrix_is_the_account_at_that_market():
    (matrix,) = outlook(CALENDAR).matrices
    for cell in matrix.cells:
        spot = SPOT * (1 + cell.spot_move)
        scale = 1 + cell.volatility_move
        near = Expiry(spot * 1.004, days=30, rate=0.04, volatility=0.6 * scale)
        far = Expiry(spot * 1.012, days=120, rate=0.04, volatility=0.62 * scale)
        there = Market({"ETH": Underlying(spot, expiries={"near": near, "far": far})})
        report = simulate(CALENDAR, there, MODEL)
        assert cell.profit == pytest.approx(
            report.equity.total - equity(CALENDAR, market()), abs=1e-8
        )
        assert cell.excess == pytest.approx(report.levels["maintenance"].excess, abs=1e-8)


def test_a_straddle_earns_its_premium_at_the_strike_and_loses_on_either_side():
    report = simulate(STRADDLE, market(), MODEL, outlook=True)
    (curve,) = report.outlook.curves
    assert curve.expiry == "near"
    worth = report.equity.options  # what was sold, so the most that can be earned
    for point in curve.at_expiry:
        assert point.profit == pytest.approx(-5 * abs(point.spot - 3000.0) - worth)
    middle = curve.now[len(curve.now) // 2]
    assert (middle.spot, middle.profit) == (SPOT, 0.0)
    assert middle.health_factor == report.health.health_factor


def test_a_curve_reaches_beyond_where_the_account_is_liquidated():
    report = simulate(STRADDLE, market(), MODEL, outlook=True)
    (prices,) = report.liquidation
    (curve,) = report.outlook.curves
    spots = [point.spot for point in curve.now]
    assert spots[0] < prices.lower < prices.upper < spots[-1]
    for point in curve.now:
        assert (point.excess < 0) == (not prices.lower <= point.spot <= prices.upper)


def test_at_the_nearest_expiry_the_far_leg_of_a_calendar_lives_on():
    report = simulate(CALENDAR, market(), MODEL, outlook=True)
    (curve,) = report.outlook.curves
    # Ninety of its hundred and twenty days are left, and so much of its basis.
    ahead = 1.012**0.75
    for point in curve.at_expiry[::10]:
        left = black76.price(point.spot * ahead, 3200.0, 90 / 365, 0.62, is_call=True, rate=0.04)
        after = 4000.0 + 5 * left - 5 * max(point.spot - 3200.0, 0.0)
        assert point.profit == pytest.approx(after - report.equity.total, abs=1e-6)


def test_without_options_there_is_no_curve_at_expiry():
    (curve,) = outlook(portfolio(perpetual(1.0, SPOT), cash=2000.0)).curves
    assert (curve.expiry, curve.at_expiry) == (None, ())


@pytest.mark.parametrize("name", PRESETS)
def test_every_model_has_an_outlook_and_only_where_it_is_asked_for(name):
    model = model_of(name)
    assert simulate(MIXED, market(), model).outlook is None
    found = outlook(MIXED, model=model)
    assert len(found.costs) == 7
    assert all(math.isfinite(cell.profit) for cell in found.matrices[0].cells)
