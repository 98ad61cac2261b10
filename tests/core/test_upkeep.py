"""What the venue asks of every account on each tick: has it a next step, has it to be told?"""

import numpy as np
from tests.stories import Story, check

from ringfence.core.liquidation import has_next_step
from ringfence.core.pool import account_count
from ringfence.core.protection import find_warnings

TERMS = "rule bonus_min 0 bonus_max 0 liquidation_fee 0 dust 0"
MARKET = f"""
    {TERMS}
    price ETH 1000
    mark ETH-PERP 1000
    deposit A1 1000 USDC
    deposit B1 5000 USDC
    deposit C1 5000 USDC
    trade A1 B1 10 ETH-PERP @ 1000
    mark ETH-PERP 945
"""
AUCTION = MARKET.replace(TERMS, f"{TERMS} auction_seconds 600") + "    liquidate A1\n"
WAITING = MARKET.replace(TERMS, f"{TERMS} backstop_limit 0") + "    liquidate A1\n"


def assert_next(story: Story, lines: str, outcome: str) -> Story:
    """Assert whether A1 has a next step after some lines, and that a liquidation agrees."""
    later = story.twin().play(lines)
    assert has_next_step(later.pool, later.account("A1")) == (outcome == "ok")
    return later.play(f"liquidate A1 -> {outcome}")


def test_an_auction_goes_on_when_it_is_over_cured_or_below_closeout():
    story = check(AUCTION)
    assert_next(story, "clock +599999999999ns \n price ETH 1000", "auction_is_running")
    assert_next(story, "clock +600s \n price ETH 1000", "ok").play("total auctioned 0")
    assert_next(story, "mark ETH-PERP 947.36", "auction_is_running")  # 473.6 for 473.68
    assert_next(story, "mark ETH-PERP 947.37", "ok").play("event step_ended account A1 index 4")
    # At closeout 1000 less what is lost has to cover 3.3 %: from 930.713 down it does not.
    assert_next(story, "mark ETH-PERP 930.72", "auction_is_running")
    assert_next(story, "mark ETH-PERP 930.71", "ok").play("event position_liquidated account A1")


def test_who_waits_goes_on_when_cured_or_without_positions():
    story = check(WAITING)
    assert_next(story, "mark ETH-PERP 947.36", "account_awaits_deleveraging")
    assert_next(story, "mark ETH-PERP 947.37", "ok").play("event step_ended account A1 index 7")
    # It closes by itself at a mark at which 100 are missing, and is still held to them.
    closed = "mark ETH-PERP 890 \n trade A1 C1 -9.999 ETH-PERP @ 890"
    assert_next(story, closed, "account_awaits_deleveraging")
    assert_next(story, f"{closed} \n trade A1 C1 -0.001 ETH-PERP @ 890", "ok").play("""
        event shortfall_recorded account A1 shortfall 100
        step A1 none
        total waiting 0
    """)


def test_who_waits_with_nothing_but_a_due_on_record_is_let_go():
    """Its loss is counted once, though it comes to its end a second time."""
    check(f"""
        {MARKET.replace(TERMS, f"{TERMS} backstop_limit 8800")}
        mark ETH-PERP 880
        liquidate A1                            # takes up all that the backstop may take
        event position_liquidated account A1 size 10
        event shortfall_recorded account A1 shortfall 200
        deposit A1 1 ETH
        trade A1 B1 1 ETH-PERP @ 880
        price ETH 200                           # 170 for a due of 200 and a margin of 44
        liquidate A1
        step A1 deleveraging
        trade A1 B1 -1 ETH-PERP @ 880
        price ETH 0.000000001
        exchange A1 C1 1 ETH @ 0.000000001      # for nothing, which it is worth
        step A1 deleveraging
        liquidate A1
        step A1 none
        total waiting 0
        due A1 200
        total shortfall 200
        liquidate A1 -> nothing_to_liquidate
    """)


def to_be_told(story: Story) -> list[int]:
    """Numbers of the accounts that a warning is due for."""
    found = np.zeros(account_count(story.pool), dtype=np.int64)
    everybody = np.arange(len(found), dtype=np.int64)
    return found[: find_warnings(story.pool, everybody, found)].tolist()


def test_a_warning_is_due_for_whoever_has_crossed_a_level_since_the_last():
    story = check(MARKET)
    a, b = story.account("A1"), story.account("B1")
    assert to_be_told(story) == [a]
    story.play("warn A1")
    assert to_be_told(story) == []
    story.play("mark ETH-PERP 947.36")  # still below maintenance
    assert to_be_told(story) == []
    story.play("mark ETH-PERP 947.37")
    assert to_be_told(story) == [a]
    story.play("warn A1 \n event account_warned account A1 index 2 \n mark ETH-PERP 1400")
    assert to_be_told(story) == [a, b]  # A1 above all levels, B1 below initial: 1000 for 1400
    story.play("warn B1 \n event account_warned account B1 index 1 \n warn A1")
    assert to_be_told(story) == []


def test_the_backstop_itself_is_told_nothing():
    story = check(f"""
        {MARKET}
        liquidate A1                            # the backstop holds 1.95 coins without any cash
        excess backstop initial -195.048
        warn A1                                 # at target, below initial
    """)
    assert to_be_told(story) == []
