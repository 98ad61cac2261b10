"""The queue of deleveraging, as everybody may see it before anything happens.

    leverage of an account in an instrument = notional there / equity in the pool

The most levered of a side are cut first, down to one level. An account is reached once so much
notional has to be closed that all above it have come down to its own leverage.
"""

from typing import NamedTuple

from ringfence.compiled import kernel
from ringfence.core.health import HEALTH_MAX, equity, ratio_ppm
from ringfence.core.margin import position_value
from ringfence.core.pool import Pool, Total
from ringfence.fixed import mul_div_floor
from ringfence.units import PPM

LEVERAGE_MAX = 10**9  # ppm; whoever is levered beyond a thousand times is first in any case
LIGHTS = 5


class Rank(NamedTuple):
    """Where an account stands in the queue of its side of an instrument."""

    leverage: int  # ppm
    before: int  # accounts that are levered more
    side: int  # accounts on this side
    distance: int  # quote units of notional that are closed before the account is reached


@kernel
def leverage_in(pool: Pool, a: int, i: int) -> int:
    """Notional of the account's position over its equity, in ppm; HEALTH_MAX without equity."""
    value = position_value(pool.size[a, i], pool.mark_price[i], pool.value_divisor[0])
    return ratio_ppm(abs(value), equity(pool, a))


@kernel
def rank(pool: Pool, a: int, i: int) -> Rank:
    """The account's place among those whose positions have the sign of its own; it has one."""
    own, before, count, distance = leverage_in(pool, a, i), 0, 0, 0
    for k in range(pool.total[Total.ACCOUNTS]):
        if (pool.size[k, i] > 0) != (pool.size[a, i] > 0) or pool.size[k, i] == 0:
            continue
        count += 1
        if k == a or leverage_in(pool, k, i) <= own:
            continue
        before += 1
        if own < LEVERAGE_MAX:
            value = position_value(pool.size[k, i], pool.mark_price[i], pool.value_divisor[0])
            kept = mul_div_floor(max(equity(pool, k), 0), own, PPM)
            distance += max(abs(value) - kept, 0)
    return Rank(own, before, count, distance)


@kernel
def lights(place: Rank) -> int:
    """Lights of a place, one to five: five for the fifth of the side that is cut first."""
    return LIGHTS - min(place.before * LIGHTS // place.side, LIGHTS - 1)


assert LEVERAGE_MAX < HEALTH_MAX
