"""Gearbox v3: collateral weighted up to a quota, liquidation of a credit account, ramps.

Percentages are integers of 1e-4, amounts and values in any unit.

Source: Gearbox-protocol/core-v3, CollateralLogic.sol, CreditLogic.sol (calcLiquidationPayments,
getLiquidationThreshold), CreditManagerV3.sol.
"""

from typing import NamedTuple

from ringfence.lab.rules.fixed_point import BPS


class Payments(NamedTuple):
    """How a liquidated account's value is divided."""

    to_pool: int
    to_owner: int
    profit: int
    loss: int


def weighted_value(value: int, threshold: int, quota: int) -> int:
    """Value * liquidation threshold, at most the quota bought for the token."""
    return min(value * threshold // BPS, quota)


def liquidation_payments(
    total_value: int,
    debt: int,
    interest: int,
    interest_fee: int,
    discount: int,
    liquidation_fee: int,
    transfer_fee: int = 0,
) -> Payments:
    """Premium off the value first, then debt, interest and fees to the pool, the rest back.

    Discount is what the value keeps (1e4 less the liquidator's premium). The transfer fee is
    what the debt's token keeps of every transfer: the pool is sent that much more.
    """
    fees = interest * interest_fee // BPS
    owed = debt + interest + fees + total_value * liquidation_fee // BPS
    funds = total_value * discount // BPS
    to_pool = with_transfer_fee(owed, transfer_fee)
    to_owner = max(funds - to_pool, 0)
    to_pool = min(to_pool, funds)
    received = without_transfer_fee(to_pool, transfer_fee)
    lent = debt + interest
    return Payments(to_pool, to_owner, max(received - lent, 0), max(lent - received, 0))


def with_transfer_fee(amount: int, fee: int) -> int:
    """What must be sent for the amount to arrive, rounded down."""
    return amount * BPS // (BPS - fee)


def without_transfer_fee(amount: int, fee: int) -> int:
    """What arrives of an amount sent, the fee rounded down."""
    return amount - amount * fee // BPS


def ramped_threshold(initial: int, final: int, elapsed: int, duration: int) -> int:
    """Threshold on its straight way from initial to final, rounded down."""
    if elapsed <= 0:
        return initial
    if elapsed >= duration:
        return final
    return (initial * (duration - elapsed) + final * elapsed) // duration
