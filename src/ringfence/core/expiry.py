"""The end of futures and options: the average price that settles them, and the settlement.

    settlement price = sum of index price * ms it stood inside of the window / ms that count

A price stands from the moment the pool takes it over until it takes the next one, but no longer
than until it counts as an outage: what nobody confirms any more settles nothing. So one that
lasts for a moment moves nothing, and nobody is trusted with the settlement price: it follows
from the index prices alone. Where none counts, the first usable one after the expiry settles.

A sum of prices below 2**53 over less than 2**27 ms takes 80 bits. It is kept in two columns, of
the upper and the lower bits of the prices, and both are exact.
"""

from ringfence.compiled import formula, kernel
from ringfence.core.command import Happening
from ringfence.core.log import Log, next_event
from ringfence.core.margin import position_value
from ringfence.core.options import payoff
from ringfence.core.pool import Pool, Rule, Total
from ringfence.core.settlement import settle_everybody
from ringfence.core.status import Status
from ringfence.core.validity import Action, is_usable
from ringfence.units import MS_NS

HALF = 2**30  # between the upper and the lower bits of a price


@kernel
def stood_ms(pool: Pool, i: int) -> int:
    """How long the index price has stood inside of an instrument's settlement window so far."""
    u = pool.instrument_underlying[i]
    if pool.index_price[u] == 0 or pool.expiry[i] == 0:
        return 0
    begin = max(pool.index_since[u], pool.expiry[i] - pool.window_ns[i])
    end = min(pool.total[Total.NOW_NS], pool.expiry[i])
    end = min(end, pool.publish_time[u] + pool.rule[Rule.LONG_STALE_NS])
    return max(end // MS_NS - begin // MS_NS, 0)


@kernel
def note_average(pool: Pool, u: int) -> None:
    """Add what an index price has stood for to the averages, before another takes its place."""
    price = pool.index_price[u]
    for i in range(pool.first_instrument[u], pool.first_instrument[u + 1]):
        stood = stood_ms(pool, i)
        if stood > 0:
            pool.average_high[i] += price // HALF * stood
            pool.average_low[i] += price % HALF * stood
            pool.average_ms[i] += stood
    pool.index_since[u] = pool.total[Total.NOW_NS]


@kernel
def average_price(pool: Pool, i: int) -> int:
    """Average of an expiry up to now, in price units, rounded down; 0 while nothing counts."""
    price, stood = pool.index_price[pool.instrument_underlying[i]], stood_ms(pool, i)
    total = pool.average_ms[i] + stood
    if total == 0:
        return 0
    high = pool.average_high[i] + price // HALF * stood
    low = pool.average_low[i] + price % HALF * stood
    return high // total * HALF + (high % total * HALF + low) // total


@formula
def is_over(pool: Pool, i: int) -> bool:
    """Whether the time of a future or option is over; that of a perpetual never is."""
    return 0 < pool.expiry[i] <= pool.total[Total.NOW_NS]


@kernel
def settlement_price(pool: Pool, i: int) -> int:
    """Price that settles what is over, on a tick, at least one; 0 while there is none."""
    price, u = average_price(pool, i), pool.instrument_underlying[i]
    if price == 0 and not is_usable(pool, Action.SETTLE, u):
        return 0
    if price == 0:
        price = pool.index_price[u]
    return max(price // pool.tick[i], 1) * pool.tick[i]


@kernel
def expire(pool: Pool, i: int, log: Log) -> Status:
    """Settle a future or option at its settlement price and close every position in it.

    An option is worth what it pays at that price.

    Checks, in order: INSTRUMENT_DOES_NOT_EXIST, INSTRUMENT_HAS_NOT_EXPIRED (a perpetual
    never does), INSTRUMENT_HAS_EXPIRED (already settled), PRICE_IS_NOT_USABLE (no index price
    counted in the window, and none is usable now).
    """
    if i < 0 or i >= pool.mark_price.size:
        return Status.INSTRUMENT_DOES_NOT_EXIST
    if not is_over(pool, i):
        return Status.INSTRUMENT_HAS_NOT_EXPIRED
    if pool.expired[i] == 1:
        return Status.INSTRUMENT_HAS_EXPIRED
    price = settlement_price(pool, i)
    if price == 0:
        return Status.PRICE_IS_NOT_USABLE
    worth = payoff(pool.option_side[i], pool.strike[i], price)
    pool.mark_price[i] = worth
    settle_everybody(pool)
    # Every cost is now exactly size times price, and sizes sum to zero, so the costs that
    # vanish here sum to zero too.
    for a in range(pool.total[Total.ACCOUNTS]):
        pool.size[a, i] = 0
        pool.cost[a, i] = 0
    event = log.events[next_event(log, Happening.INSTRUMENT_EXPIRED)]
    event["account"] = -1
    event["index"] = i
    event["price"] = price
    event["value"] = position_value(pool.open_interest[i], worth, pool.value_divisor[0])
    pool.open_interest[i] = 0
    pool.expired[i] = 1
    return Status.OK
