"""Spot-margin debt: lenders supply cash to this pool, borrowers draw it at a kinked rate.

    debt of an account = shares * borrow index / BASE, rounded up
    lenders' assets    = lender cash + total debt - reserve of the insurance fund

Rounding, by name:
    debt to shares when borrowing   up      shares to debt                 up
    cash to shares when repaying    down    interest on the index          up
    cash to shares when supplying   down    shares to cash when redeeming  down
    reserve out of interest         down
What rounding leaves over stays with the lenders.

Source of the rate: Compound v2, JumpRateModel.getBorrowRate.
"""

from ringfence.compiled import kernel
from ringfence.core.collateral import add_balance, leaving_status
from ringfence.core.health import Change, debt_of, excess_after
from ringfence.core.margin import part_of
from ringfence.core.pool import CASH, Level, Pool, Rule, Total
from ringfence.core.settlement import add_cash
from ringfence.core.status import Status
from ringfence.core.validity import Action, exposure_status
from ringfence.fixed import mul_div_ceil, mul_div_floor
from ringfence.units import BASE, INDEX_MAX, PPM, SECOND_NS, SUPPLY_MAX, YEAR_SECONDS


@kernel
def kinked_rate(utilisation: int, base: int, slope1: int, slope2: int, kink: int) -> int:
    """Borrow rate a year at a utilisation, all in ppm; steeper above the kink."""
    below = min(utilisation, kink)
    rate = base + mul_div_floor(below, slope1, max(kink, 1))
    if utilisation > kink:
        rate += mul_div_floor(utilisation - kink, slope2, PPM - kink)
    return rate


@kernel
def total_debt(pool: Pool) -> int:
    """Debt of all borrowers with accrued interest."""
    return debt_of(pool, pool.total[Total.DEBT_SHARES])


@kernel
def lender_assets(pool: Pool) -> int:
    """What the lenders own together: cash not drawn, plus debt, less the reserve."""
    return pool.total[Total.LENDER_CASH] + total_debt(pool) - pool.total[Total.RESERVE]


@kernel
def utilisation(pool: Pool) -> int:
    """Share of the lent cash that is drawn, in ppm."""
    debt = total_debt(pool)
    if debt == 0:
        return 0
    return mul_div_floor(debt, PPM, pool.total[Total.LENDER_CASH] + debt)


@kernel
def borrow_rate(pool: Pool) -> int:
    """Borrow rate of the pool now, in ppm a year."""
    return kinked_rate(
        utilisation(pool),
        pool.rule[Rule.RATE_BASE],
        pool.rule[Rule.RATE_SLOPE1],
        pool.rule[Rule.RATE_SLOPE2],
        pool.rule[Rule.RATE_KINK],
    )


@kernel
def accrue_interest(pool: Pool) -> None:
    """Grow the borrow index to the pool's clock, in whole seconds; once a second at most."""
    until = pool.total[Total.NOW_NS] // SECOND_NS
    seconds = min(until - pool.total[Total.ACCRUED_UNTIL], YEAR_SECONDS)
    pool.total[Total.ACCRUED_UNTIL] = until
    if seconds <= 0 or pool.total[Total.DEBT_SHARES] == 0:
        return
    before = total_debt(pool)
    index = pool.total[Total.BORROW_INDEX]
    growth = mul_div_ceil(index, borrow_rate(pool) * seconds, PPM * YEAR_SECONDS)
    pool.total[Total.BORROW_INDEX] = min(index + growth, INDEX_MAX)
    interest = total_debt(pool) - before
    pool.total[Total.RESERVE] += part_of(interest, pool.rule[Rule.RESERVE_FACTOR])
    collect_reserve(pool)


@kernel
def collect_reserve(pool: Pool) -> None:
    """Move the reserve to the insurance fund as far as lender cash reaches."""
    paid = min(pool.total[Total.RESERVE], pool.total[Total.LENDER_CASH])
    pool.total[Total.RESERVE] -= paid
    pool.total[Total.LENDER_CASH] -= paid
    pool.total[Total.INSURANCE_FUND] += paid


@kernel
def supply(pool: Pool, a: int, amount: int) -> Status:
    """Lend cash of the account to the pool's borrowers, for shares of the lenders.

    One virtual share and one virtual quote unit keep the first lender honest.

    Checks, in order: AMOUNT_MUST_BE_POSITIVE, EXCEEDS_SUPPLY_CAP, EXCEEDS_BALANCE,
    LENDERS_ARE_WIPED_OUT, AMOUNT_BELOW_ONE_SHARE, PRICE_IS_NOT_USABLE,
    INITIAL_MARGIN_TOO_LOW.
    """
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    assets, shares = lender_assets(pool), pool.total[Total.SUPPLY_SHARES]
    if amount > min(pool.rule[Rule.SUPPLY_CAP], SUPPLY_MAX) - assets:
        return Status.EXCEEDS_SUPPLY_CAP
    if amount > pool.balance[a, CASH]:
        return Status.EXCEEDS_BALANCE
    # A thousandth of a quote unit a share: below it, new shares could leave 64 bits.
    if assets < shares // 1000:
        return Status.LENDERS_ARE_WIPED_OUT
    bought = mul_div_floor(amount, shares + 1, assets + 1)
    if bought == 0:
        return Status.AMOUNT_BELOW_ONE_SHARE
    status = leaving_status(pool, a, CASH, amount)
    if status == Status.OK:
        add_cash(pool, a, -amount)
        pool.total[Total.LENDER_CASH] += amount
        pool.total[Total.SUPPLY_SHARES] += bought
        pool.supply_shares[a] += bought
    return status


