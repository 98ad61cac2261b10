"""Settlement by the collected-profit rule: winners are paid from collected losses only.

Realising a result turns every cost into size times mark. A loser pays from his claim, then
from cash into the settled cash; what he lacks becomes a due. A winner's profit cancels his
due, then becomes a claim. Claims are paid from the settled cash only, pro rata. So

    sum(claim) + insurance claim = sum(due) + settled cash + sum(cost) + rounding

holds after every command, and a flat account's principal can never pay anybody.
"""

import numpy as np

from ringfence.compiled import formula, kernel
from ringfence.core.command import Happening
from ringfence.core.log import Log, record_total
from ringfence.core.margin import funding_due, part_of, position_value
from ringfence.core.pool import CASH, Pool, Rule, Total
from ringfence.core.status import Status
from ringfence.core.validity import Action, mark_status
from ringfence.fixed import DIVISOR_MAX, mul_div_floor
from ringfence.separate import separate


@formula
def add_cash(pool: Pool, a: int, amount: int) -> None:
    """Move the account's cash up or down, and the sum of balances with it."""
    pool.balance[a, CASH] += amount
    pool.deposited[CASH] += amount


@formula
def collect_due(pool: Pool, a: int) -> None:
    """Pay the account's due from its cash, as far as it reaches."""
    paid = min(pool.due[a], pool.balance[a, CASH])
    if paid > 0:
        add_cash(pool, a, -paid)
        pool.due[a] -= paid
        pool.total[Total.SETTLED_CASH] += paid


@kernel
def realise(pool: Pool, a: int, result: int) -> None:
    """Book a result: profit cancels due, then is a claim; loss takes claim, cash, then due."""
    if result >= 0:
        cancelled = min(pool.due[a], result)
        pool.due[a] -= cancelled
        pool.claim[a] += result - cancelled
        return
    loss = -result
    from_claim = min(pool.claim[a], loss)
    pool.claim[a] -= from_claim
    pool.due[a] += loss - from_claim
    collect_due(pool, a)


@kernel
def pay_funding(pool: Pool, a: int, i: int) -> None:
    """Add the funding that the position owes to its cost; the other sides' is in rounding."""
    owed = funding_due(
        pool.size[a, i], pool.funding_index[i], pool.funding_paid[a, i], pool.value_divisor[0]
    )
    pool.cost[a, i] += owed
    pool.total[Total.ROUNDING] -= owed
    pool.funding_paid[a, i] = pool.funding_index[i]


@separate
def settle_account(pool: Pool, a: int) -> None:
    """Realise profit, loss and funding of every position of the account at the mark."""
    result = 0
    for i in range(pool.mark_price.size):
        if pool.size[a, i] == 0 and pool.cost[a, i] == 0:
            continue
        pay_funding(pool, a, i)
        value = position_value(pool.size[a, i], pool.mark_price[i], pool.value_divisor[0])
        result += value - pool.cost[a, i]
        pool.cost[a, i] = value
    realise(pool, a, result)


@kernel
def charge(pool: Pool, a: int, fee: int) -> None:
    """Collect a fee for the insurance fund: from cash, then claim; the rest becomes due."""
    from_cash = min(pool.balance[a, CASH], fee)
    add_cash(pool, a, -from_cash)
    pool.total[Total.INSURANCE_FUND] += from_cash
    rest = fee - from_cash
    from_claim = min(pool.claim[a], rest)
    pool.claim[a] -= from_claim
    pool.due[a] += rest - from_claim
    pool.total[Total.INSURANCE_CLAIM] += rest


@kernel
def draw_insurance(pool: Pool, amount: int) -> int:
    """Take up to an amount from the insurance fund, at most its shares per event and per day.

    The day's share is of what the fund would hold had it paid nothing since midnight.
    """
    fund, today = pool.total[Total.INSURANCE_FUND], pool.total[Total.INSURANCE_DRAWN]
    left = part_of(fund + today, pool.rule[Rule.INSURANCE_DRAW_DAY]) - today
    drawn = max(min(amount, part_of(fund, pool.rule[Rule.INSURANCE_DRAW]), left), 0)
    pool.total[Total.INSURANCE_FUND] -= drawn
    pool.total[Total.INSURANCE_DRAWN] += drawn
    pool.total[Total.INSURANCE_PAID] += drawn
    return drawn


