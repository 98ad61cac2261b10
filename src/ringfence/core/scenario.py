"""The scenario model: the worst of a grid of revaluations, with contingencies on top.

    requirement = min(max(factor * worst loss, floor on delta) + contingencies, largest loss)

Losses are sums of lots times risk arrays, exact in int64. Collateral flagged as offsetting moves
along with spot, its gain rounded down and its loss towards zero. Of rows that come in pairs each
expiry counts on its own. The largest loss caps what can lose no more: options of expiries in
which every call sold is covered by one bought.

Source: SPAN's scanning risk and short option minimum; the published portfolio margin rules of
Derive (v2-core) and Paradex, whose grids this one can express.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ringfence.columns import Column
from ringfence.compiled import formula, kernel
from ringfence.core.margin import collateral_value, lower_price, position_value, share_of
from ringfence.core.margin_spec import ScenarioKind
from ringfence.core.options import (
    end_of_expiry,
    has_linear,
    least_payoff,
    size_after,
    unpaired_calls,
    value_of,
)
from ringfence.core.pool import CASH, Level, MarginModel, Pool
from ringfence.fixed import mul_div_floor
from ringfence.units import PRICE_UNIT, VALUE_MAX

if TYPE_CHECKING:
    from ringfence.core.health import Change


class Worst(NamedTuple):
    """The worst scenario of an account on one underlying."""

    loss: int  # quote units, >= 0 and at most VALUE_MAX
    row: int  # of the grid; -1: no scenario loses


class Deltas(NamedTuple):
    """Deltas of an account's instruments on one underlying, in quote units."""

    net: int
    gross: int


@formula
def counted(kind: int, profit: int, partner: int) -> int:
    """What a row counts of the profit of one expiry, given the one of the row behind it."""
    if kind == ScenarioKind.SINGLE:
        return profit
    if kind == ScenarioKind.LOWER:
        return min(profit, partner)
    if kind == ScenarioKind.LOSS:
        return min(profit, partner, 0)
    if kind == ScenarioKind.SIZE:
        return -abs(min(profit, partner))
    return 0


@kernel
def add_collateral(pool: Pool, a: int, u: int, change: "Change", totals: Column) -> int:
    """Add what offsetting collateral gains in each scenario; return its value."""
    value = 0
    for c in range(CASH + 1, pool.asset_underlying.size):
        if pool.is_offsetting[c] == 1 and pool.asset_underlying[c] == u:
            balance = pool.balance[a, c] + (change.balance if change.asset == c else 0)
            value += position_value(balance, pool.index_price[u], pool.value_divisor[0])
    if value != 0:
        for s in range(totals.size):
            move = pool.scenario_move[s]
            gain = mul_div_floor(value, abs(move), PRICE_UNIT)
            totals[s] += gain if move > 0 else -gain
    return value


@kernel
def add_expiry(
    pool: Pool, a: int, first: int, end: int, change: "Change", profits: Column, totals: Column
) -> None:
    """Add what the positions of one expiry count in each scenario."""
    profits[:] = 0
    is_held = False
    for i in range(first, end):
        size = size_after(pool, a, i, change)
        if size != 0:
            is_held = True
            lots = size // pool.lot[i]
            for s in range(totals.size):
                profits[s] += lots * pool.risk_array[i, s + 1]
    if is_held:
        for s in range(totals.size):
            behind = profits[min(s + 1, totals.size - 1)]
            totals[s] += counted(pool.scenario_kind[s], profits[s], behind)


@kernel
def worst_scenario(pool: Pool, a: int, u: int, change: "Change") -> Worst:
    """The scenario in which the account loses most on an underlying; the first of equals."""
    totals = np.zeros(pool.scenario_kind.size, dtype=np.int64)
    profits = np.zeros(pool.scenario_kind.size, dtype=np.int64)
    add_collateral(pool, a, u, change, totals)
    first = pool.first_instrument[u]
    while first < pool.first_instrument[u + 1]:
        end = end_of_expiry(pool, u, first)
        add_expiry(pool, a, first, end, change, profits, totals)
        first = end
    least, row = 0, -1
    for s in range(totals.size):
        if totals[s] < least:
            least, row = totals[s], s
    return Worst(min(-least, VALUE_MAX), row)


