"""Warnings and protective orders of the model."""

from tests.model import health, liquidation
from tests.model.money import deposit
from tests.model.state import CASH, MAINTENANCE, MILLION, OPEN, TARGET, Account, State
from tests.model.trading import charge, move, settle_one

from ringfence.core.status import Status


def warn(state: State, account: Account) -> Status:
    """Tell how many levels it is below, if that has changed."""
    below = sum(health.excess(state, account, level) < 0 for level in range(4))
    if below == account.warned:
        return Status.NOTHING_TO_WARN_OF
    account.warned = below
    return Status.OK


def protect(state: State, account: Account, budget: int, reduces: int) -> Status:
    """A standing order of the owner."""
    if account is state.accounts[0]:
        return Status.BACKSTOP_IS_RESTRICTED
    if min(budget, reduces) < 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if budget >= 2**53 or reduces > 1:
        return Status.AMOUNT_EXCEEDS_LIMIT
    account.protect_budget, account.protect_reduce = budget, reduces
    return Status.OK


def top_up(state: State, account: Account, c: int, amount: int) -> Status:
    """Cash out of the budget."""
    if c != CASH:
        return Status.ASSET_DOES_NOT_EXIST
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if amount > account.protect_budget:
        return Status.EXCEEDS_BUDGET
    if amount > -health.excess(state, account, TARGET):
        return Status.NOTHING_TO_PROTECT
    status = deposit(state, account, CASH, amount)
    if status == Status.OK:
        account.protect_budget -= amount
    return status


def reduce(state: State, account: Account) -> Status:
    """A position to the backstop, as the owner allowed."""
    below = health.excess(state, account, TARGET) < 0 <= health.excess(state, account, MAINTENANCE)
    is_held = health.holds_position(account)
    if not (account.protect_reduce and is_held and not account.step and below):
        return Status.NOTHING_TO_PROTECT
    rule = health.exposure_rule(state, OPEN, account)
    if rule != Status.OK:
        return rule
    i = liquidation.most_freeing(state, account)
    notional = health.notional(state, account)
    terms = liquidation.rates(state, health.equity(state, account), notional, MILLION)
    part = liquidation.part_to_close(state, account, i, terms)
    if not liquidation.backstop_takes(state, i, part):
        return Status.EXCEEDS_BACKSTOP_CAPITAL
    settle_one(state, account)
    _, value, bonus, fee = liquidation.close_part(state, account, i, part, terms)
    state.taken += abs(value)
    move(state, account, i, -part, bonus - value)
    move(state, state.accounts[0], i, part, value - bonus)
    charge(state, account, fee)
    return Status.OK
