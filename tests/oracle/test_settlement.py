"""The settlement price: averaged over time, exact, and unmoved by what lasts for a moment."""

import pytest

from ringfence.oracle.settlement import SettlementAverage
from ringfence.units import MINUTE_NS, PRICE_UNIT

HALF_HOUR = 30 * MINUTE_NS
EXPIRY = 1_700_000_000 * 10**9


def observed(*prices: tuple[int, int]) -> SettlementAverage:
    """The average after prices, each so many minutes before the expiry."""
    average = SettlementAverage(expiry_ns=EXPIRY, window_ns=HALF_HOUR)
    for minutes, price in prices:
        average = average.observe(price * PRICE_UNIT, EXPIRY - minutes * MINUTE_NS)
    return average


def test_prices_count_by_the_time_they_stood_inside_of_the_window():
    average = observed((45, 500), (20, 1000), (5, 2000))
    expected = (10 * 500 + 15 * 1000 + 5 * 2000) * PRICE_UNIT // 30
    assert average.settlement_price(1, EXPIRY) == expected
    assert average.settlement_price(1, EXPIRY + HALF_HOUR) == expected
    assert average.settlement_price(PRICE_UNIT, EXPIRY) == 1000 * PRICE_UNIT


def test_a_price_that_lasts_for_a_moment_moves_nothing():
    calm = observed((30, 1000))
    jumped = calm.observe(9000 * PRICE_UNIT, EXPIRY - 7).observe(1000 * PRICE_UNIT, EXPIRY - 6)
    moved = jumped.settlement_price(1, EXPIRY) - calm.settlement_price(1, EXPIRY)
    assert 0 <= moved <= 8000 * PRICE_UNIT // HALF_HOUR + 1


def test_what_is_fixed_grows_from_nothing_to_all():
    average = observed((45, 500), (15, 1000))
    assert average.average(EXPIRY - HALF_HOUR) is None
    assert average.passed_ns(EXPIRY - HALF_HOUR) == 0
    assert average.average(EXPIRY - 15 * MINUTE_NS) == 500 * PRICE_UNIT
    assert average.average(EXPIRY - 10 * MINUTE_NS) == (15 * 500 + 5 * 1000) * PRICE_UNIT // 20
    assert average.passed_ns(EXPIRY + 1) == HALF_HOUR


def test_a_price_has_a_floor_of_one_tick():
    assert observed((30, 1)).settlement_price(5 * PRICE_UNIT, EXPIRY) == 5 * PRICE_UNIT


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: SettlementAverage(expiry_ns=5, window_ns=0), "window_ns 0"),
        (lambda: observed((30, 0)), "index price 0 must be positive"),
        (lambda: observed((20, 1), (21, 1)), "is before"),
        (lambda: observed((30, 1)).settlement_price(1, EXPIRY - 1), "the expiry"),
        (lambda: observed().average(EXPIRY), "began before its first price"),
        (lambda: observed((20, 1)).average(EXPIRY - 20 * MINUTE_NS), "before its first price"),
    ],
)
def test_what_has_no_answer_is_refused(act, message):
    with pytest.raises(ValueError, match=message):
        act()
