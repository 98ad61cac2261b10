"""Pools in the middle of their life, and what an account in them is worth."""

from random import Random

from tests.properties.histories import History

from ringfence.core.health import AS_IT_IS, debt_of, uncollected
from ringfence.core.lending import lender_assets
from ringfence.core.margin import position_value
from ringfence.core.pool import CASH, Pool, Total
from ringfence.core.spec import PoolSpec

UNCAPPED = 2**53 - 1


def after_history(spec: PoolSpec, seed: int, count: int = 200) -> tuple[Pool, Random]:
    """A pool after so many commands, with room for deposits, and chance to go on with."""
    history = History(spec, seed)
    for _ in history.take(count):
        pass
    history.pool.deposit_cap[:] = UNCAPPED  # caps are not the subject
    return history.pool, Random(seed)


def worth(pool: Pool, a: int) -> int:
    """What the account is worth at full prices, without haircuts."""
    value = int(pool.balance[a, CASH]) + uncollected(pool, a, AS_IT_IS)
    for c in range(1, pool.haircut.shape[1]):
        price = int(pool.index_price[pool.asset_underlying[c]])
        value += position_value(int(pool.balance[a, c]), price, int(pool.value_divisor[0]))
    return value - debt_of(pool, int(pool.debt_shares[a]))


def wealth(pool: Pool, a: int) -> int:
    """What the account is worth, with lent cash at what redeeming it gives."""
    lent = int(pool.supply_shares[a]) * (int(lender_assets(pool)) + 1)
    return worth(pool, a) + lent // (int(pool.total[Total.SUPPLY_SHARES]) + 1)
