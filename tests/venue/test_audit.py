"""The audit finds whatever was done to a journal, and reads only."""

import hashlib
import shutil
from collections import Counter
from pathlib import Path

import apsw
import numpy as np
import pytest
from tests.journals import Written, write_journal

from ringfence.core.status import Status
from ringfence.journal.anchor import anchor_path
from ringfence.journal.checkpoint import Checkpoint, seal
from ringfence.journal.entry import GENESIS, chain
from ringfence.venue import entries
from ringfence.venue.audit import audit, broken_rules
from ringfence.venue.entries import decode_batch, encode_batch
from ringfence.venue.state import RefusedError
from ringfence.venue.venue import Venue


@pytest.fixture(scope="module")
def pristine(tmp_path_factory) -> Written:
    return write_journal(tmp_path_factory.mktemp("pristine") / "venue.journal", checkpoint=True)


@pytest.fixture
def written(pristine, tmp_path) -> Written:
    for file in pristine.path.parent.iterdir():
        shutil.copy(file, tmp_path / file.name)
    return Written(tmp_path / "venue.journal", pristine.pool, pristine.head, pristine.entries)


def codes(path: Path, **options) -> list[str]:
    report = audit(path, **options)
    assert report.ok == (not report.problems)
    return [problem.code for problem in report.problems]


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def change(path: Path, sql: str, *values: object) -> None:
    """Change a row as somebody with an SQL shell can."""
    connection = apsw.Connection(str(path))
    connection.execute(sql, values)
    assert connection.changes() > 0
    connection.close()


def forge(path: Path, seq: int, body: bytes) -> None:
    """Change the body of an entry and hash the rest of the chain, and the anchor, anew."""
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE entry SET body = ? WHERE seq = ?", (body, seq))
    head = GENESIS
    rows = connection.execute("SELECT seq, time_ns, kind, pool, body FROM entry ORDER BY seq")
    for row in rows.fetchall():
        head = chain(head, *row)
        connection.execute("UPDATE entry SET head = ? WHERE seq = ?", (head, row[0]))
    connection.execute("DELETE FROM checkpoint")
    connection.close()
    anchor_path(path).unlink(missing_ok=True)


def last_batch(path: Path) -> tuple[int, entries.Batch]:
    """The batch of the liquidation."""
    connection = apsw.Connection(str(path))
    sql = "SELECT seq, body FROM entry WHERE kind = 'pool' ORDER BY seq DESC LIMIT 1"
    seq, body = connection.execute(sql).fetchone()
    connection.close()
    return seq, decode_batch(body)


def test_a_whole_journal_passes_with_its_entries_and_head(written):
    report = audit(written.path)
    assert (report.ok, report.problems) == (True, [])
    assert (report.entries, report.head) == (written.entries, written.head)


def test_progress_goes_up_to_the_last_entry(written):
    seen = []
    audit(written.path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(n + 1, written.entries) for n in range(written.entries)]


def test_an_audit_changes_no_byte_and_leaves_no_file(written):
    before = contents(written.path.parent)
    audit(written.path, head=bytes(32))
    assert contents(written.path.parent) == before


def test_the_journal_of_a_running_venue_passes(written):
    with Venue.open(written.path) as venue:
        venue.list_asset("BTC", 8)
        assert audit(written.path, head=venue.journal.head).ok


def test_another_head_is_a_problem_of_the_last_entry(written):
    (problem,) = audit(written.path, head=bytes(32)).problems
    assert (problem.code, problem.seq) == ("head_mismatch", written.entries)
    assert bytes(32).hex() in problem.message


def test_a_changed_row_breaks_the_chain_at_its_entry(written):
    seq, batch = last_batch(written.path)
    rows = batch.rows.copy()
    rows["account"][-1] += 1
    change(
        written.path,
        "UPDATE entry SET body = ? WHERE seq = ?",
        encode_batch(rows, batch.outcome),
        seq,
    )
    first = audit(written.path).problems[0]
    assert (first.code, first.seq) == ("entry_changed", seq)
    assert codes(written.path)[1:] == ["not_replayed"]


def test_a_deleted_entry_is_missing(written):
    change(written.path, "DELETE FROM entry WHERE seq = 5")
    assert codes(written.path)[0] == "entry_missing"


def test_a_deleted_tail_is_missing_history(written):
    change(written.path, "DELETE FROM entry WHERE seq >= ?", written.entries - 1)
    report = audit(written.path)
    assert [problem.code for problem in report.problems] == ["history_missing"]
    assert report.entries == written.entries - 2


def test_a_changed_checkpoint_is_found(written):
    change(written.path, "UPDATE checkpoint SET state = x'00'")
    assert "checkpoint_changed" in codes(written.path)


# From here on the chain is hashed anew, so only the replay can tell; the anchor's absence
# is the first problem each time.


