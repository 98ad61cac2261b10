"""The queue of deleveraging: leverage, who stands before whom, the way until it is one's turn."""

import pytest
from tests.stories import Story, check

from ringfence.core.health import HEALTH_MAX
from ringfence.core.ranking import Rank, lights, rank

MARKET = """
    price ETH 1000
    mark ETH-PERP 1000
    deposit A1 1000 USDC
    deposit B1 1000 USDC
    deposit C1 3000 USDC
    trade A1 B1 5 ETH-PERP @ 1000
    trade A1 C1 5 ETH-PERP @ 1000
"""


def place(story: Story, account: str) -> tuple[int, ...]:
    """Leverage in ppm, accounts before, accounts of the side, distance in quote units."""
    i = story.instruments.index("ETH-PERP")
    return tuple(int(number) for number in rank(story.pool, story.account(account), i))


def test_the_more_levered_of_a_side_stands_before_the_others():
    story = check(MARKET)
    assert place(story, "A1") == (10_000_000, 0, 1, 0)  # 10000 on 1000, alone on its side
    assert place(story, "B1") == (5_000_000, 0, 2, 0)
    # B1 comes down to 1.666666 times 1000 before C1 is reached: 5000 - 1666.666.
    assert place(story, "C1") == (1_666_666, 1, 2, 3_333_334_000)


def test_who_is_levered_alike_stands_before_nobody():
    story = check(f"{MARKET} \n deposit B1 2000 USDC")
    assert place(story, "B1") == place(story, "C1") == (1_666_666, 0, 2, 0)
    story.play("deposit B1 0.0012 USDC")  # 5000 / 3000.0012 is 1.666666 still
    assert place(story, "B1") == (1_666_666, 0, 2, 0)
    story.play("deposit B1 0.000001 USDC")
    assert place(story, "B1") == (1_666_665, 1, 2, 5_000)  # C1 keeps 3000 * 1.666665
    assert place(story, "C1") == (1_666_666, 0, 2, 0)


def test_accounts_with_other_positions_or_none_are_on_no_side():
    story = check(f"""
        {MARKET}
        mark ETH-DEC 1000
        deposit D1 1000 USDC
        deposit E1 1000 USDC
        trade D1 E1 5 ETH-DEC @ 1000
    """)
    assert place(story, "C1") == (1_666_666, 1, 2, 3_333_334_000)


@pytest.mark.parametrize(
    ("deposit", "expected"),
    [
        ("1208.8", (10**9, 1, 2, 0)),  # levered a thousand times: first in any case
        ("1208.800001", (999_999_886, 1, 2, 8_800_000_000)),  # A1 keeps nothing of 8800
    ],
)
def test_whoever_has_no_equity_is_first_and_closed_whole(deposit, expected):
    story = check(f"""
        {MARKET}
        deposit E1 {deposit} USDC
        deposit F1 2000 USDC
        trade E1 F1 10 ETH-PERP @ 1000
        mark ETH-PERP 880                       # A1 lacks 200; E1 has lost 1200
    """)
    assert place(story, "A1") == (HEALTH_MAX, 0, 2, 0)
    assert place(story, "E1") == expected


@pytest.mark.parametrize(
    ("before", "side", "shown"),
    [(0, 1, 5), (0, 2, 5), (1, 2, 3), (1, 5, 4), (4, 5, 1), (1, 10, 5), (2, 10, 4), (9, 10, 1)],
)
def test_five_lights_are_for_the_fifth_that_is_cut_first(before, side, shown):
    assert lights(Rank(0, before, side, 0)) == shown
