"""A journal gives back what was acknowledged, in order, to one writer at a time."""

import random
import subprocess
import sys

import apsw
import pytest

from ringfence.journal import folding, schema
from ringfence.journal.anchor import anchor_path
from ringfence.journal.entry import GENESIS, chain
from ringfence.journal.errors import (
    BrokenChainError,
    BrokenCheckpointError,
    HeadMismatchError,
    JournalBusyError,
    JournalError,
    JournalHaltedError,
    JournalSettingsError,
    NotAJournalError,
)
from ringfence.journal.schema import VERSION
from ringfence.journal.sqlite import Journal
from ringfence.journal.verify import verify_chain

ETH, BTC = b"e" * 32, b"b" * 32


@pytest.fixture
def path(tmp_path):
    return tmp_path / "venue.journal"


@pytest.fixture(params=["file", "memory"])
def journal(request, path):
    with Journal.open(path if request.param == "file" else ":memory:") as journal:
        yield journal


def tamper(path, statement):
    """What an SQL shell can do; the same SQLite, because two in a process undo their locks."""
    shell = apsw.Connection(str(path))
    shell.execute(statement)
    shell.close()


def fill(journal, count=12):
    """Entries of two pools and the venue, committed four at a time."""
    rng = random.Random(5)
    for i in range(count):
        kind, pool = [("pool", ETH), ("pool", BTC), ("venue", b"")][i % 3]
        journal.append(1_000 + i, kind, pool, rng.randbytes(rng.choice((0, 80, 50_000))))
        if i % 4 == 3:
            journal.commit()
    journal.commit()
    return list(journal.entries())


def test_p15_entries_are_numbered_from_one_and_chained_from_genesis(journal):
    assert (journal.seq, journal.head) == (0, GENESIS)
    entries, head = fill(journal), GENESIS
    for number, entry in enumerate(entries, start=1):
        head = chain(head, number, entry.time_ns, entry.kind, entry.pool, entry.body)
        assert (entry.seq, entry.head) == (number, head)
    assert (journal.seq, journal.head) == (12, head)


def test_a_file_and_memory_give_the_same_heads(path):
    with Journal.open(path) as on_disk, Journal.open(":memory:") as in_memory:
        assert fill(on_disk) == fill(in_memory)


def test_p13_nothing_is_visible_before_its_commit(journal):
    first = journal.append(1, "pool", ETH, b"one")
    second = journal.append(2, "pool", ETH, b"two")
    assert (second.seq, journal.seq, journal.head) == (2, 0, GENESIS)
    assert list(journal.entries()) == journal.tail(9) == []
    assert journal.commit() == second.head == journal.head
    assert list(journal.entries()) == [first, second]


def test_p13_the_next_batch_is_chained_while_one_is_committed(journal):
    futures, entries = [], []
    for i in range(30):
        entries.append(journal.append(i, "pool", ETH, bytes(i * 100)))
        futures.append(journal.commit_async())
        assert journal.seq <= i + 1
        found = list(journal.entries())
        assert found == entries[: len(found)]
    assert [f.result() for f in futures] == [e.head for e in entries]
    last = journal.append(99, "pool", BTC, b"")
    assert journal.commit() == last.head
    assert list(journal.entries()) == [*entries, last]


def test_p13_a_failed_commit_in_the_thread_halts_and_says_so(path):
    with Journal.open(path) as journal:
        entries = fill(journal)
        tamper(path, "UPDATE fence SET epoch = 9")
        journal.append(1, "pool", ETH, b"")
        future = journal.commit_async()
        with pytest.raises(JournalHaltedError, match="epoch 9 took over from epoch 1"):
            future.result()
        with pytest.raises(JournalHaltedError, match="takes no more entries"):
            journal.commit_async()
    with Journal.open(path) as journal:
        assert (journal.epoch, list(journal.entries())) == (10, entries)


def test_p13_what_was_not_committed_is_gone_at_the_next_start(path):
    with Journal.open(path) as journal:
        entries = fill(journal)
        journal.append(99, "pool", ETH, b"never committed")
    with Journal.open(path) as journal:
        assert list(journal.entries()) == entries


