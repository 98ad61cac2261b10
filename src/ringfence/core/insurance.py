"""The insurance fund's target, and the share of trading fees that goes to it.

    target    the two largest losses beyond an account's worth ("cover 2"), in the worst of: two
              shocks in which all prices move together, by the pool's stress, and the rows of
              the pool's grid, where it has one
    coverage  fund / target, at most 1
    share     s + (1 - s) (1 - coverage): the pool's own at full coverage, all of it at none

What does not go to the fund goes to the backstop, whose suppliers carry the next risk.
Source of the measure: CPMI-IOSCO, Principles for financial market infrastructures, 4.
"""

import numpy as np

from ringfence.columns import Column
from ringfence.compiled import kernel
from ringfence.core.health import has_obligation, worth
from ringfence.core.margin import position_value, share_of
from ringfence.core.options import payoff
from ringfence.core.pool import BACKSTOP, CASH, Pool, Rule, Total
from ringfence.core.settlement import add_cash, charge, collect_due, realise
from ringfence.fixed import DIVISOR_MAX, mul_div_floor
from ringfence.units import PPM, PRICE_UNIT


@kernel
def linear_exposure(pool: Pool, a: int) -> int:
    """What moves as prices do: perpetuals and futures at their marks, coins at index prices."""
    total, divisor = 0, pool.value_divisor[0]
    for i in range(pool.mark_price.size):
        if pool.option_side[i] == 0:
            total += position_value(pool.size[a, i], pool.mark_price[i], divisor)
    for c in range(CASH + 1, pool.asset_underlying.size):
        price = pool.index_price[pool.asset_underlying[c]]
        total += position_value(pool.balance[a, c], price, divisor)
    return total


@kernel
def options_gain(pool: Pool, a: int, shock: int) -> int:
    """What options gain by what their payoff does, time value standing still; none below zero."""
    total = 0
    for i in range(pool.mark_price.size):
        size, side = pool.size[a, i], pool.option_side[i]
        if side == 0 or size == 0:
            continue
        price = pool.index_price[pool.instrument_underlying[i]]
        moved = price + mul_div_floor(price, shock, PPM)
        gain = payoff(side, pool.strike[i], moved) - payoff(side, pool.strike[i], price)
        gain = max(gain, -pool.mark_price[i])
        total += position_value(size, gain, pool.value_divisor[0])
    return total


@kernel
def cover_two(pool: Pool, shock: int) -> int:
    """The two largest losses beyond an account's worth when all prices move by a shock in ppm."""
    first, second = 0, 0
    for a in range(BACKSTOP + 1, pool.total[Total.ACCOUNTS]):
        if not has_obligation(pool, a):
            continue
        gain = mul_div_floor(linear_exposure(pool, a), shock, PPM) + options_gain(pool, a, shock)
        # A due that is recorded as lost is no loss to come.
        lost = -(worth(pool, a) + gain) - pool.uncovered[a]
        if lost > first:
            first, second = lost, first
        elif lost > second:
            second = lost
    return first + second


@kernel
def add_grid_gains(pool: Pool, a: int, gains: Column) -> None:
    """Add what the account gains in each row of the grid, all underlyings in the same row."""
    for i in range(pool.mark_price.size):
        if pool.size[a, i] != 0:
            lots = pool.size[a, i] // pool.lot[i]
            for s in range(gains.size):
                gains[s] += lots * pool.risk_array[i, s + 1]
    for c in range(CASH + 1, pool.asset_underlying.size):
        price = pool.index_price[pool.asset_underlying[c]]
        value = position_value(pool.balance[a, c], price, pool.value_divisor[0])
        for s in range(gains.size if value > 0 else 0):
            gains[s] += mul_div_floor(value, pool.scenario_move[s], PRICE_UNIT)


@kernel
def cover_two_of_grid(pool: Pool) -> int:
    """The two largest losses beyond an account's worth in the worst row of the grid."""
    rows = pool.scenario_kind.size
    first, second = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)
    gains = np.zeros(rows, dtype=np.int64)
    for a in range(BACKSTOP + 1, pool.total[Total.ACCOUNTS]):
        if not has_obligation(pool, a):
            continue
        gains[:] = 0
        add_grid_gains(pool, a, gains)
        owned = worth(pool, a) + pool.uncovered[a]
        for s in range(rows):
            lost = -(owned + gains[s])
            if lost > first[s]:
                first[s], second[s] = lost, first[s]
            elif lost > second[s]:
                second[s] = lost
    worst = 0
    for s in range(rows):
        worst = max(worst, first[s] + second[s])
    return worst


@kernel
def set_insurance_target(pool: Pool) -> None:
    """Measure the target anew; done at every settlement."""
    stress = pool.rule[Rule.STRESS]
    target = 0
    if stress > 0:
        target = max(cover_two(pool, -stress), cover_two(pool, stress), cover_two_of_grid(pool))
    pool.total[Total.INSURANCE_TARGET] = target


@kernel
def fee_share(pool: Pool) -> int:
    """Share of a trading fee that goes to the fund, in ppm, rounded up."""
    own = pool.rule[Rule.INSURANCE_SHARE]
    fund, target = pool.total[Total.INSURANCE_FUND], pool.total[Total.INSURANCE_TARGET]
    if fund >= target:
        return own
    while target > DIVISOR_MAX:
        fund, target = fund // 2, target // 2
    return PPM - mul_div_floor(PPM - own, fund, target)


@kernel
def charge_trade(pool: Pool, a: int, fee: int) -> None:
    """Collect a trading fee: a share for the fund, rounded up, the rest for the backstop."""
    for_fund = fee
    if pool.rule[Rule.INSURANCE_SHARE] < PPM and a != BACKSTOP:
        for_fund = share_of(fee, fee_share(pool))
    charge(pool, a, for_fund)
    rest = fee - for_fund
    if rest == 0:
        return
    from_cash = min(pool.balance[a, CASH], rest)
    add_cash(pool, a, -from_cash)
    add_cash(pool, BACKSTOP, from_cash)
    realise(pool, a, from_cash - rest)
    realise(pool, BACKSTOP, rest - from_cash)
    collect_due(pool, BACKSTOP)
