"""An entry of the journal, and the chain of hashes that joins it to all before it.

    head = sha256(previous head | seq | time_ns | length of kind, pool, body | kind | pool | body)

seq and time_ns are signed 64-bit, the lengths unsigned 32-bit, all big-endian. Fixed
widths and lengths before contents: no two entries have the same encoding.
"""

import hashlib
import struct

import msgspec

HEAD_BYTES = 32
POOL_BYTES = 32
KIND_LENGTH_MAX = 32
BODY_BYTES_MAX = 2**24  # a batch of 200,000 rows of 80 bytes still fits
TIME_NS_MAX = 2**63 - 1

GENESIS = hashlib.sha256(b"ringfence journal 1").digest()  # the head before the first entry

_FIELDS = struct.Struct(">qqIII")


class Entry(msgspec.Struct, frozen=True):
    """One link: what was journaled, and the head of the chain with it."""

    seq: int  # 1, 2, 3, ...
    time_ns: int
    kind: str
    pool: bytes  # 32-byte pool id, or empty for what concerns no pool
    body: bytes
    head: bytes


def chain(
    previous_head: bytes, seq: int, time_ns: int, kind: str, pool: bytes, body: bytes
) -> bytes:
    """Head of the chain once it is longer by this entry."""
    assert len(previous_head) == HEAD_BYTES
    word = kind.encode()
    fields = _FIELDS.pack(seq, time_ns, len(word), len(pool), len(body))
    digest = hashlib.sha256(previous_head + fields + word + pool)
    digest.update(body)
    return digest.digest()


def check_fields(time_ns: int, kind: str, pool: bytes, body: bytes) -> None:
    """Refuse what no entry can hold.

    Raises:
        ValueError: A field outside of its limits.
    """
    if not 0 <= time_ns <= TIME_NS_MAX:
        raise ValueError(f"time_ns {time_ns} is not from 0 to {TIME_NS_MAX}")
    if not (0 < len(kind) <= KIND_LENGTH_MAX and kind.isascii() and kind.isidentifier()):
        raise ValueError(f"kind {kind!r} is not a word of up to {KIND_LENGTH_MAX} ASCII letters")
    if len(pool) not in {0, POOL_BYTES}:
        raise ValueError(
            f"pool has {len(pool)} bytes; a pool id has {POOL_BYTES}, no pool has none"
        )
    if len(body) > BODY_BYTES_MAX:
        raise ValueError(f"body has {len(body)} bytes, more than {BODY_BYTES_MAX}; split the batch")
