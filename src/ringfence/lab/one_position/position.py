"""The position that every rule is asked about, and the terms on which it is compared.

Ten coins at 1,000 dollars, held against a debt: as a loan the coins are collateral and the
debt is owed; as a perpetual the same equity is the margin of a long of ten coins. At a
liquidation threshold of 80 %, or a maintenance margin of 20 %, both are liquidated from the
same debt on, 8,000 dollars. Amounts are in dollars.
"""

from collections.abc import Callable
from typing import NamedTuple

COINS, PRICE = 10, 1_000
WORTH = COINS * PRICE
THRESHOLD_PERCENT = 80
MAINTENANCE_PERCENT = 100 - THRESHOLD_PERCENT

# What a bidder of an auction wants to gain, in percent of the value that he takes over.
KEEPER_PERCENT = 1


class Outcome(NamedTuple):
    """What became of the position at an unchanged price."""

    closed: float  # value of the coins that left the borrower
    cost: float  # equity that left the borrower beyond what the sold coins paid of his debt
    loss: float  # what others of the pool had to bear


Rule = Callable[[int], Outcome]  # from the debt


def outcome(debt: int, coins_left: float, debt_left: float, loss: float = 0.0) -> Outcome:
    """Compare with the position before; a negative equity is nobody's cost but the loss."""
    before = max(WORTH - debt, 0)
    after = max(coins_left * PRICE - debt_left, 0)
    return Outcome(WORTH - coins_left * PRICE, before - after, loss)
