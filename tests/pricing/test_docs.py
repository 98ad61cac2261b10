"""The examples of docs/pricing.md and of the docstrings run as they are printed."""

import doctest
from pathlib import Path

from ringfence.pricing import black76

PAGE = Path(__file__).resolve().parents[2] / "docs" / "pricing.md"


def test_examples_of_the_page_hold():
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted >= 13
    assert found.failed == 0


def test_example_of_the_price_function_holds():
    (example,) = doctest.DocTestFinder().find(
        black76.price, "price", globs={"price": black76.price}
    )
    assert doctest.DocTestRunner().run(example).failed == 0
