"""Payoffs at expiry, and the most that the positions of one expiry can lose.

    largest loss = value at the marks - least payoff over all settlement prices

Between two strikes a payoff is a straight line, so its least value is at zero, at a strike, or,
where calls are sold that nobody covers, at the highest price there can be. Instruments of an
underlying stand in the order of expiry, then strike, so an expiry is a range of them. All
values are exact: whole lots at whole ticks.
"""

from typing import TYPE_CHECKING

from ringfence.compiled import formula, kernel
from ringfence.core.margin import position_value
from ringfence.core.pool import Pool

if TYPE_CHECKING:
    from ringfence.core.health import Change

CALL, PUT = 1, -1


@formula
def payoff(side: int, strike: int, price: int) -> int:
    """What one contract pays at expiry, in price units; a future pays the price itself."""
    return price if side == 0 else max(side * (price - strike), 0)


@formula
def size_after(pool: Pool, a: int, i: int, change: "Change") -> int:
    """Size of a position after a change."""
    return pool.size[a, i] + (change.size if change.instrument == i else 0)


@kernel
def end_of_expiry(pool: Pool, u: int, first: int) -> int:
    """One beyond the last instrument of an underlying that expires with a given one."""
    last = pool.first_instrument[u + 1]
    end = first + 1
    while end < last and pool.expiry[end] == pool.expiry[first]:
        end += 1
    return end


@kernel
def payoff_at(pool: Pool, a: int, first: int, end: int, price: int, change: "Change") -> int:
    """What the positions of one expiry pay at a settlement price."""
    total = 0
    for i in range(first, end):
        size = size_after(pool, a, i, change)
        if size != 0:
            paid = payoff(pool.option_side[i], pool.strike[i], price)
            total += position_value(size, paid, pool.value_divisor[0])
    return total


@kernel
def least_payoff(pool: Pool, a: int, first: int, end: int, highest: int, change: "Change") -> int:
    """Least that they pay at zero, at any strike, and at a highest price (0: leave it out)."""
    least = payoff_at(pool, a, first, end, 0, change)
    if highest > 0:
        least = min(least, payoff_at(pool, a, first, end, highest, change))
    for i in range(first, end):
        if pool.option_side[i] != 0 and size_after(pool, a, i, change) != 0:
            least = min(least, payoff_at(pool, a, first, end, pool.strike[i], change))
    return least


@kernel
def value_of(pool: Pool, a: int, first: int, end: int, change: "Change") -> int:
    """Value of the positions in a range of instruments at their marks."""
    total = 0
    for i in range(first, end):
        size = size_after(pool, a, i, change)
        total += position_value(size, pool.mark_price[i], pool.value_divisor[0])
    return total


@kernel
def unpaired_calls(pool: Pool, a: int, first: int, end: int, change: "Change") -> int:
    """Size of the calls of one expiry that are sold and not bought."""
    net = 0
    for i in range(first, end):
        if pool.option_side[i] == CALL:
            net += size_after(pool, a, i, change)
    return max(-net, 0)


@kernel
def has_linear(pool: Pool, a: int, u: int, change: "Change") -> bool:
    """Whether the account holds a perpetual or future on an underlying."""
    for i in range(pool.first_instrument[u], pool.first_instrument[u + 1]):
        if pool.option_side[i] == 0 and size_after(pool, a, i, change) != 0:
            return True
    return False


@kernel
def collateralised_requirement(pool: Pool, a: int, u: int, change: "Change") -> int:
    """Largest loss of every expiry up to the highest price that the pool accepts.

    Not cut off at zero: what a structure is sure to pay counts, so that no move of the marks
    moves the excess margin, and nobody can ever be liquidated.
    """
    total = 0
    first = pool.first_instrument[u]
    while first < pool.first_instrument[u + 1]:
        end = end_of_expiry(pool, u, first)
        value = value_of(pool, a, first, end, change)
        total += value - least_payoff(pool, a, first, end, pool.price_max[u], change)
        first = end
    return total
