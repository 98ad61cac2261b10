"""Entries read back from SQLite, each link checked on the way."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import apsw

from ringfence.journal.anchor import Tail
from ringfence.journal.bodies import ReadBody, is_place
from ringfence.journal.entry import GENESIS, HEAD_BYTES, Entry, chain
from ringfence.journal.errors import BrokenChainError

ROWS_AT_ONCE = 16  # bodies are large; no statement stays open between two chunks

_NO_LOCK = nullcontext()
_ROWS = """
SELECT seq, time_ns, kind, pool, head, body_start, body_stop,
       ifnull(pool = :pool, 1) AND ifnull(kind = :kind, 1) AS is_wanted,
       CASE WHEN ifnull(pool = :pool, 1) AND ifnull(kind = :kind, 1) THEN body END
FROM entry WHERE seq >= :start AND seq < :stop ORDER BY seq LIMIT :limit
"""
_LAST = """
SELECT seq, head, first, ifnull(CAST(body_stop AS INTEGER), 0)
FROM entry ORDER BY seq DESC LIMIT 1
"""


def head_at(connection: apsw.Connection, seq: int) -> bytes | None:
    """The head that is stored with an entry; None where there is no such entry."""
    head: bytes | None = connection.execute("SELECT head FROM entry WHERE seq = ?", (seq,)).get
    return head


def read_tail(connection: apsw.Connection) -> Tail:
    """The end of the journal as the journal itself tells it.

    Raises:
        BrokenChainError: The last entry is none that was ever written.
    """
    epoch = connection.execute("SELECT epoch FROM fence").get or 0
    row: tuple[int, bytes, int, int] | None = connection.execute(_LAST).fetchone()
    if row is None:
        return Tail(epoch, 0, GENESIS, 0, 0)
    seq, head, first, bodies = row
    if not (isinstance(head, bytes) and len(head) == HEAD_BYTES and isinstance(first, int)):
        raise _changed(seq)
    return Tail(epoch, seq, head, first, bodies)


def read_entries(
    connection: apsw.Connection,
    read_body: ReadBody,
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
    head, place = (GENESIS, 0) if start == 1 else _end_of(connection, start - 1, lock)
    while start < stop:
        bounds = {"start": start, "stop": stop, "limit": ROWS_AT_ONCE}
        with lock:
            rows = _rows(connection, {"pool": pool, "kind": kind, **bounds})
        for seq, time_ns, row_kind, row_pool, row_head, begin, end, is_wanted, body in rows:
            if seq != start:
                raise _missing(start)
            if not is_place(begin, end, place):
                raise _changed(seq)
            if is_wanted:
                content = read_body(begin, end) if body is None else body
                if chain(head, seq, time_ns, row_kind, row_pool, content) != row_head:
                    raise _changed(seq)
                yield Entry(seq, time_ns, row_kind, row_pool, content, row_head)
            head, place, start = row_head, end, seq + 1
        if not rows:
            raise _missing(start)


def _end_of(
    connection: apsw.Connection, seq: int, lock: AbstractContextManager[object]
) -> tuple[bytes, int]:
    """Head and end of the bodies file as they were after an entry."""
    bounds = {"start": seq, "stop": seq + 1, "limit": 1, "pool": b"?", "kind": None}
    with lock:
        for row in _rows(connection, bounds):
            return row[4], row[6]
    raise _missing(seq)


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
