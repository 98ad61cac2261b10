"""The journal in SQLite: one writer, one file, nothing acknowledged before it is on disk.

    append, append, ...   chain entries in memory
    commit                one transaction for all of them, synced, then the anchor, synced

A failed write halts the journal for good, because what is on disk is then unknown until it
is opened again and compared with its anchor.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import apsw

from ringfence.journal import schema
from ringfence.journal.anchor import Anchor, AnchorFile, Tail, anchor_path, compare
from ringfence.journal.checkpoint import Checkpoint, seal
from ringfence.journal.disk import Disk, RealDisk
from ringfence.journal.entry import Entry, chain, check_fields
from ringfence.journal.errors import (
    AnchorError,
    BrokenCheckpointError,
    HeadMismatchError,
    HistoryMissingError,
    JournalBusyError,
    JournalError,
    JournalHaltedError,
    NotAJournalError,
)
from ringfence.journal.reading import head_at, read_entries, read_tail
from ringfence.journal.verify import ChainReport, inspect

LOG_PAGES_MAX = 2048  # 32 MB of write-ahead log, then it is copied into the database

_ERRORS: dict[str, type[JournalError]] = {
    "history_missing": HistoryMissingError,
    "head_mismatch": HeadMismatchError,
}
_INSERT = """
INSERT INTO entry (seq, first, time_ns, kind, pool, head, body) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_REPLACE_CHECKPOINT = """
REPLACE INTO checkpoint (pool, seq, digest, head, seal, state) VALUES (?, ?, ?, ?, ?, ?)
"""
_LATEST_CHECKPOINT = """
SELECT seq, state, digest, head, seal FROM checkpoint
WHERE pool = ? AND seq <= ? ORDER BY seq DESC LIMIT 1
"""