def test_a_commit_of_nothing_changes_nothing(journal):
    fill(journal)
    assert journal.commit() == journal.head
    assert journal.seq == 12


def test_a_refused_entry_leaves_the_journal_as_it_was(journal):
    with pytest.raises(ValueError, match="pool has 5 bytes"):
        journal.append(1, "pool", b"short", b"")
    assert journal.append(1, "pool", ETH, b"").seq == 1


def test_entries_are_read_by_number_pool_and_kind(journal):
    entries = fill(journal, 40)
    assert list(journal.entries(5, 9)) == entries[4:8]
    assert list(journal.entries(39)) == journal.tail(2) == entries[38:]
    assert list(journal.entries(41)) == journal.tail(0) == []
    assert list(journal.entries(stop=1_000)) == journal.tail(1_000) == entries
    assert list(journal.entries(pool=ETH)) == [e for e in entries if e.pool == ETH]
    assert list(journal.entries(3, kind="venue")) == [e for e in entries[2:] if e.kind == "venue"]
    assert list(journal.entries(pool=b"?" * 32)) == []
    with pytest.raises(ValueError, match="start 0 is not an entry"):
        journal.entries(0)


def test_a_reader_may_take_its_time_while_the_writer_goes_on(journal):
    entries, found = fill(journal, 40), []
    for entry in journal.entries():
        found.append(entry)
        journal.append(entry.seq, "venue", b"", b"meanwhile")
        journal.commit()
    assert found == entries
    assert journal.seq == 80


def test_the_latest_checkpoint_of_a_pool_is_found(journal):
    fill(journal)
    assert journal.latest_checkpoint(ETH) is None
    journal.write_checkpoint(4, ETH, b"state at 4", b"4" * 32)
    journal.write_checkpoint(9, ETH, b"state at 9", b"9" * 32)
    journal.write_checkpoint(9, ETH, b"again", b"9" * 32)
    found = journal.latest_checkpoint(ETH)
    assert (found.seq, found.state, found.digest) == (9, b"again", b"9" * 32)
    assert found.head == next(journal.entries(9, 10)).head
    assert journal.latest_checkpoint(ETH, at_most=8).state == b"state at 4"
    assert journal.latest_checkpoint(ETH, at_most=3) is None
    assert journal.latest_checkpoint(BTC) is None
    assert journal.verify().ok


def test_only_the_last_two_checkpoints_of_a_pool_are_kept(path):
    with Journal.open(path) as journal:
        entries = fill(journal)
        for seq in (2, 3, 5, 8, 11):
            journal.write_checkpoint(seq, ETH, b"state at %d" % seq, b"d" * 32)
        journal.write_checkpoint(4, BTC, b"another pool's", b"d" * 32)
        assert journal.latest_checkpoint(ETH).seq == 11
        assert journal.latest_checkpoint(ETH, at_most=10).seq == 8
        assert journal.latest_checkpoint(ETH, at_most=7) is None
        assert journal.latest_checkpoint(BTC).seq == 4
    with Journal.open(path) as journal:
        assert list(journal.entries()) == entries
        assert journal.verify().ok
        # The newest is damaged, and its row deleted as the message says: the other takes over.
        tamper(path, "UPDATE checkpoint SET state = CAST('stale' AS BLOB) WHERE seq = 11")
        with pytest.raises(BrokenCheckpointError, match="delete its row"):
            journal.latest_checkpoint(ETH)
        tamper(path, "DELETE FROM checkpoint WHERE seq = 11")
        assert journal.latest_checkpoint(ETH).state == b"state at 8"


@pytest.mark.parametrize("seq", [0, 13])
def test_a_checkpoint_needs_an_acknowledged_entry(journal, monkeypatch, seq):
    monkeypatch.setattr("ringfence.journal.sqlite.STATE_BYTES_MAX", 3)
    fill(journal)
    with pytest.raises(ValueError, match=f"at entry {seq} is not from 1 to 12"):
        journal.write_checkpoint(seq, ETH, b"", b"d" * 32)
    with pytest.raises(ValueError, match="a state of 4 bytes is more than 3"):
        journal.write_checkpoint(12, ETH, b"1234", b"d" * 32)
    journal.append(1, "pool", ETH, b"the journal goes on")
    assert journal.commit() == journal.head


