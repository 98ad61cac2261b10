"""Trying something on two accounts of a pool, and taking it back to the last byte.

A slice of many legs has no simple formula for what it makes of its buyer, so it is moved
first and judged then. What is refused is undone from what was remembered.
"""

from typing import NamedTuple

import numpy as np

from ringfence.columns import Column
from ringfence.compiled import kernel
from ringfence.core.pool import Pool

SCALARS = 8  # numbers of an account that are remembered one by one
RAISED = 6  # place of what its auction has raised


class Remembered(NamedTuple):
    """What a transfer between two accounts can change; two rows, the seller's first."""

    numbers: Column
    balance: Column
    size: Column
    cost: Column
    funding_paid: Column
    open_interest: Column
    deposited: Column
    total: Column


@kernel
def remember(pool: Pool, a: int, b: int) -> Remembered:
    """Copy what a transfer between accounts a and b can change."""
    numbers = np.zeros((2, SCALARS), dtype=np.int64)
    assets, instruments = pool.balance.shape[1], pool.size.shape[1]
    balance = np.zeros((2, assets), dtype=np.int64)
    size = np.zeros((2, instruments), dtype=np.int64)
    cost, funding_paid = size.copy(), size.copy()
    for k in range(2):
        x = a if k == 0 else b
        numbers[k, 0], numbers[k, 1] = pool.due[x], pool.uncovered[x]
        numbers[k, 2], numbers[k, 3] = pool.claim[x], pool.debt_shares[x]
        numbers[k, 4], numbers[k, 5] = pool.step[x], pool.step_since[x]
        numbers[k, 6], numbers[k, 7] = pool.auction_raised[x], pool.auction_notional[x]
        for c in range(assets):
            balance[k, c] = pool.balance[x, c]
        for i in range(instruments):
            size[k, i], cost[k, i] = pool.size[x, i], pool.cost[x, i]
            funding_paid[k, i] = pool.funding_paid[x, i]
    return Remembered(
        numbers,
        balance,
        size,
        cost,
        funding_paid,
        pool.open_interest.copy(),
        pool.deposited.copy(),
        pool.total.copy(),
    )


@kernel
def restore(pool: Pool, a: int, b: int, before: Remembered) -> None:
    """Write back what `remember` has copied."""
    for k in range(2):
        x, numbers = a if k == 0 else b, before.numbers[k]
        pool.due[x], pool.uncovered[x] = numbers[0], numbers[1]
        pool.claim[x], pool.debt_shares[x] = numbers[2], numbers[3]
        pool.step[x], pool.step_since[x] = numbers[4], numbers[5]
        pool.auction_raised[x], pool.auction_notional[x] = numbers[6], numbers[7]
        for c in range(pool.balance.shape[1]):
            pool.balance[x, c] = before.balance[k, c]
        for i in range(pool.size.shape[1]):
            pool.size[x, i], pool.cost[x, i] = before.size[k, i], before.cost[k, i]
            pool.funding_paid[x, i] = before.funding_paid[k, i]
    for i in range(pool.open_interest.size):
        pool.open_interest[i] = before.open_interest[i]
    for c in range(pool.deposited.size):
        pool.deposited[c] = before.deposited[c]
    for t in range(pool.total.size):
        pool.total[t] = before.total[t]
