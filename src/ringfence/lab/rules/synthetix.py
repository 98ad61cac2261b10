"""Synthetix v3 perpetuals: funding with a velocity, and margin that grows with the skew.

Floats, rates a day.

Source: Synthetixio/synthetix-v3, PerpMarket.sol and PerpsMarketConfiguration.sol.
"""

from typing import NamedTuple


class Velocity(NamedTuple):
    """State of Synthetix' funding: rate a day, and what one unit of size has accrued."""

    rate: float = 0.0
    accrued_per_unit: float = 0.0


def funding_after(
    state: Velocity, skew: float, skew_scale: float, velocity_max: float, days: float, price: float
) -> Velocity:
    """The rate moves by clamp(skew / scale, -1, 1) * maximum a day; the mean rate is paid.

    Source: currentFundingRate, nextFunding.
    """
    rate = state.rate + min(max(skew / skew_scale, -1.0), 1.0) * velocity_max * days
    paid = (state.rate + rate) / 2 * days * price
    return Velocity(rate, state.accrued_per_unit + paid)


def required_margins(
    size: float,
    price: float,
    skew_scale: float,
    initial_fraction: float,
    ratio_min: float,
    maintenance_scalar: float,
    margin_min: float,
) -> tuple[float, float]:
    """Initial and maintenance margin of a position: its ratio grows with its share of the skew.

    Source: calculateRequiredMargins.
    """
    ratio = abs(size) / skew_scale * initial_fraction + ratio_min
    initial = abs(size) * price * ratio
    return initial + margin_min, initial * maintenance_scalar + margin_min
