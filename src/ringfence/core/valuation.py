"""Risk arrays: what one lot of an instrument gains in each scenario, as journaled integers.

Priced outside the core and rounded there to quote units per lot; here nothing is rounded any
more. A command brings five slots; slot 0 is the delta of a lot in quote units, slot 1 + s its
profit in scenario s. An array counts once its last slot is there, all at once, so that no
decision ever rests on half of one.
"""

from ringfence.compiled import formula, kernel
from ringfence.core.command import Row
from ringfence.core.pool import MarginModel, Pool, Total
from ringfence.core.status import Status
from ringfence.fixed import mul_div_floor

SLOTS_OF_A_ROW = 5  # in the fields account, other, amount, size and price


@kernel
def risk_limit(pool: Pool, i: int) -> int:
    """Largest size of a slot: a lot at the highest price."""
    u = pool.instrument_underlying[i]
    return mul_div_floor(pool.lot[i], pool.price_max[u], pool.value_divisor[0])


@formula
def slot_value(command: Row, k: int) -> int:
    """Value that a command has for its k-th slot."""
    if k == 0:
        return command["account"]
    if k == 1:
        return command["other"]
    if k == 2:
        return command["amount"]
    return command["size"] if k == 3 else command["price"]


@kernel
def risk_array_status(pool: Pool, command: Row) -> Status:
    """Rules of a part of a risk array, from POOL_HAS_NO_SCENARIOS to RISK_EXCEEDS_LIMIT."""
    i, first = command["instrument"], command["asset"]
    if pool.margin_model[0] != MarginModel.SCENARIO:
        return Status.POOL_HAS_NO_SCENARIOS
    if i < 0 or i >= pool.mark_price.size:
        return Status.INSTRUMENT_DOES_NOT_EXIST
    if pool.expired[i] == 1:
        return Status.INSTRUMENT_HAS_EXPIRED
    if first != 0 and first != pool.risk_slots[i]:
        return Status.RISK_SLOT_IS_OUT_OF_ORDER
    limit = risk_limit(pool, i)
    for k in range(min(SLOTS_OF_A_ROW, pool.risk_array.shape[1] - first)):
        value = slot_value(command, k)
        if value > limit or value < -limit:
            return Status.RISK_EXCEEDS_LIMIT
    return Status.OK


@kernel
def set_risk_array(pool: Pool, command: Row) -> Status:
    """Take over five slots of an instrument's risk array; the last ones make it count.

    Checks, in order: POOL_HAS_NO_SCENARIOS, INSTRUMENT_DOES_NOT_EXIST,
    INSTRUMENT_HAS_EXPIRED, RISK_SLOT_IS_OUT_OF_ORDER (slots come in order; slot 0 begins
    anew), RISK_EXCEEDS_LIMIT.
    """
    status = risk_array_status(pool, command)
    if status != Status.OK:
        return status
    i, first = command["instrument"], command["asset"]
    width = pool.risk_array.shape[1]
    for k in range(min(SLOTS_OF_A_ROW, width - first)):
        pool.risk_array_next[i, first + k] = slot_value(command, k)
    pool.risk_slots[i] = first + SLOTS_OF_A_ROW
    if pool.risk_slots[i] >= width:
        pool.risk_array[i, :] = pool.risk_array_next[i, :]
        pool.risk_array_next[i, :] = 0
        pool.risk_slots[i] = 0
        pool.valued_at[i] = pool.total[Total.NOW_NS]
    return Status.OK
