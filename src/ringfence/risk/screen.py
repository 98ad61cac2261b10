"""The full scan: every account of a pool looked at; the ladder's independent check.

A pool of one instrument and cash is screened first: straight-line floats over its columns,
at the speed of memory, which clear whoever is surely healthy. Whom they do not clear, and
every account of any other pool, is decided by the core's own integers.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ringfence.columns import Column
from ringfence.compiled import formula, kernel, screen
from ringfence.core.health import excess
from ringfence.core.liquidation import is_finished
from ringfence.core.pool import BACKSTOP, CASH, Level, MarginModel, Pool, Total, account_count
from ringfence.units import BASE, PPM

BLOCK = 8192  # accounts counted at once; a block without a suspect is not looked at again
LINES = 4  # tiers compared in one pass over a block

# Quote units between a float estimate and the integers, at most: with every term below 2**55,
# a dozen float roundings of 4 each, and the two dozen units that integers round off.
TOLERANCE = 128.0


class Standing(NamedTuple):
    """What decides over the accounts of a pool of one instrument and cash, all of them [a]."""

    cash: Column
    claim: Column
    due: Column
    debt_shares: Column
    size: Column
    cost: Column
    funding_paid: Column


class Market(NamedTuple):
    """What one size unit, one funding step and one debt share are worth, in quote units."""

    funding_index: int
    value: float
    funding: float
    debt: float


Line = tuple[float, float, float, float]  # one number for each of LINES tiers


@formula
def is_suspect(s: Standing, a: int, market: Market, rate: Line, deduction: Line) -> bool:
    """Whether floats cannot show that the account is above the lines of these tiers.

    An account that owes nothing is healthy whatever it has.
    """
    fixed = s.cash[a] + s.claim[a] - s.due[a] - s.cost[a]
    size, shares = float(s.size[a]), float(s.debt_shares[a])
    value = size * market.value
    notional = abs(value)
    required = max(
        0.0,
        rate[0] * notional - deduction[0],
        rate[1] * notional - deduction[1],
        rate[2] * notional - deduction[2],
        rate[3] * notional - deduction[3],
    )
    owed = size * float(market.funding_index - s.funding_paid[a]) * market.funding
    owed += shares * market.debt + required
    obliged = (s.size[a] | s.debt_shares[a] | s.due[a]) != 0
    # `&` and not `and`: a branch would keep the loop from being vectorised.
    return (float(fixed) + value - owed < TOLERANCE) & obliged


@formula
def part_of_standing(s: Standing, start: int, stop: int) -> Standing:
    """Some accounts in a row."""
    return Standing(
        s.cash[start:stop],
        s.claim[start:stop],
        s.due[start:stop],
        s.debt_shares[start:stop],
        s.size[start:stop],
        s.cost[start:stop],
        s.funding_paid[start:stop],
    )


@formula
def line_of(values: NDArray[np.float64]) -> Line:
    """Return the numbers of LINES tiers as scalars, so that a loop need not reload them."""
    return values[0], values[1], values[2], values[3]


@screen
def count_suspects(s: Standing, market: Market, rate: Line, deduction: Line) -> int:
    """Count suspects; this loop is vectorised, one that collects them would not be."""
    count = 0
    for a in range(s.cash.size):
        count += is_suspect(s, a, market, rate, deduction)
    return count


@screen
def collect_suspects(
    s: Standing,
    market: Market,
    rates: NDArray[np.float64],
    deductions: NDArray[np.float64],
    found: Column,
) -> int:
    """Collect everybody who may be below maintenance; return how many.

    rates, deductions: [pass, LINES].
    """
    total = 0
    for start in range(0, s.cash.size, BLOCK):
        stop = min(start + BLOCK, s.cash.size)
        block = part_of_standing(s, start, stop)
        hits = 0
        for p in range(rates.shape[0]):
            hits += count_suspects(block, market, line_of(rates[p]), line_of(deductions[p]))
        if hits == 0:
            continue
        for a in range(start, stop):
            for p in range(rates.shape[0]):
                if is_suspect(s, a, market, line_of(rates[p]), line_of(deductions[p])):
                    found[total] = a
                    total += 1
                    break
    return total


def is_plain(pool: Pool) -> bool:
    """Whether the pool has one instrument in brackets and cash only: floats can screen it."""
    has_brackets = pool.margin_model[0] == MarginModel.BRACKETS
    return has_brackets and len(pool.mark_price) == 1 and len(pool.asset_underlying) == 1


def standing(pool: Pool) -> Standing:
    """Return the columns of a plain pool that decide over its accounts."""
    count = account_count(pool)
    return Standing(
        cash=pool.balance.reshape(-1)[:count],
        claim=pool.claim[:count],
        due=pool.due[:count],
        debt_shares=pool.debt_shares[:count],
        size=pool.size.reshape(-1)[:count],
        cost=pool.cost.reshape(-1)[:count],
        funding_paid=pool.funding_paid.reshape(-1)[:count],
    )


def market_of(pool: Pool) -> Market:
    """Return what things are worth now in a plain pool."""
    divisor = float(pool.value_divisor[0])
    return Market(
        funding_index=int(pool.funding_index[0]),
        value=float(pool.mark_price[0]) / divisor,
        funding=1.0 / divisor,
        debt=float(pool.total[Total.BORROW_INDEX]) / BASE,
    )


def lines(pool: Pool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rates and deductions of a plain pool's tiers at maintenance, as [pass, LINES]."""
    u = pool.instrument_underlying[0]
    factor = max(pool.factor[Level.MAINTENANCE, u], pool.factor[Level.CLOSEOUT, u]) / PPM
    rate = factor * pool.tier_maintenance_rate[u] / PPM
    deduction = factor * pool.tier_deduction[u].astype(np.float64)
    # A tier more than once changes no maximum.
    width = -(-len(rate) // LINES) * LINES
    spread = np.minimum(np.arange(width), len(rate) - 1).reshape(-1, LINES)
    return rate[spread], deduction[spread]


def suspects(pool: Pool) -> Column:
    """Return everybody in a plain pool whom floats cannot clear."""
    found = np.empty(account_count(pool), dtype=np.int64)
    return found[: collect_suspects(standing(pool), market_of(pool), *lines(pool), found)]


@kernel
def is_below_maintenance(pool: Pool, a: int) -> bool:
    """Whether integers find an account below maintenance, with something left to take."""
    return a != BACKSTOP and excess(pool, a, Level.MAINTENANCE) < 0 and not is_finished(pool, a)


@kernel
def confirm(pool: Pool, accounts: Column, unhealthy: Column) -> int:
    """Keep those accounts that integers find below maintenance; return how many.

    An account that was liquidated to its end is no longer of interest.
    """
    count = 0
    for a in accounts:
        if is_below_maintenance(pool, a):
            unhealthy[count] = a
            count += 1
    return count


def confirmed(pool: Pool, accounts: Column) -> Column:
    """Return those of some accounts that are below maintenance."""
    if len(accounts) == 0:
        return accounts
    unhealthy = np.empty(len(accounts), dtype=np.int64)
    return unhealthy[: confirm(pool, accounts, unhealthy)]


def all_unhealthy(pool: Pool) -> Column:
    """Return every account of the pool below maintenance, by looking at each of them."""
    if is_plain(pool):
        return confirmed(pool, suspects(pool))
    return confirmed(pool, np.arange(account_count(pool), dtype=np.int64))


assert CASH == 0  # the only column of a plain pool's balances
