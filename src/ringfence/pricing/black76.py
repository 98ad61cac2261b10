"""Black-76: European options on a forward, with log-normal prices at expiry.

    price = D (F N(d1) - K N(d2)) for a call,  D (K N(-d2) - F N(-d1)) for a put,
    d1 = log(F / K) / s + s / 2,  d2 = d1 - s,  s = volatility * sqrt(time),  D = exp(-rate * time)

Every function takes scalars or arrays and broadcasts them: time in years, volatility and rate
per 1.00, rate continuously compounded. Sensitivities are to the forward, vega and rho per
1.00, theta per year of time passing (-dV/dT), rho with the forward held fixed.

Limits: at zero time or zero volatility the price is the discounted payoff, delta its slope
(one half at the kink) and gamma, vega, vanna and volga are zero. Infinite volatility and zero
forwards and strikes give their limits too. What has no meaning (negative, NaN, or an infinite
forward, strike, time or rate) gives NaN, so one bad row never stops a batch.

The kernel prices the option that is out of the money and adds what the other one would pay
at once, so put-call parity holds to rounding and no price is negative.

Source: F. Black, The pricing of commodity contracts, Journal of Financial Economics 3 (1976).
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from ringfence.compiled import formula, screen
from ringfence.pricing.broadcast import Flags, Floats, run
from ringfence.pricing.elementary import (
    LEAST,
    MILLS_MAX,
    MOST,
    exp,
    log_ratio,
    mills_p,
    mills_q,
    normal_density,
)
from ringfence.pricing.implied import implied_columns

TIME_MIN = 1e-150  # years; only keeps a division by time finite
DEVIATION_MIN = 1e-16  # of the log-price at expiry; below, the option is at its payoff
DEVIATION_MAX = 100.0  # from here on a call is worth the forward and a put the strike


class Options(NamedTuple):
    """Options to compute, one a row."""

    forward: Floats
    strike: Floats
    time: Floats  # years
    volatility: Floats  # per 1.00
    rate: Floats  # per 1.00, continuously compounded
    is_call: Flags


class Greeks(NamedTuple):
    """Sensitivities of a price."""

    delta: Any  # per unit of the forward
    gamma: Any  # second derivative to the forward
    vega: Any  # per 1.00 of volatility
    theta: Any  # per year of time passing
    rho: Any  # per 1.00 of rate
    vanna: Any  # of vega per unit of the forward
    volga: Any  # of vega per 1.00 of volatility


class Evaluation(NamedTuple):
    """Price and the sensitivities that margin needs."""

    price: Any
    delta: Any
    gamma: Any
    vega: Any


class Terms(NamedTuple):
    """What all formulas share; `side` in them is 1 for a call and -1 for a put."""

    d1: float
    d2: float
    deviation: float  # standard deviation of the log-price at expiry
    root_time: float
    discount: float
    density: float  # discounted n(d1); K n(d2) is F n(d1), so it serves both legs
    alive: float  # one, or zero where only the payoff is left
    tail1: float  # N(-|d1|) / n(d1)
    tail2: float  # N(-|d2|) / n(d2)


class Prices(NamedTuple):
    """Prices alone."""

    price: Any


@formula
def is_valid(forward: float, strike: float, time: float, volatility: float, rate: float) -> bool:
    """Whether the numbers have a meaning; false for NaN."""
    prices = (forward >= 0.0) & (forward <= MOST) & (strike >= 0.0) & (strike <= MOST)
    return prices & (time >= 0.0) & (time < np.inf) & (volatility >= 0.0) & (abs(rate) < np.inf)


@formula
def terms(forward: float, strike: float, time: float, volatility: float, rate: float) -> Terms:
    """Shared terms of one option; without a meaning the discount is NaN, and so is all else."""
    root_time = np.sqrt(time)
    spread = volatility * root_time
    deviation = min(max(DEVIATION_MIN, spread), DEVIATION_MAX)
    inverse = 1.0 / deviation
    d1 = log_ratio(max(forward, LEAST), max(strike, LEAST)) * inverse + 0.5 * deviation
    d2 = d1 - deviation
    discount = exp(-rate * time) if is_valid(forward, strike, time, volatility, rate) else np.nan
    density = discount * normal_density(d1)
    far1, far2 = min(abs(d1), MILLS_MAX), min(abs(d2), MILLS_MAX)
    p1, q1, p2, q2 = mills_p(far1), mills_q(far1), mills_p(far2), mills_q(far2)
    both = 1.0 / (q1 * q2)  # one division for two ratios
    return Terms(
        d1=d1,
        d2=d2,
        deviation=deviation,
        root_time=root_time,
        discount=discount,
        density=density,
        alive=1.0 if spread > DEVIATION_MIN else 0.0,
        tail1=p1 * q2 * both,
        tail2=p2 * q1 * both,
    )


@formula
def price_of(t: Terms, forward: float, strike: float, side: float) -> float:
    """Price: the out-of-the-money option, and for the other one the payoff as of now."""
    leg = forward * t.density
    one_sided = leg * abs(t.tail1 - t.tail2)
    two_sided = max(t.discount * min(forward, strike) - leg * (t.tail1 + t.tail2), 0.0)
    # d1 and d2 have opposite signs near the money; there the tails are on both sides.
    time_value = two_sided if t.d1 * t.d2 < 0.0 else one_sided
    return t.alive * time_value + t.discount * max(side * (forward - strike), 0.0)


@formula
def delta_of(t: Terms, side: float) -> float:
    """Delta: discounted N(d1) for a call, -N(-d1) for a put."""
    tail = t.density * t.tail1
    return side * (tail if side * t.d1 < 0.0 else t.discount - tail)


@formula
def gamma_of(t: Terms, forward: float) -> float:
    """Gamma: discounted n(d1) / (F s)."""
    return t.alive * t.density / (max(forward, LEAST) * t.deviation)


@formula
def vega_of(t: Terms, forward: float) -> float:
    """Vega: discounted F n(d1) sqrt(time)."""
    return t.alive * t.density * forward * t.root_time


@formula
def theta_of(t: Terms, forward: float, time: float, rate: float, price: float) -> float:
    """Theta: interest on the price, less the decay F n(d1) s / (2 time)."""
    return rate * price - 0.5 * t.alive * t.density * forward * t.deviation / max(time, TIME_MIN)


@formula
def vanna_of(t: Terms) -> float:
    """Vanna: -n(d1) d2 / volatility, discounted."""
    return -(t.alive * t.density * t.d2) * t.root_time / t.deviation


@formula
def volga_of(t: Terms, forward: float, time: float) -> float:
    """Volga: vega d1 d2 / volatility."""
    return t.alive * t.density * forward * t.d1 * t.d2 * time / t.deviation


@formula
def terms_of(o: Options, i: int) -> Terms:
    """Shared terms of one row."""
    return terms(o.forward[i], o.strike[i], o.time[i], o.volatility[i], o.rate[i])


@formula
def side_of(o: Options, i: int) -> float:
    """One for a call, minus one for a put."""
    return 1.0 if o.is_call[i] else -1.0


@screen
def price_columns(o: Options, found: Prices) -> None:
    """Price options one by one."""
    for i in range(found.price.size):
        found.price[i] = price_of(terms_of(o, i), o.forward[i], o.strike[i], side_of(o, i))


@screen
def evaluation_columns(o: Options, found: Evaluation) -> None:
    """Price options and their first sensitivities one by one."""
    for i in range(found.price.size):
        t, side = terms_of(o, i), side_of(o, i)
        found.price[i] = price_of(t, o.forward[i], o.strike[i], side)
        found.delta[i] = delta_of(t, side)
        found.gamma[i] = gamma_of(t, o.forward[i])
        found.vega[i] = vega_of(t, o.forward[i])


@screen
def greeks_columns(o: Options, found: Greeks) -> None:
    """Compute all sensitivities of options one by one."""
    for i in range(found.delta.size):
        t, side = terms_of(o, i), side_of(o, i)
        forward, time = o.forward[i], o.time[i]
        price = price_of(t, forward, o.strike[i], side)
        found.delta[i] = delta_of(t, side)
        found.gamma[i] = gamma_of(t, forward)
        found.vega[i] = vega_of(t, forward)
        found.theta[i] = theta_of(t, forward, time, o.rate[i], price)
        found.rho[i] = -time * price
        found.vanna[i] = vanna_of(t)
        found.volga[i] = volga_of(t, forward, time)


Found = TypeVar("Found", bound=tuple[Any, ...])


def computed(
    kernel: Callable[[Options, Any], None],
    kind: Callable[..., Found],
    numbers: tuple[ArrayLike, ...],
    is_call: ArrayLike,
    threads: int = 1,
) -> Found:
    """Run a kernel over options into a kind of columns; numbers in the order of Options."""
    inputs, results = len(Options._fields), len(kind._fields)  # type: ignore[attr-defined] # a NamedTuple

    def columns(*c: Any) -> None:
        kernel(Options(*c[:inputs]), kind(*c[inputs:]))

    return kind(*run(columns, numbers, (is_call,), results, threads=threads))


def price(
    forward: ArrayLike,
    strike: ArrayLike,
    time: ArrayLike,
    volatility: ArrayLike,
    is_call: ArrayLike,
    rate: ArrayLike = 0.0,
    *,
    threads: int = 1,
) -> Any:
    """Price of options.

    >>> price(100.0, 100.0, 1.0, 0.2, True)
    7.965567455405804
    """
    numbers = (forward, strike, time, volatility, rate)
    return computed(price_columns, Prices, numbers, is_call, threads).price


def greeks(
    forward: ArrayLike,
    strike: ArrayLike,
    time: ArrayLike,
    volatility: ArrayLike,
    is_call: ArrayLike,
    rate: ArrayLike = 0.0,
    *,
    threads: int = 1,
) -> Greeks:
    """Sensitivities of options."""
    numbers = (forward, strike, time, volatility, rate)
    return computed(greeks_columns, Greeks, numbers, is_call, threads)


def evaluate(
    forward: ArrayLike,
    strike: ArrayLike,
    time: ArrayLike,
    volatility: ArrayLike,
    is_call: ArrayLike,
    rate: ArrayLike = 0.0,
    *,
    threads: int = 1,
) -> Evaluation:
    """Price, delta, gamma and vega in one pass; the same bits as price and greeks give."""
    numbers = (forward, strike, time, volatility, rate)
    return computed(evaluation_columns, Evaluation, numbers, is_call, threads)


def implied_volatility(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    time: ArrayLike,
    is_call: ArrayLike,
    rate: ArrayLike = 0.0,
    *,
    threads: int = 1,
) -> Any:
    """Volatility at which options have the prices given, the smallest where there are several.

    Zero for the discounted payoff, infinity for the upper bound (the discounted forward of a
    call, strike of a put), NaN outside of these bounds, beyond the rounding of the price.
    """
    numbers = (price, forward, strike, time, rate)
    return run(implied_columns, numbers, (is_call,), 1, threads=threads)[0]
