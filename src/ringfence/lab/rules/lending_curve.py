"""Curve's soft liquidation (llamalend): health from what the bands would bring.

All numbers are integers of 1e-18; signed quotients round towards zero.

Source: curvefi/curve-stablecoin, controller.vy (_health).
"""

from ringfence.lab.rules.fixed_point import WAD, div_toward_zero


def health(x_down: int, debt: int, liquidation_discount: int, above_bands: int = 0) -> int:
    """x_down * (1 - discount) / debt - 1; below zero the loan may be closed by anybody.

    x_down is what all collateral becomes if the price falls through its bands. With
    `above_bands`, the value of the collateral above its highest band, it is the source's
    "full" health.
    """
    kept = div_toward_zero(x_down * (WAD - liquidation_discount), debt)
    return kept - WAD + div_toward_zero(above_bands * WAD, debt)
