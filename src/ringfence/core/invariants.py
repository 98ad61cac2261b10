"""What must hold of a pool after every command; each broken rule is named with its figures.

    sum(claim) + insurance claim = sum(due) + settled cash + sum(cost) + rounding
    what came in and has not left = balances + settled cash + insurance fund + lender cash
        + bond

Plain Python integers over the columns, so a fault in a kernel cannot hide in its own check.
Used by the tests, by the verification of a journal and by the simulator.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from ringfence.columns import Column
from ringfence.core.bounds import HARD_BOUNDS, parameter_name
from ringfence.core.pool import CASH, Level, Pool, Rule, Step, Total, account_count
from ringfence.units import BASE

# Rows of `total` that are amounts of something owned or owed, so never below zero.
AMOUNTS = (
    Total.SETTLED_CASH,
    Total.INSURANCE_FUND,
    Total.INSURANCE_CLAIM,
    Total.SHORTFALL,
    Total.INSURANCE_PAID,
    Total.LENDER_CASH,
    Total.SUPPLY_SHARES,
    Total.DEBT_SHARES,
    Total.RESERVE,
    Total.BACKSTOP_SHARES,
    Total.BACKSTOP_TAKEN,
    Total.INSURANCE_DRAWN,
    Total.AUCTIONED,
    Total.WAITING,
    Total.INSURANCE_TARGET,
    Total.BOND,
    Total.HALTED_AT,
    Total.ENDED_AT,
)
# Columns of an account that are never below zero, and zero before it is opened.
OF_ACCOUNTS = (
    *("due", "uncovered", "claim", "debt_shares", "supply_shares", "backstop_shares"),
    *("step", "step_since", "auction_raised", "auction_notional"),
    *("warned", "protect_budget", "protect_reduce"),
)


def broken_invariants(pool: Pool, held: Sequence[int] | None = None) -> list[str]:
    """Return a sentence for every invariant that the pool breaks; none when all hold.

    Args:
        pool: The pool, between two commands.
        held: Deposits less withdrawals of each collateral asset since creation, if known.
    """
    return [
        *_settlement(pool),
        *_sums(pool),
        *_signs(pool),
        *_accounts(pool),
        *_positions(pool),
        *_parameters(pool),
        *(() if held is None else _conservation(pool, held)),
    ]


def exact_sum(column: Column) -> int:
    """Sum of a column as a Python integer, in two halves so that no addition can wrap."""
    return (int((column >> 32).sum()) << 32) + int((column & 0xFFFF_FFFF).sum())


def _settlement(pool: Pool) -> Iterator[str]:
    claims, dues, costs = exact_sum(pool.claim), exact_sum(pool.due), exact_sum(pool.cost)
    insurance, settled, rounding = (
        int(pool.total[row]) for row in (Total.INSURANCE_CLAIM, Total.SETTLED_CASH, Total.ROUNDING)
    )
    if claims + insurance != dues + settled + costs + rounding:
        yield (
            f"P17 settlement identity: claims {claims} + insurance claim {insurance} != dues "
            f"{dues} + settled cash {settled} + costs {costs} + rounding {rounding}"
        )


def _sums(pool: Pool) -> Iterator[str]:
    for c, deposited in enumerate(pool.deposited.tolist()):
        balances = exact_sum(pool.balance[:, c])
        if balances != deposited:
            yield f"asset {c}: balances sum to {balances}, deposited is {deposited}"
    for row, shares in (
        (Total.SUPPLY_SHARES, pool.supply_shares),
        (Total.DEBT_SHARES, pool.debt_shares),
        (Total.BACKSTOP_SHARES, pool.backstop_shares),
        (Total.AUCTIONED, pool.auction_notional),
        (Total.WAITING, (pool.step == Step.DELEVERAGING).astype(np.int64)),
    ):
        total = int(pool.total[row])
        if exact_sum(shares) != total:
            yield f"{row.name.lower()} is {total}, the accounts have {exact_sum(shares)}"
    for i, interest in enumerate(pool.open_interest.tolist()):
        sizes = exact_sum(pool.size[:, i])
        longs = exact_sum(np.maximum(pool.size[:, i], 0))
        if sizes != 0:
            yield f"instrument {i}: sizes sum to {sizes}, not to zero"
        if longs != interest:
            yield f"instrument {i}: open interest is {interest}, longs sum to {longs}"


def _signs(pool: Pool) -> Iterator[str]:
    for name in ("balance", *OF_ACCOUNTS):
        column = getattr(pool, name)
        if (column < 0).any():
            a = int(np.argwhere(column < 0)[0, 0])
            yield f"account {a}: {name} is {column[a].tolist()}, below zero"
    for row in AMOUNTS:
        if pool.total[row] < 0:
            yield f"{row.name.lower()} is {int(pool.total[row])}, below zero"
    debt = -(-int(pool.total[Total.DEBT_SHARES]) * int(pool.total[Total.BORROW_INDEX]) // BASE)
    cash, reserve = int(pool.total[Total.LENDER_CASH]), int(pool.total[Total.RESERVE])
    if cash + debt < reserve:
        yield f"lenders: cash {cash} + debt {debt} do not cover the reserve {reserve}"


def _accounts(pool: Pool) -> Iterator[str]:
    for a in np.flatnonzero(pool.due > 0).tolist():
        due, claim, cash = int(pool.due[a]), int(pool.claim[a]), int(pool.balance[a, CASH])
        if claim != 0 or cash != 0:
            yield f"account {a}: due {due} is not collected from cash {cash} or claim {claim}"
    is_out = pool.step == Step.NONE
    is_left = (pool.step_since != 0) | (pool.auction_raised != 0) | (pool.auction_notional != 0)
    for a in np.flatnonzero(is_out & is_left).tolist():
        yield f"account {a}: it is in no step, but its step has left something"
    unopened = account_count(pool)
    for name in ("balance", "size", "cost", *OF_ACCOUNTS):
        if getattr(pool, name)[unopened:].any():
            yield f"{name} is not zero beyond the {unopened} accounts opened"


def _positions(pool: Pool) -> Iterator[str]:
    for a, i in np.argwhere((pool.size == 0) & (pool.cost != 0)).tolist():
        yield f"account {a}: empty position in instrument {i} costs {int(pool.cost[a, i])}"
    for a, i in np.argwhere(pool.size % np.maximum(pool.lot, 1) != 0).tolist():
        yield f"account {a}: size {int(pool.size[a, i])} of instrument {i} is not whole lots"


def _parameters(pool: Pool) -> Iterator[str]:
    for parameter in HARD_BOUNDS:
        name = parameter_name(parameter)
        values = pool.rule[[parameter]] if parameter in set(Rule) else getattr(pool, name)
        if name in ("haircut", "deposit_cap"):
            values = values[..., 1:]  # cash has no haircut, and its cap is not in coins
        low, high = int(pool.bound_min[parameter]), int(pool.bound_max[parameter])
        if ((values < low) | (values > high)).any():
            yield f"P12 {name} is {values.tolist()}, outside of its bounds {low} to {high}"
    haircuts = pool.haircut[:, 1:]
    for level in (Level.TARGET, Level.MAINTENANCE, Level.CLOSEOUT):
        if (haircuts[level - 1] < haircuts[level]).any():
            yield f"P18 haircut rises to level {level.name.lower()}: {haircuts.tolist()}"


def _conservation(pool: Pool, held: Sequence[int]) -> Iterator[str]:
    for c, expected in enumerate(held):
        found = int(pool.deposited[c])
        if c == CASH:
            rows = (Total.SETTLED_CASH, Total.INSURANCE_FUND, Total.LENDER_CASH, Total.BOND)
            found += sum(int(pool.total[row]) for row in rows)
        if found != expected:
            yield f"P5 asset {c}: {expected} came in and has not left, the pool has {found}"
