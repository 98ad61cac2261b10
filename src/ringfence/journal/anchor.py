"""The anchor: what the journal's last acknowledged entry was, kept outside of the journal.

A chain of hashes shows every change but one: it cannot tell that its own end is missing,
and one flipped bit in SQLite's write-ahead log drops the end in silence. So after each
commit the end is written down a second time, beside the journal, and a journal that ends
before its anchor is not opened.

The file has two slots of 512 bytes, written in turn, so a write cut short spoils at most
the older one:

    magic | epoch | seq | head | sha256 of these | zeros
"""

import hashlib
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ringfence.journal.disk import Disk, DiskFile
from ringfence.journal.entry import GENESIS, HEAD_BYTES
from ringfence.journal.errors import JournalBusyError, Problem

SLOT_BYTES = 512
ANCHOR_BYTES = 2 * SLOT_BYTES

_MAGIC = b"RFANCHR1"
_FIELDS = struct.Struct(f">8sqq{HEAD_BYTES}s")
_HEX_LENGTH = 16  # of a head in a message


class Anchor(NamedTuple):
    """The end of the journal when it was last acknowledged. Later anchors are greater."""

    epoch: int
    seq: int
    head: bytes


class Reading(NamedTuple):
    """What an anchor file says."""

    newest: Anchor | None
    slot: int  # that holds the newest
    is_missing: bool  # no file, or an empty one
    is_damaged: bool  # some bytes are not as they were written


class Tail(NamedTuple):
    """The end of the journal as the journal itself tells it."""

    epoch: int
    seq: int
    head: bytes
    first: int  # seq of the first entry in the last transaction
    bodies: int  # where the bodies file ends


def anchor_path(path: Path) -> Path:
    """Where the anchor of a journal lies."""
    return path.with_name(path.name + ".anchor")


def encoded(anchor: Anchor) -> bytes:
    """The slot that holds an anchor."""
    fields = _FIELDS.pack(_MAGIC, *anchor)
    return (fields + hashlib.sha256(fields).digest()).ljust(SLOT_BYTES, b"\0")


def decoded(slot: bytes) -> Anchor | None:
    """The anchor in a slot; None unless every byte is as it was written."""
    if len(slot) != SLOT_BYTES:
        return None
    _, *values = _FIELDS.unpack_from(slot)
    anchor = Anchor(*values)
    return anchor if encoded(anchor) == slot else None


def read_anchor(data: bytes) -> Reading:
    """What the bytes of an anchor file say."""
    slots = [decoded(data[:SLOT_BYTES]), decoded(data[SLOT_BYTES:])]
    readable = [(anchor, i) for i, anchor in enumerate(slots) if anchor is not None]
    newest, slot = max(readable, default=(None, 1))
    return Reading(newest, slot, is_missing=not data, is_damaged=len(readable) < len(slots))


class AnchorFile:
    """The anchor file of an open journal; its lock is what keeps a second writer away."""

    def __init__(self, path: Path, file: DiskFile) -> None:
        self.path = path
        self._file = file
        self.reading = self.read()
        self._slot = self.reading.slot

    @classmethod
    def open(cls, disk: Disk, journal_path: Path) -> "AnchorFile":
        """Open and lock the anchor of a journal; an empty file where there is none.

        Raises:
            JournalBusyError: Another writer has it.
        """
        path = anchor_path(journal_path)
        try:
            return cls(path, disk.open_locked(path))
        except BlockingIOError:
            raise JournalBusyError(
                f"{journal_path} is open in another writer or being verified; "
                "wait for it, or stop it"
            ) from None

    def read(self) -> Reading:
        """What the file says now."""
        return read_anchor(self._file.read(ANCHOR_BYTES, 0))

    def create(self, anchor: Anchor) -> None:
        """Write both slots; for a new journal, and for one whose anchor was lost."""
        self._file.write(encoded(anchor) * 2, 0)
        self._file.sync()

    def write(self, anchor: Anchor) -> None:
        """Write the older slot and return once it is durable."""
        self._slot = 1 - self._slot
        self._file.write(encoded(anchor), self._slot * SLOT_BYTES)
        self._file.sync()

    def close(self) -> None:
        """Close and unlock it."""
        self._file.close()


def compare(
    reading: Reading, tail: Tail, head_at: Callable[[int], bytes | None]
) -> Iterator[Problem]:
    """What is wrong between an anchor and the end of its journal.

    The anchor follows the journal, so the journal may be ahead by its last transaction or
    by its epoch, and only then may a slot be half written. A journal of epoch 0 was never
    opened, so its anchor may not be there yet.
    """
    newest = reading.newest
    if newest is None:
        if (tail.epoch, tail.seq) != (0, 0):
            yield _nothing_vouches(reading, tail)
        return
    if (newest.epoch, newest.seq) > (tail.epoch, tail.seq) or newest.seq > tail.seq:
        message = (
            f"the anchor vouches for entry {newest.seq} of epoch {newest.epoch}, but the journal "
            f"ends with entry {tail.seq} of epoch {tail.epoch}: acknowledged history is missing; "
            "restore the journal with its -wal file from a copy that has it"
        )
        yield Problem(tail.seq + 1, "history_missing", message)
        return
    found = GENESIS if newest.seq == 0 else head_at(newest.seq)
    if found != newest.head:
        message = (
            f"entry {newest.seq} has head {_hex(found)}, but the anchor vouches for "
            f"{_hex(newest.head)}: this is another history; restore the journal or its anchor"
        )
        yield Problem(newest.seq, "head_mismatch", message)
    elif newest.seq < tail.first - 1:
        message = (
            f"the anchor stopped at entry {newest.seq}, before the last transaction "
            f"({tail.first} to {tail.seq}): it is an old copy; "
            "compare the head with a receipt and rebuild the anchor"
        )
        yield Problem(newest.seq, "anchor_behind", message)
    elif reading.is_damaged and (newest.epoch, newest.seq) == (tail.epoch, tail.seq):
        message = (
            "one slot of the anchor cannot be read although no write to it was under way; a later "
            f"entry than {tail.seq} may be missing; compare the head with a receipt and rebuild "
            "the anchor"
        )
        yield Problem(None, "anchor_damaged", message)


def _nothing_vouches(reading: Reading, tail: Tail) -> Problem:
    code, what = (
        ("anchor_missing", "is missing")
        if reading.is_missing
        else ("anchor_damaged", "cannot be read")
    )
    message = (
        f"the anchor {what}, so nothing vouches for entry {tail.seq} as the last one; "
        "restore the anchor, or compare the head with a receipt and rebuild the anchor"
    )
    return Problem(None, code, message)


def _hex(head: bytes | None) -> str:
    return "none" if head is None else f"{head.hex()[:_HEX_LENGTH]}..."
