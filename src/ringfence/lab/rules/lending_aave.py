"""Aave v3 and v4: interest, health factor and what a liquidation takes.

Rates and indices are rays (1e27), health factors wads (1e18), percentages 1e-4. Values are
in the base currency with eight decimals, amounts in the asset's own units.

    health factor = sum of collateral value * liquidation threshold / debt value
    seized        = debt covered * debt price / collateral price * (1 + bonus)

Sources: aave-dao/aave-v3-origin, DefaultReserveInterestRateStrategyV2.sol, MathUtils.sol,
GenericLogic.sol, LiquidationLogic.sol; aave/aave-v4, spoke LiquidationLogic.sol and
docs/overview.md.
"""

from typing import NamedTuple

from ringfence.lab.rules.fixed_point import (
    BPS,
    RAY,
    WAD,
    mul_div_ceil,
    percent_div_ceil,
    percent_div_floor,
    percent_mul_ceil,
    percent_mul_floor,
    ray_div,
    ray_mul,
    wad_div,
)

SECONDS_PER_YEAR = 31_536_000
CLOSE_FACTOR_HEALTH = 95 * WAD // 100  # at or below it the whole debt may be closed
CLOSE_FACTOR = BPS // 2
CLOSE_FACTOR_VALUE_MIN = 2000 * 10**8  # smaller positions may always be closed whole


class Curve(NamedTuple):
    """Yearly rates and optimal utilisation, in rays."""

    base: int
    slope_low: int
    slope_high: int
    optimal: int


class Seizure(NamedTuple):
    """What a liquidation moves: collateral to the liquidator and to the protocol, debt paid."""

    collateral: int
    debt: int
    protocol_fee: int


def variable_rate(used: int, curve: Curve) -> int:
    """Base + low slope * used / optimal; beyond it + high slope * excess / (1 - optimal)."""
    if used > curve.optimal:
        excess = ray_div(used - curve.optimal, RAY - curve.optimal)
        return curve.base + curve.slope_low + ray_mul(curve.slope_high, excess)
    return curve.base + ray_div(ray_mul(curve.slope_low, used), curve.optimal)


def linear_interest(rate: int, seconds: int) -> int:
    """1 + rate * time, of the supply side."""
    return RAY + rate * seconds // SECONDS_PER_YEAR


def compounded_interest(rate: int, seconds: int) -> int:
    """1 + x + x**2 / 2 + x**3 / 6 with x = rate * time, of the debt side."""
    x = rate * seconds // SECONDS_PER_YEAR
    return RAY + x + ray_mul(x, x // 2 + ray_mul(x, x // 6))


def health_factor(weighted_collateral: int, debt_value: int) -> int:
    """Sum of value * threshold in bps, over the debt: divided half up, then by 1e4 down."""
    return wad_div(weighted_collateral, debt_value) // BPS


def is_liquidatable(health: int) -> bool:
    """Below one; exactly one is safe."""
    return health < WAD


def close_factor(health: int, debt_value: int, collateral_value: int) -> int:
    """Share of the debt that one liquidation may close, in bps.

    All of it at a health factor of 0.95 or less, or where the debt or the collateral is
    worth less than 2,000 in the base currency; else half.
    """
    small = min(debt_value, collateral_value) < CLOSE_FACTOR_VALUE_MIN
    return BPS if small or health <= CLOSE_FACTOR_HEALTH else CLOSE_FACTOR


def seizure(
    debt_to_cover: int,
    debt_price: int,
    debt_unit: int,
    collateral_price: int,
    collateral_unit: int,
    collateral_balance: int,
    bonus: int,
    protocol_fee: int,
) -> Seizure:
    """Collateral for covering a debt, capped by the balance.

    The bonus is 1e4 + what the liquidator gains; the protocol takes its share of that gain.
    Rounding favours the protocol: collateral down, debt and fee up.
    """
    base = debt_price * debt_to_cover * collateral_unit // (collateral_price * debt_unit)
    collateral, debt = percent_mul_floor(base, bonus), debt_to_cover
    if collateral > collateral_balance:
        collateral = collateral_balance
        worth = collateral_price * collateral * debt_unit // (debt_price * collateral_unit)
        debt = percent_div_ceil(worth, bonus)
    fee = percent_mul_ceil(collateral - percent_div_floor(collateral, bonus), protocol_fee)
    return Seizure(collateral - fee, debt, fee)


def after_liquidation(
    collateral: float, price: float, debt: float, threshold: float, bonus: float
) -> tuple[float, float]:
    """Collateral and debt of a position after one liquidation at this price, if it is due.

    In plain numbers: half of the debt above a health factor of 0.95, else all of it, is
    covered; what the collateral cannot pay with its bonus stays as bad debt.
    """
    value = collateral * price
    if debt == 0 or value * threshold >= debt:
        return collateral, debt
    share = 0.5 if value * threshold / debt > CLOSE_FACTOR_HEALTH / WAD else 1.0
    covered = min(debt * share, value / (1 + bonus))
    return collateral - covered * (1 + bonus) / price, debt - covered


def bonus_minimum(bonus_maximum: int, factor: int) -> int:
    """Version 4: 100 % + (maximum bonus - 100 %) * factor, the bonus at a health factor of one."""
    return percent_mul_floor(bonus_maximum - BPS, factor) + BPS


def bonus(health: int, bonus_maximum: int, factor: int, health_for_maximum: int) -> int:
    """Version 4: the bonus grows linearly as the health factor falls from one, then is flat."""
    if health <= health_for_maximum:
        return bonus_maximum
    low = bonus_minimum(bonus_maximum, factor)
    return low + (bonus_maximum - low) * (WAD - health) // (WAD - health_for_maximum)


def debt_to_target(
    debt_value: int,
    health: int,
    health_target: int,
    bonus_bps: int,
    collateral_factor: int,
    debt_price: int,
    debt_unit: int,
) -> int:
    """Version 4: debt whose repayment brings the health factor to its target.

        debt value * (target - health) / ((target - bonus * collateral factor) * price)

    Debt value with 26 decimals, price with eight; the result in units, rounded up.
    """
    penalty = bonus_bps * collateral_factor * WAD // (BPS * BPS)
    divisor = (health_target - penalty) * debt_price * WAD
    return mul_div_ceil(debt_value, debt_unit * (health_target - health), divisor)
