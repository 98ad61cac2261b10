"""The invariants themselves: each one is broken on purpose, and must be named."""

import numpy as np
import pytest
from tests.stories import check

from ringfence.core.invariants import broken_invariants, exact_sum
from ringfence.core.parameters import Parameter
from ringfence.core.pool import Rule, Total

STORY = """
    price ETH 1000
    mark ETH-PERP 1000
    deposit L1 500 USDC
    supply L1 500
    deposit A1 500 USDC
    deposit B1 20 ETH
    borrow B1 100
    trade A1 B1 5 ETH-PERP @ 1000
    mark ETH-PERP 1010
    withdraw B1 100 USDC
    settle
"""

BROKEN = [
    ("claim", (2,), 1, "P17 settlement identity: claims 50000001"),
    ("total", (Total.ROUNDING,), 1, "P17 settlement identity"),
    ("balance", (2, 0), 1, "asset 0: balances sum to"),
    ("deposited", (1,), 1, "asset 1: balances sum to 2000000000, deposited is 2000000001"),
    ("supply_shares", (1,), 1, "supply_shares is 500000000, the accounts have 500000001"),
    ("total", (Total.DEBT_SHARES,), 1, "debt_shares is 100000001"),
    ("size", (2, 0), 100_000, "instrument 0: sizes sum to 100000, not to zero"),
    ("open_interest", (1,), 5, "instrument 1: open interest is 5, longs sum to 0"),
    ("due", (1,), -1, "account 1: due is -1, below zero"),
    ("balance", (3, 1), -21 * 10**8, "account 3: balance is [0, -100000000, 0], below zero"),
    ("total", (Total.INSURANCE_CLAIM,), -1, "insurance_claim is -1, below zero"),
    ("total", (Total.RESERVE,), 600 * 10**6, "do not cover the reserve"),
    ("balance", (3, 0), 1, "account 3: due 50000000 is not collected from cash 1 or claim 0"),
    ("claim", (3,), 1, "account 3: due 50000000 is not collected from cash 0 or claim 1"),
    ("balance", (9, 0), 1, "balance is not zero beyond the 4 accounts opened"),
    ("step_since", (1,), 1, "account 1: it is in no step, but its step has left something"),
    ("auction_raised", (2,), 1, "account 2: it is in no step, but its step has left something"),
    ("auction_notional", (3,), 1, "account 3: it is in no step, but its step has left something"),
    ("cost", (1, 2), 1, "account 1: empty position in instrument 2 costs 1"),
    ("size", (2, 0), 1, "account 2: size 500000001 of instrument 0 is not whole lots"),
    ("rule", (Rule.RATE_KINK,), 10**6, "P12 rate_kink is [1900000]"),
    ("haircut", (0, 1), 10**6, "P12 haircut is"),
    ("haircut", (1, 1), 10**5, "P18 haircut rises to level target"),
    ("taker_fee", (0,), -1, "P12 taker_fee is [-1, 0, 0], outside of its bounds 0 to 100000"),
    ("total", (Total.SETTLED_CASH,), 1, "P5 asset 0: 900000000 came in and has not left, the pool"),
    ("deposited", (2,), 1, "P5 asset 2: 0 came in and has not left, the pool has 1"),
]


def test_a_pool_in_order_breaks_none():
    story = check(STORY)
    assert broken_invariants(story.pool) == []
    assert broken_invariants(story.pool, story.held) == []
    assert Parameter.HAIRCUT == 64


@pytest.mark.parametrize(("column", "at", "by", "sentence"), BROKEN)
def test_every_broken_invariant_is_named_with_its_figures(column, at, by, sentence):
    story = check(STORY)
    getattr(story.pool, column)[at] += by
    found = broken_invariants(story.pool, story.held)
    assert any(sentence in line for line in found), found


def test_sums_are_exact_beyond_64_bits():
    column = np.array([2**63 - 1, 2**63 - 1, -(2**63), 5], dtype=np.int64)
    assert exact_sum(column) == sum(column.tolist())
    assert exact_sum(column[:2]) == 2**64 - 2
