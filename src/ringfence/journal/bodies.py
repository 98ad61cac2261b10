"""Large bodies, in a file of their own beside the journal.

SQLite copies a body twice, page by page: into its log and from there into the database. So a
large one is appended to a plain file instead and synced before the transaction that tells
where it lies. The chain of hashes vouches for its bytes like for those of any other. What an
interrupted commit left behind the last place told is overwritten by the next commit.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from ringfence.journal.disk import Disk, DiskFile
from ringfence.journal.entry import BODY_BYTES_MAX

OUTSIDE_MIN = 2**16  # bytes of the smallest body that is kept outside of SQLite

# The bytes from one position of the bodies file up to another; fewer where it is cut off.
ReadBody = Callable[[int, int], bytes]


def bodies_path(path: Path) -> Path:
    """Where the large bodies of a journal lie."""
    return path.with_name(path.name + ".bodies")


def is_place(start: object, stop: object, expected: int) -> bool:
    """Whether a body can lie from start up to stop, the file so far ending as expected."""
    if not (isinstance(start, int) and isinstance(stop, int)):
        return False
    return start == expected and 0 <= stop - start <= BODY_BYTES_MAX


def is_outside(body: bytes) -> bool:
    """Whether a body is large enough for the bodies file."""
    return len(body) >= OUTSIDE_MIN


class BodyFile:
    """The bodies file of an open journal, made when the first large body comes."""

    def __init__(self, disk: Disk, journal_path: Path, end: int) -> None:
        self.path = bodies_path(journal_path)
        self.end = end  # of what the journal tells of; whatever lies behind is of no account
        self._disk = disk
        self._file: DiskFile | None = None

    def append(self, bodies: Sequence[bytes]) -> None:
        """Write bodies behind those told of, and return once they are durable."""
        if not bodies:
            return
        file, end = self._opened(), self.end
        for body in bodies:
            file.write(body, end)
            end += len(body)
        file.sync()
        if self.end == 0:  # perhaps a new name
            self._disk.sync(self.path)
        self.end = end

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes from start up to stop, fewer where the file is cut off."""
        if self._disk.size(self.path) == 0:
            return b""
        return self._opened().read(stop - start, start)

    def is_cut_off(self) -> bool:
        """Whether bodies that the journal tells of are not there."""
        return self._disk.size(self.path) < self.end

    def close(self) -> None:
        """Close it."""
        if self._file is not None:
            self._file.close()

    def _opened(self) -> DiskFile:
        if self._file is None:
            self._file = self._disk.open_locked(self.path)
        return self._file


def body_reader(journal_path: Path, stack: ExitStack) -> ReadBody:
    """A way to read large bodies that changes nothing; it ends with the stack."""
    opened: list[int] = []

    def read(start: int, stop: int) -> bytes:
        if not opened:
            try:
                opened.append(os.open(bodies_path(journal_path), os.O_RDONLY | os.O_CLOEXEC))
            except FileNotFoundError:
                return b""
            stack.callback(os.close, opened[0])
        return os.pread(opened[0], stop - start, start)

    return read


def nothing_outside(_start: int, _stop: int) -> bytes:
    """Read from the bodies file of a journal in memory, which has none."""
    return b""
