"""Margin formulas, one quantity each, over int64 scalars.

What an account owns rounds down, what it owes rounds up. Sizes, prices and values are in
the scales of units.py; `divisor` is the pool's value_divisor.
"""

from ringfence.compiled import formula
from ringfence.fixed import mul_div_ceil, mul_div_floor
from ringfence.units import PPM, PRICE_UNIT


@formula
def position_value(size: int, price: int, divisor: int) -> int:
    """Size at a price, rounded down; exact for whole lots at whole ticks."""
    return mul_div_floor(size, price, divisor)


@formula
def lower_price(index_price: int, confidence: int) -> int:
    """Lower side of an index price, as initial margin sees collateral."""
    return max(index_price - confidence, 0)


@formula
def collateral_value(balance: int, price: int, haircut: int, divisor: int) -> int:
    """Balance at a price, less the haircut, rounded down."""
    return mul_div_floor(mul_div_floor(balance, price, divisor), PPM - haircut, PPM)


@formula
def funding_due(size: int, index_now: int, index_paid: int, divisor: int) -> int:
    """Funding a position owes since it last paid, rounded against the account.

    Positive for a payer. size in 1e-8 contracts, the index in price units per contract.
    """
    return mul_div_ceil(size, index_now - index_paid, divisor)


@formula
def funding_step(mark_price: int, rate: int) -> int:
    """What one contract pays at a funding rate in 1e-9 of the mark price."""
    return mul_div_floor(mark_price, rate, PRICE_UNIT)


@formula
def tier_requirement(notional: int, rate: int, deduction: int) -> int:
    """Maintenance margin on the line of one tier.

        requirement = notional * rate - deduction, rounded up

    The tiers are convex, so the requirement is the largest of the tiers' lines.
    Source: Binance, "Leverage and margin of USDT-margined futures", maintenance amount.
    """
    return mul_div_ceil(notional, rate, PPM) - deduction


@formula
def share_of(value: int, rate: int) -> int:
    """A share of a value that an account owes, rounded up; rate in ppm."""
    return mul_div_ceil(value, rate, PPM)


@formula
def part_of(value: int, rate: int) -> int:
    """A share of a value that an account or a fund gets, rounded down; rate in ppm."""
    return mul_div_floor(value, rate, PPM)


@formula
def scaled_rate(rate: int, open_interest: int, lower: int, upper: int) -> int:
    """Initial rate, rising linearly to the whole notional between two open interests.

        rate + clamp((open interest - lower) / (upper - lower), 0, 1) * (1 - rate)

    Open interest and its limits in quote units, rates in ppm, rounded up.
    Source: dYdX v4, perpetuals/types/liquidity_tier, GetInitialMarginQuoteQuantums.
    """
    if open_interest <= lower:
        return rate
    if open_interest >= upper:
        return PPM
    return rate + mul_div_ceil(open_interest - lower, PPM - rate, upper - lower)
