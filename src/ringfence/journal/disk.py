"""The file operations of a journal that SQLite does not do for it.

There is one real disk. The power-cut tests put another one in its place, which forgets
what was not synced.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Protocol


class DiskFile(Protocol):
    """An open file, locked by its opener."""

    def read(self, length: int, offset: int) -> bytes:
        """Return so many bytes from an offset on, fewer at the end of the file."""
        ...

    def write(self, data: bytes, offset: int) -> None:
        """Write in place; durable after the next sync."""
        ...

    def sync(self) -> None:
        """Return once the contents are on stable storage."""
        ...

    def close(self) -> None:
        """Close and unlock it."""
        ...


class Disk(Protocol):
    """Where a journal lies."""

    vfs: str | None  # SQLite's name of it
    locking_mode: str  # of SQLite; EXCLUSIVE where there is no shared memory

    def size(self, path: Path) -> int:
        """Bytes in a file; 0 where there is none."""
        ...

    def is_folder(self, path: Path) -> bool:
        """Whether files can lie there."""
        ...

    def open_locked(self, path: Path) -> DiskFile:
        """Open or create a file that nobody else can lock meanwhile.

        Raises:
            BlockingIOError: Somebody else has it locked.
        """
        ...

    def sync(self, path: Path) -> None:
        """Make a file and its name in the folder durable."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""
        ...


class _LockedFile:
    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise

    def read(self, length: int, offset: int) -> bytes:
        return os.pread(self._fd, length, offset)

    def write(self, data: bytes, offset: int) -> None:
        written = os.pwrite(self._fd, data, offset)
        if written != len(data):
            raise OSError(f"only {written} of {len(data)} bytes were written; is the disk full?")

    def sync(self) -> None:
        os.fdatasync(self._fd)

    def close(self) -> None:
        os.close(self._fd)


class RealDisk:
    """The machine's disk."""

    vfs: str | None = None
    locking_mode = "NORMAL"

    def size(self, path: Path) -> int:
        """Bytes in a file; 0 where there is none."""
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return 0

    def is_folder(self, path: Path) -> bool:
        """Whether files can lie there."""
        return path.is_dir()

    def open_locked(self, path: Path) -> DiskFile:
        """Open or create a file under an flock, which ends with its process."""
        return _LockedFile(path)

    def sync(self, path: Path) -> None:
        """Make a file and its name in the folder durable."""
        for name in (path, path.parent):
            fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def read_shared(path: Path, stack: contextlib.ExitStack) -> tuple[bytes, bool]:
    """A file's contents (empty where there is none), and whether somebody else has it locked.

    If not, nobody can lock it until the stack is left.
    """
    try:
        file = stack.enter_context(path.open("rb"))
    except FileNotFoundError:
        return b"", False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return file.read(), True
    return file.read(), False
