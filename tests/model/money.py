"""Collateral, lending and insurance of the model."""

from tests.model import health
from tests.model.state import (
    CASH,
    INITIAL,
    MAINTENANCE,
    MILLION,
    OPEN,
    WITHDRAW,
    Account,
    State,
    down,
    up,
)

from ringfence.core.pool import Rule
from ringfence.core.status import Status

BASE = 10**12
LARGEST = 2**53 - 1
SUPPLY_LARGEST = 2**49
YEAR = 365 * 24 * 3600


def take_in(state: State, account: Account, c: int, amount: int) -> None:
    """Add a balance; cash pays what is due first."""
    account.balances[c] += amount
    if c == CASH:
        pay_due(state, account)


def pay_due(state: State, account: Account) -> None:
    """Let the account's cash pay its due; a bidder on trial may have less than none."""
    paid = max(min(account.due, account.balances[CASH]), 0)
    account.due -= paid
    account.balances[CASH] -= paid
    state.settled_cash += paid


def deposit_rule(state: State, c: int, amount: int) -> Status:
    """First rule that a deposit breaks."""
    if not 0 <= c < len(state.assets):
        return Status.ASSET_DOES_NOT_EXIST
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if amount > LARGEST:
        return Status.AMOUNT_EXCEEDS_LIMIT
    if state.deposited(c) + amount > state.assets[c].cap:
        return Status.EXCEEDS_DEPOSIT_CAP
    return Status.OK


def deposit(state: State, account: Account, c: int, amount: int) -> Status:
    """Wallet to account."""
    status = deposit_rule(state, c, amount)
    if status == Status.OK:
        take_in(state, account, c, amount)
    return status


def may_leave(state: State, account: Account, c: int, amount: int) -> Status:
    """Whether an amount may leave the account; profit never helps."""
    if not health.can_owe(account):
        return Status.OK
    status = health.exposure_rule(state, WITHDRAW, account)
    if status != Status.OK:
        return status
    after = account.copy()
    after.balances[c] -= amount
    if health.excess(state, after, INITIAL, weight=0) < 0:
        return Status.INITIAL_MARGIN_TOO_LOW
    return Status.OK


def withdraw(state: State, account: Account, c: int, amount: int) -> Status:
    """Account to wallet."""
    if not 0 <= c < len(state.assets):
        return Status.ASSET_DOES_NOT_EXIST
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if amount > account.balances[c]:
        return Status.EXCEEDS_BALANCE
    status = may_leave(state, account, c, amount)
    if status == Status.OK:
        account.balances[c] -= amount
    return status


def fund_insurance(state: State, account: Account, amount: int) -> Status:
    """A gift to the insurance fund."""
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if amount > account.balances[CASH]:
        return Status.EXCEEDS_BALANCE
    status = may_leave(state, account, CASH, amount)
    if status == Status.OK:
        account.balances[CASH] -= amount
        state.insurance += amount
    return status


def exchange(  # noqa: C901 - one return per rule, in order
    state: State, seller: Account, buyer: Account, c: int, amount: int, price: int
) -> Status:
    """Collateral against cash between two accounts."""
    if not 1 <= c < len(state.assets):
        return Status.ASSET_DOES_NOT_EXIST
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if price <= 0:
        return Status.PRICE_MUST_BE_POSITIVE
    if price > state.underlyings[state.assets[c].underlying].price_max:
        return Status.PRICE_EXCEEDS_LIMIT
    value = state.value(amount, price)
    if amount > seller.balances[c] or value > buyer.balances[CASH]:
        return Status.EXCEEDS_BALANCE
    sold, bought = seller.copy(), buyer.copy()
    sold.balances[c] -= amount
    sold.balances[CASH] += value
    bought.balances[c] += amount
    bought.balances[CASH] -= value
    left = health.excess(state, sold, MAINTENANCE)
    cheap = value < state.value(amount, state.underlyings[state.assets[c].underlying].price)
    loses = left < health.excess(state, seller, MAINTENANCE) or (left < 0 and cheap)
    seller_bound, buyer_bound = loses and health.can_owe(seller), health.can_owe(buyer)
    status = health.exposure_rule(state, WITHDRAW, seller)
    if seller_bound and status != Status.OK:
        return status
    status = health.exposure_rule(state, WITHDRAW, bought)
    if buyer_bound and status != Status.OK:
        return status
    if seller_bound and health.excess(state, sold, INITIAL, weight=0) < 0:
        return Status.INITIAL_MARGIN_TOO_LOW
    if buyer_bound and health.excess(state, bought, INITIAL, weight=0) < 0:
        return Status.OTHER_INITIAL_MARGIN_TOO_LOW
    seller.balances[c] -= amount
    buyer.balances[c] += amount
    buyer.balances[CASH] -= value
    take_in(state, seller, CASH, value)
    return Status.OK


