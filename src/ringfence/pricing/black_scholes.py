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
    delta_of,
    gamma_of,
    price_of,
    terms,
    theta_of,
    vanna_of,
    vega_of,
    volga_of,
)
from ringfence.pricing.broadcast import Flags, Floats, run
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
def spot_greeks_columns(
    spot: Floats,
    strike: Floats,
    time: Floats,
    volatility: Floats,
    rate: Floats,
    dividend: Floats,
    is_call: Flags,
    delta: Floats,
    gamma: Floats,
    vega: Floats,
    theta: Floats,
    rho: Floats,
    vanna: Floats,
    volga: Floats,
    dividend_rho: Floats,
) -> None:
    """Compute the sensitivities to the spot of options one by one."""
    for i in range(delta.size):
        y, r, carry = time[i], rate[i], rate[i] - dividend[i]
        growth = exp(carry * y)
        forward = spot[i] * growth
        t = terms(forward, strike[i], y, volatility[i], r)
        side = 1.0 if is_call[i] else -1.0
        price = price_of(t, forward, strike[i], side)
        leg = delta_of(t, side) * forward
        delta[i] = delta_of(t, side) * growth
        gamma[i] = gamma_of(t, forward) * growth * growth
        vega[i] = vega_of(t, forward)
        theta[i] = theta_of(t, forward, y, r, price) - carry * leg
        rho[i] = y * (leg - price)
        vanna[i] = vanna_of(t) * growth
        volga[i] = volga_of(t, forward, y)
        dividend_rho[i] = -y * leg


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
    numbers = (spot, strike, time, volatility, rate, dividend)
    return SpotGreeks(*run(spot_greeks_columns, numbers, (is_call,), 8))


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
