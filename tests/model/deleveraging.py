"""Deleveraging of the model: exact fractions where the engine has integers."""

from fractions import Fraction

from tests.model import health, options
from tests.model.liquidation import (
    finish,
    naked_lots,
    part_to_close,
    rates,
    release,
    release_if_healthy,
)
from tests.model.state import (
    DELEVERAGE,
    DELEVERAGING,
    MAINTENANCE,
    MILLION,
    TARGET,
    Account,
    State,
    down,
)
from tests.model.trading import charge, move, settle_one, shares_of

from ringfence.core.pool import Rule
from ringfence.core.status import Status

EVENTS_LARGEST = 100_000


def cut_to_level(sizes: list[int], equities: list[int], needed: int) -> list[int]:
    """Lots to give so that those above one leverage come down to it, all by whole lots."""
    equities = [max(e, 0) for e in equities]
    above = {k for k, size in enumerate(sizes) if size}
    while True:
        kept = sum(sizes[k] for k in above) - needed
        total = sum(equities[k] for k in above)
        below = {k for k in above if total and Fraction(kept * equities[k], total) > sizes[k]}
        if not below:
            break
        above -= below
    order = sorted(above)
    weights = [equities[k] if total else sizes[k] for k in order]
    keeps = shares_of(kept, weights) if order else []
    gives = [0] * len(sizes)
    for k, keep in zip(order, keeps, strict=True):
        gives[k] = sizes[k] - keep
    return gives


def fee_terms(state: State, account: Account, i: int) -> tuple[int, int]:
    """No bonus; the fee within the equity."""
    value = abs(state.value(account.positions[i].size, state.instruments[i].mark))
    bonus, fee = rates(state, health.equity(state, account), value, MILLION)
    return 0, min(state.rules[Rule.LIQUIDATION_FEE], bonus + fee)


Parts = list[tuple[Account, int]]


def losing(state: State, i: int, side: int, most: int) -> Parts:
    """Who waits on a side, and what of the position has to go."""
    found: Parts = []
    for account in state.accounts:
        waits = account.step == DELEVERAGING and account.positions[i].size * side > 0
        if waits and len(found) < most and health.excess(state, account, MAINTENANCE) < 0:
            terms = fee_terms(state, account, i)
            found.append((account, part_to_close(state, account, i, terms)))
    return found


def giving(state: State, i: int, side: int, needed: int) -> list[tuple[Account, int]]:
    """Who gives how many lots: what is not hedged first."""
    others = [a for a in state.accounts if a.positions[i].size * side < 0]
    lot = state.instruments[i].lot
    free = [naked_lots(state, a, i) for a in others]
    equities = [health.equity(state, a) for a in others]
    if sum(free) >= needed:
        gives = cut_to_level(free, equities, needed)
    else:
        rest = [abs(a.positions[i].size) // lot - x for a, x in zip(others, free, strict=True)]
        more = cut_to_level(rest, equities, needed - sum(free))
        gives = [x + y for x, y in zip(free, more, strict=True)]
    return list(zip(others, gives, strict=True))


def close_side(  # noqa: C901 - the whole of it, in order
    state: State, i: int, side: int, losers: Parts
) -> None:
    """Close a side, and let the gains of those who gave lots pay what is missing."""
    instrument = state.instruments[i]
    needed = sum(abs(part) // instrument.lot for _, part in losers)
    givers = giving(state, i, side, needed)
    for account, lots in givers:
        if lots:
            size = side * lots * instrument.lot
            move(state, account, i, size, state.value(size, instrument.mark))
    missing: list[tuple[Account, int]] = []
    for account, part in losers:
        value = state.value(part, instrument.mark)
        fee = down(abs(value), fee_terms(state, account, i)[1], MILLION)
        settle_one(state, account)
        move(state, account, i, -part, -value)
        charge(state, account, fee)
        if health.excess(state, account, TARGET) >= 0 or not health.holds_position(account):
            release(account)
        if not health.holds_position(account) and health.excess(state, account, TARGET) < 0:
            before = state.shortfall
            finish(state, account)
            if state.shortfall > before or account.due:
                missing.append((account, min(account.due, state.shortfall - before)))
    given = give_up(givers, sum(x for _, x in missing))
    for account, loss in missing:
        paid = min(given, account.due, loss)
        given -= paid
        account.due -= paid
        account.uncovered = account.due
        state.shortfall -= paid
    for account, lots in givers:
        if lots:
            release_if_healthy(state, account)
            if account.step == DELEVERAGING and not health.holds_position(account):
                release(account)
                finish(state, account)


def give_up(givers: list[tuple[Account, int]], wanted: int) -> int:
    """Take claims by lots, in rounds; whoever has none left drops out."""
    left = wanted
    while left:
        able = [(a, lots) for a, lots in givers if lots and a.claim]
        if not able:
            break
        total, round_of = sum(lots for _, lots in able), left
        for account, lots in able:
            share = max(round_of * lots // total, int(round_of < total))
            given = min(share, account.claim, left)
            account.claim -= given
            left -= given
    return wanted - left


def deleverage(state: State, i: int, most: int) -> Status:  # noqa: C901 - one return per rule
    """Close who waits in an instrument."""
    if not 0 <= i < len(state.instruments):
        return Status.INSTRUMENT_DOES_NOT_EXIST
    if most < 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if not health.usable(state, DELEVERAGE, state.instruments[i].underlying):
        return Status.PRICE_IS_NOT_USABLE
    if not options.valued(state, DELEVERAGE, i):
        return Status.VALUATION_IS_NOT_USABLE
    most = most or len(state.accounts)
    sides = {side: losing(state, i, side, most) for side in (1, -1)}
    if not any(sides.values()):
        return Status.NOTHING_TO_DELEVERAGE
    assert len(state.accounts) * (8 + len(state.assets)) < EVENTS_LARGEST
    for side in (1, -1):
        if sides[side]:
            losers = losing(state, i, side, most)
            if losers:
                close_side(state, i, side, losers)
    return Status.OK
