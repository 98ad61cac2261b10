"""How far prices are from 60 digits, and from QuantLib, vollib and scipy."""

import math

import mpmath as mp
import numpy as np
import pytest
import scipy.special
from tests.pricing import exact

from ringfence.pricing import black76, conventions, elementary

EPSILON = 2.0**-52


def extreme_options(count, seed):
    """One second to ten years, 1 % to 500 %, up to 30 deviations from the money, discounted."""
    rng = np.random.default_rng(seed)
    time = np.exp(rng.uniform(math.log(3.2e-8), math.log(10.0), count))
    volatility = np.exp(rng.uniform(math.log(0.01), math.log(5.0), count))
    width = np.where(np.arange(count) % 2 == 0, 30.0, 2.0)
    distance = rng.uniform(-1.0, 1.0, count) * width * volatility * np.sqrt(time)
    forward = np.exp(rng.uniform(-3.0, 12.0, count))
    rate = rng.uniform(-0.05, 0.2, count)
    return forward, forward * np.exp(distance), time, volatility, rng.random(count) < 0.5, rate


def ulps(found, reference):
    """Relative distance in units of 2**-52."""
    return float(abs((mp.mpf(float(found)) - reference) / reference)) / EPSILON


@pytest.mark.parametrize(
    ("ours", "theirs", "points", "allowed"),
    [
        (elementary.exp, mp.exp, np.linspace(-707.0, 709.0, 2001), 1.5),
        (elementary.log, mp.log, np.exp(np.linspace(-340.0, 340.0, 2000)), 1.5),
        (elementary.log, mp.log, 1.0 + np.linspace(-0.4, 0.8, 1998), 2.0),
        (elementary.mills_ratio, lambda x: exact.cdf(-x) / mp.npdf(x), np.linspace(0, 38, 999), 6),
        (elementary.normal_cdf, exact.cdf, np.linspace(-5.0, 8.0, 2001), 12.0),
    ],
    ids=["exp", "log", "log-near-one", "mills-ratio", "normal-cdf"],
)
def test_elementary_functions_are_within_ulps_of_the_truth(ours, theirs, points, allowed):
    with mp.workdps(40):
        worst = max(ulps(ours(float(x)), theirs(mp.mpf(float(x)))) for x in points)
    assert worst <= allowed


def test_prices_are_within_two_epsilons_of_the_forward():
    forward, strike, time, volatility, is_call, rate = extreme_options(3000, seed=11)
    prices = black76.price(forward, strike, time, volatility, is_call, rate)
    worst = 0.0
    for i in range(len(forward)):
        truth = exact.price(
            forward[i], strike[i], time[i], volatility[i], bool(is_call[i]), rate[i]
        )
        scale = math.exp(-rate[i] * time[i]) * max(forward[i], strike[i])
        worst = max(worst, float(abs(mp.mpf(float(prices[i])) - truth)) / scale)
    assert worst <= 2 * EPSILON


def test_options_far_from_the_money_keep_relative_precision():
    forward, strike, time, volatility, _, rate = extreme_options(2000, seed=12)
    is_call = strike > forward
    deviation = volatility * np.sqrt(time)
    distance = np.abs(np.log(forward / strike)) / deviation
    chosen = np.flatnonzero((distance > 5.0) & (distance < 30.0) & (deviation > 0.05))
    assert len(chosen) > 200
    prices = black76.price(forward, strike, time, volatility, is_call, rate)
    for i in chosen:
        truth = exact.price(
            forward[i], strike[i], time[i], volatility[i], bool(is_call[i]), rate[i]
        )
        assert float(prices[i]) == pytest.approx(float(truth), rel=5e-12)


def test_greeks_are_those_of_sixty_digits():
    forward, strike, time, volatility, is_call, rate = extreme_options(400, seed=13)
    # Within four deviations: further out every sensitivity is nothing against its scale.
    strike = forward * (strike / forward) ** (4.0 / 30.0)
    found = black76.greeks(forward, strike, time, volatility, is_call, rate)
    discount = np.exp(-rate * time)
    peak = discount * forward / np.sqrt(2 * np.pi)  # F n(0)
    larger = discount * np.maximum(forward, strike)
    deviation = volatility * np.sqrt(time)
    scales = {
        "delta": discount,
        "gamma": peak / (forward * forward * deviation),
        "vega": peak * np.sqrt(time),
        "theta": peak * volatility / np.sqrt(time) + np.abs(rate) * larger,
        "rho": larger * time,
        "vanna": peak / (forward * volatility) * (1.0 + deviation),
        "volga": peak * np.sqrt(time) / volatility * (1.0 + deviation**2),
    }
    for i in range(len(forward)):
        truth = exact.greeks(
            forward[i], strike[i], time[i], volatility[i], bool(is_call[i]), rate[i]
        )
        for name, value in truth.items():
            error = abs(getattr(found, name)[i] - float(value)) / scales[name][i]
            assert error < 8 * EPSILON, (name, i)


