"""The journal in SQLite: one writer, one file, nothing acknowledged before it is on disk.

    append, append, ...   chain entries in memory
    commit                large bodies, synced, one transaction for all entries, synced, then
                          the anchor, synced

A failed write halts the journal for good, because what is on disk is then unknown until it
is opened again and compared with its anchor.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import apsw

from ringfence.journal import schema
from ringfence.journal.anchor import Anchor, AnchorFile, Tail
from ringfence.journal.bodies import BodyFile, is_outside, nothing_outside
from ringfence.journal.checkpoint import Checkpoint, seal
from ringfence.journal.committing import CommitThread
from ringfence.journal.disk import Disk, RealDisk
from ringfence.journal.entry import Entry, chain, check_fields
from ringfence.journal.errors import BrokenCheckpointError, JournalHaltedError
from ringfence.journal.folding import LogFolder
from ringfence.journal.opening import begin_epoch, open_file
from ringfence.journal.reading import head_at, read_entries
from ringfence.journal.verify import ChainReport, inspect

STATE_BYTES_MAX = 2**29  # of a checkpoint; SQLite holds a gigabyte in one row
CHECKPOINTS_KEPT = 2  # of each pool: one more than is needed, for the newest may be damaged

_INSERT = """
INSERT INTO entry (seq, first, time_ns, kind, pool, head, body_start, body_stop, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_REPLACE_CHECKPOINT = """
REPLACE INTO checkpoint (pool, seq, digest, head, seal, state) VALUES (?, ?, ?, ?, ?, ?)
"""
_REMOVE_OLDER_CHECKPOINTS = """
DELETE FROM checkpoint WHERE pool = ?1 AND seq NOT IN (
    SELECT seq FROM checkpoint WHERE pool = ?1 ORDER BY seq DESC LIMIT ?2)
"""
_LATEST_CHECKPOINT = """
SELECT seq, pool, state, digest, head, seal FROM checkpoint
WHERE pool = ? AND seq <= ? ORDER BY seq DESC LIMIT 1
"""


class Journal:
    """An open journal. One thread at a time may append and commit; any may read.

    Attributes:
        epoch: The fencing number of this writer; greater than that of all before.
        seq: Number of the last acknowledged entry; 0 before the first.
        head: Hash of the chain at that entry; GENESIS before the first.
        on_commit: Called with the entries of each commit, once they are durable, if set.
    """

    def __init__(
        self,
        path: str,
        connection: apsw.Connection,
        tail: Tail,
        anchor: AnchorFile | None = None,
        bodies: BodyFile | None = None,
    ) -> None:
        self.path = path
        self.epoch, self.seq, self.head, *_ = tail
        self._connection = connection
        self._anchor = anchor  # None, like the next, of a journal in memory
        self._bodies = bodies
        self._read_body = nothing_outside if bodies is None else bodies.read
        self._end = self.seq, self.head  # of what was appended
        self._buffer: list[Entry] = []
        self._thread = CommitThread(self._commit)
        self._lock = threading.Lock()  # on the connection
        self._log = LogFolder(connection)
        self._halted: str | None = None
        self._is_closed = False
        self.on_commit: Callable[[list[Entry]], None] | None = None

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
            return cls(":memory:", connection, begin_epoch(connection, epoch))
        path, disk = Path(path), disk or RealDisk()
        connection, anchor, bodies, tail = open_file(
            disk, path, head, epoch, rebuild_anchor=rebuild_anchor
        )
        journal = cls(str(path), connection, tail, anchor, bodies)
        if disk.locking_mode != "EXCLUSIVE":
            journal._log.start()
        return journal

    def append(self, time_ns: int, kind: str, pool: bytes, body: bytes) -> Entry:
        """Chain an entry behind all others; it is durable and visible after the next commit.

        Raises:
            ValueError: A field outside of its limits; nothing was appended.
            JournalHaltedError: An earlier write failed.
        """
        self._check_running()
        check_fields(time_ns, kind, pool, body)
        previous_seq, previous_head = self._end
        seq = previous_seq + 1
        head = chain(previous_head, seq, time_ns, kind, pool, body)
        entry = Entry(seq, time_ns, kind, pool, body, head)
        self._buffer.append(entry)
        self._end = seq, head
        return entry

    def commit(self) -> bytes:
        """Make all appended entries durable, all or none, and return the head.

        Only what this returned for may be acknowledged.

        Raises:
            JournalHaltedError: A write failed, or a later epoch has begun. What is on disk is
                unknown until the journal is opened again.
        """
        self._thread.drain()
        return self._commit(self._take())

    def commit_async(self) -> Future[bytes]:
        """Commit in a thread, so that the next batch can be appended meanwhile.

        The head, or the error of commit, comes with the future, and not before it is done may
        anything be acknowledged. Batches that come while one is committed share the next
        transaction; when too many wait, this waits too.
        """
        return self._thread.submit(self._take())

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
        return read_entries(self._connection, self._read_body, start, stop, pool, kind, self._lock)

    def tail(self, n: int) -> list[Entry]:
        """The last n acknowledged entries, oldest first."""
        return list(self.entries(max(1, self.seq + 1 - n)))

    def write_checkpoint(self, seq: int, pool: bytes, state: bytes, digest: bytes) -> None:
        """Keep a pool's state after the entry seq, so that a replay can start there.

        Durable when it returns. A second one for the same place replaces the first. Only the
        last CHECKPOINTS_KEPT of a pool stay: older ones would only let the file grow.

        Raises:
            ValueError: seq is not an acknowledged entry.
            JournalHaltedError: A write failed.
        """
        self._check_running()
        if len(state) > STATE_BYTES_MAX:
            raise ValueError(f"a state of {len(state)} bytes is more than {STATE_BYTES_MAX}")
        with self._lock:
            head = head_at(self._connection, seq)
        if head is None:
            raise ValueError(f"a checkpoint at entry {seq} is not from 1 to {self.seq}")
        checkpoint = Checkpoint(seq, pool, state, digest, head)
        with self._lock, self._writing("checkpoint"), self._transaction() as connection:
            values = (pool, seq, digest, head, seal(checkpoint), state)
            connection.execute(_REPLACE_CHECKPOINT, values)
            connection.execute(_REMOVE_OLDER_CHECKPOINTS, (pool, CHECKPOINTS_KEPT))

    def latest_checkpoint(self, pool: bytes, at_most: int | None = None) -> Checkpoint | None:
        """The last checkpoint of a pool, at or before an entry if given; None without one.

        Raises:
            BrokenCheckpointError: It is not what was written, or belongs to another history.
        """
        at_most = self.seq if at_most is None else at_most
        try:
            with self._lock:
                row = self._connection.execute(_LATEST_CHECKPOINT, (pool, at_most)).fetchone()
                if row is None:
                    return None
                *fields, sealed = row
                checkpoint = Checkpoint(*fields)
                is_sound = checkpoint.head == head_at(self._connection, checkpoint.seq)
            is_sound &= seal(checkpoint) == sealed
        except apsw.Error as error:
            raise BrokenCheckpointError(
                f"the checkpoints of pool {pool.hex()} cannot be read: {error}; restore the journal"
            ) from error
        if not is_sound:
            raise BrokenCheckpointError(
                f"the checkpoint at entry {checkpoint.seq} of pool {pool.hex()} was changed or "
                "belongs to another history; delete its row and replay from an earlier one"
            )
        return checkpoint

    def verify(self, *, head: bytes | None = None) -> ChainReport:
        """What verify_chain reports, for the open journal; other writers stay away."""
        with self._lock:
            reading = None if self._anchor is None else self._anchor.read()
            return inspect(self._connection, self._read_body, self.path, reading, head)

    def close(self) -> None:
        """Close it; what was appended but not committed is gone.

        After a halt the files stay as they are, for recovery to judge.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self._thread.close()
        self._log.close()
        if self._halted is None:
            self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
            self._halted = "it was closed"
        try:
            self._connection.close()
        except apsw.Error:
            # The log could not be copied any more. It still has what was acknowledged.
            self._connection.close(force=True)
        finally:
            for file in (self._bodies, self._anchor):
                if file is not None:
                    file.close()

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

    def _take(self) -> list[Entry]:
        """The entries appended since the last time."""
        self._check_running()
        batch, self._buffer = self._buffer, []
        return batch

    def _commit(self, batch: list[Entry]) -> bytes:
        if not batch:
            return self.head
        first, last = batch[0], batch[-1]
        with self._lock, self._writing("commit"):
            if first.seq != self.seq + 1:  # an interrupt came between taking and writing a batch
                raise JournalHaltedError(
                    f"entry {self.seq + 1} was appended but never written; open {self.path} again"
                )
            self._log.before_commit()
            with self._transaction() as connection:
                # In it, for only then is this known to be the only writer of the bodies.
                connection.executemany(_INSERT, self._rows(batch))
            if self._anchor is not None:
                self._anchor.write(Anchor(self.epoch, last.seq, last.head))
            self.seq, self.head = last.seq, last.head
        if self.on_commit is not None:
            self.on_commit(batch)
        return last.head

    def _rows(self, batch: list[Entry]) -> list[tuple[object, ...]]:
        """What SQLite is to hold of a batch, whose large bodies are durable in their file."""
        first, stop, outside = batch[0].seq, 0, []
        if self._bodies is not None:
            stop = self._bodies.end
            outside = [entry.body for entry in batch if is_outside(entry.body)]
            self._bodies.append(outside)
        rows: list[tuple[object, ...]] = []
        for e in batch:
            start = stop
            is_inside = not outside or not is_outside(e.body)
            stop += 0 if is_inside else len(e.body)
            body = e.body if is_inside else None
            rows.append((e.seq, first, e.time_ns, e.kind, e.pool, e.head, start, stop, body))
        return rows

    @contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        """Halt the journal unless the block ends well."""
        try:
            yield
        except (apsw.Error, OSError) as error:
            self._halted = f"a {what} after entry {self.seq} failed: {error}"
            raise JournalHaltedError(
                f"{self.path} is halted: {self._halted}; mend the disk and open it again"
            ) from error
        except BaseException:
            self._halted = self._halted or f"a {what} after entry {self.seq} did not finish"
            raise

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
