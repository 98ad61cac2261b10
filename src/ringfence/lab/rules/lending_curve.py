"""Curve's soft liquidation (llamalend): health from what the bands would bring.

All numbers are integers of 1e-18; signed quotients round towards zero.

Source: curvefi/curve-stablecoin, controller.vy (_health, _debt), AMM.vy.
"""

from ringfence.lab.rules.fixed_point import WAD, div_toward_zero, mul_div_ceil


def health(x_down: int, debt: int, liquidation_discount: int, above_bands: int = 0) -> int:
    """x_down * (1 - discount) / debt - 1; below zero the loan may be closed by anybody.

    x_down is what all collateral becomes if the price falls through its bands. With
    `above_bands`, the value of the collateral above its highest band, it is the source's
    "full" health.
    """
    kept = div_toward_zero(x_down * (WAD - liquidation_discount), debt)
    return kept - WAD + div_toward_zero(above_bands * WAD, debt)


def debt_with_interest(initial_debt: int, rate_multiplier: int, loan_multiplier: int) -> int:
    """Initial debt * current rate multiplier / the loan's own, rounded up."""
    return mul_div_ceil(initial_debt, rate_multiplier, loan_multiplier)


def grown_multiplier(rate_multiplier: int, rate: int, seconds: int) -> int:
    """Rate multiplier * (1 + rate * seconds), rate per second."""
    return rate_multiplier * (WAD + rate * seconds) // WAD


def removable_share(health_limit: int, share: int) -> int:
    """Share of the collateral that goes with a share of the debt when somebody else repays.

    ((1 + h / 2) / (1 + h) * (1 - share) + share) * share
    """
    part = (WAD + health_limit // 2) * WAD // (WAD + health_limit)
    return (part * (WAD - share) // WAD + share) * share // WAD
