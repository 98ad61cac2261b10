"""Silo v2: loan to value, liquidation down to a target, and the dynamic kink rate.

Ratios and fees are integers of 1e-18. To bring the loan to value from D / C to a target T
with a liquidation fee f a liquidator repays

    x = (D - T * C) / (1 - (T + T * f))

and all of it where that is more than nine tenths of the debt, where the target cannot be
reached, or where the debt is not covered any more.

Source: silo-finance/silo-contracts-v2, PartialLiquidationLib.sol, SiloSolvencyLib.sol,
SiloMathLib.sol, Rounding.sol, DynamicKinkModel.sol.
"""

import math
from typing import NamedTuple

from ringfence.lab.rules.fixed_point import WAD, div_toward_zero, mul_div_ceil

WHOLE_THRESHOLD = 9 * WAD // 10
# Shares are converted twice, each time down, so a view promises two units less.
UNDERESTIMATION = 2
SECONDS_PER_YEAR = 365 * 86_400
RATE_MAX = 25 * WAD  # a year
EXPONENT_MAX = 11 * WAD


class Kink(NamedTuple):
    """Parameters of the dynamic kink model, in 1e-18, rates and slopes per second."""

    ulow: int
    u1: int
    u2: int
    ucrit: int
    rmin: int
    kmin: int
    kmax: int
    alpha: int
    cminus: int
    cplus: int
    c1: int
    c2: int
    dmax: int


class Liquidation(NamedTuple):
    """Collateral taken, debt repaid and the loan to value that is left."""

    collateral: int
    debt: int
    ltv_after: int


class Compound(NamedTuple):
    """Interest over a time, in 1e-18, and the slope at its end."""

    interest: int
    slope: int
    overflowed: bool


def loan_to_value(debt_value: int, collateral_value: int) -> int:
    """Debt / collateral, rounded up; solvent while at most the liquidation threshold."""
    return mul_div_ceil(debt_value, WAD, collateral_value) if debt_value else 0


def collateral_assets(shares: int, total_assets: int, total_shares: int, offset: int = 1) -> int:
    """Shares to assets, rounded down, with one virtual asset and `offset` virtual shares."""
    assets = total_assets if total_shares else 0
    return shares * (assets + 1) // (total_shares + offset)


def debt_assets(shares: int, total_assets: int, total_shares: int) -> int:
    """Debt shares to assets, rounded up, without virtual amounts."""
    return mul_div_ceil(shares, total_assets, total_shares) if total_shares else shares


def debt_with_interest(assets: int, compound_rate: int) -> int:
    """Debt + debt * compound rate, rounded down."""
    return assets + assets * compound_rate // WAD


def collateral_with_interest(assets: int, debt: int, compound_rate: int, fee: int) -> int:
    """Collateral + the interest of the debt less the fee of DAO and deployer."""
    interest = debt * compound_rate // WAD
    return assets + interest - interest * fee // WAD


