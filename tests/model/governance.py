"""Parameter changes of the model: announced, delayed, ramped."""

from collections.abc import MutableSequence

from tests.model.state import (
    BAND,
    DEPOSIT_CAP,
    FACTOR,
    FUNDING_MAX,
    HAIRCUT,
    HEDGE_RATE,
    INTEREST_CAP,
    INTEREST_LOWER,
    INTEREST_UPPER,
    MAKER_FEE,
    MILLION,
    POSITION_CAP,
    TAKER_FEE,
    TARGET,
    Change,
    State,
)

from ringfence.core.pool import Rule
from ringfence.core.status import Status

VALUE_LARGEST = 4 * 10**15  # quote units
FIELDS = {
    DEPOSIT_CAP: ("assets", "cap"),
    HEDGE_RATE: ("underlyings", "hedge_rate"),
    INTEREST_LOWER: ("underlyings", "interest_lower"),
    INTEREST_UPPER: ("underlyings", "interest_upper"),
    POSITION_CAP: ("instruments", "position_cap"),
    INTEREST_CAP: ("instruments", "interest_cap"),
    BAND: ("instruments", "band"),
    TAKER_FEE: ("instruments", "taker_fee"),
    MAKER_FEE: ("instruments", "maker_fee"),
    FUNDING_MAX: ("instruments", "funding_max"),
}


def axis(state: State, parameter: int) -> int:
    """How many of a parameter the pool has; 0 when there is no such parameter."""
    if 0 <= parameter < len(state.rules):
        return 1
    if parameter == HAIRCUT:
        return 4 * len(state.assets)
    if parameter == FACTOR:
        return 4 * len(state.underlyings)
    return len(getattr(state, FIELDS[parameter][0])) if parameter in FIELDS else 0


def _levels(state: State, parameter: int, index: int) -> tuple[MutableSequence[int], int]:
    owners = state.assets if parameter == HAIRCUT else state.underlyings
    level, k = divmod(index, len(owners))
    return (owners[k].haircut if parameter == HAIRCUT else owners[k].factor), level  # type: ignore[union-attr]


def get(state: State, parameter: int, index: int) -> int:
    """Value of a parameter now."""
    if parameter < len(state.rules):
        return state.rules[parameter]
    if parameter in (HAIRCUT, FACTOR):
        levels, level = _levels(state, parameter, index)
        return levels[level]
    group, name = FIELDS[parameter]
    return int(getattr(getattr(state, group)[index], name))


def put(state: State, parameter: int, index: int, value: int) -> None:
    """Set a parameter."""
    if parameter < len(state.rules):
        state.rules[parameter] = value
    elif parameter in (HAIRCUT, FACTOR):
        levels, level = _levels(state, parameter, index)
        levels[level] = value
    else:
        group, name = FIELDS[parameter]
        setattr(getattr(state, group)[index], name, value)


def find(state: State, parameter: int, index: int) -> Change | None:
    """The pending change of a parameter."""
    for change in state.changes:
        if change and (change.parameter, change.index) == (parameter, index):
            return change
    return None


def reach(state: State, parameter: int, index: int = 0) -> tuple[int, int]:
    """Lowest and highest value that a parameter has or is on its way to."""
    change, now = find(state, parameter, index), get(state, parameter, index)
    target = change.new if change else now
    return min(now, target), max(now, target)


