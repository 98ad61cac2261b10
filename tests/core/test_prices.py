"""Index prices with their age, confidence and flags; mark prices; what each may be used for."""

import pytest
from tests.stories import Story, check

from ringfence.core.pool import Rule
from ringfence.core.validity import ALLOWED, Action, Validity, is_usable, validity


def test_an_index_price_reports_the_first_rule_it_breaks():
    check("""
        price DOGE 0 flag 3                   -> underlying_does_not_exist
        price none 0 flag 3                   -> underlying_does_not_exist
        price ETH 0 flag 3 published -1h      -> flag_is_unknown
        price ETH 0 flag -1 published -1h     -> flag_is_unknown
        price ETH 1000 published -1700000000s -> publish_time_must_increase   # nothing before 1970
        price ETH 0 published +5001000000ns   -> publish_time_in_the_future
        price ETH 0                           -> price_must_be_positive
        price ETH -1                          -> price_must_be_positive
        price ETH 100000.000000001 confidence -1 -> price_exceeds_limit
        price ETH 100000 confidence -1        -> confidence_must_not_be_negative
        price ETH 100000 published +5s
        price ETH 999 published +5s           -> publish_time_must_increase
        price ETH 999 published +4s           -> publish_time_must_increase
        clock +1ns
        price ETH 999 published +5s
    """)


def test_a_price_flagged_non_positive_keeps_the_last_good_one_but_is_never_usable():
    story = check("""
        price ETH 1000 published -60s
        price ETH 0 flag non_positive
        price ETH 0 flag non_positive published -60s -> publish_time_must_increase
    """)
    assert story.pool.index_price[0] == 1000 * 10**9
    assert validity(story.pool, 0) == Validity.NON_POSITIVE
    story.play("price ETH 1001")
    assert validity(story.pool, 0) == Validity.FRESH


def test_a_confidence_beyond_every_limit_is_kept_as_the_limit():
    story = check("price ETH 1000 confidence 9223372036854775807u")
    assert story.pool.confidence[0] == 2**53 - 1
    assert validity(story.pool, 0) == Validity.UNCERTAIN


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("clock +1s", Validity.NON_POSITIVE),  # before the first price
        ("price ETH 1000", Validity.FRESH),
        ("price ETH 1000 \n clock +299999999999ns", Validity.FRESH),
        ("price ETH 1000 confidence 20", Validity.FRESH),
        ("price ETH 1000 confidence 20.000000001", Validity.UNCERTAIN),
        ("price ETH 1000 confidence 21 \n clock +300s", Validity.STALE),
        ("price ETH 1000 \n clock +300s", Validity.STALE),
        ("price ETH 1000 \n clock +1799s", Validity.STALE),
        ("price ETH 1000 \n clock +1800s", Validity.LONG_STALE),
        ("price ETH 1000 \n price ETH 900 flag divergent \n clock +1800s", Validity.DIVERGENT),
        ("price ETH 1000 \n price ETH 0 flag non_positive", Validity.NON_POSITIVE),
    ],
)
def test_a_price_is_of_the_last_class_that_applies(lines, expected):
    story = check(lines)
    assert validity(story.pool, 0) == expected
    for action in Action:
        assert is_usable(story.pool, action, 0) == bool(ALLOWED[action][expected])


def test_a_pool_can_be_stricter_than_the_usual_table():
    story = Story()
    story.play("""
        allowed liquidate 1 0 0 0 0 0
        price ETH 1000 confidence 21
    """)
    assert not is_usable(story.pool, Action.LIQUIDATE, 0)
    assert is_usable(story.pool, Action.SETTLE, 0)


def test_the_first_price_after_an_outage_starts_a_grace_period():
    story = check("""
        price ETH 1000
        clock +1799s
        price ETH 1000
    """)
    assert story.pool.grace_until[0] == 0
    story.play("""
        clock +1800s
        price ETH 0 flag non_positive
    """)
    assert story.pool.grace_until[0] == 0
    story.play("price ETH 1000")
    grace = story.pool.rule[Rule.GRACE_NS]
    assert story.pool.grace_until[0] == story.pool.publish_time[0] // 10**9 * 10**9 + grace


def test_a_mark_price_reports_the_first_rule_it_breaks():
    check("""
        mark DOGE 0            -> instrument_does_not_exist
        mark none 0            -> instrument_does_not_exist
        mark ETH-DEC 0         -> price_must_be_positive
        mark ETH-DEC -0.01     -> price_must_be_positive
        mark ETH-DEC 100000.001 -> price_must_be_whole_ticks
        mark ETH-DEC 100000.01 -> price_exceeds_limit
        mark ETH-DEC 100000
        clock +30d
        mark ETH-DEC 1000                       # not settled yet
        price ETH 1000
        expire ETH-DEC
        mark ETH-DEC 0         -> price_must_be_positive
        mark ETH-DEC 1000      -> instrument_has_expired
    """)
