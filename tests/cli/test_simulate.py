"""`ringfence simulate`: before, after and difference, and nothing is written."""

import io
import json
import sys
from decimal import Decimal

import pytest
from tests.journals import MAKER, TAKER

DEPOSIT = {"type": "deposit", "owner": TAKER, "asset": "USDC", "amount": "1000"}
TRADE = {
    "type": "trade",
    "owner": TAKER,
    "other": MAKER,
    "instrument": "ETH-PERP",
    "size": "500",
    "price": "1880",
}


@pytest.fixture
def commands(tmp_path):
    def write(*listed: object) -> str:
        path = tmp_path / "commands.json"
        path.write_text(json.dumps(listed))
        return str(path)

    return write


def test_a_deposit_raises_equity_by_its_amount(run, written, commands):
    content = written.path.read_bytes()
    answer = run("simulate", written.path, commands(DEPOSIT), "--pool", "eth-majors", "--json")
    assert (answer.code, answer.json["statuses"]) == (0, ["ok"])
    (standing,) = answer.json["accounts"]
    before, after = (Decimal(standing[when]["equity"]) for when in ("before", "after"))
    assert Decimal(standing["difference"]["equity"]) == after - before == 1000
    assert written.path.read_bytes() == content


def test_a_refused_command_is_an_answer(run, written, commands):
    path = commands(DEPOSIT, TRADE)
    answer = run("simulate", written.path, path, "--pool", written.pool, "--json")
    assert (answer.code, answer.json["statuses"]) == (0, ["ok", "initial_margin_too_low"])
    assert {s["after"]["owner"] for s in answer.json["accounts"]} == {TAKER, MAKER}


def test_commands_come_from_standard_input_too(run, written, monkeypatch):
    text = io.TextIOWrapper(io.BytesIO(json.dumps(DEPOSIT).encode()))
    monkeypatch.setattr(sys, "stdin", text)
    answer = run("simulate", written.path, "-", "--pool", "eth-majors", "--json")
    assert answer.json["statuses"] == ["ok"]


def test_people_see_statuses_and_a_table_an_account(run, written, commands):
    answer = run("simulate", written.path, commands(DEPOSIT, TRADE), "--pool", "eth-majors")
    for text in ("deposit", "initial_margin_too_low", "difference", f"account 1 of {TAKER}"):
        assert text in answer.out


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ([{"type": "steal"}], "steal"),
        ([{**DEPOSIT, "amount": 5}], "amount"),
        ([{**DEPOSIT, "colour": "red"}], "colour"),
        ([{**DEPOSIT, "pool": "other"}], "'other'"),
        ([{**DEPOSIT, "amount": "1e"}], "'1e'"),
        ([{**DEPOSIT, "amount": "0.0000001"}], "0.0000001"),
        ([{**DEPOSIT, "owner": "0x00"}], "'0x00'"),
        ([{**DEPOSIT, "owner": "0x" + "99" * 20}], "not registered"),
        ([{**DEPOSIT, "asset": "GOLD"}], "it has USDC, ETH"),
        (["deposit"], "list of commands"),
    ],
)
def test_a_command_that_cannot_be_read_says_what_is_wrong(run, written, commands, listed, message):
    answer = run("simulate", written.path, commands(*listed), "--pool", "eth-majors")
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_wrong_usage(run, written, tmp_path, content):
    path = tmp_path / "commands.json"
    path.write_bytes(content)
    answer = run("simulate", written.path, path, "--pool", "eth-majors")
    assert (answer.code, answer.out) == (2, "")
    assert "commands.json" in answer.err


def test_an_unknown_pool_is_wrong_usage(run, written, commands):
    answer = run("simulate", written.path, commands(DEPOSIT), "--pool", "gold")
    assert answer.code == 2
    assert "'gold'" in answer.err
