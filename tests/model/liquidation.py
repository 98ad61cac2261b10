"""Liquidation of the model: positions, then cash, claim and collateral, then the shortfall."""

from collections.abc import Callable

from tests.model import auction, health, own_means
from tests.model.money import pay_debt, pay_due, shares_for
from tests.model.state import (
    AUCTION,
    CASH,
    CLOSEOUT,
    DELEVERAGING,
    LIQUIDATE,
    MAINTENANCE,
    MILLION,
    TARGET,
    Account,
    State,
    down,
    up,
)
from tests.model.trading import charge, cover_due, draw_insurance, fresh_due, move, settle_one

from ringfence.core.pool import Rule
from ringfence.core.status import Status


def bonus_rate(state: State, factor: int) -> int:
    """Bonus by health factor."""
    low, high = state.rules[Rule.BONUS_MIN], state.rules[Rule.BONUS_MAX]
    lowest = state.rules[Rule.BONUS_HEALTH]
    if factor <= lowest:
        return high
    return low + down(high - low, max(MILLION - factor, 0), MILLION - lowest)


def rates(state: State, worth: int, taken: int, factor: int) -> tuple[int, int]:
    """Bonus and fee, together never more than what the account is worth."""
    if worth <= 0 or taken <= 0:
        return 0, 0
    while taken > 2**50:
        worth, taken = worth // 2, taken // 2
    most = min(MILLION, worth * MILLION // taken)
    bonus = min(bonus_rate(state, factor), most)
    return bonus, min(state.rules[Rule.LIQUIDATION_FEE], most - bonus)


def first(high: int, holds: Callable[[int], bool]) -> int:
    """Smallest number up to high for which something holds, by halving from zero.

    Rounding can make it hold, fail and hold again within a few units; then the halving
    itself decides, so it has to be the engine's.
    """
    low = 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def close_part(
    state: State, account: Account, i: int, part: int, terms: tuple[int, int]
) -> tuple[Account, int, int, int]:
    """The account without a part of a position; and value, bonus and fee of that part."""
    value = state.value(part, state.instruments[i].mark)
    bonus, fee = (down(abs(value), rate, MILLION) for rate in terms)
    after = account.copy()
    after.positions[i].cost += health.funding_owed(state, account, i) + bonus - value
    after.positions[i].funding_paid = state.instruments[i].funding
    after.positions[i].size -= part
    return after, value, bonus, fee


def naked_lots(state: State, account: Account, i: int) -> int:
    """Lots by which a position exceeds what hedges it on its underlying."""
    instrument, size = state.instruments[i], account.positions[i].size
    legs = state.underlyings[instrument.underlying].instruments
    net = sum(state.value(account.positions[j].size, state.instruments[j].mark) for j in legs)
    if net * size <= 0:
        return 0
    return min(
        abs(net) // state.value(instrument.lot, instrument.mark), abs(size) // instrument.lot
    )


def part_to_close(state: State, account: Account, i: int, terms: tuple[int, int]) -> int:
    """Signed part of a position that brings the account to target; all of it if none does."""
    size, instrument = account.positions[i].size, state.instruments[i]
    side, lots = (1 if size > 0 else -1), abs(size) // instrument.lot

    def reaches(count: int) -> bool:
        part = side * count * instrument.lot
        after, _, _, fee = close_part(state, account, i, part, terms)
        return health.excess(state, after, TARGET) - fee >= 0

    best = next((n for n in (naked_lots(state, account, i), lots) if reaches(n)), None)
    if best is None:
        return size
    count = first(best, reaches)
    rest = state.value((lots - count) * instrument.lot, instrument.mark)
    return size if rest < state.rules[Rule.DUST] else side * count * instrument.lot


def most_freeing(state: State, account: Account) -> int:
    """The position whose closing frees the most margin; the first of equals."""
    best: tuple[int, int] | None = None
    for i, position in enumerate(account.positions):
        if position.size == 0:
            continue
        without = account.copy()
        without.positions[i].size = 0
        left = health.requirement(state, without, TARGET)
        if best is None or left < best[0]:
            best = left, i
    assert best is not None
    return best[1]


def backstop_takes(state: State, i: int, part: int) -> bool:
    """Whether the backstop may take over a part: what reduces it, or what its limits allow."""
    held = state.accounts[0].positions[i].size
    if held * part < 0 and abs(part) <= abs(held):
        return True
    value = abs(state.value(part, state.instruments[i].mark))
    if state.taken + value > state.rules[Rule.BACKSTOP_LIMIT]:
        return False
    reserve = state.rules[Rule.BACKSTOP_RESERVE]
    needed = up(health.notional(state, state.accounts[0]) + value, reserve, MILLION)
    return reserve == 0 or health.equity(state, state.accounts[0]) >= needed


def release(account: Account) -> None:
    """Out of any step."""
    account.step = account.step_since = account.auction_raised = account.auction_notional = 0


def release_if_healthy(state: State, account: Account | None) -> None:
    """Out of its step once it is at maintenance again."""
    if account and account.step and health.excess(state, account, MAINTENANCE) >= 0:
        release(account)


def liquidate_positions(state: State, account: Account) -> None:
    """Positions to the backstop, until target, or none is left, or it declines."""
    worth = health.equity(state, account)
    terms = rates(
        state, worth, health.notional(state, account), health.health_factor(state, account)
    )
    while health.excess(state, account, TARGET) < 0 and health.holds_position(account):
        i = most_freeing(state, account)
        part = part_to_close(state, account, i, terms)
        if not backstop_takes(state, i, part):
            account.step, account.step_since = DELEVERAGING, state.now
            break
        _, value, bonus, fee = close_part(state, account, i, part, terms)
        state.taken += abs(value)
        move(state, account, i, -part, bonus - value)
        move(state, state.accounts[0], i, part, value - bonus)
        charge(state, account, fee)


def owed(state: State, account: Account) -> int:
    """Due and debt."""
    return account.due + health.debt(state, account.debt_shares)


def lift(state: State, account: Account, amount: int) -> tuple[int, int]:
    """Due and debt shares that go when an amount of liability is taken over."""
    due = min(account.due, amount)
    return due, shares_for(state, account, amount - due)


def take_over(state: State, account: Account, amount: int) -> int:
    """Move liability to the backstop; return by how much the account owes less."""
    before, backstop = owed(state, account), state.accounts[0]
    due, shares = lift(state, account, amount)
    account.due -= due
    account.debt_shares -= shares
    backstop.debt_shares += shares
    net = backstop.claim - backstop.due - due
    backstop.claim, backstop.due = max(net, 0), max(-net, 0)
    pay_due(state, backstop)
    pay_debt(state, backstop, health.debt(state, backstop.debt_shares))
    return before - owed(state, account)


def liquidate_claim(state: State, account: Account) -> None:
    """A claim at its face value against what is owed."""
    taken = min(account.claim, owed(state, account))
    take_over(state, account, taken)
    account.claim -= taken
    backstop = state.accounts[0]
    net = backstop.claim - backstop.due + taken
    backstop.claim, backstop.due = max(net, 0), max(-net, 0)


def covered(state: State, account: Account, c: int, taken: int, bonus: int) -> int:
    """Liability that an amount of collateral covers."""
    price = state.underlyings[state.assets[c].underlying].price
    value = state.value(taken, price)
    return min(down(value, MILLION, MILLION + bonus), owed(state, account))


def collateral_needed(state: State, account: Account, c: int, bonus: int) -> int:
    """Least collateral that brings the account to target; all that helps if none does."""
    price = state.underlyings[state.assets[c].underlying].price
    gross = up(owed(state, account), MILLION + bonus, MILLION)
    most = min(account.balances[c], up(gross + 1, state.divisor, price))

    def reaches(taken: int) -> bool:
        due, shares = lift(state, account, covered(state, account, c, taken, bonus))
        after = account.copy()
        after.balances[c] -= taken
        after.debt_shares -= shares
        after.due -= due
        return health.excess(state, after, TARGET) >= 0

    return first(most, reaches) if reaches(most) else most


def coin_bonus(state: State, account: Account) -> int:
    """Bonus on coins, at most what claim and coins exceed the liability by."""
    assets = range(1, len(state.assets))
    prices = [0] + [state.underlyings[state.assets[c].underlying].price for c in assets]
    have = account.claim + sum(state.value(account.balances[c], prices[c]) for c in assets)
    debts = owed(state, account)
    bonus, _ = rates(state, have - debts, debts, health.health_factor(state, account))
    return bonus


def liquidate_balances(state: State, account: Account) -> None:
    """Cash, claim and collateral against what is owed."""
    pay_debt(state, account, health.debt(state, account.debt_shares))
    if account.claim and health.excess(state, account, TARGET) < 0:
        liquidate_claim(state, account)
    if account.supply_shares and health.excess(state, account, TARGET) < 0:
        value = own_means.lent_value(state, account.supply_shares)
        taken = min(value, owed(state, account))
        shares = (
            account.supply_shares
            if taken == value
            else own_means.lent_shares(state, account, taken)
        )
        account.supply_shares -= shares
        state.accounts[0].supply_shares += shares
        take_over(state, account, taken)
    bonus = coin_bonus(state, account)
    for c in range(1, len(state.assets)):
        if health.excess(state, account, TARGET) >= 0 or owed(state, account) == 0:
            break
        if account.balances[c]:
            taken = collateral_needed(state, account, c, bonus)
            take_over(state, account, covered(state, account, c, taken, bonus))
            account.balances[c] -= taken
            state.accounts[0].balances[c] += taken


def coins_for_due(state: State, account: Account) -> None:
    """Coins against the due alone, one asset after the other."""
    bonus = coin_bonus(state, account)
    for c in range(1, len(state.assets)):
        if not (account.due and account.balances[c]):
            continue
        price = state.underlyings[state.assets[c].underlying].price
        gross = up(account.due, MILLION + bonus, MILLION)
        taken = min(account.balances[c], up(gross, state.divisor, price))
        amount = min(account.due, covered(state, account, c, taken, bonus))
        take_over(state, account, amount)
        account.balances[c] -= taken
        state.accounts[0].balances[c] += taken


def is_empty(account: Account) -> bool:
    """Whether nothing is left to take."""
    has = any(account.balances) or account.claim or account.supply_shares
    has = has or account.backstop_shares
    return not (has or health.holds_position(account))


def has_open_loss(account: Account) -> bool:
    """Whether it owes something that no shortfall is on record for."""
    return account.debt_shares > 0 or fresh_due(account) > 0


def record_shortfall(state: State, account: Account) -> None:
    """Insurance pays what it may; debt is written off; a due stays."""
    due, debt = fresh_due(account), health.debt(state, account.debt_shares)
    drawn = draw_insurance(state, due + debt)
    cover_due(state, account, min(drawn, due))
    state.debt_shares -= account.debt_shares
    account.debt_shares = 0
    state.lender_cash += drawn - min(drawn, due)
    left = state.lender_cash + health.debt(state, state.debt_shares)
    state.reserve = min(state.reserve, left)
    state.shortfall += due + debt - drawn


def finish(state: State, account: Account) -> None:
    """What comes once there is no position."""
    if not health.holds_position(account):
        liquidate_balances(state, account)
        if state.ended_at:
            coins_for_due(state, account)
        knows = health.exposure_rule(state, LIQUIDATE, state.accounts[0]) == Status.OK
        if account.backstop_shares and knows and health.excess(state, account, TARGET) < 0:
            value = own_means.capital_value(state, account.backstop_shares)
            taken = min(value, owed(state, account))
            own_means.burn_capital(account, taken, value)
            take_over(state, account, taken)
    if is_empty(account) and has_open_loss(account):
        record_shortfall(state, account)


def in_grace(state: State, account: Account) -> bool:
    """Whether a price of the account has just come back, and it is not below closeout."""
    graces = [state.underlyings[u].grace_until for u in health.exposures(state, account)]
    recent = any(state.now < until for until in graces)
    return recent and health.excess(state, account, CLOSEOUT) >= 0


def priced_by(state: State, account: Account) -> Account:
    """Whose prices decide: the backstop's, where nothing but shares of its capital is left."""
    rest = account.copy()
    rest.backstop_shares = 0
    is_last = account.backstop_shares and is_empty(rest)
    return state.accounts[0] if is_last else account


def call_due_in(state: State, account: Account) -> Status:
    """Coins of a healthy account for a due that has outlived the pool."""
    status = health.exposure_rule(state, LIQUIDATE, account)
    if status != Status.OK:
        return status
    if in_grace(state, account):
        return Status.ACCOUNT_IS_IN_GRACE_PERIOD
    coins_for_due(state, account)
    return Status.OK


def liquidate(state: State, account: Account) -> Status:  # noqa: C901 - one return per rule, in order
    """Bring an account back to target, or to its end."""
    if account is state.accounts[0]:
        return Status.BACKSTOP_IS_NOT_LIQUIDATED
    if health.excess(state, account, MAINTENANCE) >= 0:
        if state.ended_at and account.due:
            return call_due_in(state, account)
        was_in_step = account.step
        release(account)
        return Status.OK if was_in_step else Status.ACCOUNT_IS_HEALTHY
    if is_empty(account) and not (account.step or has_open_loss(account)):
        return Status.NOTHING_TO_LIQUIDATE
    status = health.exposure_rule(state, LIQUIDATE, priced_by(state, account))
    if status != Status.OK:
        return status
    if in_grace(state, account):
        return Status.ACCOUNT_IS_IN_GRACE_PERIOD
    if account.step == DELEVERAGING and health.holds_position(account):
        return Status.ACCOUNT_AWAITS_DELEVERAGING
    up_for = auction.is_wanted(state, account)
    if up_for and account.step == AUCTION and not auction.is_over(state, account):
        return Status.AUCTION_IS_RUNNING
    settle_one(state, account)
    own_means.use_lent_cash(state, account)
    own_means.use_capital(state, account)
    if health.excess(state, account, MAINTENANCE) >= 0:
        release(account)
    elif up_for and not account.step:
        auction.start(state, account)
    else:
        release(account)
        liquidate_positions(state, account)
        finish(state, account)
    assert account.balances[CASH] >= 0
    return Status.OK
