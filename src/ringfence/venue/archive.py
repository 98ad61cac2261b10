"""A journal opened for reading alone: closed, crashed, or open in another process.

Nothing is written, no lock is taken from a writer, and no epoch begins.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import apsw

from ringfence.journal import schema
from ringfence.journal.anchor import Tail, anchor_path, compare, read_anchor
from ringfence.journal.bodies import ReadBody, body_reader
from ringfence.journal.checkpoint import Checkpoint, seal
from ringfence.journal.disk import read_shared
from ringfence.journal.entry import Entry
from ringfence.journal.errors import BrokenCheckpointError, JournalError, NotAJournalError
from ringfence.journal.frozen import connect_frozen, connect_live
from ringfence.journal.reading import head_at, read_entries, read_tail

# A writer at work moves the journal on between two looks, which these would take amiss.
_OF_A_LIVE_JOURNAL = ("anchor_behind", "anchor_damaged")
_CHECKPOINTS = """
SELECT seq, digest, state FROM checkpoint WHERE pool = x'' AND seq <= ? ORDER BY seq
"""


_LATEST = """
SELECT seq, pool, state, digest, head, seal FROM checkpoint WHERE pool = x'' AND seq <= ?
ORDER BY seq DESC LIMIT 1
"""


class KeptDigest(NamedTuple):
    """What a checkpoint of the venue says its state is, and what the state hashes to."""

    said: bytes
    found: bytes


class Archive:
    """The entries of a journal up to the last one when it was opened."""

    def __init__(self, connection: apsw.Connection, read_body: ReadBody, tail: Tail) -> None:
        self._connection = connection
        self._read_body = read_body
        self.seq = tail.seq
        self.head = tail.head

    def entries(self, start: int = 1, stop: int | None = None) -> Iterator[Entry]:
        """Entries from start up to but not including stop, each link checked.

        Raises:
            BrokenChainError: An entry is missing, or is not what was written.
        """
        stop = self.seq + 1 if stop is None else min(stop, self.seq + 1)
        return read_entries(self._connection, self._read_body, max(start, 1), stop)

    def checkpoint(self) -> Checkpoint | None:
        """Return the venue's last checkpoint; None without one.

        Raises:
            BrokenCheckpointError: It is not what was written, or belongs to another history.
        """
        row = self._connection.execute(_LATEST, (self.seq,)).fetchone()
        if row is None:
            return None
        checkpoint, sealed = Checkpoint(*row[:-1]), row[-1]
        if seal(checkpoint) != sealed or checkpoint.head != head_at(
            self._connection, checkpoint.seq
        ):
            raise BrokenCheckpointError(
                f"the checkpoint at entry {checkpoint.seq} was changed or is of another history; "
                "verify the journal, then delete that row"
            )
        return checkpoint

    def digests(self) -> dict[int, KeptDigest]:
        """Digests of the venue's checkpoints, by the entry they follow."""
        rows = self._connection.execute(_CHECKPOINTS, (self.seq,))
        return {
            seq: KeptDigest(digest, hashlib.sha256(state).digest()) for seq, digest, state in rows
        }


@contextmanager
def open_archive(path: Path, *, anchored: bool = True) -> Iterator[Archive]:
    """Open a journal for reading.

    Args:
        path: The SQLite file, its -wal, .bodies and .anchor files beside it.
        anchored: Whether its end must be the one that its anchor vouches for.

    Raises:
        JournalError: It is no journal, or not that of its anchor.
    """
    if not path.is_file() or path.stat().st_size == 0:
        raise NotAJournalError(f"there is no journal {path}; give the path of one that exists")
    with ExitStack() as stack:
        data, is_live = read_shared(anchor_path(path), stack)
        try:
            archive = _connected(path, stack, is_live=is_live)
            connection = archive._connection  # noqa: SLF001 - made right here
            schema.check_identity(connection, path)
            problems = list(
                compare(read_anchor(data), read_tail(connection), partial(head_at, connection))
            )
        except apsw.Error as error:
            raise NotAJournalError(
                f"{path} cannot be read as a journal: {error}; `ringfence verify` tells more"
            ) from error
        for problem in problems:
            if anchored and not (is_live and problem.code in _OF_A_LIVE_JOURNAL):
                raise JournalError(f"{path}: {problem.message}")
        yield archive


def _connected(path: Path, stack: ExitStack, *, is_live: bool) -> Archive:
    connection = connect_live(path) if is_live else connect_frozen(path)
    stack.enter_context(closing(connection))
    return Archive(connection, body_reader(path, stack), read_tail(connection))
