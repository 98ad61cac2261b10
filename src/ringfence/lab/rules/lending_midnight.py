"""Morpho Midnight: fixed-term debt against a basket of collateral.

Debt is in units of the loan asset due at maturity, prices are integers of 1e-36, factors
of 1e-18. The basket allows a debt of the sum of collateral * price * LLTV. A liquidation

    first writes off what even the best sale of all collateral cannot bring,
    then repays at most (debt - allowed debt) / (1 - incentive * LLTV) before maturity,

unless what would be left of that collateral is worth less than a threshold.

Source: morpho-org/midnight, Midnight.sol (liquidate), read at commit 00386fa; documentation,
"Collateral, health, liquidations".
"""

from collections.abc import Sequence
from typing import NamedTuple

from ringfence.lab.rules.fixed_point import WAD, mul_div_ceil

PRICE_SCALE = 10**36
SECONDS_TO_FULL_INCENTIVE = 900


class Collateral(NamedTuple):
    """One collateral of the basket."""

    amount: int
    price: int
    lltv: int
    incentive_max: int


class Liquidation(NamedTuple):
    """What a liquidation would do, and whether it is allowed."""

    liquidatable: bool
    debt_max: int
    bad_debt: int
    repaid_max: int | None  # none after maturity
    seized_assets: int
    repaid_units: int
    allowed: bool


def debt_max(basket: Sequence[Collateral]) -> int:
    """Sum of amount * price * LLTV, rounded down for each."""
    return sum((c.amount * c.price // PRICE_SCALE) * c.lltv // WAD for c in basket)


def bad_debt(debt: int, basket: Sequence[Collateral]) -> int:
    """Debt beyond what selling every collateral at its highest incentive would repay."""
    for c in basket:
        repayable = mul_div_ceil(mul_div_ceil(c.amount, c.price, PRICE_SCALE), WAD, c.incentive_max)
        debt = max(debt - repayable, 0)
    return debt


def incentive(c: Collateral, *, unhealthy: bool, seconds_late: int) -> int:
    """The full incentive of an unhealthy account, else growing for 15 minutes from maturity."""
    if unhealthy:
        return c.incentive_max
    grown = (c.incentive_max - WAD) * seconds_late // SECONDS_TO_FULL_INCENTIVE
    return min(c.incentive_max, WAD + grown)


def repaid_max(debt: int, allowed: int, lltv: int, factor: int) -> int:
    """(debt - allowed debt) / (1 - incentive * LLTV), rounded up."""
    return mul_div_ceil(debt - allowed, WAD, WAD - mul_div_ceil(factor, lltv, WAD))


def liquidation(
    debt: int,
    basket: Sequence[Collateral],
    index: int,
    seized_assets: int,
    repaid_units: int,
    threshold: int,
    seconds_late: int = 0,
) -> Liquidation:
    """Liquidate one collateral by what is seized or by what is repaid, or neither.

    Seconds late count from maturity; at zero or less the account must be unhealthy, and the
    recovery close factor limits the amount.
    """
    allowed_debt, lost = debt_max(basket), bad_debt(debt, basket)
    unhealthy, late = debt > allowed_debt, seconds_late > 0
    c = basket[index]
    factor = incentive(c, unhealthy=unhealthy, seconds_late=max(seconds_late, 0))
    if seized_assets:
        worth = mul_div_ceil(seized_assets, c.price, PRICE_SCALE)
        repaid_units = mul_div_ceil(worth, WAD, factor)
    else:
        seized_assets = (repaid_units * factor // WAD) * PRICE_SCALE // c.price
    limit = None
    within = True
    if not late and unhealthy and c.lltv < WAD:
        limit = repaid_max(debt - lost, allowed_debt, c.lltv, factor)
        sale = (c.amount * c.price // PRICE_SCALE) * WAD // factor
        within = repaid_units <= limit or max(sale - limit, 0) < threshold
    within = within and seized_assets <= c.amount and repaid_units <= debt - lost
    liquidatable = debt > 0 and (late or unhealthy)
    return Liquidation(
        liquidatable,
        allowed_debt,
        lost,
        limit,
        seized_assets,
        repaid_units,
        liquidatable and within,
    )
