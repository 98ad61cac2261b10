"""Health of one account of the model: collateral, result, debt and requirement by level.

What an account would be after a command is asked by changing a copy of it.
"""

from tests.model import options
from tests.model.state import (
    CASH,
    CLOSEOUT,
    INITIAL,
    MAINTENANCE,
    MILLION,
    TARGET,
    Account,
    State,
    down,
    up,
)

from ringfence.core.pool import Rule
from ringfence.core.status import Status

FRESH, UNCERTAIN, STALE, LONG_STALE, DIVERGENT, NON_POSITIVE = range(6)


def debt(state: State, shares: int) -> int:
    """Quote units of some debt shares."""
    return up(shares, state.borrow_index, 10**12)


def collateral(state: State, account: Account, level: int) -> int:
    """Cash, and every other asset at its price less haircut."""
    total = account.balances[CASH]
    for asset, balance in list(zip(state.assets, account.balances, strict=True))[1:]:
        underlying = state.underlyings[asset.underlying]
        price = underlying.price
        if level == INITIAL:
            price = max(0, price - underlying.confidence)
        total += down(state.value(balance, price), MILLION - asset.haircut[level], MILLION)
    return total


def funding_owed(state: State, account: Account, i: int) -> int:
    """Funding since the position last paid, rounded up."""
    position = account.positions[i]
    return up(position.size, state.instruments[i].funding - position.funding_paid, state.divisor)


def result(state: State, account: Account) -> int:
    """Profit and loss not collected yet."""
    total = account.claim - account.due
    for i, position in enumerate(account.positions):
        mark = state.instruments[i].mark
        total += state.value(position.size, mark) - position.cost
        total -= funding_owed(state, account, i)
    return total


def maintenance_of(state: State, u: int, notional: int) -> int:
    """Bracket margin of a notional; the highest line is the one of its tier."""
    lines = [
        up(notional, tier.maintenance, MILLION) - tier.deduction
        for tier in state.underlyings[u].tiers
    ]
    return max(0, *lines)


def initial_of(state: State, u: int, notional: int) -> int:
    """Initial margin of a notional: the tier's rate, raised with the open interest."""
    underlying = state.underlyings[u]
    rate = [tier.initial for tier in underlying.tiers if tier.floor <= notional or tier.floor == 0]
    interest = sum(
        state.value(state.open_interest(i), state.instruments[i].mark)
        for i in underlying.instruments
    )
    low, high = underlying.interest_lower, underlying.interest_upper
    over = min(max(interest - low, 0), high - low)
    return up(notional, rate[-1] + up(over, MILLION - rate[-1], high - low), MILLION)


def requirement(state: State, account: Account, level: int) -> int:
    """Margin requirement at a level; a stricter level never asks for less."""
    total = 0
    for u in range(len(state.underlyings)):
        if state.model == options.SCENARIO:
            floor = brackets(state, u, options.delta_legs(state, account, u), level)
            total += options.scenario(state, account, u, level, floor)
        elif state.model == options.COLLATERALISED:
            total += options.collateralised(state, account, u)
        else:
            legs = [
                state.value(account.positions[i].size, state.instruments[i].mark)
                for i in state.underlyings[u].instruments
                if state.instruments[i].side == 0
            ]
            total += brackets(state, u, legs, level)
        if state.model == options.STANDARD:
            total += options.standard(state, account, u, level)
    return max(total, 0) if level == INITIAL else total


def brackets(state: State, u: int, legs: list[int], level: int) -> int:
    """What the brackets of an underlying ask for the values of some legs."""
    underlying = state.underlyings[u]
    gross, net = sum(map(abs, legs)), abs(sum(legs))
    if gross == 0:
        return 0
    hedge = up((gross - net) // 2, underlying.hedge_rate, MILLION)
    plain = maintenance_of(state, u, net) + hedge
    asked = [up(plain, underlying.factor[k], MILLION) for k in (CLOSEOUT, MAINTENANCE, TARGET)]
    if level == INITIAL:
        base = initial_of(state, u, net) + hedge
        asked.append(up(base, underlying.factor[INITIAL], MILLION))
    return max(asked[: CLOSEOUT - level + 1])


def excess(state: State, account: Account, level: int, weight: int | None = None) -> int:
    """Excess margin; at initial, profit counts by the pool's weight or the given one."""
    if weight is None:
        weight = state.rules[Rule.PROFIT_WEIGHT] if level == INITIAL else MILLION
    gain = result(state, account)
    if gain > 0:
        gain = down(gain, weight, MILLION)
    owed = debt(state, account.debt_shares) + requirement(state, account, level)
    return collateral(state, account, level) + gain - owed


def equity(state: State, account: Account) -> int:
    """Worth at maintenance haircuts."""
    worth = collateral(state, account, MAINTENANCE) + result(state, account)
    return worth - debt(state, account.debt_shares)


def health_factor(state: State, account: Account) -> int:
    """Assets over what they must cover, in ppm."""
    gain = result(state, account)
    have = collateral(state, account, MAINTENANCE) + max(gain, 0)
    need = debt(state, account.debt_shares) + max(-gain, 0)
    need += requirement(state, account, MAINTENANCE)
    while need > 2**50:
        have, need = have // 2, need // 2
    if need <= 0 or have >= need * MILLION:
        return 10**12
    return have * MILLION // need


def holds_position(account: Account) -> bool:
    """Whether there is any position."""
    return any(p.size for p in account.positions)


def can_owe(account: Account) -> bool:
    """Whether there is a position, a debt or a due."""
    return holds_position(account) or account.debt_shares > 0 or account.due > 0


def price_class(state: State, u: int) -> int:
    """How good an index price is now: the worst of what applies."""
    underlying = state.underlyings[u]
    age = state.now - underlying.published
    found = FRESH
    if underlying.confidence > down(underlying.price, state.rules[Rule.CONFIDENCE_MAX], MILLION):
        found = UNCERTAIN
    if age >= state.rules[Rule.STALE_NS]:
        found = STALE
    if age >= state.rules[Rule.LONG_STALE_NS]:
        found = LONG_STALE
    if underlying.flag == 1:
        found = DIVERGENT
    if underlying.flag == 2 or underlying.price <= 0:
        found = NON_POSITIVE
    return found


def usable(state: State, action: int, u: int) -> bool:
    """Whether the pool's table lets an action use the price of an underlying."""
    return state.allowed[action][price_class(state, u)]


def exposures(state: State, account: Account) -> set[int]:
    """Underlyings that the account's health depends on."""
    held = {state.instruments[i].underlying for i, p in enumerate(account.positions) if p.size}
    for c in range(1, len(state.assets)):
        if account.balances[c]:
            held.add(state.assets[c].underlying)
    return held


def exposure_rule(state: State, action: int, account: Account) -> Status:
    """Whether an action may use every price and valuation that the account depends on."""
    if not all(usable(state, action, u) for u in exposures(state, account)):
        return Status.PRICE_IS_NOT_USABLE
    held = [i for i, position in enumerate(account.positions) if position.size]
    if not all(options.valued(state, action, i) for i in held):
        return Status.VALUATION_IS_NOT_USABLE
    return Status.OK


def notional(state: State, account: Account) -> int:
    """Gross notional of all positions."""
    return sum(
        abs(state.value(p.size, state.instruments[i].mark)) for i, p in enumerate(account.positions)
    )
