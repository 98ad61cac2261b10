"""Entries read back from SQLite, each link checked on the way."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import apsw

from ringfence.journal.anchor import Tail
from ringfence.journal.entry import GENESIS, Entry, chain
from ringfence.journal.errors import BrokenChainError

ROWS_AT_ONCE = 16  # bodies are large; no statement stays open between two chunks

_NO_LOCK = nullcontext()
_ROWS = """
SELECT seq, time_ns, kind, pool, head,
       CASE WHEN ifnull(pool = :pool, 1) AND ifnull(kind = :kind, 1) THEN body END
FROM entry WHERE seq >= :start AND seq < :stop ORDER BY seq LIMIT :limit
"""


def head_at(connection: apsw.Connection, seq: int) -> bytes | None:
    """The head that is stored with an entry; None where there is no such entry."""
    head: bytes | None = connection.execute("SELECT head FROM entry WHERE seq = ?", (seq,)).get
    return head


def read_tail(connection: apsw.Connection) -> Tail:
    """The end of the journal as the journal itself tells it."""
    epoch = connection.execute("SELECT epoch FROM fence").get or 0
    last = "SELECT seq, head, first FROM entry ORDER BY seq DESC LIMIT 1"
    row: tuple[int, bytes, int] | None = connection.execute(last).fetchone()
    seq, head, first = row or (0, GENESIS, 0)
    return Tail(epoch, seq, head, first)


def read_entries(
    connection: apsw.Connection,
    start: int,
    stop: int,
    pool: bytes | None = None,
    kind: str | None = None,
    lock: AbstractContextManager[object] = _NO_LOCK,
) -> Iterator[Entry]:
    """The entries from start up to but not including stop, of one pool or kind if given.

    The body of an entry that is filtered out is not read, so only its place is checked. The
    lock is held whenever the connection is in use, which it is not between two entries.

    Raises:
        BrokenChainError: An entry is missing, or is not what was written.
    """
    head: bytes | None = GENESIS
    if start > 1:
        bounds = {"start": start - 1, "stop": start, "limit": 1, "pool": b"?", "kind": None}
        with lock:
            head = next((row[4] for row in _rows(connection, bounds)), None)
    while start < stop:
        bounds = {"start": start, "stop": stop, "limit": ROWS_AT_ONCE}
        with lock:
            rows = _rows(connection, {"pool": pool, "kind": kind, **bounds})
        for seq, time_ns, row_kind, row_pool, row_head, body in rows:
            if seq != start or head is None:
                raise _missing(start if head is not None else start - 1)
            if body is not None:
                if chain(head, seq, time_ns, row_kind, row_pool, body) != row_head:
                    raise _changed(seq)
                yield Entry(seq, time_ns, row_kind, row_pool, body, row_head)
            head, start = row_head, seq + 1
        if not rows:
            raise _missing(start)


def _rows(connection: apsw.Connection, bindings: dict[str, Any]) -> list[Any]:
    try:
        return connection.execute(_ROWS, bindings).fetchall()
    except (apsw.Error, UnicodeDecodeError) as error:
        start = bindings["start"]
        raise BrokenChainError(
            start, f"entry {start} or one behind it cannot be read: {error}; restore the journal"
        ) from error


def _missing(seq: int) -> BrokenChainError:
    return BrokenChainError(
        seq, f"entry {seq} is missing although later ones were acknowledged; restore the journal"
    )


def _changed(seq: int) -> BrokenChainError:
    return BrokenChainError(
        seq, f"entry {seq} does not hash to its head, so it was changed; restore the journal"
    )
