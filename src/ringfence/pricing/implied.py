"""Implied volatility of Black-76, as precise as the price allows.

The time value, as a share of the smaller of forward and strike, is a function c of the
distance x = |log(F / K)| and of the deviation s = volatility * sqrt(time). With h = x / s and
Mills' ratio M it has two forms that never cancel, and a third one for small s:

    c     = n(h - s/2) (M(h - s/2) - M(h + s/2))          s <= sqrt(2 x), far from the money
    1 - c = n(s/2 - h) (M(s/2 - h) + M(s/2 + h))          s >= sqrt(2 x)
    c     = n(s/2 - h) (G(s/2 - h) + G(s/2 + h)) - (max(F, K) / min(F, K) - 1) / 2

where G(y) = (N(y) - 1/2) / n(y) = y + y**3/3 + y**5/15 + ... In the first two the logarithm
needs no exponential at all, and its slope is 1 / (difference or sum of M). The equation is
solved for 1 / log c, log(1 - c) or c, whichever is nearly straight, by Householder steps of
third order inside a bracket; three steps are usual.

Source: the choice of objective functions follows P. Jaeckel, Let's be rational, Wilmott
(2015); the forms in Mills' ratio, the guesses and the code are our own.
"""

import numpy as np

from ringfence.compiled import formula, kernel, screen
from ringfence.pricing.broadcast import Flags, Floats
from ringfence.pricing.elementary import (
    LEAST,
    MOST,
    exp,
    log,
    log_ratio,
    mills_ratio,
    normal_density,
)

# Which of the three forms to solve: time values that are small, middling, or most of the bound.
FAR, NEAR, WIDE = 0, 1, 2

LOG_SQRT_TWO_PI = 0.9189385332046727
SQRT_TWO_PI = 2.5066282746310002
STEPS_MAX = 40  # a bisection in every step would still end
CONVERGED = 1e-6  # relative; the error of the next step is its fourth power
GAP_SERIES_MAX = 0.25  # half-widths up to here take the series of a difference of M
SLACK = 2.0**-50  # of the larger leg: a price this far outside its bounds was rounded there


@formula
def mills_gap(h: float, t: float) -> float:
    """M(h - t) - M(h + t) for h >= t >= 0, without cancellation.

        M(h - t) - M(h + t) = 2 (t J1 + t**3/3! J3 + t**5/5! J5 + ...)

    Jn is the integral of u**n exp(-h u - u**2/2) over u > 0: J0 = M(h), J1 = 1 - h J0 and
    J[n+1] = n J[n-1] - h Jn.
    """
    if t > GAP_SERIES_MAX or t * h > 0.5:
        return mills_ratio(h - t) - mills_ratio(h + t)
    even = mills_ratio(h)
    odd = 1.0 - h * even
    power = t
    total = t * odd
    for n in range(1, 17, 2):
        even = n * even - h * odd
        odd = (n + 1) * odd - h * even
        power = power * t * t / ((n + 1) * (n + 2))
        total += power * odd
    return 2.0 * total


@formula
def centred_cdf(y: float) -> float:
    """G(y) = (N(y) - 1/2) / n(y) for |y| <= 1, by its power series."""
    term = y
    total = y
    for k in range(3, 33, 2):
        term = term * y * y / k
        total += term
    return total


@formula
def householder(newton: float, second: float, third: float) -> float:
    """Step of third order from the Newton step and the ratios f''/f', f'''/f'."""
    step = newton * (1.0 + 0.5 * second * newton)
    return step / (1.0 + newton * (second + third * newton / 6.0))


@kernel
def far_step(x: float, s: float, log_share: float) -> tuple[float, float]:
    """Misfit of log c at s, positive where s is too small, and the step for 1 / log c."""
    h = x / s
    slope = 1.0 / mills_gap(h, 0.5 * s)  # of log c
    d1 = h - 0.5 * s
    value = -0.5 * d1 * d1 - LOG_SQRT_TWO_PI - log(slope)
    bend = (h * h - 0.25 * s * s) / s  # c'' / c'
    twist = bend * bend - 3.0 * h * h / (s * s) - 0.25  # c''' / c'
    second = bend - slope
    third = twist - 3.0 * bend * slope + 2.0 * slope * slope
    tilt = slope / value
    newton = (log_share - value) / slope * (value / log_share)
    return log_share - value, householder(
        newton, second - 2.0 * tilt, third - 6.0 * second * tilt + 6.0 * tilt * tilt
    )


