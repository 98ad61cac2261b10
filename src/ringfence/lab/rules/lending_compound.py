"""Compound v2: interest by utilisation, what an account may borrow, what a liquidator seizes.

Amounts, rates and factors are integers of 1e-18; rates are per block.

    utilisation = borrows / (cash + borrows - reserves)
    rate        = base + utilisation * slope                              up to the kink
                = base + kink * slope + (utilisation - kink) * jump slope        beyond

Every quotient rounds down, so a yearly rate loses a little when it is made per block.

Source: compound-finance/compound-protocol, JumpRateModel.sol, WhitePaperInterestRateModel.sol,
Comptroller.sol (getHypotheticalAccountLiquidityInternal, liquidateCalculateSeizeTokens).
"""

from typing import NamedTuple

from ringfence.lab.rules.fixed_point import WAD

BLOCKS_PER_YEAR = 2_102_400  # one every 15 seconds


class Curve(NamedTuple):
    """Rates per block; without a kink the curve is the white paper's straight line."""

    base: int
    slope: int
    jump_slope: int = 0
    kink: int | None = None


class Collateral(NamedTuple):
    """One asset entered as collateral: amount, collateral factor and price, in 1e-18."""

    amount: int
    factor: int
    price: int


def per_block(yearly_rate: int) -> int:
    """Yearly rate / blocks a year, rounded down."""
    return yearly_rate // BLOCKS_PER_YEAR


def curve_of(base: int, slope: int, jump_slope: int = 0, kink: int | None = None) -> Curve:
    """Curve from yearly rates."""
    return Curve(per_block(base), per_block(slope), per_block(jump_slope), kink)


def utilization(cash: int, borrows: int, reserves: int = 0) -> int:
    """Borrows / (cash + borrows - reserves), zero where nothing is borrowed."""
    return borrows * WAD // (cash + borrows - reserves) if borrows else 0


def borrow_rate(used: int, curve: Curve) -> int:
    """Rate per block at this utilisation."""
    if curve.kink is None or used <= curve.kink:
        return used * curve.slope // WAD + curve.base
    at_kink = curve.kink * curve.slope // WAD + curve.base
    return (used - curve.kink) * curve.jump_slope // WAD + at_kink


def seized_tokens(
    repaid: int, incentive: int, debt_price: int, collateral_price: int, exchange_rate: int
) -> int:
    """Repaid * incentive * debt price / (collateral price * exchange rate).

    Numerator, denominator and ratio are each rounded down to 1e-18, then the product.
    """
    numerator = incentive * debt_price // WAD
    denominator = collateral_price * exchange_rate // WAD
    return (numerator * WAD // denominator) * repaid // WAD


def liquidity(
    collateral: list[Collateral], borrowed_value: int, redeemed: dict[int, int] | None = None
) -> tuple[int, int]:
    """What the account may still borrow, and what it lacks; one of them is zero.

    Redeemed is an amount by index of the collateral: what would be taken out counts as debt.
    """
    backing = owed = 0
    for index, asset in enumerate(collateral):
        value_per_unit = asset.factor * asset.price // WAD
        backing += value_per_unit * asset.amount // WAD
        owed += value_per_unit * (redeemed or {}).get(index, 0) // WAD
    owed += borrowed_value
    return max(backing - owed, 0), max(owed - backing, 0)
