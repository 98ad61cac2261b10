"""The index is a function of a set of quotes, and one bad source cannot move it far."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.oracle.index import (
    Absence,
    Feed,
    Index,
    IndexRules,
    NoPrice,
    Quote,
    Verdict,
    index_price,
)
from ringfence.units import AMOUNT_MAX, SECOND_NS

NOW = 1_700_000_000 * SECOND_NS
ABC = IndexRules(sources=("a", "b", "c"), live_min=2)


def quote(source, price, *, age_s=0, confidence=0):
    return Quote(source, price, confidence, NOW - age_s * SECOND_NS)


def index(*quotes, rules=ABC):
    found = index_price(quotes, rules, NOW)
    assert isinstance(found, Index)
    return found


def test_without_a_quote_there_is_no_price_and_a_reason():
    assert index_price([], ABC, NOW) == NoPrice(Absence.NO_QUOTE)


def test_a_quote_counts_until_just_before_the_limit_of_age():
    last_ns = NOW - ABC.stale_after_ns
    assert index_price([Quote("a", 100, 0, last_ns + 1)], ABC, NOW).price == 100
    assert index_price([Quote("a", 100, 0, last_ns)], ABC, NOW) == NoPrice(
        Absence.ALL_STALE, publish_time_ns=last_ns
    )


@pytest.mark.parametrize(
    "bad",
    [
        quote("stranger", 100),
        quote("a", 0),
        quote("a", -100),
        quote("a", AMOUNT_MAX + 1),
        quote("a", 100, confidence=-1),
        Quote("a", 100, 0, NOW + ABC.ahead_max_ns + 1),
    ],
)
def test_what_cannot_be_a_quote_is_no_source(bad):
    assert index_price([bad], ABC, NOW) == NoPrice(Absence.NO_QUOTE)


def test_the_median_of_three_is_the_middle_one_and_of_two_the_middle_rounded_down():
    assert index(quote("a", 1000), quote("b", 1010), quote("c", 1003)).price == 1003
    assert index(quote("a", 1000), quote("b", 1003)).price == 1001


def test_a_weight_counts_as_so_many_sources():
    rules = IndexRules(sources=("a", "b", "c"), weights={"a": 3})
    assert index(quote("a", 1000), quote("b", 1010), quote("c", 1020), rules=rules).price == 1000
    rules = IndexRules(sources=("a", "b", "c"), weights={"a": 2})
    # Exactly half of the weight is at 1000: the median is a range, and its middle counts.
    assert index(quote("a", 1000), quote("b", 1010), quote("c", 1020), rules=rules).price == 1005


def test_a_source_beyond_the_limit_from_the_median_weighs_nothing():
    found = index(quote("a", 1000), quote("b", 1000), quote("c", 1051))
    assert (found.sources, found.source_mask, found.confidence) == (("a", "b"), 0b011, 0)
    assert found.divergent
    found = index(quote("a", 1000), quote("b", 1000), quote("c", 1050))
    assert (found.sources, found.source_mask) == (("a", "b", "c"), 0b111)


def test_the_mask_names_the_sources_by_their_place_in_the_rules():
    assert index(quote("c", 1000), quote("a", 1000)).source_mask == 0b101


def test_two_camps_leave_a_divergent_index_whose_confidence_covers_both():
    found = index(quote("a", 1000), quote("b", 2000))
    assert (found.price, found.confidence, found.divergent) == (1500, 500, True)


def test_fewer_sources_than_the_rules_want_are_degraded():
    assert index(quote("a", 1000)).degraded
    assert not index(quote("a", 1000), quote("b", 1000)).degraded
    # An outlier is live, but it is not used.
    rules = IndexRules(sources=("a", "b", "c"), live_min=3)
    assert index(quote("a", 1000), quote("b", 1000), quote("c", 1100), rules=rules).degraded


def test_divergent_begins_beyond_the_limit():
    assert not index(quote("a", 10_000), quote("b", 10_200)).divergent
    assert index(quote("a", 10_000), quote("b", 10_201)).divergent


def test_the_confidence_holds_the_bands_of_three_quarters_of_the_weight():
    assert index(quote("a", 1000, confidence=7)).confidence == 7
    assert index(quote("a", 1000), quote("b", 1002, confidence=5), quote("c", 1001)).confidence == 6
    five = IndexRules(sources=("a", "b", "c", "d", "e"))
    quotes = [quote(s, 1000, confidence=1) for s in "abcd"] + [quote("e", 1000, confidence=40)]
    assert index(*quotes, rules=five).confidence == 1


def test_the_publish_time_is_that_of_the_majority():
    found = index(quote("a", 1000, age_s=1), quote("b", 1000, age_s=2), quote("c", 1000, age_s=50))
    assert found.publish_time_ns == NOW - 2 * SECOND_NS  # c stopped and holds nobody back
    found = index(quote("a", 1000), quote("b", 1000, age_s=40), quote("c", 1000, age_s=50))
    assert found.publish_time_ns == NOW - 40 * SECOND_NS  # a alone hides nothing
    assert index(quote("a", 1000), quote("b", 1000, age_s=9)).publish_time_ns == NOW - 9 * SECOND_NS


def test_a_clock_that_runs_ahead_does_not_make_the_index_younger_than_now():
    ahead = Quote("a", 1000, 0, NOW + ABC.ahead_max_ns)
    assert index(ahead).publish_time_ns == NOW


@pytest.mark.parametrize(
    "rules",
    [
        {"sources": ()},
        {"sources": ("a", "a")},
        {"sources": tuple(f"s{k}" for k in range(53))},
        {"sources": ("a",), "weights": {"b": 1}},
        {"sources": ("a",), "weights": {"a": 0}},
        {"sources": ("a",), "live_min": 0},
        {"sources": ("a",), "live_min": 2},
        {"sources": ("a",), "stale_after_ns": 0},
        {"sources": ("a",), "jump_max": 1},
        {"sources": ("a",), "ahead_max_ns": -1},
    ],
)
def test_rules_outside_of_their_range_are_refused(rules):
    with pytest.raises(ValueError):
        IndexRules(**rules)


def test_a_feed_names_the_first_rule_that_a_quote_breaks():
    feed = Feed(ABC)
    later = Quote("a", 1000, 0, NOW + 1)
    story = [
        (quote("stranger", 0), Verdict.SOURCE_IS_UNKNOWN),
        (quote("a", 0), Verdict.PRICE_MUST_BE_POSITIVE),
        (quote("a", AMOUNT_MAX + 1), Verdict.PRICE_EXCEEDS_LIMIT),
        (quote("a", 1000, confidence=-1), Verdict.CONFIDENCE_IS_INVALID),
        (quote("a", 1000), Verdict.OK),
        (quote("a", 1001), Verdict.PUBLISH_TIME_MUST_INCREASE),
        (Quote("a", 1000, 0, NOW + ABC.ahead_max_ns + 1), Verdict.PUBLISH_TIME_IN_THE_FUTURE),
        (Quote("a", 10_000, 0, NOW + 1), Verdict.SCALE_CHANGED),
        (Quote("a", 100, 0, NOW + 1), Verdict.SCALE_CHANGED),
        (later, Verdict.OK),
    ]
    for offered, verdict in story:
        before = feed.quotes
        assert feed.offer(offered, NOW) is verdict
        assert verdict is Verdict.OK or feed.quotes == before
    assert feed.quotes == (later,)
    assert feed.verdicts[Verdict.SCALE_CHANGED] == 2


def test_a_forgotten_source_may_change_its_scale():
    feed = Feed(ABC)
    feed.offer(quote("a", 1000, age_s=1), NOW)
    feed.forget("a")
    assert feed.offer(quote("a", 1_000_000), NOW) is Verdict.OK


STREAMS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 500), st.integers(0, 9), st.integers(0, 30)),
    max_size=20,
    unique_by=lambda row: (row[0], row[3]),  # an honest source says one thing at a time
)


@given(STREAMS, st.randoms(use_true_random=False))
def test_order_duplicates_and_late_copies_change_nothing(rows, chance: random.Random):
    clean = [Quote(s, 1000 + price, width, NOW - age) for s, price, width, age in rows]
    noisy = clean + chance.choices(clean, k=10) if clean else []
    chance.shuffle(noisy)
    straight, tangled = Feed(ABC), Feed(ABC)
    for item in sorted(clean, key=lambda q: q.publish_time_ns):
        assert straight.offer(item, NOW) is Verdict.OK
    for item in noisy:
        tangled.offer(item, NOW)
    assert straight.quotes == tangled.quotes
    assert straight.index(NOW) == tangled.index(NOW) == index_price(noisy, ABC, NOW)


@given(
    st.lists(st.integers(10_000, 10_400), min_size=2, max_size=6),
    st.integers(1, AMOUNT_MAX),
    st.integers(0, 6),
)
def test_one_bad_source_cannot_leave_the_range_of_the_honest(honest, bad, place):
    names = tuple(f"s{k}" for k in range(len(honest) + 1))
    prices = [*honest[:place], bad, *honest[place:]]
    rules = IndexRules(sources=names)
    quotes = [quote(name, price) for name, price in zip(names, prices, strict=True)]
    found = index(*quotes, rules=rules)
    assert min(honest) <= found.price <= max(honest)


@given(STREAMS.filter(bool), st.integers(1, 10**6))
def test_the_index_lies_within_its_sources_and_its_band_reaches_one(rows, scale):
    quotes = [Quote(s, scale * (1000 + p), w, NOW - age) for s, p, w, age in rows]
    found = index(*quotes)
    newest = {q.source: q for q in sorted(quotes, key=lambda q: q.publish_time_ns)}
    used = [newest[name] for name in found.sources]
    assert min(q.price for q in used) <= found.price <= max(q.price for q in used)
    held = sum(abs(q.price - found.price) + q.confidence <= found.confidence for q in used)
    assert 4 * held >= 3 * len(used)
    assert 2 * sum(q.publish_time_ns >= found.publish_time_ns for q in used) > len(used)
