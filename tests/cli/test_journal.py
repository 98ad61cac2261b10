"""`ringfence journal`: entries in names and decimals, as they were written."""

import json
import shutil

import apsw
import msgspec
import numpy as np
import pytest
from tests.journals import MAKER, START_NS, TAKER, TEMPLATE

from ringfence.core.command import Kind, rows
from ringfence.core.spec import parse_spec
from ringfence.venue import commands as c
from ringfence.venue.decoding import PARTS, KnownPool, RowReader
from ringfence.venue.encoding import Encoder

ACCOUNT = {"owner": TAKER, "number": 1}
OTHER = {"other": MAKER, "other_number": 2, "price": "1999.99"}
COMMANDS = (
    c.OpenAccount(pool="p", **ACCOUNT),
    c.Deposit(pool="p", asset="ETH", amount="1.5", **ACCOUNT),
    c.Withdraw(pool="p", asset="USDC", amount="0.000001", **ACCOUNT),
    c.FundInsurance(pool="p", amount="10", **ACCOUNT),
    c.Supply(pool="p", amount="10.5", **ACCOUNT),
    c.Redeem(pool="p", shares="12345", **ACCOUNT),
    c.Borrow(pool="p", amount="1", **ACCOUNT),
    c.Repay(pool="p", amount="2", **ACCOUNT),
    c.Exchange(pool="p", asset="ETH", amount="3", **ACCOUNT, **OTHER),
    c.Trade(pool="p", instrument="ETH-PERP", size="-0.25", **ACCOUNT, **OTHER),
    c.OpenPosition(
        pool="p", instrument="ETH-PERP", size="1", asset="USDC", amount="100", **ACCOUNT, **OTHER
    ),
    c.SupplyBackstop(pool="p", amount="11", **ACCOUNT),
    c.RedeemBackstop(pool="p", shares="12", **ACCOUNT),
    c.BuyFromBackstop(pool="p", instrument="ETH-PERP", size="-0.5", **ACCOUNT),
    c.BuyCollateral(pool="p", asset="ETH", amount="0.5", **ACCOUNT),
    c.FundBond(pool="p", amount="13", **ACCOUNT),
    c.ReleaseBond(pool="p", amount="14", **ACCOUNT),
    c.Protect(pool="p", budget="15.5", may_reduce=True, **ACCOUNT),
    c.TopUp(pool="p", amount="16", **ACCOUNT),
    c.Reduce(pool="p", **ACCOUNT),
    c.Warn(pool="p", **ACCOUNT),
    c.Bid(pool="p", other=MAKER, other_number=2, share="0.25", bonus="1.5", **ACCOUNT),
    c.Deleverage(pool="p", instrument="ETH-PERP", accounts=7),
    c.EndPool(pool="p"),
    c.Liquidate(pool="p", **ACCOUNT),
    c.Settle(pool="p"),
    c.Expire(pool="p", instrument="ETH-PERP"),
    c.SetIndexPrice(
        pool="p",
        underlying="ETH",
        price="2000.5",
        publish_time_ns=5,
        confidence="0.1",
        flag="divergent",
    ),
    c.SetMarkPrice(pool="p", instrument="ETH-PERP", price="0.01"),
    c.AccrueFunding(pool="p", instrument="ETH-PERP", rate="-0.0001"),
    c.AnnounceChange(pool="p", parameter="haircut", index=3, value=7, start_ns=8, ramp_ns=9),
    c.CancelChange(pool="p", change=4),
)


@pytest.fixture(scope="module")
def reader():
    known = KnownPool(parse_spec(TEMPLATE.read_text()), [(9, 0), (0, 1), (1, 2)])
    return RowReader(known, lambda number: {0: TAKER, 1: MAKER}.get(number, number))


@pytest.fixture(scope="module")
def encoder():
    places = {(TAKER, 1): 1, (MAKER, 2): 2}
    return Encoder(
        parse_spec(TEMPLATE.read_text()),
        lambda owner, number: places[owner, number],
        [TAKER, MAKER].index,
    )


def test_the_commands_below_are_of_every_kind(encoder):
    """But of those that come in batches only: the clock's, and parts of risk arrays."""
    kinds = {int(encoder.row(command)["kind"][0]) for command in COMMANDS}
    batched = {Kind.ADVANCE_CLOCK, Kind.SET_RISK_ARRAY}
    assert kinds == set(Kind) - batched == PARTS.keys() - batched


def test_a_part_of_a_risk_array_is_shown_by_slots(reader):
    (row,) = array_part = rows(1)
    array_part["kind"], array_part["asset"] = Kind.SET_RISK_ARRAY, 5
    for k, name in enumerate(("account", "other", "amount", "size", "price")):
        array_part[name] = -k
    assert reader.fields(row) == {
        "type": "setriskarray",
        "instrument": "ETH-PERP",
        "first_slot": 5,
        "slots": [0, -1, -2, -3, -4],
    }


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_a_row_is_read_back_into_the_command_it_was(reader, encoder, command):
    fields = reader.fields(encoder.row(command)[0])
    written = msgspec.to_builtins(command)
    del written["pool"]
    told = {name: value for name, value in fields.items() if not name.endswith("account")}
    assert told == written


