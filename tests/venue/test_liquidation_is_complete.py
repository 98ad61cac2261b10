"""After every tick nobody is below maintenance, but for those refused with a stated status."""

from pathlib import Path

import numpy as np
import pytest
from tests.properties.profile import examples
from tests.venue.worlds import journaled

from ringfence.core.liquidation import has_next_step, is_due_called
from ringfence.core.pool import account_count
from ringfence.core.status import Status
from ringfence.risk.screen import all_unhealthy

STATED = {
    Status.PRICE_IS_NOT_USABLE,
    Status.ACCOUNT_IS_IN_GRACE_PERIOD,
    Status.NOTHING_TO_LIQUIDATE,
}


DELEVERAGED = {Status.OK, Status.NOTHING_TO_DELEVERAGE}


def with_a_step_ahead(pool) -> list[int]:
    """Who is below maintenance and in no step, or in one that goes on or ends; by full scan.

    After the end of a pool, also who owes a due beside coins.
    """
    inside = np.flatnonzero(pool.step[: account_count(pool)]).tolist()
    fresh = [a for a in all_unhealthy(pool).tolist() if a not in inside]
    onward = [a for a in inside if has_next_step(pool, a)]
    called = [a for a in range(1, account_count(pool)) if is_due_called(pool, a)]
    called = [a for a in called if pool.balance[a].any() and a not in inside]
    return sorted({*fresh, *onward, *called})


class Keeper:
    """Liquidates after every attempt and compares the ladder with a look at every account."""

    def __init__(self):
        self.liquidated = 0
        self.refused = 0

    def __call__(self, venue, _number):
        found = {r.id.hex(): with_a_step_ahead(r.pool) for r in venue.state.pools.values()}
        receipts = venue.publish([])
        for pool, accounts in found.items():
            self.check(venue, pool, accounts, receipts.get(pool))

    def check(self, venue, pool, accounts, receipt):
        statuses = [] if receipt is None else receipt.statuses.tolist()
        # What follows behind those of the accounts is the deleveraging of instruments.
        assert len(statuses) >= len(accounts), "the ladder found others than the full scan"
        assert set(statuses[len(accounts) :]) <= DELEVERAGED
        statuses = statuses[: len(accounts)]
        assert set(statuses) <= STATED | {Status.OK}
        self.liquidated += statuses.count(Status.OK)
        self.refused += len(statuses) - statuses.count(Status.OK)
        refused = [a for a, s in zip(accounts, statuses, strict=True) if s != Status.OK]
        left = with_a_step_ahead(venue.record(pool).pool)
        # Who was liquidated as far as he goes can keep a due that nobody covered.
        for a in set(left) - set(refused):
            again = venue.liquidate(pool, venue.unhealthy(pool)).statuses.tolist()
            assert set(again) <= STATED, f"account {a} is below maintenance after a liquidation"


@pytest.fixture(scope="module")
def keeper():
    """A keeper that has watched every seed."""
    keeper = Keeper()
    for seed in range(examples(25)):
        journaled(Path(":memory:"), seed, 60, keeper, follow=False)
    return keeper


def test_every_account_below_maintenance_is_liquidated_or_refused_with_a_status(keeper):
    assert keeper.liquidated >= examples(25)


def test_refusals_were_seen_too(keeper):
    assert keeper.refused > 0
