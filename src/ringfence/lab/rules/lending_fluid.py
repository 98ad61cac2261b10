"""Fluid's liquidity layer: rates with one or two kinks, and limits that widen with time.

Rates are in bps (1e-4). The limits are plain numbers: an amount in, an amount out.

    withdrawal limit   falls from the last one towards supply * (1 - expansion)
    borrow limit       rises from the last one towards borrow * (1 + expansion)

in proportion to the time since, and never passes that full expansion.

Source: Instadapp/fluid-contracts-public, liquidityCalcs.sol (calcRateV1, calcRateV2,
calcWithdrawalLimitBeforeOperate, calcBorrowLimitBeforeOperate) and docs/docs.md.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

Number = int | Fraction


class Exchange(NamedTuple):
    """Rates and exchange prices of both sides after a time."""

    ratio_supply_yield: Fraction
    supply_rate: Fraction
    supply_price: Fraction
    borrow_price: Fraction
    total_supply: Fraction
    total_borrow: Fraction


def borrow_rate(used: int, points: Sequence[tuple[int, int]]) -> int:
    """Rate on the straight lines through (utilisation, rate) points, in bps.

    Beyond the last point its line continues. Every kink is one point in the middle.
    """
    for (low, rate_low), (high, rate_high) in pairwise(points):
        if used <= high or (high, rate_high) == points[-1]:
            return rate_low + (rate_high - rate_low) * (used - low) // (high - low)
    raise ValueError("a rate curve needs at least two points")


def exchange_after(
    supply: tuple[Number, Number],
    borrow: tuple[Number, Number],
    borrow_rate_yearly: Fraction,
    revenue_fee: Fraction,
    years: Fraction,
) -> Exchange:
    """Both sides after a time at a constant rate; each is (with interest, interest free).

    What earns: only the part of the supply with interest is paid, from the part of the borrow
    with interest, less the fee.
    """
    earning = Fraction(supply[0]) / (Fraction(supply[0]) + supply[1])
    paying = Fraction(borrow[0]) / (Fraction(borrow[0]) + borrow[1])
    used = (Fraction(borrow[0]) + borrow[1]) / (Fraction(supply[0]) + supply[1])
    ratio = used * paying / earning
    supply_rate = borrow_rate_yearly * ratio * (1 - revenue_fee)
    supply_price = 1 + supply_rate * years
    borrow_price = 1 + borrow_rate_yearly * years
    return Exchange(
        ratio,
        supply_rate,
        supply_price,
        borrow_price,
        supply[0] * supply_price + supply[1],
        borrow[0] * borrow_price + borrow[1],
    )


def withdrawal_limit(
    supply: Fraction,
    last_limit: Fraction,
    base_limit: Fraction,
    expansion: Fraction,
    elapsed: Fraction,
) -> Fraction:
    """Least supply that must stay; elapsed is the share of the expansion's duration.

    Zero while the supply is below the base limit; a fresh limit begins fully expanded.
    """
    if supply < base_limit:
        return Fraction(0)
    full = supply * (1 - expansion)
    if last_limit == 0:
        return full
    return max(last_limit - supply * expansion * elapsed, full)


def borrow_limit(
    borrow: Fraction,
    last_limit: Fraction,
    base_limit: Fraction,
    limit_max: Fraction,
    expansion: Fraction,
    elapsed: Fraction,
) -> Fraction:
    """Most that may be borrowed in all: never below the base, never above the maximum."""
    full = max(borrow * (1 + expansion), base_limit)
    grown = last_limit + borrow * expansion * elapsed
    return max(min(grown, full, limit_max), min(base_limit, limit_max))
