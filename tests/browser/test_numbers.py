"""Amounts on the screen are exact: decimal strings are grouped and cut, never made floats."""

import pytest

CUT = [
    ("money", "9007199254740991.999999", "9,007,199,254,740,991.99"),
    ("money", "-0.005", ">\N{MINUS SIGN}0.01"),
    ("money", "0.004", "<0.01"),
    ("money", "0", "0.00"),
    ("money", "1999.999", "1,999.99"),
    ("compact", "123456789.99", "123.4M"),
    ("compact", "-1530.5", "\N{MINUS SIGN}1.53k"),
    ("compact", "999.99", "999"),
    ("price", "0.00012345", "0.00012345"),
    ("price", "37823.245", "37,823.24"),
    ("percent", "0.0299999", "2.99"),
    ("health", "0.9999999", "0.999"),
    ("health", "1234567", ">999"),
    (
        "exact",
        "-123456789012345678901234567890.000001",
        "\N{MINUS SIGN}123,456,789,012,345,678,901,234,567,890.000001",
    ),
]
SUMS = [
    ("add", "0.1", "0.2", "0.3"),
    ("add", "9007199254740993", "0.000001", "9007199254740993.000001"),
    ("subtract", "1", "1.000000000000000001", "-0.000000000000000001"),
]
CALL = "([file, name, ...values]) => import(file).then((module) => module[name](...values))"


@pytest.fixture(scope="module")
def page(browser, url):
    made = browser.new_page()
    made.goto(url)
    yield made
    made.close()


@pytest.mark.parametrize(("name", "value", "shown"), CUT)
def test_a_figure_is_cut_and_not_rounded(page, url, name, value, shown):
    assert page.evaluate(CALL, [f"{url}/js/format.js", name, value]) == shown


@pytest.mark.parametrize(("name", "a", "b", "exact"), SUMS)
def test_sums_lose_no_digit(page, url, name, a, b, exact):
    assert page.evaluate(CALL, [f"{url}/js/decimal.js", name, a, b]) == exact


@pytest.mark.parametrize("health", ["0.999999", "1", "1.05", "1.1", "1.25", "1.5", "2", "5"])
def test_health_bands_begin_at_their_lower_edge(page, url, health):
    edges = [1, 1.05, 1.1, 1.25, 1.5, 2, 5]
    band = sum(float(health) >= edge for edge in edges)
    assert page.evaluate(CALL, [f"{url}/js/format.js", "band", health]) == band


def test_the_hash_of_a_spec_is_keccak_256(page, url):
    from ringfence.signing.keys import keccak

    for text in ("", "abc", "é" * 200, "x" * 135, "x" * 136, "x" * 137):
        found = page.evaluate(CALL, [f"{url}/js/keccak.js", "keccak256", text])
        assert found == "0x" + keccak(text.encode()).hex()
