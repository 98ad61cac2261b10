"""Prices at which an account's standing changes, found with the engine's own kernels.

The excess margin is concave in a common shock of the prices (results are linear, haircut
collateral is linear, requirements are convex), so the prices at which an account is healthy
form one interval, and bisection finds its two ends exactly, in price units.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ringfence.columns import Column
from ringfence.core.health import equity, excess
from ringfence.core.pool import Level, Pool

SHOCK_UNIT = 10**9  # a shock of SHOCK_UNIT leaves prices as they are
SHOCK_MAX = 100 * SHOCK_UNIT


class Range(NamedTuple):
    """Lowest and highest value that is still good; None: good all the way."""

    lower: int | None
    upper: int | None


def shocked(pool: Pool, shock: int, underlying: int | None = None) -> Pool:
    """Return the pool with prices times shock / SHOCK_UNIT; of one underlying, or of all."""

    def moved(column: Column, of: Column) -> Column:
        # Python integers: a price times a shock can leave 64 bits.
        new = [int(price) * shock // SHOCK_UNIT for price in column]
        hit = np.ones(len(column), dtype=bool) if underlying is None else of == underlying
        return np.where(hit, np.array(new, dtype=np.int64), column)

    everything = np.arange(len(pool.index_price))
    return pool.replaced(
        index_price=moved(pool.index_price, everything),
        confidence=moved(pool.confidence, everything),
        mark_price=moved(pool.mark_price, pool.instrument_underlying),
    )


def with_mark(pool: Pool, i: int, price: int) -> Pool:
    """Return the pool with another mark price of instrument i, all else unchanged."""
    mark = pool.mark_price.copy()
    mark[i] = price
    return pool.replaced(mark_price=mark)


def good_range(is_good: Callable[[int], bool], now: int, lowest: int, highest: int) -> Range | None:
    """Ends of the interval around `now` in which a concave condition holds; None: not now.

    An end that lies at the limit of the search is None.
    """
    if not is_good(now):
        return None
    return Range(_end(is_good, now, lowest), _end(is_good, now, highest))


def _end(is_good: Callable[[int], bool], inside: int, limit: int) -> int | None:
    if is_good(limit):
        return None
    outside = limit
    while abs(inside - outside) > 1:
        middle = (inside + outside) // 2
        if is_good(middle):
            inside = middle
        else:
            outside = middle
    return inside


def shock_range(
    pool: Pool, a: int, *, level: Level = Level.MAINTENANCE, underlying: int | None = None
) -> Range | None:
    """Shocks of one underlying, or of all prices alike, that keep the account at a level.

    In units of 1 / SHOCK_UNIT. None: the account is below the level already.
    """
    return good_range(
        lambda shock: excess(shocked(pool, shock, underlying), a, level) >= 0,
        SHOCK_UNIT,
        0,
        SHOCK_MAX,
    )


def liquidation_range(pool: Pool, a: int, i: int) -> Range | None:
    """Mark prices of instrument i at which the account stays at maintenance, others unchanged.

    Below `lower` and above `upper` it is liquidated. None: it is below maintenance already.
    """
    limit = int(pool.price_max[pool.instrument_underlying[i]])
    return good_range(
        lambda price: excess(with_mark(pool, i, price), a, Level.MAINTENANCE) >= 0,
        int(pool.mark_price[i]),
        0,
        limit,
    )


def bankruptcy_range(pool: Pool, a: int, i: int) -> Range | None:
    """Mark prices of instrument i at which the account's equity is not negative."""
    limit = int(pool.price_max[pool.instrument_underlying[i]])
    return good_range(
        lambda price: equity(with_mark(pool, i, price), a) >= 0,
        int(pool.mark_price[i]),
        0,
        limit,
    )
