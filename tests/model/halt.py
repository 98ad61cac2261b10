"""Insurance target, bond, halt and final settlement of the model."""

from collections.abc import Callable
from functools import partial

from tests.model import health, options
from tests.model.auction import worth
from tests.model.liquidation import is_empty
from tests.model.money import may_leave, take_in
from tests.model.state import CASH, MILLION, Account, State, down
from tests.model.trading import pay_all, settle_all, settle_rule

from ringfence.core.command import Kind
from ringfence.core.pool import Rule
from ringfence.core.status import Status


def moving(state: State, account: Account) -> int:
    """What goes up and down as prices do."""
    legs = sum(
        state.value(p.size, instrument.mark)
        for p, instrument in zip(account.positions, state.instruments, strict=True)
        if not instrument.side
    )
    return legs + sum(coins(state, account))


def coins(state: State, account: Account) -> list[int]:
    """Value of each coin."""
    assets = list(zip(state.assets, account.balances, strict=True))[1:]
    return [state.value(b, state.underlyings[c.underlying].price) for c, b in assets]


def of_options(state: State, account: Account, shock: int) -> int:
    """What options gain when their intrinsic value follows the price."""
    total = 0
    for p, instrument in zip(account.positions, state.instruments, strict=True):
        if instrument.side and p.size:
            price = state.underlyings[instrument.underlying].price
            there = options.pays(instrument, price + down(price, shock, MILLION))
            change = there - options.pays(instrument, price)
            total += state.value(p.size, max(change, -instrument.mark))
    return total


def in_row(state: State, account: Account, row: int) -> int:
    """What everything gains in one row of the grid."""
    legs = sum(
        p.size // instrument.lot * instrument.array[row + 1]
        for p, instrument in zip(account.positions, state.instruments, strict=True)
        if p.size
    )
    return legs + sum(down(value, state.moves[row], 10**9) for value in coins(state, account))


def two_largest(state: State, gain: Callable[[Account], int]) -> int:
    """The two largest losses beyond what accounts are worth, after a gain of each."""
    owing = [account for account in state.accounts[1:] if health.can_owe(account)]
    losses = [-worth(state, a) - gain(a) - a.uncovered for a in owing]
    return sum(sorted([0, 0, *losses])[-2:])


def measure_target(state: State) -> None:
    """Two largest losses in the worst of two shocks and of the rows of the grid."""
    stress, found = state.rules[Rule.STRESS], [0]

    def shocked(account: Account, shock: int) -> int:
        linear = down(moving(state, account), shock, MILLION)
        return linear + of_options(state, account, shock)

    found += [two_largest(state, partial(shocked, shock=s)) for s in (stress, -stress)]
    found += [two_largest(state, partial(in_row, state, row=r)) for r in range(len(state.moves))]
    state.target = max(found) if stress else 0


def fund_bond(state: State, account: Account, amount: int) -> Status:
    """Cash to the bond."""
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if state.halted_at:
        return Status.POOL_IS_HALTED
    if amount > account.balances[CASH]:
        return Status.EXCEEDS_BALANCE
    status = may_leave(state, account, CASH, amount)
    if status == Status.OK:
        account.balances[CASH] -= amount
        state.bond += amount
    return status


def release_bond(state: State, account: Account, amount: int) -> Status:
    """Bond back to the creator, while nobody owes anything."""
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    zero = state.accounts[0]
    busy = any(health.can_owe(a) or a.claim for a in state.accounts) or state.halted_at
    if account is zero or account.owner != zero.owner or busy:
        return Status.BOND_IS_LOCKED
    if amount > state.bond:
        return Status.EXCEEDS_BOND
    state.bond -= amount
    take_in(state, account, CASH, amount)
    return Status.OK


def halt_if_due(state: State, kind: int) -> None:
    """Halt after losses have reached the limit."""
    if kind not in (Kind.LIQUIDATE, Kind.DELEVERAGE, Kind.SETTLE) or state.halted_at:
        return
    if state.shortfall >= state.rules[Rule.HALT_LOSS]:
        state.halted_at = state.now
        state.insurance += state.bond
        state.bond = 0


def end_rule(state: State) -> Status:
    """First rule that forbids the end now."""
    if not state.halted_at:
        return Status.POOL_IS_NOT_HALTED
    notice, passed = state.rules[Rule.HALT_NS], state.now - state.halted_at
    if passed < notice:
        return Status.HALT_IS_NOT_OVER
    return Status.OK if passed >= 2 * notice else settle_rule(state)


def give_up_losses(state: State) -> int:
    """Record at the end what those owe who have nothing; return their dues."""
    empty = [a for a in state.accounts if is_empty(a)]
    if state.ended_at:
        return 0
    for account in empty:
        recorded = 0 if account is state.accounts[0] else min(account.uncovered, account.due)
        debt = health.debt(state, account.debt_shares)
        state.shortfall += account.due - recorded + debt
        account.uncovered = account.due
        state.debt_shares -= account.debt_shares
        account.debt_shares = 0
        if debt:
            left = state.lender_cash + health.debt(state, state.debt_shares)
            state.reserve = min(state.reserve, left)
    state.ended_at = state.now
    return sum(a.due for a in empty)


def end(state: State) -> Status:
    """The final settlement."""
    status = end_rule(state)
    if status != Status.OK:
        return status
    settle_all(state)
    for account in state.accounts:
        account.step = account.step_since = 0
        account.auction_raised = account.auction_notional = 0
        for position in account.positions:
            position.size = position.cost = 0
    dues = give_up_losses(state)
    missing = sum(a.claim for a in state.accounts) - state.settled_cash
    paid = max(min(missing, state.insurance), 0)
    state.shortfall -= min(paid, dues)
    state.insurance -= paid
    state.insurance_paid += paid
    state.settled_cash += paid
    state.insurance_claim += paid
    pay_all(state)
    return Status.OK