def test_an_index_that_stands_for_nothing_stays_a_number(reader):
    batch = rows(1)
    batch["account"], batch["other"], batch["asset"], batch["instrument"] = 99, -1, 77, 88
    for kind in Kind:
        batch["kind"] = kind
        assert reader.fields(batch[0])["type"] == kind.name.lower().replace("_", "")
    batch["kind"] = Kind.TRADE
    fields = reader.fields(batch[0])
    assert (fields["owner"], fields["account"], fields["instrument"]) == (None, 99, 88)
    batch["kind"] = 1234
    assert reader.fields(batch[0]) == {"type": 1234}


def test_any_row_whatever_can_be_read(reader):
    generator = np.random.default_rng(1)
    batch = rows(500)
    for name in batch.dtype.names:
        batch[name] = generator.integers(-(2**63), 2**63 - 1, 500, dtype=np.int64)
    batch["kind"] = generator.choice(list(Kind), 500)
    assert all(json.dumps(reader.fields(row)) for row in batch)


def test_the_tail_is_the_last_entries_oldest_first(run, written):
    answer = run("journal", "tail", written.path, "--count", 4, "--json")
    assert [entry["seq"] for entry in answer.json] == [18, 19, 20, 21]
    prices, batch, warning, digest = answer.json
    assert prices["prices"][0]["index_price"] == "1880"
    assert prices["statuses"] == {"ok": 6}
    assert digest["head"] == written.head
    assert len(digest["digest"]) == 64
    (command,) = batch["commands"]
    assert (command["type"], command["owner"], command["status"]) == ("liquidate", TAKER, "ok")
    assert warning["commands"][0]["type"] == "warn"
    (event,) = batch["events"]
    assert (event["event"], event["name"], event["command"]) == (
        "position_liquidated",
        "ETH-PERP",
        0,
    )


def test_a_count_beyond_the_first_entry_gives_all_of_them(run, written):
    answer = run("journal", "tail", "--journal", written.path, "--count", 999, "--json")
    assert [entry["seq"] for entry in answer.json] == list(range(1, written.entries + 1))


def test_people_see_one_line_an_entry(run, written):
    answer = run("journal", "tail", written.path, "--count", 6)
    for text in ("trade initial_margin_too_low", "ETH 1880", "2023-11-14 22:15:20", "eth-majors"):
        assert text in answer.out


def test_an_entry_is_shown_in_full(run, written):
    refused = run("journal", "show", 16, written.path, "--json").json
    (command,) = refused["commands"]
    assert command["status"] == "initial_margin_too_low"
    assert (command["size"], command["price"], command["other"]) == ("200", "2000", MAKER)
    assert refused["time_ns"] == START_NS + 60 * 10**9
    creation = run("journal", "show", 4, "--journal", written.path, "--json").json
    assert creation["commands"][0]["spec"]["name"] == "eth-majors"
    moved = run("journal", "show", 7, written.path, "--json").json["commands"][0]
    assert (moved["type"], moved["asset"], moved["amount"]) == ("receive", "USDC", "100000")


def test_people_see_an_entry_with_its_commands_and_events(run, written):
    answer = run("journal", "show", 19, written.path)
    for text in ("liquidate", TAKER, "position_liquidated", "excess_before", "head"):
        assert text in answer.out


@pytest.mark.parametrize("entry", [0, 22, -1])
def test_an_entry_that_is_not_there_is_wrong_usage(run, written, entry):
    answer = run("journal", "show", entry, written.path)
    assert answer.code == 2
    assert answer.out == ""


def test_an_export_is_one_line_of_json_an_entry(run, written):
    answer = run("journal", "export", written.path, "--from", 2, "--to", 5)
    entries = [json.loads(line) for line in answer.out.splitlines()]
    assert [entry["seq"] for entry in entries] == [2, 3, 4, 5]
    assert run("journal", "export", written.path, "--from", 2, "--to", 5, "--json").json == entries


def test_an_export_without_a_range_has_every_entry_once(run, written):
    answer = run("journal", "export", written.path)
    heads = [json.loads(line)["head"] for line in answer.out.splitlines()]
    assert len(set(heads)) == len(heads) == written.entries
    assert heads[-1] == written.head


@pytest.mark.parametrize(("first", "last"), [(0, 3), (5, 4), (1, 22)])
def test_a_range_that_is_none_is_wrong_usage(run, written, first, last):
    answer = run("journal", "export", written.path, "--from", first, "--to", last)
    assert answer.code == 2
    assert f"--from {first} --to {last}" in answer.err


def test_looking_goes_up_to_a_broken_link_and_points_to_verify(run, written, tmp_path):
    for file in written.path.parent.iterdir():
        shutil.copy(file, tmp_path)
    path = tmp_path / written.path.name
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE entry SET body = x'00' WHERE seq = 10")
    connection.close()
    assert run("journal", "show", 9, path).code == 0
    answer = run("journal", "tail", path)
    assert answer.code == 1
    assert "entry 10" in answer.err
    assert "no later one is shown" in answer.err
    assert run("journal", "export", path).out.count("\n") == 9
    listing = run("pool", "list", "--journal", path)
    assert listing.code in {0, 2}


def test_what_is_no_journal_is_wrong_usage(run, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("hello" * 1000)
    for command in (("journal", "tail", path), ("pool", "list", "--journal", path)):
        answer = run(*command)
        assert (answer.code, answer.out) == (2, "")
        assert "notes.txt" in answer.err