def test_quantlib_vollib_and_scipy_agree():
    ql = pytest.importorskip("QuantLib")
    vollib = pytest.importorskip("vollib.black")
    rng = np.random.default_rng(5)
    count = 500
    forward = rng.uniform(50.0, 150.0, count)
    strike = rng.uniform(50.0, 150.0, count)
    time, volatility = rng.uniform(0.01, 3.0, count), rng.uniform(0.05, 2.0, count)
    rate, is_call = rng.uniform(0.0, 0.1, count), rng.random(count) < 0.5
    ours = black76.evaluate(forward, strike, time, volatility, is_call, rate)
    for i in range(count):
        deviation = volatility[i] * math.sqrt(time[i])
        kind = ql.Option.Call if is_call[i] else ql.Option.Put
        payoff = ql.PlainVanillaPayoff(kind, strike[i])
        discount = math.exp(-rate[i] * time[i])
        theirs = ql.BlackCalculator(payoff, forward[i], deviation, discount)
        assert ours.price[i] == pytest.approx(theirs.value(), abs=2e-12)
        assert ours.delta[i] == pytest.approx(theirs.deltaForward(), abs=2e-14)
        assert ours.gamma[i] == pytest.approx(theirs.gammaForward(), rel=1e-11, abs=1e-15)
        assert ours.vega[i] == pytest.approx(theirs.vega(time[i]), rel=1e-11, abs=1e-12)
        flag = "c" if is_call[i] else "p"
        price = vollib.black(flag, forward[i], strike[i], time[i], rate[i], volatility[i])
        assert ours.price[i] == pytest.approx(price, abs=2e-12)
    z = rng.uniform(-37.0, 8.0, 10_000)
    assert conventions.normal_cdf(z) == pytest.approx(scipy.special.ndtr(z), rel=3e-13)


def test_quantlib_and_vollib_agree_on_extreme_options():
    """In units of the larger discounted leg; QuantLib's d1 loses digits where deviations are tiny."""
    ql = pytest.importorskip("QuantLib")
    vollib = pytest.importorskip("vollib.black")
    options = extreme_options(2000, seed=21)
    ours = black76.evaluate(*options)
    for i, row in enumerate(zip(*(column.tolist() for column in options), strict=True)):
        forward, strike, time, volatility, is_call, rate = row
        deviation, discount = volatility * math.sqrt(time), math.exp(-rate * time)
        kind = ql.Option.Call if is_call else ql.Option.Put
        payoff = ql.PlainVanillaPayoff(kind, strike)
        theirs = ql.BlackCalculator(payoff, forward, deviation, discount)
        larger = discount * max(forward, strike)
        peak = discount * forward / math.sqrt(2 * math.pi)
        assert abs(ours.price[i] - theirs.value()) <= 8 * EPSILON * larger
        assert abs(ours.delta[i] - theirs.deltaForward()) <= 2e-10 * discount
        gamma = peak / (forward * forward * deviation)
        assert abs(ours.gamma[i] - theirs.gammaForward()) <= 5e-10 * gamma
        assert abs(ours.vega[i] - theirs.vega(time)) <= 5e-10 * peak * math.sqrt(time)
        flag = "c" if is_call else "p"
        price = vollib.black(flag, forward, strike, time, rate, volatility)
        assert abs(ours.price[i] - price) <= 4 * EPSILON * larger


def test_vollib_finds_the_same_implied_volatilities():
    """As far as the price's own rounding reaches, and vollib's rounding of log(F / K)."""
    implied = pytest.importorskip("vollib.black.implied_volatility").implied_volatility
    forward, strike, time, volatility, _, _ = extreme_options(1000, seed=22)
    is_call = strike > forward
    value = black76.evaluate(forward, strike, time, volatility, is_call)
    found = black76.implied_volatility(value.price, forward, strike, time, is_call)
    for i in np.flatnonzero((value.price > 1e-280) & (value.vega > 0)):
        args = float(value.price[i]), float(forward[i]), float(strike[i]), 0.0, float(time[i])
        theirs = implied(*args, "c" if is_call[i] else "p")
        rounding = 8 * EPSILON * value.price[i] / value.vega[i]
        theirs_loses = EPSILON * (512 + 4 / (volatility[i] * math.sqrt(time[i])))
        assert abs(found[i] - theirs) <= rounding + theirs_loses * volatility[i]


def test_implied_volatility_is_exact_to_a_few_ulps():
    """Measured in 60 digits, on options out of the money, where the price decides all of it."""
    forward, strike, time, volatility, _, _ = extreme_options(2000, seed=14)
    checked = 0
    for i in range(len(forward)):
        is_call = bool(strike[i] > forward[i])
        args = forward[i], strike[i], time[i]
        price = float(exact.price(*args, volatility[i], is_call, 0.0))
        if price < 1e-280:
            continue
        found = black76.implied_volatility(price, *args, is_call)
        miss = mp.mpf(price) - exact.price(*args, found, is_call, 0.0)
        error = miss / exact.vega(*args, found) / found
        assert abs(float(error)) < 20 * EPSILON, i
        checked += 1
    assert checked > 1800
