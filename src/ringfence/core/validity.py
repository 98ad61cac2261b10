"""Which prices are good enough for which action: a table, and the class of a price.

The table is data of the pool. Nothing here ever stops an owner from repaying, adding
collateral, reducing a position, or leaving without one.
"""

from enum import IntEnum, unique

from ringfence.compiled import kernel
from ringfence.core.pool import CASH, MarginModel, Pool, Rule, Total
from ringfence.core.status import Status
from ringfence.fixed import mul_div_floor
from ringfence.separate import separate
from ringfence.units import PPM


@unique
class Validity(IntEnum):
    """Class of an index price; when several apply, the last one counts."""

    FRESH = 0
    UNCERTAIN = 1
    STALE = 2
    LONG_STALE = 3
    DIVERGENT = 4
    NON_POSITIVE = 5


@unique
class Action(IntEnum):
    """What a price may be used for; rows of the pool's table `allowed`."""

    OPEN = 0
    WITHDRAW = 1
    LIQUIDATE = 2
    DELEVERAGE = 3
    SETTLE = 4
    FUNDING = 5


@unique
class Flag(IntEnum):
    """What the oracle itself says of a price."""

    NONE = 0
    DIVERGENT = 1
    NON_POSITIVE = 2


# action: may it use a price that is
#                    fresh uncertain stale long-stale divergent non-positive
ALLOWED = {
    Action.OPEN: (1, 0, 0, 0, 0, 0),
    Action.WITHDRAW: (1, 0, 0, 0, 0, 0),
    Action.LIQUIDATE: (1, 1, 1, 0, 0, 0),
    Action.DELEVERAGE: (1, 1, 0, 0, 0, 0),
    Action.SETTLE: (1, 1, 0, 0, 0, 0),
    Action.FUNDING: (1, 1, 0, 0, 0, 0),
}


@kernel
def validity(pool: Pool, u: int) -> Validity:
    """Class of the index price of underlying u at the pool's clock."""
    if pool.price_flag[u] == Flag.NON_POSITIVE or pool.index_price[u] <= 0:
        return Validity.NON_POSITIVE
    if pool.price_flag[u] == Flag.DIVERGENT:
        return Validity.DIVERGENT
    age = pool.total[Total.NOW_NS] - pool.publish_time[u]
    if age >= pool.rule[Rule.LONG_STALE_NS]:
        return Validity.LONG_STALE
    if age >= pool.rule[Rule.STALE_NS]:
        return Validity.STALE
    widest = mul_div_floor(pool.index_price[u], pool.rule[Rule.CONFIDENCE_MAX], PPM)
    if pool.confidence[u] > widest:
        return Validity.UNCERTAIN
    return Validity.FRESH


@kernel
def is_usable(pool: Pool, action: Action, u: int) -> bool:
    """Whether the action may use the index price of underlying u now."""
    return pool.allowed[action, validity(pool, u)] == 1


@kernel
def is_exposed(pool: Pool, a: int, u: int) -> bool:
    """Whether the account's health depends on underlying u."""
    for i in range(pool.first_instrument[u], pool.first_instrument[u + 1]):
        if pool.size[a, i] != 0:
            return True
    for c in range(CASH + 1, pool.asset_underlying.size):
        if pool.asset_underlying[c] == u and pool.balance[a, c] != 0:
            return True
    return False


@kernel
def valuation_validity(pool: Pool, i: int) -> Validity:
    """Class of an instrument's valuation, by its age: an option mark or a risk array.

    What follows the index price needs none, and neither does what is settled.
    """
    if pool.option_side[i] == 0 and pool.margin_model[0] != MarginModel.SCENARIO:
        return Validity.FRESH
    if pool.valued_at[i] == 0:
        return Validity.NON_POSITIVE
    age = pool.total[Total.NOW_NS] - pool.valued_at[i]
    if age >= pool.rule[Rule.LONG_STALE_NS]:
        return Validity.LONG_STALE
    return Validity.STALE if age >= pool.rule[Rule.STALE_NS] else Validity.FRESH


@kernel
def is_valuation_usable(pool: Pool, action: Action, i: int) -> bool:
    """Whether the action may use the valuation of an instrument now."""
    if pool.margin_model[0] == MarginModel.BRACKETS:
        return True
    return pool.allowed[action, valuation_validity(pool, i)] == 1


@kernel
def mark_status(pool: Pool, action: Action, i: int) -> Status:
    """OK if the action may use what an instrument's mark rests on: index price and valuation."""
    if not is_usable(pool, action, pool.instrument_underlying[i]):
        return Status.PRICE_IS_NOT_USABLE
    if not is_valuation_usable(pool, action, i):
        return Status.VALUATION_IS_NOT_USABLE
    return Status.OK


@separate
def exposure_status(pool: Pool, action: Action, a: int) -> Status:
    """OK if the action may use all index prices and valuations that the account depends on.

    Checks, in order: PRICE_IS_NOT_USABLE, VALUATION_IS_NOT_USABLE.
    """
    for u in range(pool.index_price.size):
        if not is_usable(pool, action, u) and is_exposed(pool, a, u):
            return Status.PRICE_IS_NOT_USABLE
    if pool.margin_model[0] != MarginModel.BRACKETS:
        for i in range(pool.mark_price.size):
            if pool.size[a, i] != 0 and not is_valuation_usable(pool, action, i):
                return Status.VALUATION_IS_NOT_USABLE
    return Status.OK
