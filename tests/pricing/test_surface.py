"""Forward curves and volatility surfaces, on made smiles and on a recorded option market."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.shared import shared

from ringfence.pricing import black76, svi
from ringfence.pricing.curves import ForwardCurve
from ringfence.pricing.surface import Quotes, Surface

YEAR_SECONDS = 365 * 24 * 3600
SMILE = np.array([0.02, 0.15, -0.3, 0.02, 0.25])


def quotes_of(smile, time, forward=100.0, half=0.005, count=15):
    """Quotes around a known smile."""
    k = np.linspace(-0.6, 0.6, count)
    middle = np.sqrt([svi.total_variance(smile, x) / time for x in k])
    return Quotes(time, forward, forward * np.exp(k), middle - half, middle + half)


def recorded(asset):
    """Quotes of a Deribit snapshot of 21 May 2026 (Parquet file of the shared data)."""
    name = "deribit_option_surface_btc_eth_2026-05-21.parquet"
    rows = [r for r in pq.read_table(shared("data", name)).to_pylist() if r["asset"] == asset]
    forwards = {r["expiry"]: (r["bid"] + r["ask"]) / 2 for r in rows if r["kind"] == "forward"}
    expiries = []
    for expiry, forward in forwards.items():
        options = [r for r in rows if r["kind"] == "option" and r["expiry"] == expiry]
        columns = ([r[name] for r in options] for name in ("strike", "iv_bid", "iv_ask"))
        seconds = (expiry - rows[0]["asof"]).total_seconds()
        expiries.append(Quotes(seconds / YEAR_SECONDS, forward, *columns))
    return expiries


def test_curve_passes_through_its_pillars_and_carries_on():
    curve = ForwardCurve([1.0, 0.5, 2.0], [104.0, 102.0, 110.0])
    assert curve.forward([0.5, 1.0, 2.0]) == pytest.approx([102.0, 104.0, 110.0])
    assert curve.forward(0.75) == pytest.approx(math.sqrt(102.0 * 104.0))
    assert curve.forward(0.0) == 102.0
    assert curve.forward(3.0) == pytest.approx(110.0 * 110.0 / 104.0)
    assert ForwardCurve([0.5], [7.0]).forward(9.0) == 7.0
    assert math.isnan(curve.forward(-0.1))


@pytest.mark.parametrize(
    ("times", "forwards", "message"),
    [
        ([], [], "needs pillars"),
        ([1.0, 2.0], [100.0], "needs pillars"),
        ([1.0, 1.0], [100.0, 101.0], "must differ"),
        ([-1.0], [100.0], "not negative"),
        ([1.0], [0.0], "must be positive"),
        ([1.0], [math.nan], "must be positive"),
    ],
)
def test_curve_refuses_pillars_without_meaning(times, forwards, message):
    with pytest.raises(ValueError, match=message):
        ForwardCurve(times, forwards)


def test_fit_finds_the_smile_behind_the_quotes():
    surface = Surface.from_quotes([quotes_of(SMILE, 0.5)])
    k = np.linspace(-0.6, 0.6, 41)
    truth = np.sqrt([svi.total_variance(SMILE, x) / 0.5 for x in k])
    assert surface.volatility(100.0 * np.exp(k), 0.5) == pytest.approx(truth, abs=1e-4)


def test_smile_has_the_density_of_its_prices():
    """g(k) is the second derivative of the call price to the strike, but for a positive factor."""
    surface = Surface.from_quotes([quotes_of(SMILE, 0.5)])
    smile = surface.smiles[0]
    for k in (-0.4, 0.0, 0.3):
        strike, step = 100.0 * math.exp(k), 0.01
        at = strike + step * np.array([-1.0, 0.0, 1.0])
        price = black76.price(100.0, at, 0.5, surface.volatility(at, 0.5), np.ones(3, bool))
        density = (price[0] - 2 * price[1] + price[2]) / step**2
        root = math.sqrt(svi.total_variance(smile, k))
        factor = math.exp(-0.5 * (-k / root - root / 2) ** 2) / (strike * root)
        expected = svi.density_factor(smile, k) * factor / math.sqrt(2 * math.pi)
        assert density == pytest.approx(expected, rel=1e-4)


def test_variance_is_linear_between_expiries_and_volatility_constant_outside():
    later = SMILE * np.array([2.0, 1.5, 1.0, 1.0, 1.0])
    surface = Surface.from_quotes([quotes_of(later, 1.0), quotes_of(SMILE, 0.25)], spot=100.0)
    assert list(surface.times) == [0.25, 1.0]
    strike = np.array([80.0, 100.0, 130.0])
    near, far = surface.volatility(strike, 0.25), surface.volatility(strike, 1.0)
    middle = surface.volatility(strike, 0.5)
    assert middle**2 * 0.5 == pytest.approx((near**2 * 0.25 * 2 + far**2) / 3)
    assert surface.volatility(strike, 0.01) == pytest.approx(near)
    assert surface.volatility(strike, 0.0) == pytest.approx(near)
    assert surface.volatility(strike, 7.0) == pytest.approx(far)
    assert surface.volatility(strike[:, None], [0.25, 1.0]).shape == (3, 2)


def test_strikes_and_times_without_meaning_have_no_volatility():
    surface = Surface.from_quotes([quotes_of(SMILE, 0.5)])
    found = surface.volatility([-1.0, 0.0, math.nan, 100.0, 100.0], [1, 1, 1, -1.0, math.nan])
    assert np.all(np.isnan(found))


def test_quotes_that_allow_arbitrage_are_fitted_without_it():
    """The later expiry is quoted below the earlier one, and one quote sticks out."""
    high = quotes_of(SMILE, 0.5)
    low = quotes_of(SMILE * np.array([0.6, 0.6, 1.0, 1.0, 1.0]), 0.6)
    peak = np.array(low.bid)
    peak[7] += 0.3
    low = low._replace(bid=peak, ask=peak + 0.01)
    surface = Surface.from_quotes([high, low])
    assert surface.problems(np.linspace(-0.8, 0.8, 401)) == []


def test_arbitrage_in_given_smiles_is_found():
    curve = ForwardCurve([0.5, 1.0], [100.0, 100.0])
    steep = np.array([0.001, 1.9, 0.0, 0.0, 0.01])
    surface = Surface(curve, [0.5, 1.0], [steep, SMILE])
    kinds = {(problem.kind, problem.time) for problem in surface.problems([-0.5, -0.1, 0.1, 0.5])}
    assert ("butterfly", 0.5) in kinds
    assert ("calendar", 1.0) in kinds


def test_few_quotes_make_a_plain_smile():
    one = Surface.from_quotes([Quotes(0.5, 100.0, [100.0], [0.49], [0.51])])
    assert one.volatility([50.0, 100.0, 200.0], 0.5) == pytest.approx(0.5)
    three = Surface.from_quotes([Quotes(0.5, 100.0, [90, 100, 110], [0.5] * 3, [0.6] * 3)])
    assert three.volatility([90.0, 100.0, 110.0], 0.5) == pytest.approx(0.55, abs=0.05)
    assert three.problems(np.linspace(-0.5, 0.5, 101)) == []


def test_quotes_with_a_missing_side_are_left_out():
    good = quotes_of(SMILE, 0.5)
    bid = np.concatenate([good.bid, [0.0, math.nan, 0.9]])
    ask = np.concatenate([good.ask, [0.5, 0.5, 0.5]])
    strike = np.concatenate([good.strike, [100.0, 101.0, 102.0]])
    noisy = Surface.from_quotes([Quotes(0.5, 100.0, strike, bid, ask)])
    assert np.array_equal(noisy.smiles, Surface.from_quotes([good]).smiles)


def test_surface_refuses_what_has_no_meaning():
    with pytest.raises(ValueError, match="needs quotes"):
        Surface.from_quotes([Quotes(0.5, 100.0, [100.0], [0.0], [0.5])])
    with pytest.raises(ValueError, match=r"no expiry at time -0\.5"):
        Surface.from_quotes([Quotes(-0.5, 100.0, [100.0], [0.4], [0.5])])
    with pytest.raises(ValueError, match="but 1 bids"):
        Surface.from_quotes([Quotes(0.5, 100.0, [90.0, 100.0], [0.4], [0.5])])
    with pytest.raises(ValueError, match="smiles are"):
        Surface(ForwardCurve([1.0], [100.0]), [1.0], [[0.1, 0.2]])
    with pytest.raises(ValueError, match="in order"):
        Surface(ForwardCurve([1.0], [100.0]), [1.0, 0.5], [SMILE, SMILE])


@pytest.mark.parametrize(("asset", "share"), [("BTC", 0.95), ("ETH", 0.99)])
def test_recorded_market_is_fitted_inside_its_quotes_without_arbitrage(asset, share):
    expiries = recorded(asset)
    surface = Surface.from_quotes(expiries)
    inside = count = 0
    for quotes in expiries:
        volatility = surface.volatility(quotes.strike, quotes.time)
        inside += np.sum((volatility >= quotes.bid) & (volatility <= quotes.ask))
        count += len(quotes.strike)
    assert count > 250
    assert inside / count >= share
    reach = max(np.max(np.abs(np.log(np.array(q.strike) / q.forward))) for q in expiries)
    assert surface.problems(np.linspace(-1.25 * reach, 1.25 * reach, 2001)) == []


def test_prices_are_convex_in_the_strike_between_the_expiries():
    expiries = recorded("BTC")
    surface = Surface.from_quotes(expiries)
    for time in (0.004, 0.015, 0.05, 0.15, 0.5, 0.7):
        forward = surface.curve.forward(time)
        width = 3.0 * surface.volatility(forward, time) * math.sqrt(time)
        strike = forward * np.linspace(math.exp(-width), math.exp(width), 301)
        volatility = surface.volatility(strike, time)
        price = black76.price(forward, strike, time, volatility, np.ones(301, bool))
        assert np.min(np.diff(price, 2)) > -1e-9 * forward


DIGEST = """
import hashlib, numpy as np
from ringfence.pricing import svi
k = np.array([-0.5, -0.2, -0.1, 0.0, 0.2, 0.5])
quotes = np.array([k, 0.5 + 0.2 * k * k - 0.05 * k, np.full(6, 0.01)])
before = np.array([0.0, 0.0, 0.0, 0.0, 1.0])
smile = svi.fit(quotes, 0.5, before, np.array([-0.6, -0.3, 0.0, 0.3, 0.6]))
print(hashlib.sha256(smile.tobytes()).hexdigest())
"""


def test_fit_gives_the_same_bits_in_plain_python():
    def digest(**environment):
        command = [sys.executable, "-W", "error", "-c", DIGEST]
        root = Path(__file__).resolve().parents[2]
        env = {**os.environ, **environment}
        ran = subprocess.run(command, env=env, cwd=root, capture_output=True, text=True, check=True)
        return ran.stdout.strip()

    assert digest(NUMBA_DISABLE_JIT="1") == digest()