class Journal:
    """An open journal. It belongs to one thread, and to one writer at a time.

    Attributes:
        epoch: The fencing number of this writer; greater than that of all before.
        seq: Number of the last acknowledged entry; 0 before the first.
        head: Hash of the chain at that entry; GENESIS before the first.
    """

    def __init__(
        self, path: str, connection: apsw.Connection, anchor: AnchorFile | None, tail: Tail
    ) -> None:
        self.path = path
        self.epoch, self.seq, self.head, _ = tail
        self._connection = connection
        self._anchor = anchor
        self._buffer: list[Entry] = []
        self._log_pages = 0
        self._halted: str | None = None
        connection.set_wal_hook(self._on_commit)

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        head: bytes | None = None,
        epoch: int | None = None,
        rebuild_anchor: bool = False,
        disk: Disk | None = None,
    ) -> Self:
        """Open a journal, compare it with its anchor, and begin a new epoch.

        Only the entries since the anchor are verified here; the others are verified when
        they are read.

        Args:
            path: SQLite file, created when missing; ":memory:" for one that is not kept.
            head: Expected head, when known from elsewhere.
            epoch: Fencing number from outside; one more than the last one by default.
            rebuild_anchor: Verify all entries instead of trusting the anchor, then write a
                new one. For a journal whose anchor was lost and whose head was compared.
            disk: Where the file lies; the machine's own by default.

        Raises:
            JournalBusyError: Another writer has it open, or its epoch is not older.
            NotAJournalError: The file is something else.
            HistoryMissingError: It ends before its anchor, so acknowledged entries are gone.
            HeadMismatchError: It is another history than that of its anchor or of head.
            AnchorError: The anchor is missing, unreadable or an old copy.
            BrokenChainError: An entry since the anchor is not what was written.
            JournalSettingsError: SQLite does not keep a setting that durability needs.
        """
        if str(path) == ":memory:":
            connection = schema.connect(RealDisk(), ":memory:")
            schema.create_tables(connection)
            return cls(":memory:", connection, None, _begin_epoch(connection, epoch))
        path, disk = Path(path), disk or RealDisk()
        with ExitStack() as undo, _explained(path):
            anchor = _open_anchor(disk, path, undo)
            connection = _open_database(disk, path, anchor)
            undo.callback(connection.close)
            _check_history(connection, anchor, head, rebuild_anchor=rebuild_anchor)
            if rebuild_anchor or anchor.reading.newest is None:
                # Before the first epoch: a journal that was ever opened has an anchor.
                anchor.create(_anchor_of(read_tail(connection)))
                disk.sync(anchor.path)
            tail = _begin_epoch(connection, epoch)
            anchor.write(_anchor_of(tail))
            undo.pop_all()
        return cls(str(path), connection, anchor, tail)

    def append(self, time_ns: int, kind: str, pool: bytes, body: bytes) -> Entry:
        """Chain an entry behind all others; it is durable and visible after the next commit.

        Raises:
            ValueError: A field outside of its limits; nothing was appended.
            JournalHaltedError: An earlier write failed.
        """
        self._check_running()
        check_fields(time_ns, kind, pool, body)
        seq, head = (
            (self._buffer[-1].seq, self._buffer[-1].head) if self._buffer else (self.seq, self.head)
        )
        head = chain(head, seq + 1, time_ns, kind, pool, body)
        entry = Entry(seq + 1, time_ns, kind, pool, body, head)
        self._buffer.append(entry)
        return entry

    def commit(self) -> bytes:
        """Make all appended entries durable, all or none, and return the head.

        Only what this returned for may be acknowledged.

        Raises:
            JournalHaltedError: A write failed, or a later epoch has begun. What is on disk is
                unknown until the journal is opened again.
        """
        self._check_running()
        if not self._buffer:
            return self.head
        last = self._buffer[-1]
        with self._writing("commit"):
            if self._log_pages > LOG_PAGES_MAX:
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            with self._transaction() as connection:
                first = self.seq + 1
                connection.executemany(
                    _INSERT,
                    (
                        (e.seq, first, e.time_ns, e.kind, e.pool, e.head, e.body)
                        for e in self._buffer
                    ),
                )
            if self._anchor is not None:
                self._anchor.write(Anchor(self.epoch, last.seq, last.head))
        self.seq, self.head = last.seq, last.head
        self._buffer.clear()
        return self.head

    def entries(
        self,
        start: int = 1,
        stop: int | None = None,
        pool: bytes | None = None,
        kind: str | None = None,
    ) -> Iterator[Entry]:
        """The acknowledged entries from start up to but not including stop, links checked.

        With a pool or kind only its entries; the bodies of the others are not read.

        Raises:
            BrokenChainError: An entry is missing, or is not what was written.
        """
        if start < 1:
            raise ValueError(f"start {start} is not an entry; the first one is 1")
        stop = self.seq + 1 if stop is None else min(stop, self.seq + 1)
        return read_entries(self._connection, start, stop, pool, kind)

    def tail(self, n: int) -> list[Entry]:
        """The last n acknowledged entries, oldest first."""
        return list(self.entries(max(1, self.seq + 1 - n)))

    def write_checkpoint(self, seq: int, pool: bytes, state: bytes, digest: bytes) -> None:
        """Keep a pool's state after the entry seq, so that a replay can start there.

        Durable when it returns. A second one for the same place replaces the first.

        Raises:
            ValueError: seq is not an acknowledged entry.
            JournalHaltedError: A write failed.
        """
        self._check_running()
        head = head_at(self._connection, seq)
        if head is None:
            raise ValueError(f"a checkpoint at entry {seq} is not from 1 to {self.seq}")
        checkpoint = Checkpoint(seq, pool, state, digest, head)
        with self._writing("checkpoint"), self._transaction() as connection:
            values = (pool, seq, digest, head, seal(checkpoint), state)
            connection.execute(_REPLACE_CHECKPOINT, values)

    def latest_checkpoint(self, pool: bytes, at_most: int | None = None) -> Checkpoint | None:
        """The last checkpoint of a pool, at or before an entry if given; None without one.

        Raises:
            BrokenCheckpointError: It is not what was written, or belongs to another history.
        """
        at_most = self.seq if at_most is None else at_most
        row = self._connection.execute(_LATEST_CHECKPOINT, (pool, at_most)).fetchone()
        if row is None:
            return None
        seq, state, digest, head, sealed = row
        checkpoint = Checkpoint(seq, pool, state, digest, head)
        if seal(checkpoint) != sealed or head != head_at(self._connection, seq):
            raise BrokenCheckpointError(
                f"the checkpoint at entry {seq} of pool {pool.hex()} was changed or belongs to "
                "another history; delete its row and replay from an earlier one"
            )
        return checkpoint

    def verify(self, *, head: bytes | None = None) -> ChainReport:
        """What verify_chain reports, for the open journal; other writers stay away."""
        reading = None if self._anchor is None else self._anchor.read()
        return inspect(self._connection, self.path, reading, head)

    def close(self) -> None:
        """Close it; what was appended but not committed is gone.

        After a halt the files stay as they are, for recovery to judge.
        """
        if self._halted is None:
            self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
        self._halted = self._halted or "it was closed"
        self._connection.close()
        if self._anchor is not None:
            self._anchor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _check_running(self) -> None:
        if self._halted is not None:
            raise JournalHaltedError(
                f"{self.path} takes no more entries: {self._halted}; open it again"
            )

    def _on_commit(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK

    @contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        """Halt the journal unless the block ends well, by whatever it ends."""
        self._halted = f"a {what} at entry {self.seq} did not finish"
        try:
            yield
        except (apsw.Error, OSError) as error:
            self._halted = f"a {what} at entry {self.seq} failed: {error}"
            raise JournalHaltedError(
                f"{self.path} is halted: {self._halted}; mend the disk and open it again"
            ) from error
        self._halted = None

    @contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        """One transaction of this epoch; another epoch halts the journal."""
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            epoch = connection.execute("SELECT epoch FROM fence").get
            if epoch != self.epoch:
                self._halted = f"epoch {epoch} took over from epoch {self.epoch}"
                raise JournalHaltedError(f"{self.path} is halted: {self._halted}; stop this writer")
            yield connection
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _open_anchor(disk: Disk, path: Path, undo: ExitStack) -> AnchorFile:
    if not disk.is_folder(path.parent):
        raise NotAJournalError(f"the folder of {path} does not exist; create it first")
    is_new = disk.size(anchor_path(path)) == 0
    anchor = AnchorFile.open(disk, path)
    undo.callback(anchor.close)

    def remove_if_empty() -> None:
        """Leave nothing beside a file that is not ours."""
        if is_new and disk.size(anchor.path) == 0:
            disk.remove(anchor.path)

    undo.callback(remove_if_empty)
    return anchor


def _open_database(disk: Disk, path: Path, anchor: AnchorFile) -> apsw.Connection:
    """Connect to a journal, which is set up where there is neither a file nor an anchor."""
    with ExitStack() as undo:
        connection = undo.enter_context(closing(schema.connect(disk, path)))
        if schema.is_blank(connection):
            if not anchor.reading.is_missing:
                raise HistoryMissingError(
                    f"{path} is missing or empty, but it has an anchor; restore the journal, or "
                    "move the anchor away to begin a new one"
                )
            connection.close()
            schema.set_up(disk, path)
            connection = undo.enter_context(closing(schema.connect(disk, path)))
        schema.check_identity(connection, path)
        schema.apply_settings(connection, path)
        undo.pop_all()
    return connection


def _check_history(
    connection: apsw.Connection, anchor: AnchorFile, head: bytes | None, *, rebuild_anchor: bool
) -> None:
    """Refuse a journal whose end is not what its anchor, or head, vouches for."""
    tail = read_tail(connection)
    for problem in compare(anchor.reading, tail, partial(head_at, connection)):
        error = _ERRORS.get(problem.code, AnchorError)
        if not (rebuild_anchor and error is AnchorError):
            raise error(f"{anchor.path}: {problem.message}")
    newest = anchor.reading.newest
    start = 1 if newest is None or rebuild_anchor else max(1, newest.seq)
    for _ in read_entries(connection, start, tail.seq + 1):
        pass
    if head is not None and head != tail.head:
        raise HeadMismatchError(
            f"the journal ends with entry {tail.seq} and head {tail.head.hex()}, but head "
            f"{head.hex()} is expected; restore the journal that has it"
        )


def _begin_epoch(connection: apsw.Connection, epoch: int | None) -> Tail:
    """Fence off all writers before this one, and return the end of the journal."""
    connection.execute("BEGIN IMMEDIATE")
    tail = read_tail(connection)
    epoch = tail.epoch + 1 if epoch is None else epoch
    if epoch <= tail.epoch:
        connection.execute("ROLLBACK")
        raise JournalBusyError(f"epoch {epoch} is not later than epoch {tail.epoch}, which began")
    connection.execute("UPDATE fence SET epoch = ?", (epoch,))
    connection.execute("COMMIT")
    return tail._replace(epoch=epoch)


def _anchor_of(tail: Tail) -> Anchor:
    return Anchor(tail.epoch, tail.seq, tail.head)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what SQLite says into what it means for a journal."""
    try:
        yield
    except apsw.NotADBError as error:
        raise NotAJournalError(
            f"{path} is not an SQLite file; give the path of a journal"
        ) from error
    except apsw.BusyError as error:
        raise JournalBusyError(
            f"{path} is locked by another program; close what has it open"
        ) from error
    except apsw.Error as error:
        raise JournalError(
            f"{path} cannot be opened: {error}; verify it, then restore it"
        ) from error
