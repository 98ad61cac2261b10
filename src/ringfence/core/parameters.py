"""Adjustable numbers of a pool: announced, delayed, then ramped, inside fixed bounds.

A change keeps its old value at the moment it starts and moves to the new one linearly over
its ramp, so becoming active never makes a healthy account liquidatable in the same step.
"""

from enum import IntEnum, unique

from ringfence.columns import Column
from ringfence.compiled import kernel
from ringfence.core.log import Log, record_change
from ringfence.core.pool import CASH, Level, Pool, Rule, Total
from ringfence.core.status import Status
from ringfence.fixed import mul_div_ceil, mul_div_floor
from ringfence.separate import separate
from ringfence.units import PPM, SECOND_NS, VALUE_MAX


@unique
class Parameter(IntEnum):
    """What may be changed; the index is that of the axis named beside it.

    A parameter below HAIRCUT is the rule of that number, and its index is 0.
    """

    HAIRCUT = 64  # level * assets + asset
    DEPOSIT_CAP = 65  # asset
    FACTOR = 66  # level * underlyings + underlying
    HEDGE_RATE = 67  # underlying
    OPEN_INTEREST_LOWER = 68  # underlying
    OPEN_INTEREST_UPPER = 69  # underlying
    POSITION_CAP = 70  # instrument
    OPEN_INTEREST_CAP = 71  # instrument
    PRICE_BAND = 72  # instrument
    TAKER_FEE = 73  # instrument
    MAKER_FEE = 74  # instrument
    FUNDING_RATE_MAX = 75  # instrument


PARAMETERS = 76


@unique
class ChangeField(IntEnum):
    """Columns of `change`, the table of pending changes; a row without start is empty."""

    PARAMETER = 0
    INDEX = 1
    OLD = 2
    NEW = 3
    START_NS = 4
    RAMP_NS = 5
    ACTIVE = 6  # 1 once its start has passed


CHANGE_FIELDS = len(ChangeField)


@kernel
def margin_column(pool: Pool, parameter: int) -> Column:
    """Column of a parameter that belongs to an asset or underlying."""
    if parameter == Parameter.HAIRCUT:
        return pool.haircut.reshape(-1)
    if parameter == Parameter.DEPOSIT_CAP:
        return pool.deposit_cap
    if parameter == Parameter.FACTOR:
        return pool.factor.reshape(-1)
    if parameter == Parameter.HEDGE_RATE:
        return pool.hedge_rate
    if parameter == Parameter.OPEN_INTEREST_LOWER:
        return pool.open_interest_lower
    return pool.open_interest_upper


@kernel
def instrument_column(pool: Pool, parameter: int) -> Column:
    """Column of a parameter that belongs to an instrument."""
    if parameter == Parameter.POSITION_CAP:
        return pool.position_cap
    if parameter == Parameter.OPEN_INTEREST_CAP:
        return pool.open_interest_cap
    if parameter == Parameter.PRICE_BAND:
        return pool.price_band
    if parameter == Parameter.TAKER_FEE:
        return pool.taker_fee
    if parameter == Parameter.MAKER_FEE:
        return pool.maker_fee
    return pool.funding_rate_max


@kernel
def parameter_column(pool: Pool, parameter: int) -> Column:
    """Column that holds a parameter; of a rule, the one-number part of `rule`."""
    if parameter < Parameter.HAIRCUT:
        return pool.rule[parameter : parameter + 1]
    if parameter < Parameter.POSITION_CAP:
        return margin_column(pool, parameter)
    return instrument_column(pool, parameter)


@kernel
def does_parameter_exist(pool: Pool, parameter: int, index: int) -> bool:
    """Whether there is such a parameter with such an index."""
    if parameter < 0 or parameter >= pool.bound_min.size or index < 0:
        return False
    if pool.rule.size <= parameter < Parameter.HAIRCUT:
        return False
    return index < parameter_column(pool, parameter).size


@kernel
def touches_requirements(parameter: int) -> bool:
    """Whether a change of the parameter can move somebody's maintenance margin."""
    return parameter in (Parameter.HAIRCUT, Parameter.FACTOR, Parameter.HEDGE_RATE)


@kernel
def pending(pool: Pool, parameter: int, index: int) -> int:
    """Row of the pending change of a parameter, or -1."""
    for k in range(pool.change.shape[0]):
        row = pool.change[k]
        if (
            row[ChangeField.START_NS] != 0
            and row[ChangeField.PARAMETER] == parameter
            and row[ChangeField.INDEX] == index
        ):
            return k
    return -1


@kernel
def free_row(pool: Pool) -> int:
    """First empty row of the table of changes, or -1."""
    for k in range(pool.change.shape[0]):
        if pool.change[k, ChangeField.START_NS] == 0:
            return k
    return -1


@kernel
def lowest(pool: Pool, parameter: int, index: int) -> int:
    """Smallest value the parameter has now or is on its way to."""
    now = parameter_column(pool, parameter)[index]
    k = pending(pool, parameter, index)
    return now if k < 0 else min(now, pool.change[k, ChangeField.NEW])


