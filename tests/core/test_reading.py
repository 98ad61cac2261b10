"""Decimal strings become exact integers, or an error that shows them."""

import pytest

from ringfence.core.reading import scaled
from ringfence.units import UNIT


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.1", 10_000_000), ("-3", -3 * UNIT), ("1e3", 1_000 * UNIT), ("0.00000001", 1), ("0", 0)],
)
def test_a_decimal_times_its_scale_is_exact(text, expected):
    assert scaled(text, UNIT) == expected


@pytest.mark.parametrize(
    "text",
    ["", "x", "1,5", "nan", "inf", "-Infinity", "1e9999999", "0.000000001", "1." + "0" * 70 + "1"],
)
def test_what_cannot_be_represented_is_refused_with_the_value(text):
    with pytest.raises(ValueError, match=r"is not a|has more than 8 decimals") as refused:
        scaled(text, UNIT)
    assert repr(text)[:20] in str(refused.value)
