"""Fair value of a perpetual future: the price at which its funding pays for what it tracks.

With g = rate - asset yield, funding k (premium - interest differential) each period:

    linear, funding on the spot before:  F = S (k - i) / (k + 1 - exp(g dt))
    linear, on the spot at payment:      F = S (k - i) / (k + exp(-g dt) - 1)
    inverse, on the spot before:         F = S (k + 1 - exp(-g dt)) / (k - i)
    inverse, on the spot at payment:     F = S (k + exp(g dt) - 1) / (k - i)

and for funding paid all the time (dt = 0) linear F = S (k - i) / (k - g), inverse
F = S (k + g) / (k - i), k and i per year.

Source: D. Ackerer, J. Hugonnier, U. Jermann, Perpetual Futures Pricing (2024), equation 12,
section 3, propositions 2 to 4.
"""

import math
from typing import Literal


def fair_value(
    spot: float,
    funding_rate: float,
    interest_differential: float,
    *,
    rate: float,
    asset_yield: float,
    period: float,
    payoff: Literal["linear", "inverse"] = "linear",
    is_on_spot_before: bool = True,
) -> float:
    """Fair value of a perpetual; period in years, 0 for continuous funding.

    Raises:
        ValueError: There is no positive fair value: funding is too weak for the carry.
    """
    is_linear = payoff == "linear"
    carry = rate - asset_yield if is_linear else asset_yield - rate
    if period == 0:
        pull = funding_rate - carry
    elif is_on_spot_before:
        pull = funding_rate - math.expm1(carry * period)
    else:
        pull = funding_rate + math.expm1(-carry * period)
    push = funding_rate - interest_differential
    if push <= 0 or pull <= 0:
        raise ValueError(
            f"no fair value: funding of {funding_rate} per period is too weak for an interest"
            f" differential of {interest_differential} and a carry of {carry} per year;"
            " state a larger funding rate"
        )
    return spot * (push / pull if is_linear else pull / push)