@kernel
def highest(pool: Pool, parameter: int, index: int) -> int:
    """Largest value the parameter has now or is on its way to."""
    now = parameter_column(pool, parameter)[index]
    k = pending(pool, parameter, index)
    return now if k < 0 else max(now, pool.change[k, ChangeField.NEW])


@kernel
def is_seizure_safe(haircut: int, bonus: int) -> bool:
    """Whether taking collateral at a bonus leaves the account better off at target."""
    return mul_div_ceil(PPM - haircut, PPM + bonus, PPM) < PPM


@kernel
def is_bonus_safe(pool: Pool, bonus: int) -> bool:
    """Whether a bonus is safe against the target haircut of every collateral asset."""
    width = pool.haircut.shape[1]
    for c in range(CASH + 1, width):
        haircut = lowest(pool, Parameter.HAIRCUT, Level.TARGET * width + c)
        if not is_seizure_safe(haircut, bonus):
            return False
    return True


@kernel
def is_haircut_safe(pool: Pool, index: int, value: int) -> bool:
    """Whether haircuts stay nested over the levels, and safe against the bonus."""
    width = pool.haircut.shape[1]
    stricter, looser = index - width, index + width
    if stricter >= 0 and lowest(pool, Parameter.HAIRCUT, stricter) < value:
        return False
    if looser < pool.haircut.size and highest(pool, Parameter.HAIRCUT, looser) > value:
        return False
    bonus = highest(pool, Rule.BONUS_MAX, 0)
    return index // width != Level.TARGET or is_seizure_safe(value, bonus)


@kernel
def is_penalty_safe(pool: Pool, u: int, factor: int, penalty: int) -> bool:
    """Whether closing a position frees more margin at target than bonus and fee cost."""
    if pool.first_instrument[u] == pool.first_instrument[u + 1]:
        return True
    return penalty < mul_div_floor(pool.tier_maintenance_rate[u, 0], factor, PPM)


@kernel
def are_penalties_safe(pool: Pool, penalty: int) -> bool:
    """Whether bonus and fee together are safe for every underlying."""
    width = pool.factor.shape[1]
    for u in range(width):
        factor = lowest(pool, Parameter.FACTOR, Level.TARGET * width + u)
        if not is_penalty_safe(pool, u, factor, penalty):
            return False
    return True


@kernel
def is_factor_safe(pool: Pool, index: int, value: int) -> bool:
    """Whether a factor leaves liquidation of a position worth its penalty."""
    level, u = index // pool.factor.shape[1], index % pool.factor.shape[1]
    penalty = highest(pool, Rule.BONUS_MAX, 0) + highest(pool, Rule.LIQUIDATION_FEE, 0)
    return level != Level.TARGET or is_penalty_safe(pool, u, value, penalty)


@kernel
def does_value_fit(cap: int, price_max: int, divisor: int) -> bool:
    """Whether a cap at the highest price stays within VALUE_MAX; the cap is an amount."""
    # A sixteen-millionth of the cap first: the whole one could leave 64 bits.
    coarse = mul_div_floor(cap >> 24, price_max, divisor)
    return coarse <= VALUE_MAX >> 24 and mul_div_ceil(cap, price_max, divisor) <= VALUE_MAX


@kernel
def is_cap_in_range(pool: Pool, parameter: int, index: int, value: int) -> bool:
    """Whether the value of what a cap lets in stays within 64 bits, as at creation."""
    if parameter == Parameter.DEPOSIT_CAP:
        if index == CASH:
            return value <= VALUE_MAX
        price_max = pool.price_max[pool.asset_underlying[index]]
        return does_value_fit(value, price_max, pool.value_divisor[0])
    if parameter == Parameter.OPEN_INTEREST_CAP:
        price_max = pool.price_max[pool.instrument_underlying[index]]
        return does_value_fit(value, price_max, pool.value_divisor[0])
    return True


@kernel
def does_nest(pool: Pool, parameter: int, index: int, value: int) -> bool:
    """Whether the rules of creation still hold along every pending ramp.

    Levels nest, limits are ordered, liquidation helps the account, hedging is convex.
    """
    if parameter == Parameter.HAIRCUT:
        return is_haircut_safe(pool, index, value)
    if parameter == Parameter.FACTOR:
        return is_factor_safe(pool, index, value)
    if parameter == Parameter.HEDGE_RATE:
        return value <= 2 * pool.tier_maintenance_rate[index, 0]
    if parameter == Parameter.OPEN_INTEREST_LOWER:
        return value < lowest(pool, Parameter.OPEN_INTEREST_UPPER, index)
    if parameter == Parameter.OPEN_INTEREST_UPPER:
        return value > highest(pool, Parameter.OPEN_INTEREST_LOWER, index)
    if parameter == Rule.BONUS_MIN:
        return value <= lowest(pool, Rule.BONUS_MAX, 0)
    if parameter == Rule.BONUS_MAX:
        return (
            value >= highest(pool, Rule.BONUS_MIN, 0)
            and is_bonus_safe(pool, value)
            and are_penalties_safe(pool, value + highest(pool, Rule.LIQUIDATION_FEE, 0))
        )
    if parameter == Rule.LIQUIDATION_FEE:
        return are_penalties_safe(pool, value + highest(pool, Rule.BONUS_MAX, 0))
    if parameter == Rule.AUCTION_START:
        return value >= highest(pool, Rule.AUCTION_FLOOR, 0)
    if parameter == Rule.AUCTION_FLOOR:
        return value <= lowest(pool, Rule.AUCTION_START, 0)
    if parameter == Rule.STALE_NS:
        return value <= lowest(pool, Rule.LONG_STALE_NS, 0)
    if parameter == Rule.LONG_STALE_NS:
        return value >= highest(pool, Rule.STALE_NS, 0)
    return True