def forged(written: Written, seq: int, body: bytes) -> list[tuple[str, int | None]]:
    forge(written.path, seq, body)
    found = audit(written.path).problems
    assert found[0].code == "anchor_missing"
    return [(problem.code, problem.seq) for problem in found[1:]]


@pytest.mark.parametrize(
    ("outcome", "code"), [("said in other words", None), ("ok", "outcome_differs")]
)
def test_a_refusal_may_be_reworded_but_stays_a_refusal(written, outcome, code):
    with Venue.open(written.path) as venue:
        with pytest.raises(RefusedError, match="USDC"):
            venue.list_asset("USDC", 8)
        (entry,) = venue.journal.entries(venue.journal.seq)
    assert entry.kind == entries.VENUE
    command = entries.decode_venue(entry.body).command
    found = forged(written, entry.seq, entries.encode_venue(command, outcome))
    assert found == ([] if code is None else [(code, entry.seq)])


def test_a_forged_status_differs_from_its_replay(written):
    seq, batch = last_batch(written.path)
    batch.outcome.statuses[-1] = Status.ACCOUNT_IS_HEALTHY
    found = forged(written, seq, encode_batch(batch.rows, batch.outcome))
    assert found == [("status_differs", seq)]


def test_a_forged_event_differs_from_its_replay(written):
    seq, batch = last_batch(written.path)
    assert len(batch.outcome.events) > 0
    events = batch.outcome.events.copy()
    events["bonus"][0] += 1
    outcome = entries.Outcome(batch.outcome.statuses, events)
    assert forged(written, seq, encode_batch(batch.rows, outcome)) == [("events_differ", seq)]


def test_a_forged_row_reaches_another_digest(written):
    seq, batch = last_batch(written.path)
    rows = batch.rows[:0].copy()
    outcome = entries.Outcome(np.zeros(0, dtype=np.int64), batch.outcome.events[:0])
    assert forged(written, seq, encode_batch(rows, outcome)) == [
        ("digest_differs", written.entries)
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_entry"),
        (b"\xff" * 40, "malformed_entry"),
        (b"\x00\x00\x00\x00" + b"\x00" * 17, "malformed_entry"),
    ],
)
def test_a_forged_body_of_another_layout_is_malformed(written, body, code):
    seq, _ = last_batch(written.path)
    assert (code, seq) in forged(written, seq, body)


def test_whatever_the_body_of_an_entry_is_there_is_a_report(written):
    generator = np.random.default_rng(1)
    connection = apsw.Connection(str(written.path))
    bodies = dict(connection.execute("SELECT seq, body FROM entry").fetchall())
    connection.close()
    for seq, body in bodies.items():
        spoiled = bytearray(body)
        spoiled[int(generator.integers(len(body)))] ^= 1 << int(generator.integers(8))
        forge(written.path, seq, bytes(spoiled))
        report = audit(written.path)
        assert report.entries == written.entries
        assert report.head != written.head
        forge(written.path, seq, body)
    assert audit(written.path).head == written.head


def test_a_sealed_checkpoint_with_another_state_differs_from_the_replay(written):
    connection = apsw.Connection(str(written.path))
    sql = "SELECT seq, pool, state, digest, head FROM checkpoint"
    seq, pool, state, _, head = connection.execute(sql).fetchone()
    other = state[:-8] + (1).to_bytes(8, "little")
    forgery = Checkpoint(seq, pool, other, hashlib.sha256(other).digest(), head)
    connection.execute(
        "UPDATE checkpoint SET state = ?, digest = ?, seal = ?",
        (forgery.state, forgery.digest, seal(forgery)),
    )
    connection.close()
    (problem,) = audit(written.path).problems
    assert (problem.code, problem.seq) == ("checkpoint_differs", seq)


def test_garbage_is_no_journal(tmp_path):
    path = tmp_path / "garbage"
    path.write_bytes(b"not a journal at all" * 1000)
    assert len(codes(path)) >= 1


def test_a_missing_file_is_a_problem_of_the_whole(tmp_path):
    report = audit(tmp_path / "nowhere")
    assert [(p.code, p.seq) for p in report.problems] == [("journal_missing", None)]
    assert list(tmp_path.iterdir()) == []


def test_a_state_that_breaks_an_invariant_names_pool_and_rule(written):
    with Venue.open(written.path) as venue:
        record = venue.record(written.pool)
        record.pool.balance[1, 0] += 1
        broken = list(broken_rules(venue.state, Counter({0: 200_000 * 10**6})))
    assert [rule.split(":")[0] for rule in broken] == ["pool eth-majors"]
    assert "balances sum to" in broken[0]


def test_money_that_came_from_nowhere_is_a_problem(written):
    with Venue.open(written.path) as venue:
        venue.state.wallets.amount[1, 0] += 1
        (broken,) = broken_rules(venue.state, Counter({0: 200_000 * 10**6}))
    assert broken.startswith("P5 USDC: 200000000000 smallest units came in")
