"""Where each account of a pool is liquidated, for people who watch: prices, not decisions.

Thresholds are those of the ladder, so they lie on the safe side by a few parts in a billion.
"""

from typing import NamedTuple

import numpy as np

from ringfence.columns import Column, Floats
from ringfence.compiled import kernel
from ringfence.core.pool import BACKSTOP, Pool, Total, account_count
from ringfence.risk.ladder import demands_of
from ringfence.risk.thresholds import NOTHING, Demands, rung_list, threshold
from ringfence.units import BASE


class Rungs(NamedTuple):
    """Each account's rung list, and the price in price units at which it is reached."""

    on: Column  # [a] NOTHING, SEVERAL, or a list as in risk.thresholds
    price: Floats  # [a]


@kernel
def rungs_into(pool: Pool, demands: Demands, on: Column, price: Floats) -> None:
    """Write the rung of every account."""
    growth = pool.total[Total.BORROW_INDEX] / float(BASE)
    for a in range(BACKSTOP + 1, on.size):
        on[a] = rung_list(pool, demands, a)
        if on[a] >= 0:
            reached = threshold(pool, demands, a, on[a])
            is_collateral = on[a] >= 2 * pool.mark_price.size
            price[a] = reached * growth if is_collateral else abs(reached)


def rungs(pool: Pool) -> Rungs:
    """Return where every account is liquidated; the backstop never is."""
    found = Rungs(
        np.full(account_count(pool), NOTHING, dtype=np.int64), np.zeros(account_count(pool))
    )
    rungs_into(pool, demands_of(pool), *found)
    return found
