"""An account's own means of the model: its lent cash, and its shares of the backstop."""

from tests.model import health
from tests.model.money import lent, shares_for, take_in
from tests.model.state import CASH, INITIAL, LIQUIDATE, MILLION, TARGET, Account, State, down, up

from ringfence.core.pool import Rule
from ringfence.core.status import Status


def lent_value(state: State, shares: int) -> int:
    """What shares of the lenders are worth."""
    return down(shares, lent(state) + 1, state.supply_shares + 1)


def lent_shares(state: State, account: Account, value: int) -> int:
    """Shares of the account for a value."""
    return min(up(value, state.supply_shares + 1, lent(state) + 1), account.supply_shares)


def capital_value(state: State, shares: int) -> int:
    """What shares of the backstop's capital bring."""
    zero = state.accounts[0]
    spare = health.collateral(state, zero, INITIAL) + min(health.result(state, zero), 0)
    spare = max(spare - health.debt(state, zero.debt_shares), 0)
    return down(shares, spare + 1, sum(a.backstop_shares for a in state.accounts) + 1)


def can_spare(state: State, amount: int) -> bool:
    """Whether the backstop keeps its margin and reserve without some cash."""
    zero = state.accounts[0]
    if not health.can_owe(zero):
        return True
    after = zero.copy()
    after.balances[CASH] -= amount
    kept = up(health.notional(state, zero), state.rules[Rule.BACKSTOP_RESERVE], MILLION)
    return health.excess(state, after, INITIAL, weight=0) >= 0 and (
        health.equity(state, after) >= kept
    )


def burn_capital(account: Account, part: int, value: int) -> None:
    """Shares for a part of their value."""
    if part == value:
        account.backstop_shares = 0
    else:
        account.backstop_shares -= up(account.backstop_shares, part, value)


def use_capital(state: State, account: Account) -> None:
    """Shares of the backstop for cash that it can spare."""
    missing, zero = -health.excess(state, account, TARGET), state.accounts[0]
    if not account.backstop_shares or missing <= 0:
        return
    value = capital_value(state, account.backstop_shares)
    cash = min(value, missing, zero.balances[CASH])
    if (
        health.exposure_rule(state, LIQUIDATE, zero) == Status.OK
        and cash > 0
        and can_spare(state, cash)
    ):
        burn_capital(account, cash, value)
        zero.balances[CASH] -= cash
        take_in(state, account, CASH, cash)


def use_lent_cash(state: State, account: Account) -> None:
    """Redeem as far as the target needs: in cash, then against the account's own debt."""
    missing = -health.excess(state, account, TARGET)
    if account.supply_shares == 0 or missing <= 0:
        return
    cash = min(lent_value(state, account.supply_shares), state.lender_cash, missing)
    shares = lent_shares(state, account, cash)
    account.supply_shares -= shares
    state.supply_shares -= shares
    state.lender_cash -= cash
    take_in(state, account, CASH, cash)
    missing = max(-health.excess(state, account, TARGET), 0)
    value = lent_value(state, account.supply_shares)
    offset = min(value, health.debt(state, account.debt_shares), missing)
    if offset:
        repaid, shares = shares_for(state, account, offset), lent_shares(state, account, offset)
        account.supply_shares -= shares
        state.supply_shares -= shares
        account.debt_shares -= repaid
        state.debt_shares -= repaid
