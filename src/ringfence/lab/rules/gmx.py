"""GMX v2: when a position is liquidated, what its profit is capped at, funding and price impact.

Floats, values in US dollars.

Source: gmx-io/gmx-synthetics, PositionUtils.sol, MarketUtils.sol, README.
"""

import math


def is_liquidatable(
    collateral: float,
    collateral_price: float,
    size: float,
    pnl: float,
    value_min: float,
    factor_min: float,
    fees: float = 0.0,
) -> bool:
    """Whether the remaining collateral is gone, below its minimum, or below a share of the size.

    Source: gmx-io/gmx-synthetics, PositionUtils.sol (isPositionLiquidatable).
    """
    remaining = collateral * collateral_price + pnl - fees
    return remaining <= 0 or remaining < value_min or remaining < size * factor_min


def capped_profit(pnl: float, all_pnl: float, side_pool: float, factor_max: float) -> float:
    """A trader's share of the profits that its side of the pool may pay.

    Source: gmx-io/gmx-synthetics, PositionUtils.sol (getPositionPnlUsd).
    """
    cap = side_pool * factor_max
    return pnl * cap / all_pnl if all_pnl > cap else pnl


def funding_factor(
    factor: float,
    long_interest: float,
    short_interest: float,
    threshold_stable: float,
    threshold_decrease: float,
    increase: float,
    decrease: float,
    seconds: float,
) -> float:
    """Adaptive funding factor per second after a time; positive: longs pay.

    Beyond the stable threshold, or with a skew against it, the factor follows the skew; below
    the lower threshold it falls towards zero; in between it rests.

    Source: gmx-io/gmx-synthetics, MarketUtils.sol (getNextFundingFactorPerSecond).
    """
    skew = (long_interest - short_interest) / (long_interest + short_interest)
    if abs(skew) > threshold_stable or factor * skew < 0:
        return factor + skew * increase * seconds
    if abs(skew) < threshold_decrease:
        return math.copysign(max(abs(factor) - decrease * seconds, 0.0), factor)
    return factor


def static_funding(
    factor: float, exponent: float, long_interest: float, short_interest: float
) -> tuple[float, float]:
    """Rate per second that the larger side pays, and what the smaller receives on its own size.

    Source: gmx-io/gmx-synthetics, README, "Funding fees".
    """
    difference = abs(long_interest - short_interest)
    paid = factor * difference**exponent / (long_interest + short_interest)
    larger = max(long_interest, short_interest)
    smaller = min(long_interest, short_interest)
    return paid, paid * larger / smaller


def price_impact(initial: float, after: float, factor: float, exponent: float) -> float:
    """Initial difference ** exponent * factor less the same of the next difference.

    Source: gmx-io/gmx-synthetics, README, "Price impact".
    """
    return factor * (initial**exponent - after**exponent)
