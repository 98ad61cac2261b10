"""Bodies of journal entries: the venue's own commands, batches of a pool, digests.

venue    JSON of the command and its outcome ("ok", or the refusal)
pool     row count, rows, one status byte a row, events; all little-endian
prices   MessagePack of the prices, the statuses of the rows they became, and their events
digest   SHA-256 of the whole state after every entry before this one
signed   MessagePack of a signed command, its signatures, and what it did
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from ringfence.core.command import COMMAND, EVENT, Rows, cells
from ringfence.journal.entry import BODY_BYTES_MAX
from ringfence.venue.fanout import FeedPrice
from ringfence.venue.state import Outcome, VenueCommand

VENUE, POOL, PRICES, DIGEST = "venue", "pool", "prices", "digest"
SIGNED = "signed"  # read by consent.evidence

_COUNT = np.dtype("<u4")
_STATUS = np.dtype("u1")


class MalformedEntryError(ValueError):
    """The body of an entry does not have the layout of its kind."""


class VenueBody(msgspec.Struct, frozen=True):
    """A command of the venue itself, and what came of it."""

    command: VenueCommand
    outcome: str


@dataclass(frozen=True)
class Batch:
    """A batch of one pool with its outcome, as journaled."""

    rows: Rows
    outcome: Outcome


def agree(recorded: VenueBody, replayed: VenueBody) -> bool:
    """Whether two did the same; the reason of a refusal is for people, and may be reworded."""
    is_accepted = (recorded.outcome == "ok", replayed.outcome == "ok")
    return recorded.command == replayed.command and is_accepted[0] == is_accepted[1]


def encode_venue(command: VenueCommand, outcome: str) -> bytes:
    """Return the body of a venue entry."""
    return msgspec.json.encode(VenueBody(command, outcome))


def decode_venue(body: bytes) -> VenueBody:
    """Read the body of a venue entry.

    Raises:
        MalformedEntryError: It has another layout.
    """
    try:
        return msgspec.json.decode(body, type=VenueBody)
    except msgspec.MsgspecError as error:
        raise MalformedEntryError(f"not a command of the venue: {error}") from None


class PricesBody(msgspec.Struct, frozen=True, array_like=True):
    """Prices, and what became of the rows that every pool got from them."""

    prices: tuple[FeedPrice, ...]
    statuses: bytes  # one byte a row, pools by age
    events: dict[bytes, bytes] = {}  # by pool, of those whose clock row recorded any


def encode_prices(prices: Sequence[FeedPrice], outcomes: Mapping[bytes, Outcome]) -> bytes:
    """Return the body of a prices entry; outcomes by pool."""
    columns = [outcome.statuses for outcome in outcomes.values()]
    statuses = np.concatenate(columns).astype(_STATUS).tobytes() if columns else b""
    events = {pool: o.events.tobytes() for pool, o in outcomes.items() if len(o.events)}
    return msgspec.msgpack.encode(PricesBody(tuple(prices), statuses, events))


def decode_prices(body: bytes) -> PricesBody:
    """Read the body of a prices entry.

    Raises:
        MalformedEntryError: It has another layout.
    """
    try:
        return msgspec.msgpack.decode(body, type=PricesBody)
    except msgspec.MsgspecError as error:
        raise MalformedEntryError(f"not prices: {error}") from None


def fits(rows: Rows, events: int) -> bool:
    """Whether a batch that records at most so many events fits into one entry."""
    size = _COUNT.itemsize + len(rows) * (COMMAND.itemsize + _STATUS.itemsize)
    return size + events * EVENT.itemsize <= BODY_BYTES_MAX


def encode_batch(rows: Rows, outcome: Outcome) -> bytes:
    """Return the body of a pool entry."""
    count = np.array([len(rows)], dtype=_COUNT)
    statuses = outcome.statuses.astype(_STATUS)
    return b"".join((count.data, cells(rows).data, statuses.data, outcome.events.tobytes()))


def decode_batch(body: bytes) -> Batch:
    """Read the body of a pool entry.

    Raises:
        MalformedEntryError: It has another layout.
    """
    if len(body) < _COUNT.itemsize:
        raise MalformedEntryError(f"{len(body)} bytes are too few for a batch")
    count = int(np.frombuffer(body, dtype=_COUNT, count=1)[0])
    start = _COUNT.itemsize
    statuses_at = start + count * COMMAND.itemsize
    events_at = statuses_at + count
    if events_at > len(body) or (len(body) - events_at) % EVENT.itemsize:
        raise MalformedEntryError(f"{len(body)} bytes do not hold {count} rows and whole events")
    # A copy can be written: for rows that cannot, the core would be compiled a second time.
    rows = np.frombuffer(bytearray(body[start:statuses_at]), dtype=COMMAND)
    statuses = np.frombuffer(body, dtype=_STATUS, count=count, offset=statuses_at)
    events = np.frombuffer(body, dtype=EVENT, offset=events_at)
    return Batch(rows, Outcome(statuses.astype(np.int64), events))