@kernel
def worst_row(pool: Pool, a: int, change: "Change") -> int:
    """Row of the grid in which the account loses most on one underlying; or -1."""
    most, row = 0, -1
    if pool.margin_model[0] == MarginModel.SCENARIO:
        for u in range(pool.index_price.size):
            worst = worst_scenario(pool, a, u, change)
            if worst.loss > most:
                most, row = worst.loss, worst.row
    return row


@kernel
def deltas(pool: Pool, a: int, u: int, change: "Change") -> Deltas:
    """Net and gross delta of the account's instruments; collateral has none here."""
    net, gross = 0, 0
    for i in range(pool.first_instrument[u], pool.first_instrument[u + 1]):
        size = size_after(pool, a, i, change)
        if size != 0:
            delta = size // pool.lot[i] * pool.risk_array[i, 0]
            net += delta
            gross += abs(delta)
    return Deltas(net, gross)


@kernel
def net_short_value(pool: Pool, a: int, u: int, change: "Change") -> int:
    """Options sold and not bought back, calls and puts of a strike and expiry together, at spot."""
    short, net = 0, 0
    first, last = pool.first_instrument[u], pool.first_instrument[u + 1]
    for i in range(first, last):
        if i > first and (
            pool.expiry[i] != pool.expiry[i - 1] or pool.strike[i] != pool.strike[i - 1]
        ):
            short += max(-net, 0)
            net = 0
        if pool.option_side[i] != 0:
            net += size_after(pool, a, i, change)
    short += max(-net, 0)
    return position_value(short, pool.index_price[u], pool.value_divisor[0])


@kernel
def linear_notional(pool: Pool, a: int, u: int, change: "Change") -> int:
    """Notional of perpetuals and futures on an underlying."""
    total = 0
    for i in range(pool.first_instrument[u], pool.first_instrument[u + 1]):
        if pool.option_side[i] == 0:
            size = size_after(pool, a, i, change)
            total += abs(position_value(size, pool.mark_price[i], pool.value_divisor[0]))
    return total


@kernel
def contingencies(pool: Pool, a: int, u: int, level: Level, change: "Change") -> int:
    """What net short options and linear positions need on top, whatever they hedge."""
    total = 0
    if pool.option_rate[level, u] > 0:
        total += share_of(net_short_value(pool, a, u, change), pool.option_rate[level, u])
    if pool.linear_rate[level, u] > 0:
        total += share_of(linear_notional(pool, a, u, change), pool.linear_rate[level, u])
    return total


@kernel
def scan_factor(pool: Pool, u: int, level: Level) -> int:
    """Factor on the worst loss: the largest of a level's and the looser ones', so they nest."""
    factor = 0
    for k in range(level, Level.CLOSEOUT + 1):
        factor = max(factor, pool.factor[k, u])
    return factor


@kernel
def offsetting_value(pool: Pool, a: int, u: int, level: Level, change: "Change") -> int:
    """What the offsetting collateral of an underlying counts at a level."""
    total = 0
    price = pool.index_price[u]
    if level == Level.INITIAL:
        price = lower_price(price, pool.confidence[u])
    for c in range(CASH + 1, pool.asset_underlying.size):
        if pool.is_offsetting[c] == 1 and pool.asset_underlying[c] == u:
            balance = pool.balance[a, c] + (change.balance if change.asset == c else 0)
            total += collateral_value(balance, price, pool.haircut[level, c], pool.value_divisor[0])
    return total


@kernel
def largest_loss(pool: Pool, a: int, u: int, change: "Change") -> int:
    """Most that the account can lose on an underlying, or VALUE_MAX where there is no limit."""
    if has_linear(pool, a, u, change):
        return VALUE_MAX
    total = 0
    first = pool.first_instrument[u]
    while first < pool.first_instrument[u + 1]:
        end = end_of_expiry(pool, u, first)
        if unpaired_calls(pool, a, first, end, change) > 0:
            return VALUE_MAX
        value = value_of(pool, a, first, end, change)
        total += max(value - least_payoff(pool, a, first, end, 0, change), 0)
        first = end
    return total


@kernel
def most_required(pool: Pool, a: int, u: int, level: Level, change: "Change") -> int:
    """Cap of a requirement: the largest loss of the positions, and the offsetting collateral.

    Collateral alone never demands more than it counts for.
    """
    loss = largest_loss(pool, a, u, change)
    return loss if loss >= VALUE_MAX else loss + offsetting_value(pool, a, u, level, change)
