"""The insurance fund's target, and the share of trading fees that goes to it.

    target    the two largest losses beyond an account's worth, in the worse of two shocks in
              which all prices move together, by the pool's stress ("cover 2")
    coverage  fund / target, at most 1
    share     s + (1 - s) (1 - coverage): the pool's own at full coverage, all of it at none

What does not go to the fund goes to the backstop, whose suppliers carry the next risk.
Source of the measure: CPMI-IOSCO, Principles for financial market infrastructures, 4.
"""

from ringfence.compiled import kernel
from ringfence.core.health import worth
from ringfence.core.margin import position_value, share_of
from ringfence.core.pool import BACKSTOP, CASH, Pool, Rule, Total
from ringfence.core.settlement import add_cash, charge, collect_due, realise
from ringfence.fixed import DIVISOR_MAX, mul_div_floor
from ringfence.units import PPM


@kernel
def exposure(pool: Pool, a: int) -> int:
    """What moves with prices: positions at their marks and coins at their index prices."""
    total, divisor = 0, pool.value_divisor[0]
    for i in range(pool.mark_price.size):
        total += position_value(pool.size[a, i], pool.mark_price[i], divisor)
    for c in range(CASH + 1, pool.asset_underlying.size):
        price = pool.index_price[pool.asset_underlying[c]]
        total += position_value(pool.balance[a, c], price, divisor)
    return total


@kernel
def cover_two(pool: Pool, shock: int) -> int:
    """The two largest losses beyond an account's worth when all prices move by a shock in ppm."""
    first, second = 0, 0
    for a in range(BACKSTOP + 1, pool.total[Total.ACCOUNTS]):
        moved = exposure(pool, a)
        if moved == 0 and pool.debt_shares[a] == 0:
            continue
        # A due that is recorded as lost is no loss to come.
        lost = -(worth(pool, a) + mul_div_floor(moved, shock, PPM)) - pool.uncovered[a]
        if lost > first:
            first, second = lost, first
        elif lost > second:
            second = lost
    return first + second


@kernel
def set_insurance_target(pool: Pool) -> None:
    """Measure the target anew; done at every settlement."""
    stress = pool.rule[Rule.STRESS]
    target = max(cover_two(pool, -stress), cover_two(pool, stress)) if stress > 0 else 0
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
