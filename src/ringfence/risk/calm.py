"""Whether a tick leaves the engine anything to do in a pool, in one call.

Most ticks reach nobody in most pools, so this is asked hundreds of times a tick. "Not calm"
means only that somebody has to look; "calm" is as exact as looking.
"""

from ringfence.columns import Column
from ringfence.compiled import kernel
from ringfence.core.health import excess
from ringfence.core.pool import Level, Pool, Total
from ringfence.core.protection import has_news
from ringfence.risk.ladder import STALE, Heaps, list_reached
from ringfence.risk.screen import is_below_maintenance

TARGET, MAINTENANCE = int(Level.TARGET), int(Level.MAINTENANCE)


@kernel
def is_under_way(pool: Pool) -> bool:
    """Whether somebody is in a step of the waterfall, or the pool is halted or has ended."""
    total = pool.total
    return total[Total.AUCTIONED] + total[Total.WAITING] + total[Total.HALTED_AT] > 0


@kernel
def has_order(pool: Pool, a: int) -> bool:
    """Whether an account is below target, and its owner has signed what to do then."""
    if pool.protect_budget[a] == 0 and pool.protect_reduce[a] == 0:
        return False
    return excess(pool, a, Level.TARGET) < 0


@kernel
def has_weak(pool: Pool, early: Heaps) -> bool:
    """Whether the ladder at target names anybody who has an order or is to be told something."""
    count = list_reached(pool, early, TARGET, 0)
    if count == STALE:
        return True
    for a in early.found[:count]:
        if has_order(pool, a) or has_news(pool, a):
            return True
    return False


@kernel
def has_unhealthy(pool: Pool, late: Heaps) -> bool:
    """Whether the ladder at maintenance names anybody who is below it."""
    count = list_reached(pool, late, MAINTENANCE, 1)
    if count == STALE:
        return True
    for a in late.found[:count]:
        if is_below_maintenance(pool, a):
            return True
    return False


@kernel
def is_calm(pool: Pool, early: Heaps, late: Heaps, told: Column, is_due: int) -> bool:
    """Whether nobody is to be liquidated, protected or warned, and no step is under way.

    Args:
        pool: The pool, at its new prices.
        early: The heaps of its ladder at target.
        late: Those of its ladder at maintenance.
        told: Accounts that have been told that they are below target.
        is_due: 1: whom no single price moves may be told something, too.
    """
    if is_under_way(pool) or has_weak(pool, early) or has_unhealthy(pool, late):
        return False
    start, count = early.lists[-1, 0], early.lists[-1, 1]
    for a in early.slots[start : start + count]:
        if has_order(pool, a) or (is_due == 1 and has_news(pool, a)):
            return False
    for a in told:
        if has_news(pool, a):
            return False
    return True
