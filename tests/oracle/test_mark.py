"""The mark follows the index at once, and the book slowly and never far."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.oracle.mark import FundingPremium, PremiumAverage, mark_price, premium
from ringfence.units import AMOUNT_MAX, HOUR_NS, PRICE_UNIT, SECOND_NS

INDEX = 3000 * PRICE_UNIT
PERCENT = PRICE_UNIT // 100


def test_a_premium_rounds_down_and_is_clamped():
    assert premium(INDEX, INDEX + 30 * PRICE_UNIT, 20_000) == PERCENT
    assert premium(3, 4, 200_000) == 200_000_000
    assert premium(3 * PRICE_UNIT, 3 * PRICE_UNIT - 1, 1_000) == -1  # -1/3 of 1e-9, down
    assert premium(INDEX, INDEX // 2, 10_000) == -PERCENT


def test_a_mark_lies_on_the_tick_below_and_is_never_zero():
    cent = PRICE_UNIT // 100
    assert mark_price(INDEX, 0, cent) == INDEX
    assert mark_price(INDEX + cent - 1, 0, cent) == INDEX
    assert mark_price(INDEX, PERCENT, cent) == 3030 * PRICE_UNIT
    assert mark_price(1, -PERCENT, cent) == cent


def test_a_premium_counts_only_for_the_time_it_stood():
    calm = PremiumAverage(time_constant_ns=30 * SECOND_NS).observe(INDEX, INDEX, 0)
    jumped = calm.observe(INDEX, INDEX * 2, 100)
    assert jumped.average == 0  # it was seen just now
    back = jumped.observe(INDEX, INDEX, 101)
    assert back.average == 0  # and stood for a nanosecond
    held = jumped.observe(INDEX, INDEX, 100 + 30 * SECOND_NS)
    assert held.average == PERCENT // 2  # a time constant: half of the way to the bound


def test_a_look_that_is_not_later_changes_nothing():
    state = PremiumAverage().observe(INDEX, INDEX + PRICE_UNIT, 1000)
    assert state.observe(INDEX, INDEX, 1000) is state
    assert state.observe(INDEX, INDEX, 999) is state


def test_without_a_book_the_mark_returns_to_the_index():
    state = PremiumAverage(average=PERCENT).observe(INDEX, None, 0)
    assert 0 < state.at(300 * SECOND_NS) < PERCENT // 10


@pytest.mark.parametrize(
    "wrong", [{"bound_ppm": -1}, {"bound_ppm": 200_001}, {"time_constant_ns": 0}]
)
def test_an_average_outside_of_its_range_is_refused(wrong):
    with pytest.raises(ValueError):
        PremiumAverage(**wrong)
    with pytest.raises(ValueError):
        FundingPremium(start_ns=0, bound_ppm=-1)


LOOKS = st.lists(
    st.tuples(
        st.integers(1, AMOUNT_MAX // 2),
        st.none() | st.integers(1, AMOUNT_MAX),
        st.integers(1, HOUR_NS),
    ),
    max_size=15,
)


@given(LOOKS, st.integers(0, 200_000), st.integers(1, HOUR_NS))
def test_the_average_never_leaves_the_bound(looks, bound_ppm, time_constant_ns):
    state = PremiumAverage(bound_ppm=bound_ppm, time_constant_ns=time_constant_ns)
    now_ns = 0
    for index, mid, step in looks:
        now_ns += step
        state = state.observe(index, mid, now_ns)
        assert abs(state.average) <= bound_ppm * 1000
        mark = mark_price(index, state.average, 1)
        assert abs(mark - index) * 10**6 <= bound_ppm * index + 10**6


def test_funding_is_the_mean_over_time_of_the_clamped_premium():
    state = FundingPremium(start_ns=0, bound_ppm=10_000)
    state = state.observe(INDEX, INDEX + 15 * PRICE_UNIT, 0)  # half a percent for an hour
    state = state.observe(INDEX, INDEX * 2, HOUR_NS)  # clamped to one percent for an hour
    assert state.mean(2 * HOUR_NS) == PERCENT * 3 // 4
    assert state.mean_ppm(2 * HOUR_NS) == 7_500
    state = state.observe(INDEX, None, 2 * HOUR_NS)  # an empty book is no premium
    assert state.mean_ppm(3 * HOUR_NS) == 5_000


def test_funding_before_the_first_look_counts_as_zero_and_rounds_to_nobodys_cost():
    state = FundingPremium(start_ns=0).observe(INDEX, INDEX - 3 * PRICE_UNIT, HOUR_NS)
    assert state.mean_ppm(HOUR_NS) == 0
    assert state.mean_ppm(2 * HOUR_NS) == -500
    state = FundingPremium(start_ns=0).observe(INDEX, INDEX - 1, 0)
    assert (state.mean(HOUR_NS), state.mean_ppm(HOUR_NS)) == (-1, 0)


def test_the_next_interval_begins_with_the_premium_that_stands():
    state = FundingPremium(start_ns=0).observe(INDEX, INDEX + 30 * PRICE_UNIT, 0)
    following = state.restart(HOUR_NS)
    assert following.mean_ppm(HOUR_NS) == 0
    assert following.mean_ppm(2 * HOUR_NS) == 10_000
    assert FundingPremium(start_ns=0).restart(HOUR_NS).time_ns is None
    assert following.observe(INDEX, INDEX, HOUR_NS - 1) is following