@kernel
def near_step(x: float, s: float, excess: float, share: float) -> tuple[float, float]:
    """Misfit of c at s, positive where s is too small, and the step."""
    h = x / s
    d1 = 0.5 * s - h
    density = normal_density(d1)
    if 0.5 * s + h < 1.0:
        value = density * (centred_cdf(d1) + centred_cdf(0.5 * s + h)) - 0.5 * excess
    else:
        value = 1.0 - density * (mills_ratio(d1) + mills_ratio(0.5 * s + h))
    bend = (h * h - 0.25 * s * s) / s
    twist = bend * bend - 3.0 * h * h / (s * s) - 0.25
    return share - value, householder((share - value) / density, bend, twist)


@kernel
def wide_step(x: float, s: float, log_rest: float) -> tuple[float, float]:
    """Misfit of log(1 - c) at s, positive where s is too small, and the step."""
    h = x / s
    d1 = 0.5 * s - h
    slope = -1.0 / (mills_ratio(d1) + mills_ratio(0.5 * s + h))
    value = -0.5 * d1 * d1 - LOG_SQRT_TWO_PI - log(-slope)
    bend = (h * h - 0.25 * s * s) / s
    twist = bend * bend - 3.0 * h * h / (s * s) - 0.25
    second = bend - slope
    third = twist - 3.0 * bend * slope + 2.0 * slope * slope
    return value - log_rest, householder((log_rest - value) / slope, second, third)


@formula
def first_guess(regime: int, x: float, share: float, log_target: float) -> float:
    """A deviation on the right side of the turn, exact in the limits of each regime."""
    turn = np.sqrt(2.0 * x)
    rest_turn = rest_at_turn(x)
    if regime == FAR:
        return x / np.sqrt(2.0 * (log(1.0 - rest_turn) - log_target) + 0.5 * x)
    if regime == WIDE:
        return np.sqrt(turn * turn + 8.0 * (log(rest_turn) - log_target))
    return turn + SQRT_TWO_PI * (share - (1.0 - rest_turn))


@formula
def rest_at_turn(x: float) -> float:
    """1 - c at s = sqrt(2 x), where c turns from convex to concave and d1 is zero."""
    return 0.5 + mills_ratio(np.sqrt(2.0 * x)) / SQRT_TWO_PI


@kernel
def step_from(
    regime: int, x: float, s: float, excess: float, share: float, log_target: float
) -> tuple[float, float]:
    """Misfit at s, positive where s is too small, and the step."""
    if regime == FAR:
        return far_step(x, s, log_target)
    if regime == WIDE:
        return wide_step(x, s, log_target)
    return near_step(x, s, excess, share)


@kernel
def implied_deviation(x: float, excess: float, share: float, rest: float) -> float:
    """Deviation s at which the time value is a share of the smaller of forward and strike.

    x = |log(F / K)|, excess = max(F, K) / min(F, K) - 1, rest = 1 - share; 0 < share < 1.
    """
    regime = WIDE if share > 0.5 else NEAR
    if share < 1.0 - rest_at_turn(x):
        regime = FAR
    log_target = log(share if regime == FAR else rest)
    s = first_guess(regime, x, share, log_target)
    turn = np.sqrt(2.0 * x)
    low = 0.0 if regime == FAR else turn
    high = turn if regime == FAR else np.inf
    for _ in range(STEPS_MAX):
        misfit, step = step_from(regime, x, s, excess, share, log_target)
        if misfit > 0.0:
            low = s
        else:
            high = s
        moved = s + step
        if not low <= moved <= high:
            moved = 0.5 * (low + high) if high < np.inf else 2.0 * s
        change = abs(moved - s)
        s = moved
        if change <= CONVERGED * s:
            break
    return s


@kernel
def implied_volatility_of(
    price: float, forward: float, strike: float, time: float, side: float, rate: float
) -> float:
    """Implied volatility of one option; see `black76.implied_volatility`."""
    discount = exp(-rate * time)
    small, large = min(forward, strike), max(forward, strike)
    time_value = price - discount * max(side * (forward - strike), 0.0)
    room = discount * small - time_value
    slack = SLACK * discount * large
    is_priced = (price >= 0.0) & (small >= 0.0) & (large <= MOST) & (time >= 0.0)
    if not (is_priced & (slack < np.inf) & (min(time_value, room) >= -slack)):
        return np.nan
    if time_value <= 0.0:
        return 0.0
    if time == 0.0:
        return np.nan
    if room <= 0.0:
        return np.inf
    unit = discount * small
    x = log_ratio(large, max(small, LEAST))
    share, rest = time_value / unit, room / unit
    return implied_deviation(x, (large - small) / small, share, rest) / np.sqrt(time)


@screen
def implied_columns(
    price: Floats,
    forward: Floats,
    strike: Floats,
    time: Floats,
    rate: Floats,
    is_call: Flags,
    volatility: Floats,
) -> None:
    """Compute the implied volatilities of options one by one."""
    for i in range(price.size):
        side = 1.0 if is_call[i] else -1.0
        volatility[i] = implied_volatility_of(
            price[i], forward[i], strike[i], time[i], side, rate[i]
        )
