"""Copying the write-ahead log into the database, beside the writer and not in its way.

The log must be copied ("checkpointed", in SQLite's words) before it can start again from
its beginning, and a start from the beginning is what keeps it short and its syncs cheap. A
thread with a connection of its own copies what is there whenever enough has come together.
Only when it cannot keep up does the writer wait for it.
"""

import threading
from contextlib import closing

import apsw

from ringfence.journal import schema
from ringfence.journal.disk import RealDisk
from ringfence.journal.errors import JournalError

PAGES_AT_ONCE = 128  # 2 MB
PAGES_MAX = 8192  # 128 MB, then the writer waits


class LogFolder:
    """The log of one journal, and the thread that copies it."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._pages = 0  # in the log
        self._asked = 0  # pages in the log when the thread was last asked
        self._lock = threading.Lock()  # one copies at a time
        self._wake = threading.Event()
        self._is_closing = False
        self._thread: threading.Thread | None = None
        self._error: apsw.Error | JournalError | None = None
        connection.set_wal_hook(self._after_commit)

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def before_commit(self) -> None:
        """Copy the rest of a log that has grown too long; the next commit starts it again.

        Raises:
            apsw.Error, JournalError: The copying failed, here or in the thread.
        """
        if self._error is not None:
            raise self._error
        if self._pages >= PAGES_MAX:
            self._fold(self._connection)
            self._asked = 0

    def close(self) -> None:
        """Stop the thread."""
        self._is_closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _after_commit(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        if pages < self._pages:  # it started again
            self._asked = 0
        self._pages = pages
        if pages >= self._asked + PAGES_AT_ONCE:
            self._asked = pages
            self._wake.set()
        return apsw.SQLITE_OK

    def _run(self) -> None:
        try:
            path = self._connection.filename
            with closing(schema.connect(RealDisk(), path)) as connection:
                schema.apply_settings(connection, path)
                while self._wake.wait() and not self._is_closing:
                    self._wake.clear()
                    self._fold(connection)
        except (apsw.Error, JournalError) as error:
            self._error = error

    def _fold(self, connection: apsw.Connection) -> None:
        with self._lock:
            try:
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            except apsw.BusyError:
                # Another program is copying it; then there is nothing to do here.
                return
