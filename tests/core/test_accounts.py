"""Accounts, the clock, and the switch over the kinds of commands."""

import numpy as np
import pytest
from tests.stories import check

from ringfence.core.command import Kind, rows
from ringfence.core.log import empty_log
from ringfence.core.machine import apply, names_account
from ringfence.core.pool import (
    account_count,
    capacity,
    copied,
    grown,
    pool_bytes,
    with_bytes,
)
from ringfence.core.status import Status

TRADED = """
    price ETH 1000
    mark ETH-PERP 1000
    deposit A1 500 USDC
    deposit B1 20 ETH
    trade A1 B1 5 ETH-PERP @ 1000
"""


def test_an_account_reports_the_first_rule_it_breaks():
    story = check("""
        capacity 3
        open_account 7 0  -> amount_must_be_positive
        open_account 7 -1 -> amount_must_be_positive
        open_account 7 1
        open_account 7 2
        open_account 8 0  -> amount_must_be_positive
        open_account 8 1  -> pool_is_full
        total accounts 3
    """)
    assert story.pool.owner.tolist() == [1, 7, 7]
    assert story.pool.number.tolist() == [0, 1, 2]


@pytest.mark.parametrize("kind", sorted(set(range(-1, 60)) - set(Kind)))
def test_an_unknown_command_is_refused(kind):
    check(f"command {kind} -> command_is_unknown")


def test_time_never_goes_backwards():
    check("""
        clock -1ns -> time_must_not_decrease
        clock +0s
        clock +1ns
        clock -1ns -> time_must_not_decrease
        clock +5s
    """)


def test_kinds_of_an_account_are_those_that_name_one():
    of_pool = {
        *(Kind.ADVANCE_CLOCK, Kind.OPEN_ACCOUNT, Kind.EXPIRE, Kind.SETTLE),
        *(Kind.SET_INDEX_PRICE, Kind.SET_MARK_PRICE, Kind.ACCRUE_FUNDING),
        *(Kind.ANNOUNCE_CHANGE, Kind.CANCEL_CHANGE, Kind.DELEVERAGE, Kind.SET_RISK_ARRAY),
        Kind.END_POOL,
    }
    assert {kind for kind in Kind if not names_account(kind)} == of_pool


def test_a_batch_gives_every_row_its_own_outcome():
    story = check("deposit A1 1 USDC \n price ETH 1000 \n mark ETH-PERP 1000")
    batch = rows(3)
    batch["kind"] = Kind.DEPOSIT, Kind.DEPOSIT, Kind.SETTLE
    batch["account"], batch["amount"] = 1, (5, 0, 0)
    statuses = np.full(3, -1)
    apply(story.pool, batch, statuses, empty_log(8))
    assert statuses.tolist() == [Status.OK, Status.AMOUNT_MUST_BE_POSITIVE, Status.OK]
    assert story.pool.balance[1, 0] == 10**6 + 5


def test_an_event_names_the_row_of_its_command():
    story = check(f"{TRADED} \n mark ETH-PERP 1010")
    batch = rows(2)
    batch["kind"] = Kind.DEPOSIT, Kind.SETTLE
    batch["account"], batch["amount"] = 1, 5
    log = empty_log(8)
    apply(story.pool, batch, np.zeros(2, dtype=np.int64), log)
    assert log.events["row"].tolist()[: log.position[0]] == [1]


def test_a_pool_grows_without_changing_its_state():
    pool = check(f"capacity 4 \n {TRADED}").pool
    assert grown(pool, 4) is pool
    wider = grown(pool, 5)
    assert (capacity(pool), capacity(wider)) == (4, 8)
    assert capacity(grown(pool, 100)) == 100
    assert pool_bytes(wider) == pool_bytes(pool)
    assert account_count(wider) == 3


def test_a_copy_shares_nothing_with_the_pool():
    story = check(TRADED)
    before = pool_bytes(story.pool)
    twin = story.twin()
    twin.play("mark ETH-PERP 1020 \n settle")
    assert pool_bytes(story.pool) == before
    assert pool_bytes(twin.pool) != before
    assert pool_bytes(copied(twin.pool)) == pool_bytes(twin.pool)


def test_the_bytes_of_a_pool_hold_its_whole_state():
    story = check(TRADED)
    story.pool = with_bytes(story.pool, pool_bytes(story.pool))
    assert capacity(story.pool) == 3
    story.play("mark ETH-PERP 1010 \n settle \n claim A1 50 \n due B1 50")


@pytest.mark.parametrize("length", [0, 8, -8, -16])
def test_bytes_of_another_shape_are_refused(length):
    pool = check(TRADED).pool
    state = pool_bytes(pool)[:length] if length <= 0 else pool_bytes(pool) + bytes(length)
    with pytest.raises(ValueError, match="are not a state of this pool"):
        with_bytes(pool, state)
