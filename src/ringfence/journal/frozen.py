"""A way to read a journal with SQLite that cannot change it: no lock, no file, no byte.

An ordinary read-only connection creates the shared memory file of a write-ahead log where
it is missing, which is just the case after a crash. This file system reads the database
and its log, pretends that there is nothing else, and writes nowhere.
"""

import os
from pathlib import Path
from typing import Any

import apsw

NAME = "ringfence-frozen"


class _FrozenFile:
    """An open file of which nothing but reading is ever asked."""

    def __init__(self, path: str) -> None:
        # SQLite opens a log even where there is none.
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC) if Path(path).exists() else None

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - SQLite's names
        return b"" if self._fd is None else os.pread(self._fd, amount, offset)

    def xFileSize(self) -> int:  # noqa: N802
        return 0 if self._fd is None else os.fstat(self._fd).st_size

    def xClose(self) -> None:  # noqa: N802
        if self._fd is not None:
            os.close(self._fd)

    def xSectorSize(self) -> int:  # noqa: N802
        return 512

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return 0

    def xFileControl(self, _op: int, _pointer: int) -> bool:  # noqa: N802
        return False

    def xLock(self, _level: int) -> None:  # noqa: N802
        """Grant any lock, for nobody writes meanwhile."""

    def xUnlock(self, _level: int) -> None:  # noqa: N802
        """Give back what was granted."""

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False


class _Frozen(apsw.VFS):
    def __init__(self) -> None:
        super().__init__(NAME, base="")

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        return str(Path(name).absolute())

    def xAccess(self, pathname: str, _flags: int) -> bool:  # noqa: N802
        return pathname.endswith("-wal") and Path(pathname).exists()

    def xOpen(self, name: object, flags: list[int]) -> Any:  # noqa: N802
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        flags[1] = apsw.SQLITE_OPEN_READONLY
        return _FrozenFile(path)


_FROZEN = _Frozen()


def connect_frozen(path: Path) -> apsw.Connection:
    """A connection to a database that no writer has open."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, vfs=NAME)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.pragma("locking_mode", "EXCLUSIVE")  # needs no shared memory
    connection.pragma("temp_store", 2)  # in memory
    connection.pragma("cell_size_check", 1)
    return connection


def connect_live(path: Path) -> apsw.Connection:
    """A read-only connection to a database whose writer is at work."""
    return apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
