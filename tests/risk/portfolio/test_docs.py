"""The page on the simulator: its worked examples are recomputed, figure by figure."""

import contextlib
import io
import re
from pathlib import Path

import msgspec
import pytest

from ringfence.cli.margin_view import payoff
from ringfence.risk.portfolio import PRESETS, read, simulate
from ringfence.risk.portfolio.terms import Collateral, Expiry, Option, Perpetual, Underlying

PAGE = (Path(__file__).parents[3] / "docs" / "margin-simulator.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(
    r"^### (.+?)\n.*?^```toml\n(.*?)^```\n\n((?:^\|[^\n]*\n)+)", re.MULTILINE | re.DOTALL
)
EXAMPLES = {name: (toml, rows.splitlines()) for name, toml, rows in EXAMPLE.findall(PAGE)}


def cells(row):
    return [cell.strip().strip("`") for cell in row.strip("|").split("|")]


def field(report, path):
    for key in path.split("."):
        report = report[int(key)] if key.isdigit() else report[key]
    return report


def shown(value, text):
    """Whether a page shows a value, to the digits it has."""
    if value is None or isinstance(value, str):
        return text == ("null" if value is None else value)
    digits = len(text.partition(".")[2])
    # A figure that lies on the border between two digits may be rounded either way.
    return abs(value - float(text)) <= 0.5001 * 10**-digits


def test_there_are_six_worked_examples():
    wanted = ["Covered call", "Spread", "Straddle", "Calendar", "Collar", "Hedged perpetual"]
    assert list(EXAMPLES) == wanted


def test_the_picture_of_the_page_is_what_the_terminal_draws():
    (shown,) = re.findall(r"^```text\n(ETH: profit over.*?)\n```", PAGE, re.MULTILINE | re.DOTALL)
    (curve,) = simulate(*read(EXAMPLES["Straddle"][0]), outlook=True).outlook.curves
    assert shown.splitlines() == [row.plain.rstrip() for row in payoff(curve)]


def test_a_collar_asks_for_less_than_a_covered_call_and_a_spread_of_its_naked_leg():
    def needed(name, change=lambda toml: toml):
        report = simulate(*read(change(EXAMPLES[name][0]), "deribit-like"))
        return report.levels["initial"].requirement

    assert needed("Collar") < 0.7 * needed("Covered call")
    naked = needed("Spread", lambda toml: toml.replace('size = "10"', 'size = "0"'))
    assert needed("Spread") < 0.5 * naked


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_figure_of_an_example_is_what_the_simulator_says(name):
    toml, rows = EXAMPLES[name]
    header, _, *figures = (cells(row) for row in rows)
    assert header == ["figure", *PRESETS]
    assert len(figures) >= 10
    for k, preset in enumerate(PRESETS, 1):
        report = msgspec.to_builtins(simulate(*read(toml, preset)))
        wrong = {
            row[0]: (field(report, row[0]), row[k])
            for row in figures
            if not shown(field(report, row[0]), row[k])
        }
        assert wrong == {}, preset


def test_the_python_of_the_page_prints_what_it_shows():
    (code, expected) = re.search(
        r"```python\n(.*?)```\n```text\n(.*?)```", PAGE, re.DOTALL
    ).groups()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "margin-simulator.md", "exec"), {})
    assert printed.getvalue() == expected


def test_every_field_of_a_file_is_on_the_page():
    kinds = (Underlying, Expiry, Collateral, Perpetual, Option)
    names = {name for kind in kinds for name in kind.__struct_fields__} - {"expiries"}
    assert {name for name in names if f"`{name}`" not in PAGE} == set()