def seizure_helps(haircut: int, bonus: int) -> bool:
    """(1 - haircut) * (1 + bonus) < 1, rounded against the account."""
    return -((haircut - MILLION) * (MILLION + bonus) // MILLION) < MILLION


def haircut_fits(state: State, index: int, value: int) -> bool:
    """Haircuts fall from initial to closeout, and the bonus stays below the target's."""
    count = len(state.assets)
    level = index // count
    if level > 0 and reach(state, HAIRCUT, index - count)[0] < value:
        return False
    if level < 3 and reach(state, HAIRCUT, index + count)[1] > value:
        return False
    return level != TARGET or seizure_helps(value, reach(state, Rule.BONUS_MAX)[1])


def bonus_fits(state: State, bonus: int) -> bool:
    """The bonus stays below every target haircut."""
    count = len(state.assets)
    haircuts = [reach(state, HAIRCUT, TARGET * count + c)[0] for c in range(1, count)]
    return all(seizure_helps(h, bonus) for h in haircuts)


def penalty_pays(state: State, u: int, factor: int, penalty: int) -> bool:
    """Closing a position frees more than its bonus and fee, if there is any to close."""
    underlying = state.underlyings[u]
    freed = underlying.tiers[0].maintenance * factor // MILLION
    return penalty < freed or not underlying.instruments


def penalties_pay(state: State, penalty: int) -> bool:
    """The same for every underlying, at the lowest target factor on the way."""
    count = len(state.underlyings)
    return all(
        penalty_pays(state, u, reach(state, FACTOR, TARGET * count + u)[0], penalty)
        for u in range(count)
    )


def cap_fits(state: State, parameter: int, index: int, value: int) -> bool:
    """A cap is worth at most the largest value at the highest price."""
    if parameter == DEPOSIT_CAP and index == 0:
        return value <= VALUE_LARGEST
    if parameter == DEPOSIT_CAP:
        u = state.assets[index].underlying
    elif parameter == INTEREST_CAP:
        u = state.instruments[index].underlying
    else:
        return True
    return value * state.underlyings[u].price_max <= VALUE_LARGEST * state.divisor


def fits(state: State, parameter: int, index: int, value: int) -> bool:
    """Whether a new value keeps levels nested and limits in order."""
    ordered = {
        (INTEREST_LOWER, INTEREST_UPPER, True),
        (Rule.BONUS_MIN, Rule.BONUS_MAX, False),
        (Rule.STALE_NS, Rule.LONG_STALE_NS, False),
        (Rule.AUCTION_FLOOR, Rule.AUCTION_START, False),
    }
    for low, high, strictly in ordered:
        if parameter == low and value > reach(state, high, index)[0] - strictly:
            return False
        if parameter == high and value < reach(state, low, index)[1] + strictly:
            return False
    if parameter == HAIRCUT:
        return haircut_fits(state, index, value)
    if parameter == HEDGE_RATE:
        return value <= 2 * state.underlyings[index].tiers[0].maintenance
    return safe(state, parameter, index, value)


def safe(state: State, parameter: int, index: int, value: int) -> bool:
    """Whether a liquidation still helps the account."""
    bonus, fee = reach(state, Rule.BONUS_MAX)[1], reach(state, Rule.LIQUIDATION_FEE)[1]
    if parameter == FACTOR:
        level, u = divmod(index, len(state.underlyings))
        return level != TARGET or penalty_pays(state, u, value, bonus + fee)
    if parameter == Rule.LIQUIDATION_FEE:
        return penalties_pay(state, bonus + value)
    if parameter == Rule.BONUS_MAX:
        return bonus_fits(state, value) and penalties_pay(state, value + fee)
    return True


def announce(state: State, parameter: int, index: int, value: int, start: int, ramp: int) -> Status:  # noqa: C901 - one return per rule, in order
    """Announce a change."""
    if not 0 <= index < axis(state, parameter):
        return Status.PARAMETER_DOES_NOT_EXIST
    low, high = state.bounds[parameter]
    if not low <= value <= high:
        return Status.PARAMETER_OUT_OF_BOUNDS
    if not cap_fits(state, parameter, index, value):
        return Status.PARAMETER_OUT_OF_BOUNDS
    if start < state.now + max(1, state.rules[Rule.CHANGE_DELAY_NS]):
        return Status.CHANGE_IS_TOO_SOON
    slow = parameter in (HAIRCUT, FACTOR, HEDGE_RATE)
    if ramp < (state.rules[Rule.RAMP_NS] if slow else 0):
        return Status.RAMP_IS_TOO_SHORT
    if find(state, parameter, index):
        return Status.CHANGE_IS_ALREADY_PENDING
    if None not in state.changes:
        return Status.TOO_MANY_CHANGES
    if not fits(state, parameter, index, value):
        return Status.PARAMETERS_MUST_NEST
    old = get(state, parameter, index)
    state.changes[state.changes.index(None)] = Change(parameter, index, old, value, start, ramp)
    return Status.OK


def cancel(state: State, k: int) -> Status:
    """Take a change back before it starts."""
    change = state.changes[k] if 0 <= k < len(state.changes) else None
    if change is None or change.active:
        return Status.CHANGE_DOES_NOT_EXIST
    state.changes[k] = None
    return Status.OK


def progress(state: State) -> None:
    """Move every started change along its ramp."""
    for k, change in enumerate(state.changes):
        if change is None or state.now < change.start:
            continue
        if not change.active:
            change.active = True
            state.version += 1
            if change.parameter in (HAIRCUT, FACTOR, HEDGE_RATE):
                change.start = state.now
        elapsed = state.now - change.start
        value = change.new
        if elapsed < change.ramp:
            steps = change.ramp // 10**9 + 1
            value = change.old + (change.new - change.old) * (elapsed // 10**9) // steps
        else:
            state.changes[k] = None
        put(state, change.parameter, change.index, value)
