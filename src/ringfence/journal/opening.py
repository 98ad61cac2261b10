"""Opening a journal: whose it is, whether its end is still there, and who may write now."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import apsw

from ringfence.journal import schema
from ringfence.journal.anchor import Anchor, AnchorFile, Tail, anchor_path, compare
from ringfence.journal.bodies import BodyFile
from ringfence.journal.disk import Disk
from ringfence.journal.errors import (
    AnchorError,
    HeadMismatchError,
    HistoryMissingError,
    JournalBusyError,
    JournalError,
    NotAJournalError,
)
from ringfence.journal.reading import head_at, read_entries, read_tail

HEADER_BYTES = 100  # of an SQLite file

_ERRORS: dict[str, type[JournalError]] = {
    "history_missing": HistoryMissingError,
    "head_mismatch": HeadMismatchError,
}


def open_file(
    disk: Disk, path: Path, head: bytes | None, epoch: int | None, *, rebuild_anchor: bool
) -> tuple[apsw.Connection, AnchorFile, BodyFile, Tail]:
    """Lock, check and fence a journal file; see Journal.open."""
    with ExitStack() as undo, _explained(path):
        anchor = _open_anchor(disk, path, undo)
        connection = _open_database(disk, path, anchor)
        undo.callback(connection.close)
        bodies = BodyFile(disk, path, read_tail(connection).bodies)
        undo.callback(bodies.close)
        _check_history(connection, anchor, bodies, head, rebuild_anchor=rebuild_anchor)
        if rebuild_anchor or anchor.reading.newest is None:
            # Before the first epoch begins: a journal that was ever opened has an anchor.
            anchor.create(_anchor_of(read_tail(connection)))
            disk.sync(anchor.path)
        tail = begin_epoch(connection, epoch)
        anchor.write(_anchor_of(tail))
        undo.pop_all()
    return connection, anchor, bodies, tail


def _open_anchor(disk: Disk, path: Path, undo: ExitStack) -> AnchorFile:
    if not disk.is_folder(path.parent):
        raise NotAJournalError(f"the folder {path.parent} does not exist; create it first")
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
    if 0 < disk.size(path) < HEADER_BYTES:  # SQLite would take it for an empty database
        raise apsw.NotADBError("it is shorter than a header")
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
    connection: apsw.Connection,
    anchor: AnchorFile,
    bodies: BodyFile,
    head: bytes | None,
    *,
    rebuild_anchor: bool,
) -> None:
    """Refuse a journal whose end is not what its anchor, or head, vouches for."""
    tail = read_tail(connection)
    for problem in compare(anchor.reading, tail, partial(head_at, connection)):
        error = _ERRORS.get(problem.code, AnchorError)
        if not (rebuild_anchor and error is AnchorError):
            raise error(f"{anchor.path}: {problem.message}")
    if bodies.is_cut_off():
        raise HistoryMissingError(
            f"{bodies.path} is missing or ends before {bodies.end} bytes, where the journal ends; "
            "restore it with the journal"
        )
    newest = anchor.reading.newest
    start = 1 if newest is None or rebuild_anchor else max(1, newest.seq)
    for _ in read_entries(connection, bodies.read, start, tail.seq + 1):
        pass
    if head is not None and head != tail.head:
        raise HeadMismatchError(
            f"the journal ends with entry {tail.seq} and head {tail.head.hex()}, but head "
            f"{head.hex()} is expected; restore the journal that has it"
        )


def begin_epoch(connection: apsw.Connection, epoch: int | None) -> Tail:
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
        raise NotAJournalError(f"{path} is no SQLite file; give the path of a journal") from error
    except apsw.BusyError as error:
        raise JournalBusyError(
            f"{path} is locked by another program; close what has it open"
        ) from error
    except apsw.Error as error:
        raise JournalError(
            f"{path} cannot be opened: {error}; verify it, then restore it"
        ) from error
    except OSError as error:
        raise JournalError(
            f"{path} cannot be opened: {error}; mend the disk or its rights"
        ) from error
