"""Every account of a pool at a glance: what it is worth, needs and owes, in one pass.

For people who watch and keepers who look for work; the figures are those of core.health, at
the maintenance level. Nothing here decides.
"""

from typing import NamedTuple

import numpy as np

from ringfence.columns import Column
from ringfence.compiled import kernel
from ringfence.core.backstop import gross_notional
from ringfence.core.health import (
    AS_IT_IS,
    HEALTH_MAX,
    collateral,
    debt_of,
    has_obligation,
    ratio_ppm,
    requirement,
    uncollected,
)
from ringfence.core.pool import CASH, Level, Pool, account_count


class Survey(NamedTuple):
    """Figures of all accounts, each [a]; quote units unless said otherwise."""

    health: Column  # ppm; HEALTH_MAX where nothing is owed
    equity: Column
    required: Column
    notional: Column
    debt: Column
    is_active: Column  # 1: it could owe something


@kernel
def survey_into(
    pool: Pool,
    health: Column,
    equity: Column,
    required: Column,
    notional: Column,
    debt: Column,
    is_active: Column,
) -> None:
    """Write the figures of as many accounts as there is room for."""
    for a in range(health.size):
        assets = collateral(pool, a, Level.MAINTENANCE, AS_IT_IS)
        result = uncollected(pool, a, AS_IT_IS)
        debt[a] = debt_of(pool, pool.debt_shares[a])
        required[a] = requirement(pool, a, Level.MAINTENANCE, AS_IT_IS)
        equity[a] = assets + result - debt[a]
        notional[a] = gross_notional(pool, a)
        is_active[a] = 1 if has_obligation(pool, a) else 0
        health[a] = HEALTH_MAX
        if is_active[a] == 1:
            owed = debt[a] + max(-result, 0) + required[a]
            health[a] = ratio_ppm(assets + max(result, 0), owed)


@kernel
def hold_anything(pool: Pool, accounts: Column) -> bool:
    """Whether any of some accounts holds a position or coins, or owes cash."""
    for a in accounts:
        if pool.debt_shares[a] != 0 or pool.size[a].any() or pool.balance[a, CASH + 1 :].any():
            return True
    return False


def survey(pool: Pool) -> Survey:
    """Return the figures of every account, the backstop included."""
    figures = np.zeros((len(Survey._fields), account_count(pool)), dtype=np.int64)
    found = Survey(*figures)
    survey_into(pool, *found)
    return found
