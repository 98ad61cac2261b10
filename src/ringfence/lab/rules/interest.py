"""Interest that stands alone: Derive's cash, Morpho's adaptive curve, margin loans, yields.

Floats and fractions of a year unless a name says otherwise.

Sources: derivexyz/v2-core, InterestRateModel.sol and CashAsset.sol; morpho-org/morpho-blue-irm,
AdaptiveCurveIrm.sol; freqtrade, leverage/interest.py; zelos-alpha/demeter, aave.
"""

import math
from typing import NamedTuple

from ringfence.lab.rules.fixed_point import WAD

SECONDS_PER_YEAR = 365 * 86_400
TARGET_UTILIZATION = 0.9
CURVE_STEEPNESS = 4.0
ADJUSTMENT_SPEED = 50.0  # a year


class CashCurve(NamedTuple):
    """Derive's rates in 1e-18; the high slope begins at the optimal utilisation."""

    rate_min: int
    slope: int
    slope_high: int = 0
    optimal: int = WAD


def cash_utilization(supply: int, borrows: int, net_settled: int = 0) -> int:
    """Borrows / supply in 1e-18; cash burnt by settlements (negative) counts as supply."""
    total = supply + max(-net_settled, 0)
    return borrows * WAD // total if total else 0


def cash_rate(used: int, curve: CashCurve) -> int:
    """Minimum + slope * utilisation, steeper above the optimal one; in 1e-18."""
    below = curve.rate_min + min(used, curve.optimal) * curve.slope // WAD
    return below + max(used - curve.optimal, 0) * curve.slope_high // WAD


def cash_interest_factor(rate: float, seconds: int) -> float:
    """exp(rate * time) - 1."""
    return math.expm1(rate * seconds / SECONDS_PER_YEAR)


def annual_yield(rate: float, periods: int = SECONDS_PER_YEAR) -> float:
    """(1 + rate / n) ** n - 1, compounded every second by default."""
    return math.expm1(periods * math.log1p(rate / periods))


def distance_to_target(used: float, target: float = TARGET_UTILIZATION) -> float:
    """How far the utilisation is from its target: -1 empty, 0 at target, 1 full."""
    return (used - target) / ((1 - target) if used > target else target)


def adaptive_rate_at_target(
    rate: float, distance: float, years: float, speed: float = ADJUSTMENT_SPEED
) -> float:
    """Rate at target after a time at a constant distance: rate * exp(speed * distance * time)."""
    return rate * math.exp(speed * distance * years)


def adaptive_curve(rate: float, distance: float, steepness: float = CURVE_STEEPNESS) -> float:
    """Rate at a distance: up to steepness times the rate at target, down to a part of it."""
    slope = steepness - 1 if distance >= 0 else 1 - 1 / steepness
    return rate * (1 + slope * distance)


def adaptive_average_rate(
    rate: float, distance: float, years: float, speed: float = ADJUSTMENT_SPEED
) -> float:
    """Mean borrow rate over a time, the exact mean of the exponential.

    The contract takes the trapezoid of its two halves, up to one percent more.
    """
    growth = speed * distance * years
    mean = rate * (math.expm1(growth) / growth if growth else 1.0)
    return adaptive_curve(mean, distance)


def margin_loan_interest(venue: str, borrowed: float, daily_rate: float, hours: float) -> float:
    """Interest of a margin loan.

        Binance    borrowed * rate * started hours / 24
        Kraken     borrowed * rate * (1 + started periods of four hours)

    Kraken's rate is its opening and rollover fee, not a daily one.

    Raises:
        ValueError: The venue's rule is not known here.
    """
    if venue == "binance":
        return borrowed * daily_rate * math.ceil(hours) / 24
    if venue == "kraken":
        return borrowed * daily_rate * (1 + math.ceil(hours / 4))
    raise ValueError(f"no interest rule for {venue}; known: binance, kraken")
