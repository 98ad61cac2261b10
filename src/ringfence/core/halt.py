"""The end of a pool that has lost too much: the creator's bond, reduce-only, final settlement.

    halt    once the losses that nobody paid reach the pool's limit: the bond goes into the
            insurance fund at once, and from then on nobody can add risk
    end     after the notice that the pool was created with: every position is closed at its
            last mark, the insurance fund pays claims as far as it reaches, and they share

A mark that is not good enough to settle by is waited for, but no longer than that notice once
more: an oracle that is gone for good must not keep a pool from its end.

Repaying, adding collateral, reducing and leaving go on in between and after. The end calls every
due in: a liquidation then takes coins for it from healthy accounts too. What a due brings goes to
the claims first, then to the insurance fund. Debts go on as they are, at interest.
"""

from ringfence.compiled import kernel
from ringfence.core.collateral import add_balance, give_cash
from ringfence.core.command import Happening
from ringfence.core.health import debt_of
from ringfence.core.lending import write_off_debt
from ringfence.core.liquidation import has_anything
from ringfence.core.log import COUNT, Log, record_total
from ringfence.core.pool import BACKSTOP, CASH, Pool, Rule, Step, Total
from ringfence.core.settlement import new_due, pay_claims, settle_everybody, settlement_status
from ringfence.core.status import Status
from ringfence.core.steps import leave_step
from ringfence.separate import separate


@kernel
def fund_bond(pool: Pool, a: int, amount: int) -> Status:
    """Put cash of the account into the bond that the pool loses first when it halts.

    Checks, in order: AMOUNT_MUST_BE_POSITIVE, POOL_IS_HALTED, EXCEEDS_BALANCE,
    PRICE_IS_NOT_USABLE, INITIAL_MARGIN_TOO_LOW.
    """
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if pool.total[Total.HALTED_AT] > 0:
        return Status.POOL_IS_HALTED
    return give_cash(pool, a, amount, Total.BOND)


@kernel
def is_at_rest(pool: Pool) -> bool:
    """Whether nobody owes or could owe anything in the pool."""
    for i in range(pool.open_interest.size):
        if pool.open_interest[i] != 0:
            return False
    for a in range(pool.total[Total.ACCOUNTS]):
        if pool.due[a] != 0 or pool.claim[a] != 0:
            return False
    return pool.total[Total.DEBT_SHARES] == 0


@kernel
def release_bond(pool: Pool, a: int, amount: int) -> Status:
    """Give a part of the bond back, to an account of the pool's creator, while all is at rest.

    Checks, in order: AMOUNT_MUST_BE_POSITIVE, BOND_IS_LOCKED (another's account, a pool that
    is halted or not at rest), EXCEEDS_BOND.
    """
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if a == BACKSTOP or pool.owner[a] != pool.owner[BACKSTOP] or not is_at_rest(pool):
        return Status.BOND_IS_LOCKED
    if pool.total[Total.HALTED_AT] > 0:
        return Status.BOND_IS_LOCKED
    if amount > pool.total[Total.BOND]:
        return Status.EXCEEDS_BOND
    pool.total[Total.BOND] -= amount
    add_balance(pool, a, CASH, amount)
    return Status.OK


@kernel
def halt_if_lost(pool: Pool, log: Log) -> None:
    """Halt the pool if it has lost what it may; its bond is the first to be used."""
    if pool.total[Total.HALTED_AT] > 0:
        return
    if pool.total[Total.SHORTFALL] < max(pool.rule[Rule.HALT_LOSS], 1):
        return
    bond = pool.total[Total.BOND]
    pool.total[Total.HALTED_AT] = max(pool.total[Total.NOW_NS], 1)
    pool.total[Total.INSURANCE_FUND] += bond
    pool.total[Total.BOND] = 0
    record_total(log, Happening.POOL_HALTED, bond, pool.total[Total.SHORTFALL])


@kernel
def claims_of_all(pool: Pool) -> int:
    """Sum of all claims."""
    claims = 0
    for a in range(pool.total[Total.ACCOUNTS]):
        claims += pool.claim[a]
    return claims


@kernel
def pay_from_fund(pool: Pool) -> int:
    """Let the fund pay what claims exceed the settled cash by; it claims that from dues."""
    missing = claims_of_all(pool) - pool.total[Total.SETTLED_CASH]
    paid = max(min(missing, pool.total[Total.INSURANCE_FUND]), 0)
    pool.total[Total.INSURANCE_FUND] -= paid
    pool.total[Total.INSURANCE_PAID] += paid
    pool.total[Total.SETTLED_CASH] += paid
    pool.total[Total.INSURANCE_CLAIM] += paid
    return paid


@kernel
def end_status(pool: Pool) -> Status:
    """Whether the pool may be settled for good now; see `end_pool`."""
    halted = pool.total[Total.HALTED_AT]
    if halted == 0:
        return Status.POOL_IS_NOT_HALTED
    passed = pool.total[Total.NOW_NS] - halted
    if passed < pool.rule[Rule.HALT_NS]:
        return Status.HALT_IS_NOT_OVER
    if passed >= 2 * pool.rule[Rule.HALT_NS]:
        return Status.OK
    return settlement_status(pool)


@kernel
def record_losses(pool: Pool) -> tuple[int, int]:
    """Give up what accounts with nothing left owe; return what of it is new, and their dues.

    Without positions the backstop cannot earn its due back either. Debt is written off.
    """
    new, dues = 0, 0
    for a in range(pool.total[Total.ACCOUNTS]):
        if has_anything(pool, a):
            continue
        new += pool.due[a] if a == BACKSTOP else new_due(pool, a)
        dues += pool.due[a]
        pool.uncovered[a] = pool.due[a]
        if pool.debt_shares[a] > 0:
            new += debt_of(pool, pool.debt_shares[a])
            write_off_debt(pool, a, 0)
    return new, dues


@separate
def end_pool(pool: Pool, log: Log) -> Status:
    """Close every position at its last mark and share what there is; the final settlement.

    Asked for again, it only pays claims from what has come into the insurance fund since.

    Checks, in order: POOL_IS_NOT_HALTED, HALT_IS_NOT_OVER, PRICE_IS_NOT_USABLE,
    VALUATION_IS_NOT_USABLE (both only until the notice has passed twice).
    """
    status = end_status(pool)
    if status != Status.OK:
        return status
    settle_everybody(pool)
    for a in range(pool.total[Total.ACCOUNTS]):
        for i in range(pool.mark_price.size):
            pool.size[a, i] = 0
            pool.cost[a, i] = 0
        if pool.step[a] != Step.NONE:
            leave_step(pool, a)
    for i in range(pool.mark_price.size):
        pool.open_interest[i] = 0
    new, dues = 0, 0
    if pool.total[Total.ENDED_AT] == 0:
        new, dues = record_losses(pool)
        pool.total[Total.ENDED_AT] = pool.total[Total.NOW_NS]
    covered = pay_from_fund(pool)
    relieved = min(covered, dues)
    pool.total[Total.SHORTFALL] += new - relieved
    if covered > 0 or new > 0:
        record_total(log, Happening.CLAIMS_COVERED, relieved, new)
        log.events[log.position[COUNT] - 1]["insurance"] = covered
    paid = pay_claims(pool)
    record_total(log, Happening.POOL_ENDED, paid, claims_of_all(pool))
    return Status.OK
