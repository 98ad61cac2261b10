"""Commits in a thread of their own, so that the next batch is appended meanwhile.

Batches that come while one is being committed are committed together next: a disk that is
slower than the writer makes transactions larger and does not make the writer wait, up to a
limit.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from ringfence.journal.entry import Entry

WAITING_MAX = 4  # batches; the writer waits when there are more


class CommitThread:
    """The batches on their way to the disk, in order."""

    def __init__(self, commit: Callable[[list[Entry]], bytes]) -> None:
        self._commit = commit
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: list[tuple[list[Entry], Future[bytes]]] = []
        self._lock = threading.Lock()  # on the list
        self._room = threading.BoundedSemaphore(WAITING_MAX)
        self._last: Future[bytes] | None = None

    def submit(self, batch: list[Entry]) -> Future[bytes]:
        """Commit a batch behind those that wait; its head, or the error, comes in the future."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "journal")
        self._room.acquire()
        done: Future[bytes] = Future()
        with self._lock:
            self._waiting.append((batch, done))
        self._last = done
        self._thread.submit(self._commit_waiting)
        return done

    def drain(self) -> None:
        """Wait until nothing is on its way."""
        if self._last is not None:
            wait([self._last])
            self._last = None

    def close(self) -> None:
        """Stop the thread, once nothing is on its way."""
        if self._thread is not None:
            self._thread.shutdown()

    def _commit_waiting(self) -> None:
        with self._lock:
            taken, self._waiting = self._waiting, []
        if not taken:  # an earlier turn took them
            return
        try:
            head = self._commit([entry for batch, _ in taken for entry in batch])
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            for _, done in taken:
                done.set_exception(error)
        else:
            for batch, done in taken:
                done.set_result(batch[-1].head if batch else head)
        finally:
            self._room.release(len(taken))