def test_p14_a_changed_checkpoint_is_not_given_out(path):
    with Journal.open(path) as journal:
        fill(journal)
        journal.write_checkpoint(9, ETH, b"state", b"d" * 32)
        tamper(path, "UPDATE checkpoint SET state = CAST('stale' AS BLOB)")
        with pytest.raises(BrokenCheckpointError, match="the checkpoint at entry 9"):
            journal.latest_checkpoint(ETH)


def test_each_start_begins_a_later_epoch(path):
    epochs = []
    for _ in range(3):
        with Journal.open(path) as journal:
            epochs.append(journal.epoch)
    assert epochs == [1, 2, 3]
    with Journal.open(path, epoch=10) as journal:
        assert journal.epoch == 10
    with pytest.raises(JournalBusyError, match="epoch 10 is not later than epoch 10"):
        Journal.open(path, epoch=10)


def test_the_expected_head_is_compared_at_the_start(path):
    with Journal.open(path) as journal:
        entries = fill(journal)
    Journal.open(path, head=entries[-1].head).close()
    with pytest.raises(HeadMismatchError, match=entries[-2].head.hex()):
        Journal.open(path, head=entries[-2].head)


def test_p15_a_second_writer_is_refused(path):
    with Journal.open(path) as journal:
        fill(journal)
        with pytest.raises(JournalBusyError, match="is open in another writer"):
            Journal.open(path)
        program = (
            "import sys; from ringfence.journal.sqlite import Journal; Journal.open(sys.argv[1])"
        )
        other = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
        )
        assert other.returncode == 1
        assert "JournalBusyError" in other.stderr
        journal.append(1, "venue", b"", b"undisturbed")
        journal.commit()
    with Journal.open(path) as journal:
        assert journal.seq == 13


def test_p15_a_writer_of_an_older_epoch_is_fenced_off(path):
    """As when the lock failed to keep it away, on a file system that has none."""
    with Journal.open(path) as old:
        entries = fill(old)
        content = anchor_path(path).read_bytes()
        anchor_path(path).unlink()
        anchor_path(path).write_bytes(content)
        with Journal.open(path) as new:
            old.append(1, "pool", ETH, b"from the old writer")
            with pytest.raises(JournalHaltedError, match="epoch 2 took over from epoch 1"):
                old.commit()
            with pytest.raises(JournalHaltedError, match="takes no more entries: epoch 2"):
                old.append(2, "pool", ETH, b"again")
            new.append(1, "pool", ETH, b"from the new writer")
            new.commit()
            assert list(new.entries(stop=13)) == entries
            assert new.tail(1)[0].body == b"from the new writer"


def test_a_journal_locked_by_an_sql_shell_halts_and_says_so(path, monkeypatch):
    monkeypatch.setattr(schema, "BUSY_MS", 20)
    with Journal.open(path) as journal:
        entries = fill(journal)
        shell = apsw.Connection(str(path))
        shell.execute("BEGIN IMMEDIATE")
        journal.append(1, "pool", ETH, b"")
        with pytest.raises(JournalHaltedError, match=r"failed: .*database is locked"):
            journal.commit()
        shell.close()
    with Journal.open(path) as journal:
        assert list(journal.entries()) == entries


def test_p15_a_batch_lost_to_an_interrupt_leaves_no_hole(journal):
    entries = fill(journal)
    journal.append(1, "pool", ETH, b"taken, and then the interrupt came")
    journal._take()
    journal.append(2, "pool", ETH, b"the next one")
    with pytest.raises(JournalHaltedError, match="entry 13 was appended but never written"):
        journal.commit()
    with pytest.raises(JournalHaltedError, match="takes no more entries"):
        journal.commit()
    assert list(journal.entries()) == entries


