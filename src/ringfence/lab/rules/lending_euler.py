"""Euler vault kit: kinked rates compounded every second, liquidation at a growing discount.

Rates are rays (1e27) per second, utilisation runs to 2**32 - 1, values are integers of the
unit of account, percentages 1e-4. Debt is kept with 31 more bits than it is shown with, and
shown rounded up.

    health             = collateral value at the liquidation LTV / liability value
    discounted price   = max(health, 1 - maximum discount)
    liquidation yields   repaid value / discounted price, in collateral

Source: euler-xyz/euler-vault-kit, IRMLinearKink.sol, Cache.sol, Liquidation.sol,
LiquidityUtils.sol, LTVConfig.sol, ConversionHelpers.sol.
"""

import math
from typing import NamedTuple

from ringfence.lab.rules.fixed_point import BPS, RAY, WAD, power

UTILIZATION_MAX = 2**32 - 1
SECONDS_PER_YEAR = 365.2425 * 86_400
VIRTUAL_DEPOSIT = 10**6
DEBT_BITS = 31
SOCIALIZED_LIABILITY_MIN = 10**6  # of the unit of account: smaller debts are left alone


class Curve(NamedTuple):
    """Rate per second at rest, slopes per step of utilisation, and the kink."""

    base: int
    slope_low: int
    slope_high: int
    kink: int


class Vault(NamedTuple):
    """State of a vault: cash, debt with its extra bits, shares and accumulator."""

    cash: int
    borrows_exact: int
    shares: int
    fee_shares: int
    accumulator: int


class LiquidationLimit(NamedTuple):
    """Most that may be repaid, and the collateral which that yields."""

    repay: int
    collateral: int


def utilization(cash: int, borrows: int) -> int:
    """Borrows / (cash + borrows), in steps of 2**32 - 1."""
    return borrows * UTILIZATION_MAX // (cash + borrows) if borrows else 0


def rate_per_second(used: int, curve: Curve) -> int:
    """Base + low slope up to the kink + high slope beyond it."""
    below = curve.base + min(used, curve.kink) * curve.slope_low
    return below + max(used - curve.kink, 0) * curve.slope_high


def annual_yield(rate: float) -> float:
    """exp(rate * seconds of a year) - 1 of a rate per second in rays, as a fraction."""
    return math.expm1(rate / RAY * SECONDS_PER_YEAR)


def debt_shown(exact: int) -> int:
    """Debt without its extra bits, rounded up."""
    return -(-exact >> DEBT_BITS)


def accrued(vault: Vault, rate: int, seconds: int, interest_fee: int) -> Vault:
    """Vault after its debt grew every second; the fee is paid in new shares."""
    accumulator = vault.accumulator * power(RAY + rate, seconds) // RAY
    borrows = vault.borrows_exact * accumulator // vault.accumulator
    fee = (borrows - vault.borrows_exact) * interest_fee // (BPS << DEBT_BITS)
    shares = vault.shares
    if fee:
        assets = vault.cash + debt_shown(borrows)
        shares = assets * shares // (assets - fee)
    fee_shares = vault.fee_shares + shares - vault.shares
    return Vault(vault.cash, borrows, shares, fee_shares, accumulator)


def owed(exact: int, accumulator_then: int, accumulator_now: int) -> int:
    """An account's debt with its interest, with its extra bits."""
    return exact * accumulator_now // accumulator_then


def to_assets(shares: int, vault: Vault) -> int:
    """Shares * (assets + 1e6) / (shares + 1e6), rounded down."""
    assets = vault.cash + debt_shown(vault.borrows_exact) + VIRTUAL_DEPOSIT
    return shares * assets // (vault.shares + VIRTUAL_DEPOSIT)


def ramped_ltv(initial: int, target: int, remaining: int, duration: int) -> int:
    """Liquidation LTV on its way down; a rise takes effect at once."""
    if target >= initial or remaining <= 0:
        return target
    return target + (initial - target) * remaining // duration


def value(amount: int, price: int) -> int:
    """Amount * price of 1e-18, rounded down."""
    return amount * price // WAD


def health(collateral_value: int, liability_value: int) -> int:
    """Adjusted collateral / liability, in 1e-18; at one and below the account is liquidated."""
    return collateral_value * WAD // liability_value


def liquidation_limit(
    debt: int,
    collateral: int,
    liability_value: int,
    adjusted_value: int,
    collateral_value: int,
    discount_max: int,
) -> LiquidationLimit:
    """All of the debt if the collateral suffices at the discount, else as much as it buys.

    The adjusted value is weighted by the liquidation LTV, the collateral value is not.
    """
    if adjusted_value > liability_value or collateral_value == 0:
        return LiquidationLimit(0, 0)
    floor = WAD - WAD * discount_max // BPS
    factor = max(adjusted_value * WAD // liability_value, floor)
    repay_value, yield_value = liability_value, liability_value * WAD // factor
    if collateral_value < yield_value:
        repay_value, yield_value = collateral_value * factor // WAD, collateral_value
    repay = repay_value * debt // liability_value
    return LiquidationLimit(repay, yield_value * collateral // collateral_value)


def partial_yield(repay: int, limit: LiquidationLimit) -> int:
    """Collateral for repaying less than the limit, rounded down."""
    return repay * limit.collateral // limit.repay if limit.repay else 0


def is_socialized(liability_value: int, collateral_left: int) -> bool:
    """Whether what remains of a debt is taken from the lenders: no collateral, not dust."""
    return collateral_left == 0 and liability_value >= SOCIALIZED_LIABILITY_MIN
