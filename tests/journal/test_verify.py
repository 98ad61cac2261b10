"""P14: a verification names what was changed, and neither writes nor gives up.

The statements are run by Python's own SQLite, as an operator's shell would.
"""

import shutil
import sqlite3

import pytest

from ringfence.journal.anchor import SLOT_BYTES, Anchor, anchor_path, encoded
from ringfence.journal.entry import GENESIS, chain
from ringfence.journal.errors import (
    AnchorError,
    HeadMismatchError,
    HistoryMissingError,
    JournalError,
)
from ringfence.journal.sqlite import Journal
from ringfence.journal.verify import PROBLEMS_MAX, verify_chain

POOL = b"p" * 32
COUNT = 20


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A closed journal of twenty entries, two to a transaction, and two checkpoints."""
    path = tmp_path_factory.mktemp("original") / "journal"
    with Journal.open(path) as journal:
        for i in range(1, COUNT + 1):
            journal.append(i, "pool", POOL, b"body %d" % i)
            if i % 2 == 0:
                journal.commit()
        journal.write_checkpoint(6, POOL, b"state at 6", b"6" * 32)
        journal.write_checkpoint(12, POOL, b"state at 12", b"c" * 32)
        newest = journal._anchor.read().slot
    return path, newest


@pytest.fixture
def path(original, tmp_path):
    """A copy of it, to be changed."""
    for file in original[0].parent.iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path / "journal"


def tamper(path, *statements):
    shell = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        shell.execute(statement)
    shell.close()


def findings(path, **expected):
    return [(p.code, p.seq) for p in verify_chain(path, **expected).problems]


def test_a_sound_journal_is_ok_and_its_files_stay_as_they_are(path):
    before = {p.name: p.read_bytes() for p in path.parent.iterdir()}
    report = verify_chain(path)
    assert (report.ok, report.entries, report.problems) == (True, COUNT, [])
    assert {p.name: p.read_bytes() for p in path.parent.iterdir()} == before
    assert verify_chain(str(path), head=bytes.fromhex(report.head)) == report


def test_an_empty_journal_is_ok(tmp_path):
    Journal.open(tmp_path / "new").close()
    report = verify_chain(tmp_path / "new")
    assert (report.ok, report.entries, report.head) == (True, 0, GENESIS.hex())


def test_a_journal_is_verified_while_its_writer_works(path):
    with Journal.open(path) as journal:
        for i in range(5):
            journal.append(i, "pool", POOL, b"more")
            journal.commit()
            report = verify_chain(path)
            assert (report.ok, report.entries) == (True, COUNT + 1 + i)
            assert report == journal.verify(head=journal.head)


def test_a_crashed_journal_is_verified_without_a_trace(path, tmp_path):
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    with Journal.open(path) as journal:
        journal.append(1, "pool", POOL, b"only in the log")
        journal.commit()
        for name in (path.name, path.name + "-wal", anchor_path(path).name):
            shutil.copy(path.with_name(name), crashed)
    before = {p.name: p.read_bytes() for p in crashed.iterdir()}
    assert f"{path.name}-wal" in before
    report = verify_chain(crashed / path.name)
    assert (report.ok, report.entries) == (True, COUNT + 1)
    assert {p.name: p.read_bytes() for p in crashed.iterdir()} == before


@pytest.mark.parametrize("seq", [1, 7, 19, 20])
@pytest.mark.parametrize(
    "change",
    [
        "time_ns = time_ns + 1",
        "kind = 'venue'",
        "kind = CAST(x'ff' AS TEXT)",
        "pool = x''",
        "body = CAST(body || 'x' AS BLOB)",
        "body = zeroblob(length(body))",
    ],
)
def test_p14_a_changed_field_is_found_by_number(path, seq, change):
    tamper(path, f"UPDATE entry SET {change} WHERE seq = {seq}")
    assert findings(path) == [("entry_changed", seq)]


def test_p14_a_changed_head_is_found_at_both_of_its_links(path):
    tamper(path, "UPDATE entry SET head = randomblob(32) WHERE seq = 7")
    assert findings(path) == [("entry_changed", 7), ("entry_changed", 8)]


def test_p14_a_wrong_transaction_is_found(path):
    tamper(path, "UPDATE entry SET first = 3 WHERE seq = 8")
    assert findings(path) == [("entry_changed", 8)]


def test_p14_a_missing_entry_is_found_by_number(path):
    tamper(path, "DELETE FROM entry WHERE seq IN (7, 8, 9)")
    assert findings(path) == [("entry_missing", 7)]
    assert "entries 7 to 9 are missing" in verify_chain(path).problems[0].message


def test_p14_renumbered_entries_are_found(path):
    """Entries moved up to close the gap, so that only the hashes can tell."""
    tamper(
        path,
        "DELETE FROM entry WHERE seq = 7",
        "UPDATE entry SET seq = seq - 1 WHERE seq > 7",
    )
    found = findings(path)
    assert ("entry_changed", 7) in found
    assert ("history_missing", 20) in found


def test_p14_swapped_entries_are_found(path):
    tamper(
        path,
        "UPDATE entry SET seq = 1000 WHERE seq = 7",
        "UPDATE entry SET seq = 7 WHERE seq = 12",
        "UPDATE entry SET seq = 12 WHERE seq = 1000",
    )
    found = findings(path)
    assert {("entry_changed", seq) for seq in (7, 8, 12, 13)} <= set(found)


def test_p14_an_inserted_entry_is_found(path):
    tamper(
        path,
        "INSERT INTO entry SELECT 21, 21, time_ns, kind, pool, head, 0, 0, body "
        "FROM entry WHERE seq = 3",
    )
    assert findings(path) == [("entry_changed", 21)]
    with pytest.raises(JournalError, match="entry 21 does not hash"):
        Journal.open(path)


def test_p14_entries_forged_behind_the_anchor_are_found_if_they_are_two_transactions(path):
    shell = sqlite3.connect(path)
    (head,) = shell.execute("SELECT head FROM entry WHERE seq = 20").fetchone()
    for seq in (21, 22):
        head = chain(head, seq, 1, "venue", b"", b"forged")
        row = (seq, seq, 1, "venue", b"", head, 0, 0, b"forged")
        shell.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    shell.commit()
    shell.close()
    assert findings(path) == [("anchor_behind", 20)]
    with pytest.raises(AnchorError, match="it is an old copy"):
        Journal.open(path)


@pytest.mark.parametrize("kept", [0, 1, 19])
def test_p14_a_cut_off_tail_is_found_and_not_opened(path, kept):
    tamper(path, f"DELETE FROM entry WHERE seq > {kept}", "DELETE FROM checkpoint")
    assert findings(path) == [("history_missing", kept + 1)]
    with pytest.raises(HistoryMissingError, match="the anchor vouches for entry 20"):
        Journal.open(path)
    with pytest.raises(HistoryMissingError, match="acknowledged history is missing"):
        Journal.open(path, rebuild_anchor=True)


@pytest.mark.parametrize(
    "change",
    [
        "state = CAST('state at 7' AS BLOB)",
        "digest = randomblob(32)",
        "seq = 11",
        "pool = zeroblob(32)",
        "head = randomblob(32)",
        "seal = randomblob(32)",
    ],
)
def test_p14_a_changed_checkpoint_is_found(path, change):
    tamper(path, f"UPDATE checkpoint SET {change} WHERE seq = 12")
    (code, seq), *others = findings(path)
    assert (code, seq, others) == ("checkpoint_changed", 11 if change == "seq = 11" else 12, [])


def test_p14_an_older_epoch_is_found(path):
    tamper(path, "UPDATE fence SET epoch = 0")
    assert findings(path) == [("history_missing", 21)]


def test_p14_another_head_than_the_expected_one_is_found(path):
    assert findings(path, head=b"h" * 32) == [("head_mismatch", 20)]


def test_p14_a_long_list_of_findings_is_cut(tmp_path):
    path = tmp_path / "long"
    with Journal.open(path) as journal:
        for i in range(2 * PROBLEMS_MAX):
            journal.append(i, "pool", POOL, b"")
        journal.commit()
    tamper(path, "UPDATE entry SET time_ns = time_ns + 1")
    report = verify_chain(path)
    assert (len(report.problems), report.entries) == (PROBLEMS_MAX, 2 * PROBLEMS_MAX)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "journal_missing"),
        (b"", "journal_missing"),
        (b"x", "unreadable"),
        (b"a text, and no database. " * 400, "unreadable"),
        (b"SQLite format 3\0" + bytes(16368), "unreadable"),
    ],
)
def test_what_is_no_journal_is_reported(tmp_path, content, code):
    path = tmp_path / "journal"
    if content is not None:
        path.write_bytes(content)
    report = verify_chain(path)
    assert (report.ok, report.problems[0].code) == (False, code)


def test_another_database_and_another_table_are_reported(path, tmp_path):
    tamper(tmp_path / "other", "CREATE TABLE song (title TEXT)")
    assert findings(tmp_path / "other")[0] == ("not_a_journal", None)
    tamper(path, "CREATE TABLE song (title TEXT)")
    assert findings(path) == [("schema_changed", None)]
    tamper(path, "DROP TABLE song", "PRAGMA user_version = 7")
    assert findings(path) == [("unknown_version", None)]


def test_a_folder_and_a_stray_rollback_journal_are_reported(path, tmp_path):
    assert findings(tmp_path) == [("journal_missing", None)]
    path.with_name("journal-journal").write_bytes(b"what a crash of another program left")
    assert findings(path) == [("stray_file", None)]


def test_p14_a_missing_journal_is_not_begun_anew(path):
    path.unlink()
    with pytest.raises(HistoryMissingError, match="is missing or empty, but it has an anchor"):
        Journal.open(path)


def test_p14_a_missing_anchor_is_found_and_only_rebuilt_on_demand(path):
    anchor_path(path).unlink()
    assert findings(path) == [("anchor_missing", None)]
    for _ in range(2):
        with pytest.raises(AnchorError, match="the anchor is missing"):
            Journal.open(path)
        assert not anchor_path(path).exists()
    Journal.open(path, rebuild_anchor=True).close()
    assert findings(path) == []
    Journal.open(path).close()


def test_p14_an_anchor_is_not_rebuilt_over_a_changed_entry(path):
    anchor_path(path).unlink()
    tamper(path, "UPDATE entry SET time_ns = 0 WHERE seq = 3")
    with pytest.raises(JournalError, match="entry 3 does not hash"):
        Journal.open(path, rebuild_anchor=True)
    assert not anchor_path(path).exists()


@pytest.mark.parametrize("slot", [0, 1])
@pytest.mark.parametrize("at", [0, 8, 16, 40, 60, 100, 511])
def test_p14_each_byte_of_an_anchor_counts(path, original, slot, at):
    data = bytearray(anchor_path(path).read_bytes())
    data[slot * SLOT_BYTES + at] ^= 1
    anchor_path(path).write_bytes(data)
    if slot == original[1]:
        # Nothing is missing, and a write to this slot may have been cut short. But with the
        # last transaction gone, too, no such write can have been under way.
        assert findings(path) == []
        tamper(path, "DELETE FROM entry WHERE seq > 18")
    assert findings(path) == [("anchor_damaged", None)]
    with pytest.raises(AnchorError, match="one slot of the anchor cannot be read although"):
        Journal.open(path)


def test_p14_an_anchor_of_another_history_is_found(path):
    tail = verify_chain(path)
    slot = encoded(Anchor(1, 20, b"o" * 32))
    anchor_path(path).write_bytes(slot * 2)
    assert findings(path) == [("head_mismatch", 20)]
    with pytest.raises(HeadMismatchError, match=tail.head[:16]):
        Journal.open(path)


@pytest.mark.parametrize("content", [b"short", bytes(1024), b"\xff" * 5000])
def test_p14_an_unreadable_anchor_is_found(path, content):
    anchor_path(path).write_bytes(content)
    assert findings(path) == [("anchor_damaged", None)]
    with pytest.raises(AnchorError, match="the anchor cannot be read"):
        Journal.open(path)
