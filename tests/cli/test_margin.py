"""The command `margin`: one report, for people and for programs."""

import io
import sys

import pytest

from ringfence.pricing import black76
from ringfence.risk.portfolio import PRESETS
from ringfence.risk.portfolio.report import MarginReport

PORTFOLIO = """
[market.underlyings.ETH]
spot = "3000"
[market.underlyings.ETH.expiries.june]
days = 30
forward = 3010
volatility = 0.6
[portfolio]
cash = "9000"
[[portfolio.options]]
underlying = "ETH"
expiry = "june"
strike = "3000"
type = "call"
size = "-5"
[[portfolio.options]]
underlying = "ETH"
expiry = "june"
strike = "3000"
type = "put"
size = "-5"
[[trades]]
leg = "perpetual"
underlying = "ETH"
size = 1
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "portfolio.toml"
    path.write_text(PORTFOLIO)
    return path


@pytest.mark.parametrize("model", PRESETS)
def test_the_report_of_every_model_is_one_document(run, path, model):
    answer = run("margin", path, "--model", model, "--json")
    assert (answer.code, answer.err) == (0, "")
    report = answer.json
    assert set(report) == set(MarginReport.__struct_fields__)
    assert report["model"] == model
    for level in report["levels"].values():
        assert level["excess"] == report["equity"]["total"] - level["requirement"]
    (prices,) = report["liquidation"]
    assert prices["lower"] < 3000 < prices["upper"]
    assert report["trades"][0]["size_max"] > 0


def test_people_see_levels_the_worst_scenario_and_the_matrix_of_profit(run, path):
    answer = run("margin", path)
    report = run("margin", path, "--json").json
    assert answer.code == 0
    for level in ("initial", "target", "maintenance", "closeout"):
        requirement = report["levels"][level]["requirement"]
        assert f"{requirement:,.2f}" in answer.out
    (found,) = report["underlyings"]
    assert f"worst scenario  {found['worst']}" in answer.out
    for row in found["scenarios"]:
        assert f"{row['profit']:,.2f}" in answer.out.replace("-0.00", "0.00")
    assert "volatility down" in answer.out
    assert "█" in answer.out
    assert "trade: 1 of ETH perpetual at 3,000.00" in answer.out


def test_what_people_see_fits_eighty_columns(run, path):
    for model in PRESETS:
        out = run("margin", path, "--model", model).out
        assert max(len(line.rstrip()) for line in out.splitlines()) <= 80


def test_curves_and_the_matrix_show_where_the_account_is_liquidated(run, path):
    answer = run("margin", path)
    report = run("margin", path, "--json").json
    (curve,) = report["outlook"]["curves"]
    assert "at june" in answer.out
    assert f"{curve['now'][0]['spot']:,.0f}" in answer.out
    hatched = [line for line in answer.out.splitlines() if "▓" in line and "─" in line]
    assert len(hatched) >= 2
    poor = path.with_name("poor.toml")
    poor.write_text(PORTFOLIO.replace('"9000"', '"4500"'))
    cells = run("margin", poor, "--json").json["outlook"]["matrices"][0]["cells"]
    lost = sum(cell["excess"] < 0 for cell in cells)
    assert 0 < lost < len(cells)
    assert run("margin", poor).out.count("!") == lost


def test_costs_are_in_percent_of_collateral(run, path):
    costs = run("margin", path, "--json").json["outlook"]["costs"]
    out = run("margin", path).out
    assert "what a move does to collateral of 9,000.00" in out
    for cost in costs:
        assert f"{cost['profit']:,.2f}" in out
        assert f"{100 * cost['share']:+.2f} %" in out


def test_trades_can_be_asked_about_at_the_prompt(run, path):
    answer = run("margin", path, "--trade", "ETH june 3000 call 5 @ 200", "--json")
    trades = answer.json["trades"]
    assert [(t["leg"], t["size"]) for t in trades] == [
        ("ETH perpetual", 1.0),
        ("ETH june 3000 call", 5.0),
    ]
    assert trades[1]["price"] == 200.0
    assert trades[1]["changes"][0]["requirement"] < 0


def test_a_trade_that_cannot_be_read_is_wrong_usage(run, path):
    answer = run("margin", path, "--trade", "ETH perp 1")
    assert (answer.code, answer.out) == (2, "")
    assert "write UNDERLYING perpetual SIZE" in answer.err


QUOTES = """asset,asof,kind,expiry,strike,option_type,bid,ask,iv_bid,iv_ask
ETH,2026-05-01T08:00:00Z,spot,,,,2999,3001,,
ETH,2026-05-01T08:00:00Z,forward,2026-05-31T08:00:00Z,,,3009,3011,,
ETH,2026-05-01T08:00:00Z,option,2026-05-31T08:00:00Z,3000,call,,,0.59,0.61
"""
HELD = """
[portfolio]
cash = "9000"
[[portfolio.options]]
underlying = "ETH"
expiry = "2026-05-31"
strike = "3000"
type = "call"
size = "-5"
"""


def test_a_market_comes_from_a_file_of_quotes(run, tmp_path):
    quotes, held = tmp_path / "quotes.csv", tmp_path / "held.toml"
    quotes.write_text(QUOTES)
    held.write_text(HELD)
    trade = "ETH 2026-05-31 3300 call 5"
    answer = run("margin", held, "--market", quotes, "--trade", trade, "--json")
    assert (answer.code, answer.err) == (0, "")
    price = black76.price(3010.0, 3000.0, 30 / 365, 0.6, is_call=True)
    assert answer.json["equity"]["options"] == pytest.approx(-5 * price)
    assert answer.json["trades"][0]["leg"] == "ETH 2026-05-31 3300 call"


@pytest.mark.parametrize(
    ("quotes", "held", "message"),
    [
        (QUOTES, PORTFOLIO, "market: it is stated twice; take [market] out of the file"),
        ("a,b\n1,2\n", HELD, "column 'asset' is missing"),
        (QUOTES.replace("0.59", "0.00"), HELD, "a surface needs quotes with a bid and an ask"),
        (QUOTES, HELD.replace("-31", "-30"), "there are 2026-05-31"),
    ],
)
def test_quotes_that_do_not_fit_are_wrong_usage(run, tmp_path, quotes, held, message):
    (tmp_path / "quotes.csv").write_text(quotes)
    (tmp_path / "held.toml").write_text(held)
    answer = run("margin", tmp_path / "held.toml", "--market", tmp_path / "quotes.csv")
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


def test_the_standard_model_shows_expiries_instead_of_scenarios(run, path):
    answer = run("margin", path, "--model", "derive-srm")
    assert "largest loss" in answer.out
    assert "worst scenario" not in answer.out


def test_a_portfolio_comes_from_standard_input_too(run, monkeypatch):
    text = io.TextIOWrapper(io.BytesIO(PORTFOLIO.encode()))
    monkeypatch.setattr(sys, "stdin", text)
    assert run("margin", "-", "--json").json["kind"] == "scenario"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (PORTFOLIO.replace('"9000"', '"plenty"'), "portfolio.cash: it is 'plenty'; write a number"),
        ("{", "it is no TOML"),
        ("", "market: it is missing; add a table [market]"),
    ],
)
def test_a_bad_file_is_wrong_usage_and_says_what_to_write(run, tmp_path, content, message):
    path = tmp_path / "bad.toml"
    path.write_text(content)
    answer = run("margin", path)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert "bad.toml" in answer.err


def test_what_is_no_text_is_wrong_usage(run, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_bytes(b"\xff\xfe")
    answer = run("margin", path)
    assert answer.code == 2
    assert "save it as UTF-8" in answer.err


def test_an_unknown_model_and_a_missing_file_are_wrong_usage(run, path, tmp_path):
    answer = run("margin", path, "--model", "span")
    assert answer.code == 2
    assert "there is no model 'span'; did you mean 'span16'?" in answer.err
    assert run("margin", tmp_path / "none.toml").code == 2
