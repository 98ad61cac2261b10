"""The scenario scan: the integers that plain Python finds, on any number of threads."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.risk.portfolio.books import market, option, portfolio

from ringfence.risk.lanes import LAST
from ringfence.risk.portfolio import model_of
from ringfence.risk.portfolio.book import account_of
from ringfence.risk.portfolio.scenario import assess
from ringfence.risk.revaluation import Lot, retable, revalue
from ringfence.risk.scan import fill, legs_of, new_table, scan, scan_columns

LOT = Lot(coins=0.01, quote_units=1e6)


def pools(seed, accounts, instruments, scenarios, legs_max=7, size_max=10**4, profit_max=10**12):
    """Random legs and a random table, with the numbers that it was filled with."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, legs_max + 1, accounts)
    start = np.concatenate([[0], np.cumsum(counts)])
    legs = legs_of(
        start,
        rng.integers(0, instruments, start[-1]),
        rng.integers(-size_max, size_max + 1, start[-1]),
    )
    arrays = rng.integers(-profit_max, profit_max + 1, (instruments, scenarios))
    marks = rng.integers(0, profit_max + 1, instruments)
    table = new_table(instruments, scenarios)
    fill(table, arrays, marks)
    return legs, table, arrays.tolist(), marks.tolist()


def by_hand(legs, arrays, marks):
    """Worst scenario and value of every account, in Python's own integers."""
    start, which, size = legs.start.tolist(), legs.instrument.tolist(), legs.size.tolist()
    worst, value = [], []
    for begin, end in itertools.pairwise(start):
        held = [(which[k], size[k]) for k in range(begin, end)]
        sums = [sum(n * arrays[i][s] for i, n in held) for s in range(len(arrays[0]))]
        worst.append(min(0, *sums))
        value.append(sum(n * marks[i] for i, n in held))
    return worst, value


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), scenarios=st.integers(1, 100), instruments=st.integers(1, 50))
def test_the_scan_finds_what_plain_python_finds(seed, scenarios, instruments):
    legs, table, arrays, marks = pools(seed, 60, instruments, scenarios)
    found = scan(legs, table)
    assert (found.worst.tolist(), found.value.tolist()) == by_hand(legs, arrays, marks)


def test_sums_at_the_limit_are_exact():
    """2**62 fits, one lot more is refused before anything is computed."""
    table = new_table(1, 2)
    fill(table, np.array([[2**31, -(2**31)]]), np.array([2**31]))
    found = scan(legs_of([0, 1, 2], [0, 0], [2**31, -(2**31)]), table)
    assert found.worst.tolist() == [-(2**62), -(2**62)]
    assert found.value.tolist() == [2**62, -(2**62)]
    with pytest.raises(OverflowError, match="use larger lots"):
        scan(legs_of([0, 1], [0], [2**31 + 1]), table)


def test_a_sum_of_sizes_counts_not_each_alone():
    table = new_table(1, 1)
    fill(table, np.array([[2**31]]), np.array([0]))
    with pytest.raises(OverflowError):
        scan(legs_of([0, 2], [0, 0], [2**31, 1]), table)
    scan(legs_of([0, 1, 2], [0, 0], [2**31, 1]), table)


def test_interpreted_and_compiled_find_the_same():
    legs, table, _, _ = pools(7, 50, 20, 45)
    compiled = scan(legs, table)
    worst, value = np.zeros(50, dtype=np.int64), np.zeros(50, dtype=np.int64)
    function = getattr(scan_columns, "py_func", scan_columns)
    function(legs.start, legs.instrument, legs.size, table, worst, value)
    assert np.array_equal(compiled.worst, worst)
    assert np.array_equal(compiled.value, value)


def test_two_threads_find_the_same_as_one():
    legs, table, arrays, marks = pools(3, 40_000, 30, 33, legs_max=3)
    one, two = scan(legs, table), scan(legs, table, threads=2)
    assert np.array_equal(one.worst, two.worst)
    assert np.array_equal(one.value, two.value)
    worst, value = by_hand(legs, arrays, marks)
    assert two.worst.tolist() == worst
    assert two.value.tolist() == value


def test_an_account_without_legs_needs_nothing():
    _, table, _, _ = pools(1, 1, 3, 5)
    found = scan(legs_of([0, 0, 0], [], []), table)
    assert found.worst.tolist() == found.value.tolist() == [0, 0]


def test_a_profit_in_every_scenario_needs_nothing():
    """A grid that fills its lanes has no empty one that would count as zero."""
    table = new_table(1, LAST)
    fill(table, np.full((1, LAST), 5), np.array([9]))
    found = scan(legs_of([0, 1], [0], [2]), table)
    assert (found.worst.tolist(), found.value.tolist()) == ([0], [18])


def test_results_can_be_written_into_those_of_an_earlier_scan():
    legs, table, _, _ = pools(5, 20, 10, 33)
    first = scan(legs, table)
    kept = first.worst.copy()
    first.worst[:] = 1
    assert scan(legs, table, into=first) is first
    assert np.array_equal(first.worst, kept)
    with pytest.raises(ValueError, match="20 accounts, but columns for 0"):
        scan(legs, table, into=scan(legs_of([0], [], []), table))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([0, 2], [0], [1]), "rise from 0 to 1"),
        (([0, 1, 0, 1], [0], [1]), "rise from 0 to 1"),
        (([], [], []), "rise from 0 to 0"),
        (([0, 1], [0, 1], [1]), "sizes are"),
        (([0, 1], [-1], [1]), "-1 must not be negative"),
        (([0, 2], [0, 0], [2**62, 1]), "too large"),
    ],
)
def test_legs_that_do_not_fit_are_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        legs_of(*columns)


def test_tables_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="2 instruments, the table 1"):
        scan(legs_of([0, 1], [1], [1]), new_table(1, 1))
    with pytest.raises(ValueError, match="2 instruments, but arrays"):
        fill(new_table(2, 3), np.zeros((1, 3), dtype=np.int64), np.zeros(1, dtype=np.int64))
    with pytest.raises(ValueError, match="1 blocks has no place for 40 scenarios"):
        fill(new_table(2, 39), np.zeros((2, 40), dtype=np.int64), np.zeros(2, dtype=np.int64))


@pytest.mark.parametrize("move", [-0.1, 0.0, 0.07])
def test_a_revalued_account_is_what_the_simulator_says_of_it(move):
    """In whole quote units, up to half of one a lot and leg."""
    model = model_of("deribit-like", {"basis": {"add": 0, "per_year": 0}})
    held = portfolio(option(3200, -1), option(3500, 1, expiry="far"), option(2800, -2, "put"))
    (book,) = account_of(held, market(), model).books
    table = new_table(3, 33)
    found = revalue(
        legs_of([0, 3], [0, 1, 2], [-100, 100, -200]), table, book.moved(move), model, LOT
    )
    account = account_of(held, market(), model).moved("ETH", move)
    (result,) = assess(account, model).underlyings
    lowest = min(r.profit for r in result.scenarios if "skew" not in r.name)
    assert abs(found.worst[0] / 1e6 - lowest) <= 400 * 0.5e-6
    assert abs(found.value[0] / 1e6 - account.books[0].marks().sum()) <= 400 * 0.5e-6


def test_options_have_no_arrays_where_a_model_discounts_by_expiry():
    model = model_of("derive-pmrm2")
    (book,) = account_of(portfolio(option(3000, 1)), market(), model).books
    with pytest.raises(ValueError, match="derive-pmrm2"):
        retable(new_table(1, 33), book, model, LOT)
