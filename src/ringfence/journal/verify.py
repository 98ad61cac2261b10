"""Verification of a journal: every entry, every checkpoint, and the anchor.

It reads and never writes, and it never gives up: whatever the bytes are, it returns a report.
One change gives one finding, because each entry is hashed onto the head that is stored with
the entry before it, not onto the one that should be there.

What it cannot tell: one forged transaction behind the anchor looks like one that was written
but not acknowledged when the power failed. Only the head in a receipt tells them apart.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import msgspec

from ringfence.journal import schema
from ringfence.journal.anchor import Reading, anchor_path, compare, read_anchor
from ringfence.journal.bodies import ReadBody, body_reader, is_place
from ringfence.journal.checkpoint import Checkpoint, seal
from ringfence.journal.disk import read_shared
from ringfence.journal.entry import GENESIS, HEAD_BYTES, chain
from ringfence.journal.errors import JournalError, Problem
from ringfence.journal.frozen import connect_frozen, connect_live
from ringfence.journal.reading import head_at, read_tail

PROBLEMS_MAX = 100  # a report is for people; the first hundred findings are enough

_ENTRIES = """
SELECT seq, first, body_start, body_stop, time_ns, CAST(kind AS BLOB), pool, body, head
FROM entry ORDER BY seq
"""
_CHECKPOINTS = "SELECT seq, pool, state, digest, head, seal FROM checkpoint ORDER BY id"


class ChainReport(msgspec.Struct, frozen=True):
    """What a verification found."""

    ok: bool
    entries: int
    head: str  # in hex, as stored with the last entry
    problems: list[Problem]


class _Walk:
    """Progress along the chain, kept where an error of SQLite cannot lose it."""

    def __init__(self) -> None:
        self.entries = 0
        self.seq = 0
        self.first = 0
        self.place = 0  # in the bodies file
        self.head = GENESIS
        self.problems: list[Problem] = []

    def report(self) -> ChainReport:
        return ChainReport(not self.problems, self.entries, self.head.hex(), self.problems)

    def add(self, problems: Iterator[Problem]) -> None:
        """Take what an inspection finds, also when it breaks off."""
        try:
            for problem in problems:
                if len(self.problems) < PROBLEMS_MAX:
                    self.problems.append(problem)
        except (JournalError, apsw.Error, OSError, ValueError, TypeError, OverflowError) as error:
            message = f"nothing more can be read after entry {self.seq}: {error}"
            self.problems.append(Problem(self.seq + 1, "unreadable", message))


def verify_chain(path: str | Path, *, head: bytes | None = None) -> ChainReport:
    """Verify a journal that is closed, crashed, or open in another process.

    Args:
        path: The SQLite file; its -wal, .bodies and .anchor files are found beside it.
        head: Expected hash of the last entry, when known from elsewhere.
    """
    walk = _Walk()
    with ExitStack() as stack:
        walk.add(_open_and_inspect(walk, Path(path), head, stack))
    return walk.report()


def inspect(
    connection: apsw.Connection,
    read_body: ReadBody,
    path: str,
    reading: Reading | None,
    head: bytes | None,
) -> ChainReport:
    """Verify an open journal against what its anchor says; None where it has no anchor."""
    walk = _Walk()
    walk.add(_inspect(walk, connection, read_body, path, reading, head))
    return walk.report()


def _open_and_inspect(
    walk: _Walk, path: Path, head: bytes | None, stack: ExitStack
) -> Iterator[Problem]:
    # The anchor before the journal: a writer at work may move both on in between.
    data, is_live = read_shared(anchor_path(path), stack)
    if not path.is_file() or path.stat().st_size == 0:
        yield Problem(None, "journal_missing", f"{path} is no file, or an empty one; restore it")
        return
    rollback = path.with_name(path.name + "-journal")
    if rollback.exists() and rollback.stat().st_size > 0:
        message = (
            f"{rollback} would undo what the journal says; a journal never leaves one: move it"
        )
        yield Problem(None, "stray_file", message)
    connection = connect_live(path) if is_live else connect_frozen(path)
    stack.enter_context(closing(connection))
    read_body = body_reader(path, stack)
    for problem in _inspect(walk, connection, read_body, str(path), read_anchor(data), head):
        if not (is_live and problem.code in {"anchor_behind", "anchor_damaged"}):
            yield problem


def _inspect(
    walk: _Walk,
    connection: apsw.Connection,
    read_body: ReadBody,
    path: str,
    reading: Reading | None,
    head: bytes | None,
) -> Iterator[Problem]:
    """All findings in order. Each part adds up to where it breaks off, and the next goes on."""
    connection.execute("BEGIN")
    try:
        for code, message in schema.identity_faults(connection, path):
            yield Problem(None, code, message)
            if code == "not_a_journal":
                return
        walk.add(_entry_problems(walk, connection, read_body))
        walk.add(_end_problems(walk, connection, reading, head))
        walk.add(_checkpoint_problems(connection))
        walk.add(_structure_problems(connection))
    finally:
        connection.execute("ROLLBACK")


def _entry_problems(
    walk: _Walk, connection: apsw.Connection, read_body: ReadBody
) -> Iterator[Problem]:
    previous: bytes | None = GENESIS  # None behind a gap, where no link can be checked
    for seq, first, start, stop, *fields, body, head in connection.execute(_ENTRIES):
        expected = walk.seq + 1
        if seq > expected:
            message = f"entries {expected} to {seq - 1} are missing"
            yield Problem(expected, "entry_missing", message)
            previous = None
        elif seq < expected:
            yield Problem(seq, "entry_reordered", f"entry {seq} comes after entry {walk.seq}")
            previous = None
        if previous is not None:
            where = (start, stop, walk.place)
            fault = _content_fault(previous, seq, where, [*fields, body], head, read_body)
            if fault is not None:
                yield fault
            if first not in {seq, walk.first}:
                message = f"entry {seq} says its transaction began with entry {first}; it cannot"
                yield Problem(seq, "entry_changed", message)
        is_head = isinstance(head, bytes) and len(head) == HEAD_BYTES
        previous = walk.head = head if is_head else GENESIS
        walk.entries, walk.seq, walk.first, walk.place = walk.entries + 1, seq, first, stop


def _content_fault(
    previous: bytes,
    seq: int,
    where: tuple[int, int, int],
    fields: list[Any],
    head: object,
    read_body: ReadBody,
) -> Problem | None:
    """What is wrong with one entry, and with where its body lies in the bodies file."""
    start, stop, end_before = where
    if not is_place(start, stop, end_before):
        message = (
            f"entry {seq} says that its body lies from {start} to {stop} of the bodies file, "
            f"which ended at {end_before}; it cannot"
        )
        return Problem(seq, "entry_changed", message)
    if fields[-1] is None:
        body = fields[-1] = read_body(start, stop)
        if len(body) < stop - start:
            message = f"the body of entry {seq} is not in the bodies file; restore that file"
            return Problem(seq, "body_missing", message)
    if not _is_linked(previous, seq, fields, head):
        message = f"entry {seq} does not hash to its head: it was changed, or the one before"
        return Problem(seq, "entry_changed", message)
    return None


def _is_linked(previous: bytes, seq: int, fields: list[Any], head: object) -> bool:
    time_ns, kind, pool, body = fields
    if not (isinstance(time_ns, int) and all(isinstance(f, bytes) for f in (kind, pool, body))):
        return False
    try:
        return chain(previous, seq, time_ns, kind.decode(), pool, body) == head
    except UnicodeDecodeError:
        return False


def _end_problems(
    walk: _Walk, connection: apsw.Connection, reading: Reading | None, head: bytes | None
) -> Iterator[Problem]:
    """Whether the end is the one that the anchor, and the caller, vouch for."""
    tail = read_tail(connection)._replace(seq=walk.seq, head=walk.head, first=walk.first)
    if reading is not None:
        yield from compare(reading, tail, partial(head_at, connection))
    if head is not None and head != walk.head:
        message = (
            f"the last entry, {walk.seq}, has head {walk.head.hex()}, but {head.hex()} is expected"
        )
        yield Problem(walk.seq, "head_mismatch", message)


def _checkpoint_problems(connection: apsw.Connection) -> Iterator[Problem]:
    for *fields, sealed in connection.execute(_CHECKPOINTS):
        checkpoint = Checkpoint(*fields)
        if seal(checkpoint) != sealed or head_at(connection, checkpoint.seq) != checkpoint.head:
            message = (
                f"the checkpoint at entry {checkpoint.seq} was changed or is of another history; "
                "delete its row"
            )
            yield Problem(checkpoint.seq, "checkpoint_changed", message)


def _structure_problems(connection: apsw.Connection) -> Iterator[Problem]:
    """What SQLite itself finds, such as an index that hides a row which a scan still sees."""
    for (finding,) in connection.execute("PRAGMA integrity_check(10)"):
        if finding != "ok":
            yield Problem(None, "structure", f"SQLite finds: {finding}")
