"""The full scan: every account of a pool, in integers; the ladder's independent check."""

import numpy as np

from ringfence.columns import Column
from ringfence.compiled import kernel
from ringfence.core.health import excess
from ringfence.core.pool import BACKSTOP, Level, Pool, account_count


@kernel
def confirm(pool: Pool, accounts: Column, unhealthy: Column) -> int:
    """Keep those accounts that integers find below maintenance; return how many."""
    count = 0
    for k in range(accounts.size):
        a = accounts[k]
        if a != BACKSTOP and excess(pool, a, Level.MAINTENANCE) < 0:
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
    return confirmed(pool, np.arange(account_count(pool), dtype=np.int64))
