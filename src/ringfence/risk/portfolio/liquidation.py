"""Prices at which a portfolio is liquidated, and how much of a leg fits beside it.

Excess of a book of options is no simple function of spot: it may be negative in a band on one
side and positive again beyond. So the search walks outward in small steps and bisects the first
step that breaks the level; a band narrower than a step (2 % of spot) can be missed.
"""

from collections.abc import Callable

from ringfence.risk.portfolio.report import LiquidationPrices

STEP = 1.02  # ratio of neighbouring spot prices of the search
LOWEST, HIGHEST = 0.01, 20.0  # multiples of spot at which it ends
PRECISION = 1e-12  # relative
SIZE_MAX = 1e12  # coins; whoever may hold more is not limited by margin

HALVINGS = 60  # of an interval: beyond float64's precision


def liquidation_prices(
    name: str, spot: float, excess: Callable[[float], float]
) -> LiquidationPrices:
    """Find the nearest spot prices on either side at which excess is zero.

    excess: maintenance excess after a relative move of spot.
    """
    if excess(0.0) < 0:
        why = "below maintenance already"
        return LiquidationPrices(name, spot, None, why, None, None, why, None)
    lower = _edge(excess, 1 / STEP, LOWEST)
    upper = _edge(excess, STEP, HIGHEST)
    return LiquidationPrices(
        underlying=name,
        spot=spot,
        lower=None if lower is None else spot * lower,
        lower_reason=f"none above {LOWEST:g} of spot" if lower is None else None,
        lower_distance=None if lower is None else lower - 1,
        upper=None if upper is None else spot * upper,
        upper_reason=f"none below {HIGHEST:g} times spot" if upper is None else None,
        upper_distance=None if upper is None else upper - 1,
    )


def _edge(excess: Callable[[float], float], step: float, end: float) -> float | None:
    """Multiple of spot, from 1 outward, at which excess turns negative."""
    good = 1.0
    while (good > end) if step < 1 else (good < end):
        bad = good * step
        if excess(bad - 1) < 0:
            return halved(lambda at: excess(at - 1) >= 0, good, bad)
        good = bad
    return None


def halved(is_good: Callable[[float], bool], good: float, bad: float) -> float:
    """Last good value between a good and a bad one."""
    for _ in range(HALVINGS):
        if abs(bad - good) <= PRECISION * abs(good):
            break
        middle = (good + bad) / 2
        if is_good(middle):
            good = middle
        else:
            bad = middle
    return good


def largest_size(excess: Callable[[float], float], start: float) -> tuple[float | None, str | None]:
    """Largest size up to which excess stays non-negative, doubling from a start; or the reason.

    excess: initial excess with a size added, in coins >= 0.
    """
    if excess(0.0) < 0:
        return 0.0, "initial margin is not met without it either"
    good, bad = 0.0, start
    while excess(bad) >= 0:
        good, bad = bad, 2 * bad
        if bad > SIZE_MAX:
            return None, "margin sets no limit"
    if good == 0.0:
        # The start was too much already: halve down to a size that fits, if one does.
        while excess(bad / 2) < 0:
            bad /= 2
            if bad < start / SIZE_MAX:
                return 0.0, "no size of it fits"
        good = bad / 2
    return halved(lambda size: excess(size) >= 0, good, bad), None
