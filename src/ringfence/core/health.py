"""Health of one account, from the columns of its own pool alone.

For a level L (initial, target, maintenance, closeout):

    excess_L = collateral_L + max(V, 0) - debt - max(-V, 0) - requirement_L

where V, the uncollected result, is profit and loss not yet settled, less funding, plus the
account's claim, less its due. The sign of the integer decides; a health factor is display.
Every quantity can be asked for as it is, or as it would be after a `Change`.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numba
from numba.extending import overload

from ringfence.columns import call_function, columns_at
from ringfence.compiled import kernel
from ringfence.core.margin import (
    collateral_value,
    funding_due,
    lower_price,
    position_value,
    scaled_rate,
    share_of,
    tier_requirement,
)
from ringfence.core.options import collateralised_requirement
from ringfence.core.pool import CASH, Level, MarginModel, Pool, Rule, Total
from ringfence.core.scenario import (
    contingencies,
    deltas,
    most_required,
    scan_factor,
    worst_scenario,
)
from ringfence.core.standard import options_requirement
from ringfence.fixed import DIVISOR_MAX, mul_div_ceil, mul_div_floor
from ringfence.units import BASE, PPM

HEALTH_MAX = 10**12  # ppm; shown when nothing is owed or required


class Change(NamedTuple):
    """A hypothetical change of one account: what a command would do to it."""

    instrument: int  # -1: none
    size: int
    cost: int
    asset: int  # -1: none
    balance: int
    liability: int  # quote units owed on top


AS_IT_IS = Change(-1, 0, 0, -1, 0, 0)


@kernel
def collateral(pool: Pool, a: int, level: Level, change: Change) -> int:
    """Cash and collateral assets less their haircuts; initial sees the lower price."""
    divisor = pool.value_divisor[0]
    total = pool.balance[a, CASH]
    if change.asset == CASH:
        total += change.balance
    for c in range(CASH + 1, pool.asset_underlying.size):
        balance = pool.balance[a, c]
        if change.asset == c:
            balance += change.balance
        if balance == 0:
            continue
        u = pool.asset_underlying[c]
        price = pool.index_price[u]
        if level == Level.INITIAL:
            price = lower_price(price, pool.confidence[u])
        total += collateral_value(balance, price, pool.haircut[level, c], divisor)
    return total


@kernel
def uncollected(pool: Pool, a: int, change: Change) -> int:
    """Profit and loss not yet settled, less funding, plus claim, less due."""
    divisor = pool.value_divisor[0]
    total = pool.claim[a] - pool.due[a]
    for i in range(pool.mark_price.size):
        size, cost = pool.size[a, i], pool.cost[a, i]
        if size != 0 and pool.funding_index[i] != pool.funding_paid[a, i]:
            total -= funding_due(size, pool.funding_index[i], pool.funding_paid[a, i], divisor)
        if change.instrument == i:
            size, cost = size + change.size, cost + change.cost
        total += position_value(size, pool.mark_price[i], divisor) - cost
    return total


@kernel
def open_interest_value(pool: Pool, u: int) -> int:
    """Open interest of an underlying at the mark prices, in quote units."""
    total = 0
    for i in range(pool.first_instrument[u], pool.first_instrument[u + 1]):
        total += position_value(pool.open_interest[i], pool.mark_price[i], pool.value_divisor[0])
    return total


@kernel
def bracket_initial(pool: Pool, u: int, notional: int) -> int:
    """Initial requirement of a net notional: the rate of its tier, scaled by open interest."""
    t = 0
    while t + 1 < pool.tier_floor.shape[1] and pool.tier_floor[u, t + 1] <= notional:
        t += 1
    rate = scaled_rate(
        pool.tier_initial_rate[u, t],
        open_interest_value(pool, u),
        pool.open_interest_lower[u],
        pool.open_interest_upper[u],
    )
    return share_of(notional, rate)


@kernel
def bracket_maintenance(pool: Pool, u: int, notional: int) -> int:
    """Maintenance requirement of a net notional: the largest of the tiers' lines."""
    required = 0
    for t in range(pool.tier_floor.shape[1]):
        required = max(
            required,
            tier_requirement(notional, pool.tier_maintenance_rate[u, t], pool.tier_deduction[u, t]),
        )
    return required


