"""What holds for every option: parity, bounds, order, limits, and the way back to volatility."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.pricing import black76, black_scholes, conventions
from ringfence.pricing.conventions import DeltaConvention

EPSILON = 2.0**-52
CALL, PUT = True, False

prices = st.floats(1e-3, 1e6)
ratios = st.floats(-3.0, 3.0).map(math.exp)
times = st.floats(math.log(3.2e-8), math.log(10.0)).map(math.exp)
volatilities = st.floats(math.log(0.01), math.log(5.0)).map(math.exp)
rates = st.floats(-0.1, 0.3)
sides = st.booleans()
unhurried = settings(deadline=None, max_examples=200)  # the first call compiles


@unhurried
@given(prices, ratios, times, volatilities, rates)
def test_put_call_parity(forward, ratio, time, volatility, rate):
    strike = forward * ratio
    call = black76.evaluate(forward, strike, time, volatility, CALL, rate)
    put = black76.evaluate(forward, strike, time, volatility, PUT, rate)
    discount = math.exp(-rate * time)
    scale = discount * max(forward, strike) * EPSILON
    assert abs(call.price - put.price - discount * (forward - strike)) <= 8 * scale
    assert abs(call.delta - put.delta - discount) <= 8 * EPSILON * discount
    assert call.gamma == put.gamma
    assert call.vega == put.vega


@unhurried
@given(prices, ratios, times, volatilities, rates, sides)
def test_price_stays_between_payoff_and_bound(forward, ratio, time, volatility, rate, is_call):
    strike = forward * ratio
    price = black76.price(forward, strike, time, volatility, is_call, rate)
    discount = math.exp(-rate * time)
    payoff = max(forward - strike if is_call else strike - forward, 0.0)
    slack = 8 * EPSILON * discount * max(forward, strike)
    assert price >= max(discount * payoff - slack, 0.0)
    assert price <= discount * (forward if is_call else strike) + slack


@unhurried
@given(prices, ratios, times, volatilities, st.floats(1e-6, 1.0), sides)
def test_price_rises_with_volatility_time_and_moneyness(
    forward, ratio, time, volatility, step, is_call
):
    strike = forward * ratio
    slack = 4 * EPSILON * max(forward, strike) * (1.0 + step)
    price = black76.price(forward, strike, time, volatility, is_call)
    assert black76.price(forward, strike, time, volatility * (1 + step), is_call) >= price - slack
    assert black76.price(forward, strike, time * (1 + step), volatility, is_call) >= price - slack
    dearer = black76.price(forward * (1 + step), strike, time, volatility, CALL)
    assert dearer >= black76.price(forward, strike, time, volatility, CALL) - slack


@unhurried
@given(prices, ratios, times, volatilities, rates, st.floats(1e-3, 0.5), sides)
def test_price_falls_and_bends_upward_with_the_strike_of_a_call(
    forward, ratio, time, volatility, rate, step, is_call
):
    """No call spread costs less than nothing or more than its width, and no butterfly either."""
    strike = forward * ratio
    width = strike * step
    strikes = np.array([strike, strike + width, strike + 2 * width])
    low, middle, high = black76.price(forward, strikes, time, volatility, is_call, rate)
    discount = math.exp(-rate * time)
    slack = 8 * EPSILON * discount * max(forward, strikes[2])
    near, far = (low - middle, middle - high) if is_call else (middle - low, high - middle)
    for spread in (near, far):
        assert -slack <= spread <= discount * width + slack
    assert low - 2 * middle + high >= -2 * slack


@unhurried
@given(prices, ratios, times, volatilities, rates, sides)
def test_sensitivities_stay_within_their_bounds(forward, ratio, time, volatility, rate, is_call):
    found = black76.greeks(forward, forward * ratio, time, volatility, is_call, rate)
    discount = math.exp(-rate * time)
    side = 1.0 if is_call else -1.0
    assert 0.0 <= side * found.delta <= discount * (1 + 4 * EPSILON)
    assert found.gamma >= 0.0
    peak = discount * forward * math.sqrt(time) / math.sqrt(2 * math.pi)
    assert 0.0 <= found.vega <= peak * (1 + 8 * EPSILON)
    assert found.rho <= 0.0


@unhurried
@given(prices, ratios, times, volatilities, rates, sides, st.integers(-20, 20))
def test_twice_the_prices_make_twice_the_price(
    forward, ratio, time, volatility, rate, is_call, power
):
    """Powers of two change no digit, so the results are the same to the last bit."""
    scale = 2.0**power
    strike = forward * ratio
    one = black76.evaluate(forward, strike, time, volatility, is_call, rate)
    other = black76.evaluate(scale * forward, scale * strike, time, volatility, is_call, rate)
    # A price near the smallest of numbers loses digits, so it is left out.
    if one.price > 1e-290:
        assert other.price == pytest.approx(scale * one.price, rel=4 * EPSILON)
    assert other.delta == one.delta


@unhurried
@given(prices, ratios, times, volatilities, rates, sides)
def test_implied_volatility_leads_back(forward, ratio, time, volatility, rate, is_call):
    """As far as the price determines it: its rounding over vega is the unavoidable error."""
    strike = forward * ratio
    value = black76.evaluate(forward, strike, time, volatility, is_call, rate)
    found = black76.implied_volatility(value.price, forward, strike, time, is_call, rate)
    rounding = 16 * EPSILON * math.exp(-rate * time) * max(forward, strike)
    assert found >= 0.0
    again = black76.price(forward, strike, time, found, is_call, rate)
    if math.isfinite(found):
        assert abs(again - value.price) <= rounding
    if value.vega * volatility > 1e3 * rounding:
        assert abs(found - volatility) <= 2 * rounding / value.vega + 1e-14 * volatility


@unhurried
@given(prices, ratios, times, volatilities, rates, st.floats(-0.1, 0.1), sides)
def test_spot_greeks_follow_from_the_forward(
    spot, ratio, time, volatility, rate, dividend, is_call
):
    strike = spot * ratio
    carry = rate - dividend
    forward = black_scholes.forward(spot, time, rate, dividend)
    ours = black_scholes.greeks(spot, strike, time, volatility, is_call, rate, dividend)
    to_forward = black76.greeks(forward, strike, time, volatility, is_call, rate)
    growth = math.exp(carry * time)
    assert ours.delta == pytest.approx(to_forward.delta * growth, rel=1e-12)
    assert ours.gamma == pytest.approx(to_forward.gamma * growth**2, rel=1e-12)
    assert ours.vega == to_forward.vega
    leg = to_forward.delta * forward
    scale = abs(to_forward.theta) + abs(carry * leg)
    assert ours.theta == pytest.approx(to_forward.theta - carry * leg, abs=1e-12 * scale + 1e-300)
    # What the rate does to the discount it does not do to a forward that pays it as dividend.
    price = black_scholes.price(spot, strike, time, volatility, is_call, rate, dividend)
    assert ours.rho + ours.dividend_rho == pytest.approx(-time * price, rel=1e-9, abs=1e-9 * spot)


@unhurried
@given(prices, ratios, times, volatilities, sides)
def test_premium_adjusted_delta_is_delta_less_the_premium(
    forward, ratio, time, volatility, is_call
):
    option = forward, forward * ratio, time, volatility, is_call
    plain = conventions.delta(DeltaConvention.FORWARD, *option)
    adjusted = conventions.delta(DeltaConvention.FORWARD_PREMIUM_ADJUSTED, *option)
    premium = black76.price(*option) / forward
    assert adjusted == pytest.approx(plain - premium, abs=1e-13 * (1.0 + ratio))


def test_at_expiry_the_price_is_the_payoff_and_delta_its_slope():
    value = black76.greeks([110.0, 100.0, 90.0], 100.0, 0.0, 0.5, CALL, 0.05)
    assert list(black76.price([110.0, 100.0, 90.0], 100.0, 0.0, 0.5, CALL, 0.05)) == [10.0, 0, 0]
    assert value.delta == pytest.approx([1.0, 0.5, 0.0], abs=1e-15)
    for curvature in (value.gamma, value.vega, value.vanna, value.volga, value.rho):
        assert not np.any(curvature)
    assert value.theta == pytest.approx([0.5, 0.0, 0.0])  # interest on ten


def test_without_volatility_the_price_is_the_discounted_payoff():
    assert black76.price(110.0, 100.0, 1.0, 0.0, CALL, 0.05) == pytest.approx(10 * math.exp(-0.05))
    assert black76.price(110.0, 100.0, 1.0, 0.0, PUT, 0.05) == 0.0
    assert black76.greeks(100.0, 100.0, 1.0, 0.0, PUT).vega == 0.0


def test_limits_of_worthless_forwards_free_strikes_and_endless_volatility():
    assert black76.evaluate(0.0, 100.0, 1.0, 0.5, PUT) == (100.0, -1.0, 0.0, 0.0)
    assert black76.price(0.0, 100.0, 1.0, 0.5, CALL) == 0.0
    assert black76.evaluate(100.0, 0.0, 1.0, 0.5, CALL) == (100.0, 1.0, 0.0, 0.0)
    assert black76.price(100.0, 90.0, 1.0, math.inf, CALL) == 100.0
    assert black76.price(100.0, 90.0, 1.0, math.inf, PUT) == 90.0
    assert black76.price(100.0, 90.0, 0.0, math.inf, CALL) == 10.0


MEANINGLESS = [
    *[(place, math.nan) for place in range(5)],
    *[(place, -1.0) for place in range(4)],  # a rate may be negative
    *[(place, math.inf) for place in (0, 1, 2, 4)],  # volatility may be endless
]


@pytest.mark.parametrize(("place", "value"), MEANINGLESS)
def test_what_has_no_meaning_is_nan_and_spoils_no_other_row(place, value):
    columns = [np.full(3, x) for x in (100.0, 90.0, 1.0, 0.5, 0.02)]
    columns[place][1] = value
    forward, strike, time, volatility, rate = columns
    evaluated = black76.evaluate(forward, strike, time, volatility, CALL, rate)
    sensitive = black76.greeks(forward, strike, time, volatility, CALL, rate)
    for column in (*evaluated, *sensitive):
        assert list(np.isnan(column)) == [False, True, False]


def test_implied_volatility_at_and_beyond_the_bounds():
    def implied(price, *, is_call=True, forward=100.0):
        return black76.implied_volatility(price, forward, 90.0, 1.0, is_call)

    assert implied(9.999) != implied(9.999)  # NaN: below the payoff
    assert implied(10.0) == 0.0
    assert implied(100.0) == math.inf
    assert math.isnan(implied(100.001))
    assert implied(0.0, is_call=False) == 0.0
    assert math.isnan(implied(-0.001, is_call=False))
    assert implied(90.0, is_call=False) == math.inf
    assert math.isnan(implied(math.nan))
    assert implied(0.0, forward=0.0) == 0.0
    assert black76.implied_volatility(10.0, 100.0, 90.0, 0.0, CALL) == 0.0
    assert math.isnan(black76.implied_volatility(10.1, 100.0, 90.0, 0.0, CALL))


def test_arguments_broadcast_and_scalars_give_floats():
    grid = black76.price(100.0, np.array([[90.0], [100.0]]), [0.1, 0.2, 0.3], 0.5, CALL)
    assert grid.shape == (2, 3)
    assert grid[1, 2] == black76.price(100.0, 100.0, 0.3, 0.5, CALL)
    assert type(black76.price(100, 100, 1, 0.2, CALL)) is float
    assert type(conventions.delta(DeltaConvention.SPOT, 100, 100, 1, 0.2, CALL)) is float
    assert black76.price(np.empty(0), 100.0, 1.0, 0.2, CALL).shape == (0,)
    with pytest.raises(ValueError, match="broadcast"):
        black76.price([1.0, 2.0], [1.0, 2.0, 3.0], 1.0, 0.2, CALL)
    with pytest.raises(TypeError, match="boolean"):
        black76.price(100.0, 100.0, 1.0, 0.2, "call")