@kernel
def new_due(pool: Pool, a: int) -> int:
    """The part of the account's due that no shortfall has been recorded for yet."""
    return pool.due[a] - min(pool.uncovered[a], pool.due[a])


@kernel
def cover_due(pool: Pool, a: int, paid: int) -> None:
    """Let what the insurance fund paid reduce the due; what is left is recorded as uncovered."""
    pool.due[a] -= paid
    pool.total[Total.SETTLED_CASH] += paid
    pool.uncovered[a] = pool.due[a]


@kernel
def pay_claim(pool: Pool, a: int, amount: int) -> None:
    """Turn a part of a claim into cash."""
    pool.claim[a] -= amount
    pool.total[Total.SETTLED_CASH] -= amount
    add_cash(pool, a, amount)


@kernel
def pay_claims_pro_rata(pool: Pool, claims: int) -> None:
    """Share the settled cash over claims that exceed it, by largest remainder, lowest id."""
    count = pool.total[Total.ACCOUNTS]
    paid = int(pool.total[Total.SETTLED_CASH])
    # Above DIVISOR_MAX the weights lose their last digits, alike for all; what that leaves
    # undistributed waits in the settled cash for the next settlement.
    scale = int(claims) // DIVISOR_MAX + 1
    weights = 0
    for a in range(count):
        weights += int(pool.claim[a]) // scale
    remainder = np.zeros(count, dtype=np.int64)
    for a in range(count):
        weight = int(pool.claim[a]) // scale
        share = mul_div_floor(weight, paid, weights)
        remainder[a] = weight * paid - share * weights  # wraps; the true value fits
        pay_claim(pool, a, min(share, pool.claim[a]))
    left = min(pool.total[Total.SETTLED_CASH], count)
    for a in np.argsort(-remainder, kind="mergesort")[:left]:
        pay_claim(pool, a, min(1, pool.claim[a]))


@kernel
def pay_claims(pool: Pool) -> int:
    """Pay claims from the settled cash: accounts first, then the insurance fund's."""
    before = pool.total[Total.SETTLED_CASH]
    count = pool.total[Total.ACCOUNTS]
    claims = 0
    for a in range(count):
        claims += pool.claim[a]
    if claims > before:
        pay_claims_pro_rata(pool, claims)
    else:
        for a in range(count):
            pay_claim(pool, a, pool.claim[a])
    to_insurance = min(pool.total[Total.SETTLED_CASH], pool.total[Total.INSURANCE_CLAIM])
    if claims <= before:
        pool.total[Total.SETTLED_CASH] -= to_insurance
        pool.total[Total.INSURANCE_CLAIM] -= to_insurance
        pool.total[Total.INSURANCE_FUND] += to_insurance
    return before - pool.total[Total.SETTLED_CASH]


@kernel
def settle_everybody(pool: Pool) -> None:
    """Realise every account's result; what funding rounded off goes to the insurance claim."""
    for a in range(pool.total[Total.ACCOUNTS]):
        settle_account(pool, a)
    # Each account's funding was rounded against it and sizes sum to zero, so the funding
    # realised by all is not negative, and rounding is not positive.
    pool.total[Total.INSURANCE_CLAIM] -= pool.total[Total.ROUNDING]
    pool.total[Total.ROUNDING] = 0


@kernel
def settlement_status(pool: Pool) -> Status:
    """Whether prices and valuations of all that has open interest are good enough to settle."""
    for i in range(pool.mark_price.size):
        if pool.open_interest[i] > 0:
            status = mark_status(pool, Action.SETTLE, i)
            if status != Status.OK:
                return status
    return Status.OK


@kernel
def pay_and_record(pool: Pool, log: Log) -> None:
    """Pay claims from the settled cash, and record what was paid and what is left."""
    paid = pay_claims(pool)
    unpaid = 0
    for a in range(pool.total[Total.ACCOUNTS]):
        unpaid += pool.claim[a]
    if paid > 0 or unpaid > 0:
        record_total(log, Happening.CLAIMS_PAID, paid, unpaid)
