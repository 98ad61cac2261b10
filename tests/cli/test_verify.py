"""`ringfence verify`: exactly four keys, 0 for a whole journal, 1 for any other."""

import json
import shutil

import apsw
import msgspec
import pytest
from tests.consent.ceremony import ANN, DOMAIN, EVE, OPERATOR, Ceremony

from ringfence.signing.receipts import attest
from ringfence.units import MS_NS


def test_a_whole_journal_is_ok(run, written):
    answer = run("verify", written.path, "--json")
    assert answer.code == 0
    assert answer.json == {
        "ok": True,
        "entries": written.entries,
        "head": written.head,
        "problems": [],
    }


def test_the_right_head_is_ok_and_another_is_a_finding(run, written):
    assert run("verify", written.path, "--head", written.head).code == 0
    answer = run("verify", written.path, "--head", "00" * 32, "--json")
    assert answer.code == 1
    (problem,) = answer.json["problems"]
    assert problem.keys() == {"seq", "code", "message"}
    assert (problem["seq"], problem["code"]) == (written.entries, "head_mismatch")


def test_people_read_one_line_and_a_table_of_problems(run, written):
    answer = run("verify", written.path)
    assert answer.out == f"ok: {written.entries} entries, head {written.head}\n"
    answer = run("verify", written.path, "--head", "00" * 32)
    assert answer.out.startswith("NOT OK: ")
    assert "head_mismatch" in answer.out


def test_a_changed_entry_is_a_finding(run, written, tmp_path):
    for file in written.path.parent.iterdir():
        shutil.copy(file, tmp_path)
    path = tmp_path / written.path.name
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE entry SET time_ns = time_ns + 1 WHERE seq = 4")
    connection.close()
    answer = run("verify", path, "--json")
    assert answer.code == 1
    assert (answer.json["problems"][0]["seq"], answer.json["ok"]) == (4, False)


def test_garbage_is_a_finding_and_a_missing_file_is_wrong_usage(run, tmp_path):
    garbage = tmp_path / "garbage.journal"
    garbage.write_bytes(b"\x00garbage" * 999)
    answer = run("verify", garbage, "--json")
    assert (answer.code, answer.json["ok"], answer.json["entries"]) == (1, False, 0)
    assert run("verify", tmp_path / "nowhere").code == 2
    assert run("verify", tmp_path).code == 2


def test_a_head_that_is_none_is_wrong_usage(run, written):
    answer = run("verify", written.path, "--head", "abc")
    assert answer.code == 2
    assert "'abc'" in answer.err


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """A journal of signed commands, and the receipt of the last one as the service answers it."""
    path = tmp_path_factory.mktemp("signed") / "venue.journal"
    ceremony = Ceremony(path)
    answer = ceremony.must(ceremony.deposit(ANN, "5"), ANN)
    ceremony.venue.close()
    place = attest(OPERATOR, DOMAIN, answer.seq, answer.head, answer.time_ns // MS_NS)
    return path, {**msgspec.to_builtins(place), "ok": True, "status": "ok", "events": []}


def test_receipts_that_the_journal_agrees_with_are_ok(run, signed, tmp_path):
    path, receipt = signed
    file = tmp_path / "receipts.json"
    for held in (receipt, [receipt, receipt], []):
        file.write_text(json.dumps(held))
        answer = run("verify", path, "--receipts", file, "--signer", OPERATOR.owner, "--json")
        assert answer.code == 0
        assert answer.json.keys() == {"ok", "entries", "head", "problems"}


def test_receipts_that_tell_another_story_are_named(run, signed, tmp_path):
    path, receipt = signed
    seq = receipt["seq"]
    forked = msgspec.to_builtins(attest(OPERATOR, DOMAIN, seq, "cd" * 32, receipt["time_ms"]))
    file = tmp_path / "receipts.json"
    file.write_text(json.dumps([receipt, forked]))
    answer = run("verify", path, "--receipts", file, "--json")
    assert (answer.code, answer.json["ok"]) == (1, False)
    found = [(problem["seq"], problem["code"]) for problem in answer.json["problems"]]
    assert found == [(seq, "receipt_differs"), (seq, "equivocation")]
    assert forked["head"] in answer.json["problems"][0]["message"]
    answer = run("verify", path, "--receipts", file)
    assert (answer.code, answer.out[:6]) == (1, "NOT OK")
    assert "equivocation" in answer.out
    answer = run("verify", path, "--receipts", file, "--signer", EVE.owner, "--json")
    assert {problem["code"] for problem in answer.json["problems"]} == {"receipt_invalid"}


def test_receipts_that_cannot_be_read_are_wrong_usage(run, signed, tmp_path):
    path, receipt = signed
    file = tmp_path / "receipts.json"
    wide, negative = (json.dumps({**receipt, "seq": seq}) for seq in (2**63, -1))
    deep = json.dumps(receipt)[:-1] + ', "deep": ' + "[" * 100_000
    for text in ("{", "", "null", "\ud800", wide, negative, deep):
        file.write_text(text, errors="surrogatepass")
        assert run("verify", path, "--receipts", file).code == 2, text[:80]
    file.write_text(json.dumps([{**receipt, "signature": None}]))
    answer = run("verify", path, "--receipts", file)
    assert answer.code == 2
    assert "$[0].signature" in answer.err
    assert run("verify", path, "--receipts", tmp_path / "nowhere").code == 2
    answer = run("verify", path, "--signer", OPERATOR.owner)
    assert (answer.code, "--receipts" in answer.err) == (2, True)
    answer = run("verify", path, "--receipts", file, "--signer", "0x12")
    assert (answer.code, "'0x12'" in answer.err) == (2, True)
