"""What desks and exchanges quote beside price and Greeks, from the same formulas.

Venues disagree on what delta means. A coin-settled option (Deribit, OKX) is paid for in the
coin itself, so its premium is part of the exposure and delta is reduced by price / forward:
that is the premium-adjusted delta of the foreign-exchange market.

    SPOT                      w exp(-q T) N(w d1)           w = 1 for a call, -1 for a put
    FORWARD                   w N(w d1)
    SPOT_PREMIUM_ADJUSTED     w exp(-q T) K / F N(w d2)
    FORWARD_PREMIUM_ADJUSTED  w K / F N(w d2)

Source: D. Reiswich and U. Wystup, FX volatility smile construction, Wilmott (2012);
P. Jaeckel, Let's be rational, Wilmott (2015), for the normalised vega.
"""

from enum import Enum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ringfence.compiled import screen
from ringfence.pricing.black76 import (
    DEVIATION_MIN,
    Options,
    computed,
    side_of,
    terms,
    terms_of,
)
from ringfence.pricing.broadcast import Floats, run
from ringfence.pricing.elementary import LEAST, exp
from ringfence.pricing.elementary import normal_cdf as cdf
from ringfence.pricing.elementary import normal_density as density


class DeltaConvention(Enum):
    """Which exposure is called delta."""

    SPOT = "spot"
    FORWARD = "forward"
    SPOT_PREMIUM_ADJUSTED = "spot, premium adjusted"
    FORWARD_PREMIUM_ADJUSTED = "forward, premium adjusted"


class Standing(NamedTuple):
    """Where an option stands."""

    d1: Any
    d2: Any
    asset_probability: Any  # N(±d1): of ending in the money, weighed by the price
    cash_probability: Any  # N(±d2): of ending in the money


class StrikeGreeks(NamedTuple):
    """Derivatives of a price to the strike; the second is the discounted density."""

    delta: Any
    gamma: Any


@screen
def standing_columns(o: Options, found: Standing) -> None:
    """Find out where options stand, one by one; the rate plays no part."""
    for i in range(found.d1.size):
        t, side = terms(o.forward[i], o.strike[i], o.time[i], o.volatility[i], 0.0), side_of(o, i)
        found.d1[i] = t.discount * t.d1  # the discount is one, or NaN for what has no meaning
        found.d2[i] = t.discount * t.d2
        found.asset_probability[i] = t.discount * cdf(side * t.d1)
        found.cash_probability[i] = t.discount * cdf(side * t.d2)


@screen
def strike_columns(o: Options, found: StrikeGreeks) -> None:
    """Differentiate prices to the strike, one by one."""
    for i in range(found.delta.size):
        t, side, strike = terms_of(o, i), side_of(o, i), max(o.strike[i], LEAST)
        found.delta[i] = -side * t.discount * cdf(side * t.d2)
        found.gamma[i] = t.alive * t.discount * density(t.d2) / (strike * t.deviation)


@screen
def cdf_columns(z: Floats, probability: Floats) -> None:
    """Compute the normal distribution function of numbers one by one."""
    for i in range(z.size):
        probability[i] = cdf(z[i])


@screen
def normalised_vega_columns(x: Floats, deviation: Floats, vega: Floats) -> None:
    """Compute normalised vegas one by one."""
    for i in range(x.size):
        s = max(deviation[i], DEVIATION_MIN)
        vega[i] = density(x[i] / s) * exp(-0.125 * s * s)


def normal_cdf(z: ArrayLike) -> Any:
    """Standard normal distribution function, precise in relative terms in the lower tail."""
    return run(cdf_columns, (z,), (), 1)[0]


def normalised_vega(log_moneyness: ArrayLike, deviation: ArrayLike) -> Any:
    """Derivative of price / (discount sqrt(F K)) to the deviation, at log(F / K)."""
    return run(normalised_vega_columns, (log_moneyness, deviation), (), 1)[0]


def standing(
    forward: ArrayLike,
    strike: ArrayLike,
    time: ArrayLike,
    volatility: ArrayLike,
    is_call: ArrayLike,
) -> Standing:
    """Distances d1 and d2 and the probabilities of ending in the money."""
    numbers = (forward, strike, time, volatility, 0.0)
    return computed(standing_columns, Standing, numbers, is_call)


def strike_greeks(
    forward: ArrayLike,
    strike: ArrayLike,
    time: ArrayLike,
    volatility: ArrayLike,
    is_call: ArrayLike,
    rate: ArrayLike = 0.0,
) -> StrikeGreeks:
    """First and second derivative of the price to the strike."""
    numbers = (forward, strike, time, volatility, rate)
    return computed(strike_columns, StrikeGreeks, numbers, is_call)


def delta(
    convention: DeltaConvention,
    forward: ArrayLike,
    strike: ArrayLike,
    time: ArrayLike,
    volatility: ArrayLike,
    is_call: ArrayLike,
    dividend: ArrayLike = 0.0,
) -> Any:
    """Delta by a convention; dividend is the yield of the spot (the foreign rate)."""
    at = standing(forward, strike, time, volatility, is_call)
    side = np.where(is_call, 1.0, -1.0)
    if convention in {DeltaConvention.SPOT, DeltaConvention.FORWARD}:
        exposure = side * at.asset_probability
    else:
        exposure = side * at.cash_probability * (np.asarray(strike) / np.asarray(forward))
    if convention in {DeltaConvention.SPOT, DeltaConvention.SPOT_PREMIUM_ADJUSTED}:
        exposure = exposure * run(_discount_columns, (time, dividend), (), 1)[0]
    return float(exposure) if np.ndim(exposure) == 0 else exposure


def elasticity(delta: ArrayLike, underlying: ArrayLike, price: ArrayLike) -> Any:
    """Relative change of the price per relative change of the underlying that delta refers to."""
    return np.asarray(delta) * np.asarray(underlying) / np.asarray(price)


@screen
def _discount_columns(time: Floats, rate: Floats, discount: Floats) -> None:
    for i in range(discount.size):
        discount[i] = exp(-rate[i] * time[i])
