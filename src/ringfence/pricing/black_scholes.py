"""Black-Scholes: Black-76 on the forward of a spot price with a dividend yield.

    forward = spot * exp((rate - dividend) * time)

The dividend yield is whatever the holder of the spot earns: a dividend, a foreign rate, a
staking yield. Sensitivities are to the spot with rate and dividend held fixed, so theta and
rho contain the move of the forward. Limits and invalid inputs are those of `black76`.

Source: R. C. Merton, Theory of rational option pricing, Bell Journal of Economics 4 (1973).
"""

from typing import Any, NamedTuple

from numpy.typing import ArrayLike

from ringfence.compiled import screen
from ringfence.pricing import black76
from ringfence.pricing.black76 import (
    Options,
    delta_of,
    gamma_of,
    price_of,
    side_of,
    terms,
    theta_of,
    vanna_of,
    vega_of,
    volga_of,
)
from ringfence.pricing.broadcast import Floats, run
from ringfence.pricing.elementary import exp


class SpotGreeks(NamedTuple):
    """Sensitivities of a price to the spot and to what carries it."""

    delta: Any  # per unit of the spot
    gamma: Any  # second derivative to the spot
    vega: Any  # per 1.00 of volatility
    theta: Any  # per year of time passing
    rho: Any  # per 1.00 of rate
    vanna: Any  # of vega per unit of the spot
    volga: Any  # of vega per 1.00 of volatility
    dividend_rho: Any  # per 1.00 of dividend yield


@screen
def forward_columns(
    spot: Floats, time: Floats, rate: Floats, dividend: Floats, forward: Floats
) -> None:
    """Carry spot prices to their forwards."""
    for i in range(forward.size):
        forward[i] = spot[i] * exp((rate[i] - dividend[i]) * time[i])


@screen
def spot_greeks_columns(o: Options, dividend: Floats, found: SpotGreeks) -> None:
    """Compute the sensitivities to the spot of options one by one; o.forward holds the spot."""
    for i in range(found.delta.size):
        y, r, carry = o.time[i], o.rate[i], o.rate[i] - dividend[i]
        growth = exp(carry * y)
        forward = o.forward[i] * growth
        t, side = terms(forward, o.strike[i], y, o.volatility[i], r), side_of(o, i)
        price = price_of(t, forward, o.strike[i], side)
        leg = delta_of(t, side) * forward
        found.delta[i] = delta_of(t, side) * growth
        found.gamma[i] = gamma_of(t, forward) * growth * growth
        found.vega[i] = vega_of(t, forward)
        found.theta[i] = theta_of(t, forward, y, r, price) - carry * leg
        found.rho[i] = y * (leg - price)
        found.vanna[i] = vanna_of(t) * growth
        found.volga[i] = volga_of(t, forward, y)
        found.dividend_rho[i] = -y * leg


def forward(
    spot: ArrayLike, time: ArrayLike, rate: ArrayLike = 0.0, dividend: ArrayLike = 0.0
) -> Any:
    """Forward price of a spot price."""
    return run(forward_columns, (spot, time, rate, dividend), (), 1)[0]


def price(
    spot: ArrayLike,
    strike: ArrayLike,
    time: ArrayLike,
    volatility: ArrayLike,
    is_call: ArrayLike,
    rate: ArrayLike = 0.0,
    dividend: ArrayLike = 0.0,
) -> Any:
    """Price of options on a spot price."""
    carried = forward(spot, time, rate, dividend)
    return black76.price(carried, strike, time, volatility, is_call, rate)


def greeks(
    spot: ArrayLike,
    strike: ArrayLike,
    time: ArrayLike,
    volatility: ArrayLike,
    is_call: ArrayLike,
    rate: ArrayLike = 0.0,
    dividend: ArrayLike = 0.0,
) -> SpotGreeks:
    """Sensitivities of options to the spot price."""

    def columns(*c: Any) -> None:
        spot, strike, time, volatility, rate, dividend, is_call = c[:7]
        options = Options(spot, strike, time, volatility, rate, is_call)
        spot_greeks_columns(options, dividend, SpotGreeks(*c[7:]))

    numbers = (spot, strike, time, volatility, rate, dividend)
    return SpotGreeks(*run(columns, numbers, (is_call,), len(SpotGreeks._fields)))


def implied_volatility(
    price: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    time: ArrayLike,
    is_call: ArrayLike,
    rate: ArrayLike = 0.0,
    dividend: ArrayLike = 0.0,
) -> Any:
    """Volatility at which options on a spot price have the prices given; see `black76`."""
    carried = forward(spot, time, rate, dividend)
    return black76.implied_volatility(price, carried, strike, time, is_call, rate)
