"""The end of futures: the average that settles them, and what becomes of positions."""

import pytest
from tests.stories import Story, check


def test_a_future_expires_at_its_settlement_price():
    check("""
        price ETH 1000
        mark ETH-DEC 1000
        mark ETH-PERP 1000
        deposit A1 5000 USDC
        deposit B1 250 USDC
        trade A1 B1 2 ETH-DEC @ 1000
        trade B1 A1 0.1 ETH-PERP @ 1000
        expire DOGE      -> instrument_does_not_exist
        expire none      -> instrument_does_not_exist
        expire ETH-PERP  -> instrument_has_not_expired   # a perpetual never does
        expire ETH-DEC   -> instrument_has_not_expired
        clock +2591999s
        expire ETH-DEC   -> instrument_has_not_expired
        clock +1s
        expire ETH-DEC   -> price_is_not_usable          # nobody has given one for a month
        price ETH 1200
        expire ETH-DEC
        event instrument_expired price 1200 value 2400
        position A1 0 ETH-DEC cost 0
        position B1 0 ETH-DEC cost 0
        position B1 0.1 ETH-PERP cost 100
        claim A1 400
        due B1 150                                       # 400 less the 250 he had
        expire ETH-DEC   -> instrument_has_expired
        settle
        balance A1 5250 USDC
        claim A1 150
    """)


# The window is the last half hour; times in seconds before the expiry.
AVERAGES = {
    "by the time each stood": ("price 2700 500; price 1200 1000; price 300 2000", "1000"),
    "nothing after the expiry": ("price 1800 1000; price 0 9000", "1000"),
    "from the first price of all on": ("price 60 1000; price 20 1300", "1100"),
    "rounded down to a tick": ("price 3 1000; price 2 1000.01; price 1 1000.01", "1000"),
    "a moment moves a moment's part": ("price 1800 1000; price 1 2800; price 0 1000", "1001"),
    "an outage counts for nothing": ("price 3000 1000; price 300 1300", "1100"),
    "nor does what the oracle flags": (
        "price 1800 1000; flagged 900 5000; price 600 1600",
        "1200",
    ),
    "after an outage the next price": ("price 9000 1000; price 0 1700", "1700"),
    "less than a tick is one": ("price 600 0.005", "0.01"),
}


@pytest.mark.parametrize("name", AVERAGES)
def test_the_settlement_price_is_an_average_by_time(name):
    given, expected = AVERAGES[name]
    story, left = Story(), 30 * 86_400
    for part in given.split("; "):
        what, before, price = part.split()
        flag = " flag divergent" if what == "flagged" else ""
        story.play(f"clock +{left - int(before)}s\nprice ETH {price}{flag}")
        left = int(before)
    story.play(f"""
        clock +{left}s
        expire ETH-DEC
        event instrument_expired price {expected} value 0
    """)


def test_a_window_of_nothing_settles_at_the_first_price_that_can_be_used():
    Story().play("""
        instrument ETH-DEC settlement_window_seconds 0
        price ETH 1000
        clock +2592000s
        expire ETH-DEC -> price_is_not_usable
        price ETH 1100 flag divergent
        expire ETH-DEC -> price_is_not_usable
        clock +1s
        price ETH 1150
        expire ETH-DEC
        event instrument_expired price 1150 value 0
    """)
