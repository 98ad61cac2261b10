"""A checkpoint: a pool's state at one entry, sealed against change.

    seal = sha256(head at seq | seq | length of pool, digest, state | pool | digest | state)

So a checkpoint belongs to one chain and one place in it. Losing one costs a longer replay
and nothing else, so nothing vouches for its presence, and the journal keeps the last two only.
"""

import hashlib
import struct

import msgspec

_FIELDS = struct.Struct(">qQQQ")


class Checkpoint(msgspec.Struct, frozen=True):
    """The state of a pool after the entry seq, with the digest its writer gave it."""

    seq: int
    pool: bytes
    state: bytes
    digest: bytes
    head: bytes  # of the chain at seq


def seal(checkpoint: Checkpoint) -> bytes:
    """Hash over everything that a checkpoint says."""
    fields = _FIELDS.pack(
        checkpoint.seq, len(checkpoint.pool), len(checkpoint.digest), len(checkpoint.state)
    )
    digest = hashlib.sha256(b"ringfence checkpoint" + checkpoint.head + fields)
    digest.update(checkpoint.pool + checkpoint.digest)
    digest.update(checkpoint.state)
    return digest.digest()