def repay_value_max(
    debt_value: int, collateral_value: int, target_ltv: int, liquidation_fee: int
) -> int:
    """Value of debt whose repayment reaches the target, or all of it."""
    if debt_value == 0 or liquidation_fee >= WAD:
        return 0
    if debt_value >= collateral_value or target_ltv == 0:
        return debt_value
    excess = debt_value * WAD - target_ltv * collateral_value
    if excess <= 0:
        return 0
    divisor = WAD - (target_ltv + target_ltv * liquidation_fee // WAD)
    if divisor <= 0:
        return debt_value
    repay = excess // divisor
    whole = repay > debt_value or repay * WAD // debt_value > WHOLE_THRESHOLD
    return debt_value if whole else repay


def seized_value(repay_value: int, collateral_value: int, liquidation_fee: int) -> int:
    """min(repaid * (1 + fee), collateral)."""
    return min(repay_value + repay_value * liquidation_fee // WAD, collateral_value)


def seized(
    repay_value: int, collateral_value: int, collateral: int, liquidation_fee: int
) -> tuple[int, int]:
    """Collateral in assets and in value for a repayment; all of it if it does not suffice."""
    worth = seized_value(repay_value, collateral_value, liquidation_fee)
    if worth == collateral_value:
        return collateral, collateral_value
    return worth * collateral // collateral_value, worth


def liquidation_max(
    collateral: int,
    collateral_value: int,
    debt: int,
    debt_value: int,
    target_ltv: int,
    liquidation_fee: int,
) -> Liquidation:
    """Largest liquidation as the source's view announces it.

    The loan to value left is that of the remaining assets at the same prices, rounded down.
    """
    repay = repay_value_max(debt_value, collateral_value, target_ltv, liquidation_fee)
    worth = seized_value(repay, collateral_value, liquidation_fee)
    taken = max(worth * collateral // collateral_value - UNDERESTIMATION, 0)
    repaid = repay * debt // debt_value
    left = (collateral - taken) * collateral_value // collateral
    owed = (debt - repaid) * debt_value // debt
    return Liquidation(taken, repaid, owed * WAD // left if left else 0)


def liquidation(
    ltv_before: int,
    collateral: int,
    collateral_value: int,
    debt: int,
    debt_value: int,
    debt_to_cover_max: int,
    target_ltv: int,
    liquidation_fee: int,
) -> Liquidation:
    """Liquidation with at most this much debt covered; without limits once LTV is 100 %."""
    if ltv_before >= WAD:
        repaid = min(debt_to_cover_max, debt)
        repay_value = repaid * debt_value // debt
    else:
        limit = repay_value_max(debt_value, collateral_value, target_ltv, liquidation_fee)
        if limit == debt_value:
            repaid, repay_value = debt, debt_value
        else:
            repaid = min(debt_to_cover_max, limit * debt // debt_value)
            repay_value = repaid * debt_value // debt
    worth = seized_value(repay_value, collateral_value, liquidation_fee)
    after = _ltv_after(collateral_value, debt_value, worth, repay_value)
    return Liquidation(worth * collateral // collateral_value, repaid, after)


def current_rate(cfg: Kink, slope: int, seconds: int, used: int) -> int:
    """Yearly rate at a utilisation, after the slope moved for some seconds.

    Between u1 and u2 the slope rests; below it falls, above it rises, within its bounds.
    """
    moved = slope + _speed(cfg, used) * seconds
    k = max(min(moved, cfg.kmax), cfg.kmin)
    return min((_distance(cfg, used) * k // WAD + cfg.rmin) * SECONDS_PER_YEAR, RATE_MAX)


def compound_interest(cfg: Kink, slope: int, seconds: int, used: int) -> Compound:
    """exp(minimum rate * time + distance * integral of the slope) - 1, capped at 2,500 % a year.

    The exponential is taken in double precision; everything before it is exact.
    """
    k, speed = max(cfg.kmin, min(cfg.kmax, slope)), _speed(cfg, used)
    end = k + speed * seconds
    if end > cfg.kmax:
        area = cfg.kmax * seconds - div_toward_zero((cfg.kmax - k) ** 2, 2 * speed)
        k = cfg.kmax
    elif end < cfg.kmin:
        area = cfg.kmin * seconds - div_toward_zero((k - cfg.kmin) ** 2, 2 * speed)
        k = cfg.kmin
    else:
        area, k = (k + end) * seconds // 2, end
    exponent = cfg.rmin * seconds + _distance(cfg, used) * area // WAD
    overflowed = exponent > EXPONENT_MAX
    interest = round(math.expm1(min(exponent, EXPONENT_MAX) / WAD) * WAD)
    cap = RATE_MAX // SECONDS_PER_YEAR * seconds
    if overflowed or interest > cap:
        k = cfg.kmin
    return Compound(min(interest, cap), k, overflowed)


def _speed(cfg: Kink, used: int) -> int:
    if used < cfg.u1:
        return -cfg.c1 - cfg.cminus * (cfg.u1 - used) // WAD
    if used > cfg.u2:
        return min(cfg.c2 + cfg.cplus * (used - cfg.u2) // WAD, cfg.dmax)
    return 0


def _distance(cfg: Kink, used: int) -> int:
    """How far the utilisation is above ulow, the part beyond ucrit counted 1 + alpha times."""
    if used < cfg.ulow:
        return 0
    beyond = cfg.alpha * (used - cfg.ucrit) // WAD if used >= cfg.ucrit else 0
    return used - cfg.ulow + beyond


def _ltv_after(collateral_value: int, debt_value: int, taken: int, repaid: int) -> int:
    if collateral_value <= taken or debt_value <= repaid:
        return 0
    return mul_div_ceil(debt_value - repaid, WAD, collateral_value - taken)
