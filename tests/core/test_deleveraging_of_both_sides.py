"""Deleveraging where longs and shorts wait at the same time, and its limits."""

import numpy as np
from tests.stories import Story, check

from ringfence.core.command import Happening, Kind, rows
from ringfence.core.invariants import broken_invariants
from ringfence.core.log import empty_log, recorded, room_for
from ringfence.core.machine import apply
from ringfence.core.pool import ACCOUNT_COLUMNS, Total, grown, pool_bytes
from ringfence.core.status import Status

TERMS = "rule backstop_limit 0 dust 0 bonus_min 0 bonus_max 0 liquidation_fee 0"
# S1 sold low, A1 bought high: at 945 both are below maintenance.
BOTH = f"""
    {TERMS}
    price ETH 850
    mark ETH-PERP 850
    deposit S1 SOLD_FOR USDC
    deposit D1 8000 USDC
    trade D1 S1 SOLD ETH-PERP @ 850
    price ETH 1000
    mark ETH-PERP 1000
    deposit A1 1000 USDC
    deposit B1 1000 USDC
    deposit C1 3000 USDC
    trade A1 B1 5 ETH-PERP @ 1000
    trade A1 C1 5 ETH-PERP @ 1000
    mark ETH-PERP 945
    liquidate S1
    liquidate A1
    total waiting 2
"""


def both(sold: str, cash: str) -> str:
    return BOTH.replace("SOLD_FOR", cash).replace("SOLD", sold)


def test_who_waits_and_is_closed_whole_as_one_of_the_other_side_is_at_its_end():
    """S1 has lost 95 of 90. It is closed against A1, who gives his place up at target."""
    check(f"""
        {both("1", "90")}
        deleverage ETH-PERP 0
        event winner_deleveraged account S1 index 0 size -1 price 945 value 945 shortfall 0
        event winner_deleveraged account B1 size -1.064
        event position_deleveraged account A1 size 2.064 value 1950.48
        event shortfall_recorded account S1 shortfall 5
        events 0
        step S1 none
        step A1 none
        total waiting 0
        position S1 0 ETH-PERP cost 0
        due S1 5
        total shortfall 5
        deleverage ETH-PERP 0 -> nothing_to_deleverage
    """)


def test_what_the_first_side_leaves_of_who_waits_on_the_second_is_closed_next():
    """S1 has lost 285 of 270. A1 needs 2.064 of its three, and gives the rest, as the most levered.

    It holds 7.936 with an equity of 450, D1 three with one of 8285.
    """
    check(f"""
        {both("3", "270")}
        deleverage ETH-PERP 0
        event winner_deleveraged account S1 size -2.064 shortfall 0
        event position_deleveraged account A1 size 2.064
        event winner_deleveraged account A1 size 0.936 shortfall 0
        event position_deleveraged account S1 size -0.936
        event shortfall_recorded account S1 shortfall 15
        events 0
        step S1 none
        step A1 none
        total waiting 0
        position A1 7 ETH-PERP cost 6615
        position D1 3 ETH-PERP cost 2550
        due S1 15
    """)


def test_a_due_that_coins_can_pay_is_no_loss():
    """A1 has lost 850, owns a coin that counts 840 at target, and sixteen percent of it is free."""
    check(f"""
        {TERMS}
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1 ETH
        deposit B1 5000 USDC
        trade A1 B1 5 ETH-PERP @ 1000
        mark ETH-PERP 830
        liquidate A1
        deleverage ETH-PERP 0
        event winner_deleveraged account B1 size -5 value 4150 shortfall 0
        event position_deleveraged account A1 size 5 value 4150
        event collateral_liquidated account A1 size 0.0625 value 62.5 bonus 0
        events 0
        step A1 none
        due A1 787.5
        balance A1 0.9375 ETH
        excess A1 target 0
        due backstop 62.5
        total shortfall 0
        claim B1 850                            # nobody has given up a gain
    """)


def crowd(count: int) -> Story:
    """A story in which so many accounts like S1 wait on the other side of A1, one lot each."""
    story = check(f"""
        {TERMS}
        price ETH 850
        mark ETH-PERP 850
        deposit S1 0.09 USDC
        deposit D1 8000 USDC
        trade D1 S1 0.001 ETH-PERP @ 850
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 0.1 USDC
        deposit B1 1000 USDC
        trade A1 B1 0.001 ETH-PERP @ 1000
        mark ETH-PERP 945
        liquidate S1
        liquidate A1
    """)
    opened, more = int(story.pool.total[Total.ACCOUNTS]), count - 1
    s, d = story.account("S1"), story.account("D1")
    pool = grown(story.pool, opened + more)
    for name in ACCOUNT_COLUMNS:
        getattr(pool, name)[opened : opened + more] = getattr(pool, name)[s]
    pool.size[d] -= more * pool.size[s]
    pool.cost[d, 0] += more * 850_000  # what D1 pays each of them
    pool.total[Total.SETTLED_CASH] += more * 90_000  # what each has lost so far; it owes the rest
    pool.open_interest[0] -= more * pool.size[s, 0]
    pool.total[Total.ACCOUNTS] += more
    pool.total[Total.WAITING] += more
    story.pool = pool
    assert broken_invariants(pool) == []
    return story


def outcome(story: Story) -> tuple[Status, list[int]]:
    """Status and events of closing at most one account a side."""
    row, statuses = rows(1), np.zeros(1, dtype=np.int64)
    row["kind"], row["amount"] = Kind.DELEVERAGE, 1
    log = empty_log(room_for(story.pool, row))
    apply(story.pool, row, statuses, log)
    assert broken_invariants(story.pool) == []
    return Status(int(statuses[0])), recorded(log)["kind"].tolist()


def test_what_could_need_too_many_events_for_one_entry_changes_nothing():
    """A loser may have 8 events and one of the other side 9, if it waits itself.

    A1 against n of them and B1: 8 + 9 n + 1. One of them against A1 and D1: 8 + 9 + 1.
    """
    story = crowd(11_109)  # 100008
    before = pool_bytes(story.pool)
    assert outcome(story) == (Status.TOO_MANY_AT_ONCE, [])
    assert pool_bytes(story.pool) == before
    status, kinds = outcome(crowd(11_108))  # 99999
    assert status == Status.OK
    assert kinds[0] == Happening.WINNER_DELEVERAGED
    assert Happening.POSITION_DELEVERAGED in kinds
