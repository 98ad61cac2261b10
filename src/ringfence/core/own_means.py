"""What an account owns besides its margin: cash lent to others, and shares of the backstop.

Nothing of either counts as collateral. A liquidation uses it before it takes anything, at what
it is worth and at no cost: lent cash while the lenders have any, else set off against the
account's own debt; shares of the backstop in cash that it can spare. At the end, shares of the
backstop go against what the account owes: the backstop takes that on, and burns them. Both wait
until the prices of what the backstop holds may be used.
"""

from ringfence.compiled import kernel
from ringfence.core.backstop import can_spare, capital_value
from ringfence.core.collateral import add_balance
from ringfence.core.command import Happening
from ringfence.core.health import debt_of, excess
from ringfence.core.lending import burn_debt, shares_repaid
from ringfence.core.log import Log
from ringfence.core.pool import BACKSTOP, CASH, Level, Pool, Total
from ringfence.core.receipt import finish_event, start_event
from ringfence.core.seizure import burn_supply, liability, move_liability, share_value
from ringfence.core.settlement import add_cash
from ringfence.core.status import Status
from ringfence.core.validity import Action, exposure_status
from ringfence.fixed import DIVISOR_MAX, mul_div_ceil


@kernel
def use_own_means(pool: Pool, a: int, log: Log) -> None:
    """Use lent cash and shares of the backstop as far as the target needs them.

    The account is below maintenance, so it is below target.
    """
    if pool.supply_shares[a] + pool.backstop_shares[a] == 0:
        return
    e = start_event(pool, a, log, Happening.SHARES_REDEEMED, -1)
    used = use_lent_cash(pool, a)
    used += use_backstop_shares(pool, a)
    log.events[e]["value"] = used
    finish_event(pool, a, log, e)


@kernel
def use_lent_cash(pool: Pool, a: int) -> int:
    """Redeem shares of the lenders, in cash and then against the account's debt."""
    if pool.supply_shares[a] == 0:
        return 0
    value = share_value(pool, pool.supply_shares[a])
    cash = min(value, pool.total[Total.LENDER_CASH], -excess(pool, a, Level.TARGET))
    burn_supply(pool, a, cash)
    pool.total[Total.LENDER_CASH] -= cash
    add_balance(pool, a, CASH, cash)
    missing = max(-excess(pool, a, Level.TARGET), 0)
    value = share_value(pool, pool.supply_shares[a])
    offset = min(value, debt_of(pool, pool.debt_shares[a]), missing)
    if offset > 0:
        repaid = shares_repaid(pool, a, offset)
        burn_supply(pool, a, offset)
        burn_debt(pool, a, repaid)
    return cash + offset


@kernel
def burn_capital(pool: Pool, a: int, part: int, value: int) -> None:
    """Burn shares of the backstop for a part of their value, rounded up."""
    shares = pool.backstop_shares[a]
    if part < value:
        while value > DIVISOR_MAX:
            part, value = (part + 1) // 2, value // 2
        shares = min(mul_div_ceil(shares, part, value), shares)
    pool.backstop_shares[a] -= shares
    pool.total[Total.BACKSTOP_SHARES] -= shares


@kernel
def use_backstop_shares(pool: Pool, a: int) -> int:
    """Redeem shares of the backstop in cash that it can spare."""
    missing = max(-excess(pool, a, Level.TARGET), 0)
    if pool.backstop_shares[a] == 0 or missing == 0:
        return 0
    if exposure_status(pool, Action.LIQUIDATE, BACKSTOP) != Status.OK:
        return 0
    value = capital_value(pool, pool.backstop_shares[a])
    cash = min(value, missing, pool.balance[BACKSTOP, CASH])
    if cash <= 0 or not can_spare(pool, cash):
        return 0
    burn_capital(pool, a, cash, value)
    add_cash(pool, BACKSTOP, -cash)
    add_balance(pool, a, CASH, cash)
    return cash


@kernel
def forfeit_backstop_shares(pool: Pool, a: int, log: Log) -> None:
    """Let the backstop take on what its shares cover of the account's due and debt.

    Not before what it holds has usable prices: at others, either the account or whoever else has
    shares would lose.
    """
    if pool.backstop_shares[a] == 0 or excess(pool, a, Level.TARGET) >= 0:
        return
    if exposure_status(pool, Action.LIQUIDATE, BACKSTOP) != Status.OK:
        return
    e = start_event(pool, a, log, Happening.SHARES_REDEEMED, -1)
    value = capital_value(pool, pool.backstop_shares[a])
    taken = min(value, liability(pool, a))
    burn_capital(pool, a, taken, value)
    log.events[e]["value"] = move_liability(pool, a, taken)
    finish_event(pool, a, log, e)