@kernel
def strictest_factor(pool: Pool, u: int, level: Level) -> int:
    """Largest factor on maintenance of a level and the looser ones, so that levels nest."""
    factor = pool.factor[Level.CLOSEOUT, u]
    if level <= Level.MAINTENANCE:
        factor = max(factor, pool.factor[Level.MAINTENANCE, u])
    if level <= Level.TARGET:
        factor = max(factor, pool.factor[Level.TARGET, u])
    return factor


@kernel
def bracket_requirement(pool: Pool, u: int, level: Level, net: int, gross: int) -> int:
    """Requirement of one underlying: its brackets on the net, and a rate on what is hedged.

    Levels nest whatever the factors say, because each takes the larger of its own and the
    next one's requirement.
    """
    hedged = 0
    if gross != abs(net):
        hedged = share_of((gross - abs(net)) // 2, pool.hedge_rate[u])
    base = bracket_maintenance(pool, u, abs(net)) + hedged
    required = share_of(base, strictest_factor(pool, u, level))
    if level == Level.INITIAL:
        initial = bracket_initial(pool, u, abs(net)) + hedged
        required = max(required, share_of(initial, pool.factor[Level.INITIAL, u]))
    return required


@kernel
def scenario_requirement(pool: Pool, a: int, u: int, level: Level, change: Change) -> int:
    """Requirement of one underlying by scenarios; the brackets are the floor on its deltas."""
    delta = deltas(pool, a, u, change)
    loss = worst_scenario(pool, a, u, change).loss
    scanned = share_of(loss, scan_factor(pool, u, level))
    if delta.gross > 0:
        scanned = max(scanned, bracket_requirement(pool, u, level, delta.net, delta.gross))
    needed = scanned + contingencies(pool, a, u, level, change)
    return min(needed, most_required(pool, a, u, level, change))


@kernel
def requirement_of_options(pool: Pool, a: int, level: Level, change: Change) -> int:
    """Requirement over all underlyings in a pool that may hold options."""
    total = 0
    for u in range(pool.index_price.size):
        if pool.margin_model[0] == MarginModel.SCENARIO:
            total += scenario_requirement(pool, a, u, level, change)
        elif pool.margin_model[0] == MarginModel.STANDARD:
            factor = strictest_factor(pool, u, level)
            total += options_requirement(pool, a, u, level, factor, change)
        else:
            total += collateralised_requirement(pool, a, u, change)
    # What a structure is sure to pay backs no new position and no withdrawal.
    return max(total, 0) if level == Level.INITIAL else total


def requirement_by_table(pool: Pool, a: int, level: Level, change: Change) -> int:
    """Requirement of options, called through the pool's table when compiled."""
    return requirement_of_options(pool, a, level, change)


@overload(requirement_by_table, jit_options={"forceinline": True, "error_model": "numpy"})
def _requirement_by_table(
    pool: Pool,
    a: int,
    level: Level,
    change: Change,
) -> Callable[[Pool, int, Level, Change], int]:
    def through_table(pool: Pool, a: int, level: Level, change: Change) -> int:
        return call_function(  # type: ignore[call-arg]  # numba passes its context
            pool,
            (
                a + 0,
                level + 0,
                change.instrument + 0,
                change.size + 0,
                change.cost + 0,
                change.asset + 0,
                change.balance + 0,
                change.liability + 0,
            ),
        )

    return through_table


_pool_at = columns_at(Pool)


def _requirement_at(
    address: int,
    a: int,
    level: Level,
    instrument: int,
    size: int,
    cost: int,
    asset: int,
    balance: int,
    liability: int,
) -> int:
    change = Change(instrument, size, cost, asset, balance, liability)
    return requirement_of_options(_pool_at(address), a, level, change)


@cache
def requirement_address() -> int:
    """Address of the compiled requirement of options; 0 where nothing is compiled."""
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        return 0
    signature = numba.int64(*[numba.int64] * 9)
    compiled = numba.cfunc(signature, cache=True, error_model="numpy")(_requirement_at)
    _KEPT.append(compiled)
    address = compiled.address
    assert address is not None
    return address


_KEPT: list[object] = []  # the code lives as long as something refers to it
Pool.requirement_address = staticmethod(requirement_address)  # type: ignore[method-assign]


@kernel
def requirement(pool: Pool, a: int, level: Level, change: Change) -> int:
    """Margin requirement of the account, over all underlyings."""
    total = 0
    has_options = pool.margin_model[0] != MarginModel.BRACKETS
    if has_options:
        total = requirement_by_table(pool, a, level, change)
        if pool.margin_model[0] != MarginModel.STANDARD:
            return total
    for u in range(pool.index_price.size):
        net, gross = 0, 0
        for i in range(pool.first_instrument[u], pool.first_instrument[u + 1]):
            if has_options and pool.option_side[i] != 0:
                continue
            size = pool.size[a, i]
            if change.instrument == i:
                size += change.size
            value = position_value(size, pool.mark_price[i], pool.value_divisor[0])
            net += value
            gross += abs(value)
        if gross > 0:
            total += bracket_requirement(pool, u, level, net, gross)
    return total


@kernel
def debt_of(pool: Pool, shares: int) -> int:
    """Debt with accrued interest of some debt shares, rounded up."""
    if shares == 0:
        return 0
    return mul_div_ceil(shares, pool.total[Total.BORROW_INDEX], BASE)


@kernel
def excess_with(pool: Pool, a: int, level: Level, profit_weight: int, change: Change) -> int:
    """Excess margin after a change, when profit counts only by a weight in ppm."""
    result = uncollected(pool, a, change)
    if result > 0:
        result = mul_div_floor(result, profit_weight, PPM)
    return (
        collateral(pool, a, level, change)
        + result
        - debt_of(pool, pool.debt_shares[a])
        - change.liability
        - requirement(pool, a, level, change)
    )


@kernel
def excess_after(pool: Pool, a: int, level: Level, change: Change) -> int:
    """Excess margin after a change; at initial, profit counts by the pool's weight."""
    weight = pool.rule[Rule.PROFIT_WEIGHT] if level == Level.INITIAL else PPM
    return excess_with(pool, a, level, weight, change)


@kernel
def excess(pool: Pool, a: int, level: Level) -> int:
    """Excess margin of the account; negative at maintenance: liquidate."""
    return excess_after(pool, a, level, AS_IT_IS)


@kernel
def equity(pool: Pool, a: int) -> int:
    """What the account is worth: collateral at maintenance, plus result, less debt."""
    return (
        collateral(pool, a, Level.MAINTENANCE, AS_IT_IS)
        + uncollected(pool, a, AS_IT_IS)
        - debt_of(pool, pool.debt_shares[a])
    )


@kernel
def ratio_ppm(part: int, whole: int) -> int:
    """Part over whole in ppm, rounded down, at most HEALTH_MAX; for display and schedules."""
    # Both shrink alike until the divisor is in range; the ratio moves by less than 1e-12.
    while whole > DIVISOR_MAX:
        part, whole = part // 2, whole // 2
    if whole <= 0 or part // whole >= HEALTH_MAX // PPM:
        return HEALTH_MAX
    return mul_div_floor(part, PPM, whole)


@kernel
def health_factor(pool: Pool, a: int) -> int:
    """Collateral and gains over debt, losses and maintenance margin, in ppm.

    At least PPM exactly when the excess at maintenance is not negative, up to rounding.
    """
    result = uncollected(pool, a, AS_IT_IS)
    assets = collateral(pool, a, Level.MAINTENANCE, AS_IT_IS) + max(result, 0)
    owed = debt_of(pool, pool.debt_shares[a]) + max(-result, 0)
    return ratio_ppm(assets, owed + requirement(pool, a, Level.MAINTENANCE, AS_IT_IS))


@kernel
def has_position(pool: Pool, a: int) -> bool:
    """Whether the account holds any instrument."""
    for i in range(pool.mark_price.size):
        if pool.size[a, i] != 0:
            return True
    return False


@kernel
def has_obligation(pool: Pool, a: int) -> bool:
    """Whether anything could be owed: a position, debt or a due."""
    return pool.debt_shares[a] != 0 or pool.due[a] != 0 or has_position(pool, a)