def all_debt(state: State) -> int:
    """What all borrowers owe."""
    return health.debt(state, state.debt_shares)


def lent(state: State) -> int:
    """What the lenders own."""
    return state.lender_cash + all_debt(state) - state.reserve


def yearly_rate(state: State) -> int:
    """Borrow rate now: two straight lines that meet at the kink."""
    owed = all_debt(state)
    used = down(owed, MILLION, state.lender_cash + owed) if owed else 0
    kink = state.rules[Rule.RATE_KINK]
    rate = state.rules[Rule.RATE_BASE] + down(min(used, kink), state.rules[Rule.RATE_SLOPE1], kink)
    if used > kink:
        rate += down(used - kink, state.rules[Rule.RATE_SLOPE2], MILLION - kink)
    return rate


def accrue(state: State) -> None:
    """Interest up to the clock's second."""
    second = state.now // 10**9
    seconds = min(second - state.accrued_until, YEAR)
    state.accrued_until = second
    if seconds <= 0 or state.debt_shares == 0:
        return
    owed = all_debt(state)
    grown = up(state.borrow_index, yearly_rate(state) * seconds, MILLION * YEAR)
    state.borrow_index = min(state.borrow_index + grown, 2**50)
    interest = all_debt(state) - owed
    state.reserve += down(interest, state.rules[Rule.RESERVE_FACTOR], MILLION)
    paid = min(state.reserve, state.lender_cash)
    state.reserve -= paid
    state.lender_cash -= paid
    state.insurance += paid


def supply(state: State, account: Account, amount: int) -> Status:
    """Cash to the lenders."""
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    owned = lent(state)
    if owned + amount > min(state.rules[Rule.SUPPLY_CAP], SUPPLY_LARGEST):
        return Status.EXCEEDS_SUPPLY_CAP
    if amount > account.balances[CASH]:
        return Status.EXCEEDS_BALANCE
    if owned < state.supply_shares // 1000:
        return Status.LENDERS_ARE_WIPED_OUT
    shares = down(amount, state.supply_shares + 1, owned + 1)
    if shares == 0:
        return Status.AMOUNT_BELOW_ONE_SHARE
    status = may_leave(state, account, CASH, amount)
    if status == Status.OK:
        account.balances[CASH] -= amount
        account.supply_shares += shares
        state.lender_cash += amount
        state.supply_shares += shares
    return status


def redeem(state: State, account: Account, shares: int) -> Status:
    """Shares of the lenders to cash."""
    if shares <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if shares > account.supply_shares:
        return Status.EXCEEDS_SUPPLY
    amount = down(shares, lent(state) + 1, state.supply_shares + 1)
    if amount > state.lender_cash:
        return Status.EXCEEDS_LENDER_CASH
    account.supply_shares -= shares
    state.supply_shares -= shares
    state.lender_cash -= amount
    take_in(state, account, CASH, amount)
    return Status.OK


def borrow(state: State, account: Account, amount: int) -> Status:
    """Lenders to cash."""
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if amount > state.lender_cash:
        return Status.EXCEEDS_LENDER_CASH
    if all_debt(state) + amount > state.rules[Rule.BORROW_CAP]:
        return Status.EXCEEDS_BORROW_CAP
    status = health.exposure_rule(state, OPEN, account)
    if status != Status.OK:
        return status
    shares = up(amount, BASE, state.borrow_index)
    after = account.copy()
    after.balances[CASH] += amount
    after.debt_shares += shares
    if health.excess(state, after, INITIAL) < 0:
        return Status.INITIAL_MARGIN_TOO_LOW
    account.debt_shares += shares
    state.debt_shares += shares
    state.lender_cash -= amount
    take_in(state, account, CASH, amount)
    return Status.OK


def shares_for(state: State, account: Account, amount: int) -> int:
    """Debt shares that an amount extinguishes."""
    if amount >= health.debt(state, account.debt_shares):
        return account.debt_shares
    return down(amount, BASE, state.borrow_index)


def pay_debt(state: State, account: Account, most: int) -> None:
    """Pay up to an amount of debt from cash."""
    owed = health.debt(state, account.debt_shares)
    paid = min(most, account.balances[CASH], owed)
    shares = shares_for(state, account, paid)
    account.debt_shares -= shares
    state.debt_shares -= shares
    account.balances[CASH] -= paid
    state.lender_cash += paid


def repay(state: State, account: Account, amount: int) -> Status:
    """Cash to the lenders, never more than is owed."""
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if account.debt_shares == 0:
        return Status.ACCOUNT_HAS_NO_DEBT
    amount = min(amount, health.debt(state, account.debt_shares))
    if amount > account.balances[CASH]:
        return Status.EXCEEDS_BALANCE
    if shares_for(state, account, amount) == 0:
        return Status.AMOUNT_BELOW_ONE_SHARE
    pay_debt(state, account, amount)
    return Status.OK