@separate
def announce_change(
    pool: Pool, parameter: int, index: int, value: int, start: int, ramp: int
) -> Status:
    """Announce that a parameter will move to a value, from a start time on, over a ramp.

    Checks, in order: PARAMETER_DOES_NOT_EXIST, PARAMETER_OUT_OF_BOUNDS,
    CHANGE_IS_TOO_SOON, RAMP_IS_TOO_SHORT, CHANGE_IS_ALREADY_PENDING, TOO_MANY_CHANGES,
    PARAMETERS_MUST_NEST.
    """
    if not does_parameter_exist(pool, parameter, index):
        return Status.PARAMETER_DOES_NOT_EXIST
    if value < pool.bound_min[parameter] or value > pool.bound_max[parameter]:
        return Status.PARAMETER_OUT_OF_BOUNDS
    if not is_cap_in_range(pool, parameter, index, value):
        return Status.PARAMETER_OUT_OF_BOUNDS
    if start < pool.total[Total.NOW_NS] + max(pool.rule[Rule.CHANGE_DELAY_NS], 1):
        return Status.CHANGE_IS_TOO_SOON
    shortest = pool.rule[Rule.RAMP_NS] if touches_requirements(parameter) else 0
    if ramp < shortest:
        return Status.RAMP_IS_TOO_SHORT
    if pending(pool, parameter, index) >= 0:
        return Status.CHANGE_IS_ALREADY_PENDING
    k = free_row(pool)
    if k < 0:
        return Status.TOO_MANY_CHANGES
    if not does_nest(pool, parameter, index, value):
        return Status.PARAMETERS_MUST_NEST
    row = pool.change[k]
    row[ChangeField.PARAMETER] = parameter
    row[ChangeField.INDEX] = index
    row[ChangeField.OLD] = parameter_column(pool, parameter)[index]
    row[ChangeField.NEW] = value
    row[ChangeField.START_NS] = start
    row[ChangeField.RAMP_NS] = ramp
    row[ChangeField.ACTIVE] = 0
    return Status.OK


@kernel
def cancel_change(pool: Pool, k: int) -> Status:
    """Take back a change that has not started.

    Checks, in order: CHANGE_DOES_NOT_EXIST (an active one can only be followed by another).
    """
    if k < 0 or k >= pool.change.shape[0]:
        return Status.CHANGE_DOES_NOT_EXIST
    if pool.change[k, ChangeField.START_NS] == 0 or pool.change[k, ChangeField.ACTIVE] == 1:
        return Status.CHANGE_DOES_NOT_EXIST
    pool.change[k, :] = 0
    return Status.OK


@kernel
def ramped(old: int, new: int, elapsed: int, ramp: int) -> int:
    """Value on the way from old to new, linear in elapsed ns, rounded down; new at the end."""
    if elapsed >= ramp:
        return new
    # Whole seconds keep the divisor small; the last one ends at `new` all the same.
    return old + mul_div_floor(new - old, elapsed // SECOND_NS, ramp // SECOND_NS + 1)


@kernel
def apply_changes(pool: Pool, log: Log) -> None:
    """Move every started change along its ramp to the pool's clock.

    The step in which a change becomes active leaves its value as it was, however late that
    step comes: the ramp counts from there.
    """
    now = pool.total[Total.NOW_NS]
    for k in range(pool.change.shape[0]):
        row = pool.change[k]
        start = row[ChangeField.START_NS]
        if start == 0 or now < start:
            continue
        if row[ChangeField.ACTIVE] == 0 and touches_requirements(row[ChangeField.PARAMETER]):
            row[ChangeField.START_NS] = start = now
        if row[ChangeField.ACTIVE] == 0:
            row[ChangeField.ACTIVE] = 1
            pool.total[Total.VERSION] += 1
            record_change(
                pool, log, row[ChangeField.PARAMETER], row[ChangeField.INDEX], row[ChangeField.NEW]
            )
        column = parameter_column(pool, row[ChangeField.PARAMETER])
        elapsed, ramp = now - start, row[ChangeField.RAMP_NS]
        column[row[ChangeField.INDEX]] = ramped(
            row[ChangeField.OLD], row[ChangeField.NEW], elapsed, ramp
        )
        if elapsed >= ramp:
            pool.change[k, :] = 0
