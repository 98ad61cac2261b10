"""The benchmark compares contenders that compute the same, and says so where one is missing."""

import numpy as np
import pytest

from ringfence.lab.bench import compiler, pricing


def test_contenders_that_are_there_compute_our_prices():
    options = pricing.random_options(300)
    contenders = {
        pricing.NUMPY: pricing.with_numpy,
        pricing.C: pricing.with_c,
        pricing.QUANTLIB: pricing.with_quantlib,
        pricing.VOLLIB: pricing.with_vollib,
    }
    there, missing = pricing._prepared(options, contenders, pricing.ours(options)())
    assert there.keys() | missing.keys() == contenders.keys()
    assert pricing.NUMPY in there


def test_compiled_contender_leaves_the_arithmetic_of_the_process_alone():
    """A library linked with -ffast-math would make every later subnormal number zero."""
    try:
        pricing.with_c(pricing.random_options(10))()
    except pricing.MissingError as error:
        pytest.skip(str(error))
    assert np.float64(1e-310) * np.float64(0.5) > 0.0


def test_contender_with_other_prices_is_refused():
    options = pricing.random_options(10)
    wrong = {"wrong": lambda options: lambda: np.zeros(options.forward.size)}
    with pytest.raises(pricing.PricesDifferError, match="wrong: prices differ"):
        pricing._prepared(options, wrong, pricing.ours(options)())


def test_missing_contender_is_a_row_with_the_reason_and_no_ratio(monkeypatch):
    monkeypatch.setattr(compiler.shutil, "which", lambda _name: None)
    options = pricing.random_options(10)
    (row,) = pricing._compared(options, {pricing.C: pricing.with_c}, pricing.WIDE, 1)
    assert row.baseline == "skipped: gcc is not installed"
    assert row.ratio is None
    assert row.met is None


def test_every_goal_is_on_a_contender_that_is_measured():
    names = {pricing.NUMPY, pricing.JAX, pricing.C, pricing.QUANTLIB, pricing.VOLLIB}
    assert pricing.WIDE.keys() <= names
    assert pricing.NARROW.keys() <= names
