"""The comparison itself: it must notice a difference, and must not notice what was not stated."""

import pytest
from tests.vectors.published import agrees, reproduced, tolerance


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {}),
        ({"a": 1}, {"a": None}),
        ([1, 2], [1]),
        ("7", 8),
        (True, False),
        (10**20, 10**20 + 1),
    ],
)
def test_a_difference_is_noticed(expected, got):
    assert not agrees(expected, got, {"abs": 0})


@pytest.mark.parametrize(
    ("expected", "got", "tol"),
    [
        ({"a": None}, {}, {"abs": 0}),
        ({"a": 1}, {"a": 1, "b": 2}, {"abs": 0}),
        ("10000000000000000000000", 10**22, {"abs": 0}),
        (100.0, 100.4, {"abs": 0.5}),
        (100.0, 100.4, {"rel": 0.005}),
        ({"a": 1.0}, {"a": 1.4}, {"per_field_abs": {"a": 0.5}}),
    ],
)
def test_what_is_not_stated_or_within_the_tolerance_agrees(expected, got, tol):
    assert agrees(expected, got, tol)


def test_every_case_that_differs_is_named():
    cases = [{"id": name, "inputs": n, "expected": {"x": 1}} for n, name in enumerate("abc")]
    assert reproduced(cases[1:2], lambda n: {"x": n}) == 1
    with pytest.raises(AssertionError, match=r"'a'.*'c'"):
        reproduced(cases, lambda n: {"x": n})


def test_a_case_without_a_tolerance_is_exact():
    assert tolerance({}) == {"abs": 0}
    assert tolerance({"tolerance_rel": 1e-9}) == {"rel": 1e-9}