def test_p13_an_interrupted_commit_halts(path, monkeypatch):
    with Journal.open(path) as journal:
        entries = fill(journal)
        last = journal.append(1, "pool", ETH, b"durable, but not anchored")

        def interrupt(_anchor):
            raise KeyboardInterrupt

        monkeypatch.setattr(journal._anchor, "write", interrupt)
        with pytest.raises(KeyboardInterrupt):
            journal.commit()
        with pytest.raises(JournalHaltedError, match="a commit after entry 12 did not finish"):
            journal.commit()
        assert (journal.seq, list(journal.entries())) == (12, entries)
    with Journal.open(path) as journal:
        assert list(journal.entries()) == [*entries, last]


def test_a_closed_journal_takes_nothing(path):
    journal = Journal.open(path)
    journal.close()
    journal.close()
    with pytest.raises(JournalHaltedError, match="it was closed"):
        journal.append(1, "pool", ETH, b"")


@pytest.mark.parametrize("content", [b"a text, and no database. " * 40, b"x"])
def test_a_file_that_is_no_journal_is_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(NotAJournalError, match="no SQLite file"):
        Journal.open(path)
    assert path.read_bytes() == content
    assert not anchor_path(path).exists()


def test_another_database_is_left_alone(path):
    tamper(path, "CREATE TABLE song (title TEXT)")
    before = path.read_bytes()
    with pytest.raises(NotAJournalError, match="application id 0"):
        Journal.open(path)
    assert path.read_bytes() == before
    assert not anchor_path(path).exists()


def test_a_journal_of_another_version_is_refused(path):
    Journal.open(path).close()
    tamper(path, "PRAGMA user_version = 9")
    with pytest.raises(
        NotAJournalError, match=f"a journal of version 9, this program reads {VERSION}"
    ):
        Journal.open(path)


def test_a_journal_with_a_changed_table_is_refused(path):
    Journal.open(path).close()
    tamper(path, "CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry; END")
    with pytest.raises(NotAJournalError, match="t is not as a journal has it"):
        Journal.open(path)


def test_a_setting_that_does_not_take_is_refused(path, monkeypatch):
    monkeypatch.setitem(schema.SETTINGS, "synchronous", 99)
    with pytest.raises(JournalSettingsError, match="keeps synchronous at"):
        Journal.open(path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(NotAJournalError, match="nowhere does not exist; create it first"):
        Journal.open(tmp_path / "nowhere" / "journal")
    (tmp_path / "folder").mkdir()
    with pytest.raises(JournalError, match="cannot be opened"):
        Journal.open(tmp_path / "folder")


def test_a_clean_close_leaves_the_journal_and_its_anchor(path):
    with Journal.open(path) as journal:
        fill(journal)
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name, anchor_path(path).name]


def test_a_long_log_is_copied_and_starts_again(path, monkeypatch):
    monkeypatch.setattr(folding, "PAGES_AT_ONCE", 16)
    monkeypatch.setattr(folding, "PAGES_MAX", 64)
    with Journal.open(path) as journal:
        for i in range(100):
            journal.append(i, "pool", ETH, bytes(60_000))
            journal.commit()
        log = path.with_name(path.name + "-wal")
        assert log.stat().st_size < 100 * 60_000 / 2
        assert verify_chain(path).ok
    with Journal.open(path) as journal:
        assert sum(len(e.body) for e in journal.entries()) == 100 * 60_000


def test_p14_a_change_is_found_when_it_is_read(path):
    with Journal.open(path) as journal:
        fill(journal)
        tamper(path, "UPDATE entry SET time_ns = time_ns + 1 WHERE seq = 5")
        assert [e.seq for e in journal.entries(6)] == list(range(6, 13))
        with pytest.raises(BrokenChainError, match="entry 5 does not hash") as caught:
            list(journal.entries())
        assert caught.value.seq == 5
        tamper(path, "DELETE FROM entry WHERE seq = 5")
        for start in (1, 5, 6):
            with pytest.raises(BrokenChainError, match="entry 5 is missing"):
                list(journal.entries(start, pool=BTC))
