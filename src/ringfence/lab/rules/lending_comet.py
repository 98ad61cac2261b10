"""Compound v3 (Comet): one borrowable base asset, many collateral assets.

Rates, factors and utilisation are integers of 1e-18, prices of 1e-8, indices of 1e-15;
rates are per second and rounded down. A balance is a principal times an index, both
rounded down when shown.

Source: compound-finance/comet, Comet.sol (getSupplyRate, getBorrowRate, getUtilization,
isLiquidatable, isBorrowCollateralized, quoteCollateral, absorbInternal), CometCore.sol.
"""

from typing import NamedTuple

from ringfence.lab.rules.fixed_point import WAD, div_toward_zero

SECONDS_PER_YEAR = 31_536_000
INDEX_SCALE = 10**15
PRICE_SCALE = 10**8


class Curve(NamedTuple):
    """Rates per second: base, slope below the kink and slope above it."""

    base: int
    slope_low: int
    slope_high: int
    kink: int


class Collateral(NamedTuple):
    """One collateral balance: amount in its own units, price 1e-8, factor 1e-18."""

    amount: int
    price: int
    factor: int
    unit: int = WAD


def curve_of(base: int, slope_low: int, slope_high: int, kink: int) -> Curve:
    """Curve from yearly rates of 1e-18."""
    low, high = slope_low // SECONDS_PER_YEAR, slope_high // SECONDS_PER_YEAR
    return Curve(base // SECONDS_PER_YEAR, low, high, kink)


def present_value(principal: int, index: int) -> int:
    """Principal with its interest, rounded towards zero; negative is a debt."""
    return div_toward_zero(principal * index, INDEX_SCALE)


def utilization(supply_principal: int, borrow_principal: int, indices: tuple[int, int]) -> int:
    """Borrowed / supplied at present value; indices of supply and of borrow."""
    supplied = present_value(supply_principal, indices[0])
    borrowed = present_value(borrow_principal, indices[1])
    return borrowed * WAD // supplied if supplied else 0


def rate(used: int, curve: Curve) -> int:
    """Base + low slope up to the kink + high slope beyond it."""
    below = curve.base + min(used, curve.kink) * curve.slope_low // WAD
    return below + max(used - curve.kink, 0) * curve.slope_high // WAD


def liquidity(
    principal: int,
    borrow_index: int,
    base_price: int,
    base_unit: int,
    collateral: list[Collateral],
) -> int:
    """Debt (negative) plus weighted collateral, in 1e-8 of the quote currency."""
    debt = div_toward_zero(present_value(principal, borrow_index) * base_price, base_unit)
    return debt + sum(
        (asset.amount * asset.price // asset.unit) * asset.factor // WAD for asset in collateral
    )


def is_collateralized(principal: int, liquidity_value: int) -> bool:
    """Whether a debt is covered at the borrow factors; without a debt always."""
    return principal >= 0 or liquidity_value >= 0


def is_liquidatable(principal: int, liquidity_value: int) -> bool:
    """Whether a debt is not covered at the liquidation factors; exactly covered is safe."""
    return principal < 0 and liquidity_value < 0


def sale_price(price: int, store_front_factor: int, liquidation_factor: int) -> int:
    """Price * (1 - store front factor * (1 - liquidation factor))."""
    discount = store_front_factor * (WAD - liquidation_factor) // WAD
    return price * (WAD - discount) // WAD


def quoted_collateral(
    base_amount: int,
    base_price: int,
    base_unit: int,
    discounted_price: int,
    collateral_unit: int,
) -> int:
    """Collateral that the protocol sells for an amount of the base asset."""
    return base_price * base_amount * collateral_unit // discounted_price // base_unit


def balance_after_absorption(
    balance: int, seized: list[Collateral], base_price: int, base_unit: int
) -> int:
    """Base balance once the protocol took all collateral at its liquidation factors.

    Never below zero: what is missing is the protocol's loss.
    """
    value = sum(
        (asset.amount * asset.price // asset.unit) * asset.factor // WAD for asset in seized
    )
    return max(balance + value * base_unit // base_price, 0)
