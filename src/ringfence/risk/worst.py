"""The worst account of a pool, for people who watch it."""

from ringfence.compiled import kernel
from ringfence.core.health import HEALTH_MAX, has_obligation, health_factor
from ringfence.core.pool import BACKSTOP, Pool, Total


@kernel
def worst_account(pool: Pool) -> int:
    """Account with the lowest health factor among those that could owe anything, or -1.

    The backstop is left out: its losses are the insurance fund's, not its own.
    """
    worst, lowest = -1, HEALTH_MAX
    for a in range(BACKSTOP + 1, pool.total[Total.ACCOUNTS]):
        if has_obligation(pool, a):
            health = health_factor(pool, a)
            if health < lowest:
                worst, lowest = a, health
    return worst
