"""The standard model: margin by rules per option, at most the largest loss of each expiry.

Options bought count as nothing, so the requirement takes their value out of equity. Of options
sold, per contract, with S the index price:

    maintenance  call_rate S;  a put the larger of put_rate S and put_value_rate mark
    initial      max(option_rate_min S, option_rate_max S - out of the money); of a put at
                 least offset_scale (maintenance + mark) - mark

Perpetuals keep the brackets. Everything an account owes rounds up.

Source: the published rules of Derive's standard manager (v2-core); spot stands for the forward.
"""

from typing import TYPE_CHECKING

from ringfence.compiled import formula, kernel
from ringfence.core.margin import position_value, share_of
from ringfence.core.margin_spec import StandardRate
from ringfence.core.options import (
    CALL,
    end_of_expiry,
    least_payoff,
    size_after,
    unpaired_calls,
    value_of,
)
from ringfence.core.pool import Level, Pool
from ringfence.fixed import mul_div_ceil
from ringfence.separate import separate

if TYPE_CHECKING:
    from ringfence.core.health import Change


@formula
def share_at(pool: Pool, price: int, rate: int) -> int:
    """A share of a price by one of the standard rates."""
    return share_of(price, pool.standard_rate[rate])


@kernel
def sold_maintenance(pool: Pool, i: int) -> int:
    """Maintenance margin of one contract sold, in price units."""
    spot = pool.index_price[pool.instrument_underlying[i]]
    if pool.option_side[i] == CALL:
        return share_at(pool, spot, StandardRate.CALL_RATE)
    value_part = share_at(pool, pool.mark_price[i], StandardRate.PUT_VALUE_RATE)
    return max(share_at(pool, spot, StandardRate.PUT_RATE), value_part)


@kernel
def sold_initial(pool: Pool, i: int) -> int:
    """Initial margin of one contract sold, in price units."""
    spot = pool.index_price[pool.instrument_underlying[i]]
    out = max(pool.option_side[i] * (pool.strike[i] - spot), 0)
    most = share_at(pool, spot, StandardRate.OPTION_RATE_MAX)
    needed = max(share_at(pool, spot, StandardRate.OPTION_RATE_MIN), most - out)
    if pool.option_side[i] == CALL:
        return needed
    mark = pool.mark_price[i]
    both = sold_maintenance(pool, i) + mark
    return max(needed, share_at(pool, both, StandardRate.OFFSET_SCALE) - mark)


@kernel
def charges(pool: Pool, a: int, first: int, end: int, level: Level, change: "Change") -> int:
    """Sum of what each option of an expiry needs on its own."""
    total = 0
    divisor = pool.value_divisor[0]
    for i in range(first, end):
        size = size_after(pool, a, i, change)
        if size > 0:
            total += position_value(size, pool.mark_price[i], divisor)
        elif size < 0:
            rate = sold_initial(pool, i) if level == Level.INITIAL else sold_maintenance(pool, i)
            total += mul_div_ceil(-size, rate, divisor)
    return total


@kernel
def bounded_loss(pool: Pool, a: int, first: int, end: int, level: Level, change: "Change") -> int:
    """Largest loss of an expiry, with a part of spot for each call that nobody covers."""
    u = pool.instrument_underlying[first]
    rate = (
        StandardRate.UNPAIRED_INITIAL
        if level == Level.INITIAL
        else StandardRate.UNPAIRED_MAINTENANCE
    )
    unpaired = unpaired_calls(pool, a, first, end, change)
    open_end = mul_div_ceil(unpaired, pool.index_price[u], pool.value_divisor[0])
    loss = value_of(pool, a, first, end, change) - least_payoff(pool, a, first, end, 0, change)
    return max(loss + share_at(pool, open_end, rate), 0)


@separate
def expiry_requirement(
    pool: Pool, a: int, first: int, end: int, level: Level, factor: int, change: "Change"
) -> int:
    """Requirement of one expiry; factor: the strictest on maintenance from this level on."""
    needed = share_of(charges(pool, a, first, end, Level.MAINTENANCE, change), factor)
    if level != Level.INITIAL:
        return min(needed, bounded_loss(pool, a, first, end, Level.MAINTENANCE, change))
    u = pool.instrument_underlying[first]
    initial = charges(pool, a, first, end, Level.INITIAL, change)
    needed = max(needed, share_of(initial, pool.factor[Level.INITIAL, u]))
    return min(needed, bounded_loss(pool, a, first, end, Level.INITIAL, change))


@kernel
def options_requirement(
    pool: Pool, a: int, u: int, level: Level, factor: int, change: "Change"
) -> int:
    """Requirement of all options on an underlying, expiry by expiry."""
    total = 0
    first = pool.first_instrument[u]
    while first < pool.first_instrument[u + 1]:
        end = end_of_expiry(pool, u, first)
        if pool.option_side[first] != 0:
            total += expiry_requirement(pool, a, first, end, level, factor, change)
        first = end
    return total