@kernel
def redeem(pool: Pool, a: int, shares: int) -> Status:
    """Turn shares of the lenders back into cash of the account.

    Checks, in order: AMOUNT_MUST_BE_POSITIVE, EXCEEDS_SUPPLY, EXCEEDS_LENDER_CASH (it is
    drawn; wait for repayments).
    """
    if shares <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if shares > pool.supply_shares[a]:
        return Status.EXCEEDS_SUPPLY
    amount = mul_div_floor(shares, lender_assets(pool) + 1, pool.total[Total.SUPPLY_SHARES] + 1)
    if amount > pool.total[Total.LENDER_CASH]:
        return Status.EXCEEDS_LENDER_CASH
    pool.supply_shares[a] -= shares
    pool.total[Total.SUPPLY_SHARES] -= shares
    pool.total[Total.LENDER_CASH] -= amount
    add_balance(pool, a, CASH, amount)
    return Status.OK


@kernel
def borrow(pool: Pool, a: int, amount: int) -> Status:
    """Draw cash of the lenders into the account.

    Checks, in order: AMOUNT_MUST_BE_POSITIVE, EXCEEDS_LENDER_CASH, EXCEEDS_BORROW_CAP,
    PRICE_IS_NOT_USABLE, INITIAL_MARGIN_TOO_LOW.
    """
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if amount > pool.total[Total.LENDER_CASH]:
        return Status.EXCEEDS_LENDER_CASH
    if total_debt(pool) + amount > pool.rule[Rule.BORROW_CAP]:
        return Status.EXCEEDS_BORROW_CAP
    status = exposure_status(pool, Action.OPEN, a)
    if status != Status.OK:
        return status
    shares = mul_div_ceil(amount, BASE, pool.total[Total.BORROW_INDEX])
    owed = debt_of(pool, pool.debt_shares[a] + shares) - debt_of(pool, pool.debt_shares[a])
    if excess_after(pool, a, Level.INITIAL, Change(-1, 0, 0, CASH, amount, owed)) < 0:
        return Status.INITIAL_MARGIN_TOO_LOW
    pool.debt_shares[a] += shares
    pool.total[Total.DEBT_SHARES] += shares
    pool.total[Total.LENDER_CASH] -= amount
    add_balance(pool, a, CASH, amount)
    return Status.OK


@kernel
def shares_repaid(pool: Pool, a: int, amount: int) -> int:
    """Debt shares that an amount repays: all of them when it covers the debt, else down."""
    if amount >= debt_of(pool, pool.debt_shares[a]):
        return pool.debt_shares[a]
    return mul_div_floor(amount, BASE, pool.total[Total.BORROW_INDEX])


@kernel
def burn_debt(pool: Pool, a: int, shares: int) -> None:
    """Take debt shares off the account."""
    pool.debt_shares[a] -= shares
    pool.total[Total.DEBT_SHARES] -= shares


@kernel
def write_off_debt(pool: Pool, a: int, paid: int) -> None:
    """Take all debt off the account, of which the lenders are paid a part; they lose the rest.

    The reserve is interest still with the lenders; it cannot exceed what is left to them.
    """
    burn_debt(pool, a, pool.debt_shares[a])
    pool.total[Total.LENDER_CASH] += paid
    left = pool.total[Total.LENDER_CASH] + total_debt(pool)
    pool.total[Total.RESERVE] = min(pool.total[Total.RESERVE], left)


@kernel
def repay_from_cash(pool: Pool, a: int, amount: int) -> int:
    """Repay up to an amount from the account's cash; return what was paid."""
    paid = min(amount, pool.balance[a, CASH], debt_of(pool, pool.debt_shares[a]))
    burn_debt(pool, a, shares_repaid(pool, a, paid))
    add_cash(pool, a, -paid)
    pool.total[Total.LENDER_CASH] += paid
    return paid


@kernel
def repay(pool: Pool, a: int, amount: int) -> Status:
    """Pay back debt from the account's cash; never more than the debt, in any oracle state.

    Checks, in order: AMOUNT_MUST_BE_POSITIVE, ACCOUNT_HAS_NO_DEBT, EXCEEDS_BALANCE,
    AMOUNT_BELOW_ONE_SHARE.
    """
    if amount <= 0:
        return Status.AMOUNT_MUST_BE_POSITIVE
    if pool.debt_shares[a] == 0:
        return Status.ACCOUNT_HAS_NO_DEBT
    amount = min(amount, debt_of(pool, pool.debt_shares[a]))
    if amount > pool.balance[a, CASH]:
        return Status.EXCEEDS_BALANCE
    if shares_repaid(pool, a, amount) == 0:
        return Status.AMOUNT_BELOW_ONE_SHARE
    repay_from_cash(pool, a, amount)
    return Status.OK
