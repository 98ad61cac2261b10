"""Prices, Greeks and implied volatilities that other people published (counts in the test ids).

Sources, each named in its case: the QuantLib test suite (with Haug's tables), vollib and
py_lets_be_rational, QuantConnect Lean, and tickers recorded at exchanges.
"""

import math

import pytest
from tests.vectors.published import kinds, reproduced

from ringfence.pricing import black76, black_scholes, conventions
from ringfence.pricing.conventions import DeltaConvention

DAYS = 365  # a year of the exchanges and of Lean
CONVENTIONS = {
    "Spot": DeltaConvention.SPOT,
    "Fwd": DeltaConvention.FORWARD,
    "PaSpot": DeltaConvention.SPOT_PREMIUM_ADJUSTED,
    "PaFwd": DeltaConvention.FORWARD_PREMIUM_ADJUSTED,
}


def of_option(inputs):
    """Forward, strike, time, volatility, side and rate, whichever way a case states them.

    A standard deviation and a discount factor are a volatility and a rate over one year.
    """
    is_call = inputs["type"] == "call"
    time = inputs.get("time_years", 1.0)
    volatility = inputs["vol"] if "vol" in inputs else inputs["stddev"] / math.sqrt(time)
    rate = inputs["rate"] if "rate" in inputs else -math.log(inputs["discount"]) / time
    if "forward" in inputs:
        forward = inputs["forward"]
    else:
        forward = black_scholes.forward(inputs["spot"], time, rate, inputs["dividend_yield"])
    return forward, inputs["strike"], time, volatility, is_call, rate


def everything(inputs):
    """All the quantities that a case may ask for."""
    forward, strike, time, volatility, is_call, rate = of_option(inputs)
    price = black76.price(forward, strike, time, volatility, is_call, rate)
    greeks = black76.greeks(forward, strike, time, volatility, is_call, rate)
    at = conventions.standing(forward, strike, time, volatility, is_call)
    to_strike = conventions.strike_greeks(forward, strike, time, volatility, is_call, rate)
    underlying = forward
    found = {
        "price": price,
        "mark_price": price,
        "delta_forward": greeks.delta,
        "gamma_forward": greeks.gamma,
        "d1": at.d1,
        "d2": at.d2,
        "itm_asset_probability": at.asset_probability,
        "itm_cash_probability": at.cash_probability,
        "strike_sensitivity": to_strike.delta,
        "strike_gamma": to_strike.gamma,
    }
    if "spot" in inputs:
        underlying = inputs["spot"]
        # A case that states the forward, too, implies the dividend yield.
        dividend = rate - math.log(forward / underlying) / time if time else 0.0
        dividend = inputs.get("dividend_yield", dividend)
        greeks = black_scholes.greeks(underlying, strike, time, volatility, is_call, rate, dividend)
    found |= greeks._asdict()
    found["elasticity"] = (
        conventions.elasticity(greeks.delta, underlying, price) if price else math.nan
    )
    found["theta_per_day"] = greeks.theta / DAYS
    found["vega_per_pct"] = greeks.vega / 100
    return found


def by_convention(inputs):
    """Delta of the foreign-exchange market; the rates run over one year, like the deviation."""
    forward, strike, time, volatility, is_call, _ = of_option(inputs)
    convention = CONVENTIONS[inputs["delta_convention"]]
    foreign_rate = -math.log(inputs["foreign_discount"])
    return {
        "delta": conventions.delta(
            convention, forward, strike, time, volatility, is_call, foreign_rate
        )
    }


def from_price(inputs):
    """What follows from a price alone; Lean has vega and rho per point, theta per calendar day."""
    of_case = (
        inputs["spot"],
        inputs["strike"],
        inputs["days"] / inputs["day_count"],
        inputs["type"] == "call",
        inputs["rate"],
        inputs["dividend_yield"],
    )
    spot, strike, time, is_call, rate, dividend = of_case
    volatility = black_scholes.implied_volatility(inputs["option_price"], *of_case)
    greeks = black_scholes.greeks(spot, strike, time, volatility, is_call, rate, dividend)
    return {
        "implied_vol": volatility,
        "delta": greeks.delta,
        "gamma": greeks.gamma,
        "vega": greeks.vega / 100,
        "rho": greeks.rho / 100,
        "theta": greeks.theta / DAYS,
    }


def there_and_back(inputs):
    """The price of a volatility and the volatility of the published price; or a function."""
    if inputs.get("function") == "norm_cdf":
        return {"value": conventions.normal_cdf(inputs["z"])}
    if inputs.get("function") == "normalised_vega":
        return {"value": conventions.normalised_vega(inputs["x"], inputs["s"])}
    forward, strike, time, volatility, is_call, rate = of_option(inputs)
    published = inputs["published_price"]
    return {
        "price": black76.price(forward, strike, time, volatility, is_call, rate),
        "implied_vol": black76.implied_volatility(published, forward, strike, time, is_call, rate),
    }


def ticker(inputs):
    """A recorded ticker: premiums in USD (Bybit) or in the coin, at the forward (Deribit, OKX)."""
    computed = everything(inputs)
    forward, strike, time, volatility, is_call, _ = of_option(inputs)
    adjusted = DeltaConvention.FORWARD_PREMIUM_ADJUSTED  # the premium is paid in the coin
    return computed | {
        "mark_price_coin": computed["price"] / forward,
        "deltaPA": conventions.delta(adjusted, forward, strike, time, volatility, is_call),
    }


@pytest.mark.parametrize(("kind", "cases"), kinds("options_prices"))
def test_prices_are_those_published(kind, cases):
    assert reproduced(cases, everything) == len(cases), kind


@pytest.mark.parametrize(("kind", "cases"), kinds("options_greeks"))
def test_greeks_are_those_published(kind, cases):
    answer = by_convention if kind == "fx-delta" else everything
    assert reproduced(cases, answer) == len(cases), kind


@pytest.mark.parametrize(("kind", "cases"), kinds("black76_lets_be_rational"))
def test_prices_lead_back_to_their_volatility(kind, cases):
    with_price = [
        case | {"inputs": case["inputs"] | {"published_price": case["expected"].get("price")}}
        for case in cases
    ]
    assert reproduced(with_price, there_and_back) == len(cases), kind


@pytest.mark.parametrize(("kind", "cases"), kinds("options_iv_greeks_lean"))
def test_greeks_follow_from_a_price_alone(kind, cases):
    assert reproduced(cases, from_price) == len(cases), kind


@pytest.mark.parametrize(("kind", "cases"), kinds("options_exchange_ticks"))
def test_tickers_of_exchanges_are_reproduced(kind, cases):
    assert reproduced(cases, ticker) == len(cases), kind
