"""Insurance target, bond, halt and final settlement of the model."""

from tests.model import health
from tests.model.auction import worth
from tests.model.money import may_leave, take_in
from tests.model.state import CASH, MILLION, Account, State, down
from tests.model.trading import pay_all, settle_all

from ringfence.core.command import Kind
from ringfence.core.pool import Rule
from ringfence.core.status import Status


def moving(state: State, account: Account) -> int:
    """What goes up and down with prices."""
    legs = sum(
        state.value(p.size, state.instruments[i].mark) for i, p in enumerate(account.positions)
    )
    assets = list(zip(state.assets, account.balances, strict=True))[1:]
    return legs + sum(state.value(b, state.underlyings[c.underlying].price) for c, b in assets)


def measure_target(state: State) -> None:
    """Two largest losses in the worse of two shocks."""
    stress, worst = state.rules[Rule.STRESS], [0]
    for shock in (stress, -stress):
        losses = [0, 0]
        for account in state.accounts[1:]:
            if moving(state, account) or account.debt_shares:
                after = worth(state, account) + down(moving(state, account), shock, MILLION)
                losses.append(-after - account.uncovered)
        worst.append(sum(sorted(max(x, 0) for x in losses)[-2:]))
    state.target = max(worst) if stress else 0


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


def end(state: State) -> Status:
    """The final settlement."""
    if not state.halted_at:
        return Status.POOL_IS_NOT_HALTED
    if state.now < state.halted_at + state.rules[Rule.HALT_NS]:
        return Status.HALT_IS_NOT_OVER
    settle_all(state)
    for account in state.accounts:
        account.step = account.step_since = 0
        account.auction_raised = account.auction_notional = 0
        for position in account.positions:
            position.size = position.cost = 0
    missing = sum(a.claim for a in state.accounts) - state.settled_cash
    paid = max(min(missing, state.insurance), 0)
    state.insurance -= paid
    state.insurance_paid += paid
    state.settled_cash += paid
    state.insurance_claim += paid
    pay_all(state)
    return Status.OK
