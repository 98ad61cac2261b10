"""Replay: fold a journal into a state, and check that it does what it says it did."""

from collections.abc import Iterable, Iterator

import msgspec
import numpy as np

from ringfence.core.reading import SpecError
from ringfence.journal.entry import Entry
from ringfence.venue.consent.evidence import apply_signed_entry
from ringfence.venue.consent.unsigned import lacks_consent
from ringfence.venue.entries import (
    DIGEST,
    POOL,
    PRICES,
    SIGNED,
    VENUE,
    MalformedEntryError,
    VenueBody,
    agree,
    decode_batch,
    decode_prices,
    decode_venue,
    encode_prices,
)
from ringfence.venue.state import RefusedError, State


class Mismatch(msgspec.Struct, frozen=True):
    """An entry whose replay differs from what it recorded."""

    seq: int
    code: str
    message: str


def replay(state: State, entries: Iterable[Entry]) -> Iterator[Mismatch]:
    """Apply entries to a state, yielding every difference between record and replay."""
    for entry in entries:
        try:
            problem = apply_entry(state, entry)
        except MalformedEntryError as error:
            problem = ("malformed_entry", str(error))
        if problem is not None:
            yield Mismatch(entry.seq, *problem)


def apply_entry(state: State, entry: Entry) -> tuple[str, str] | None:
    """Apply one entry; return what differs from its record, as code and message.

    Raises:
        MalformedEntryError: The body does not have the layout of its kind.
    """
    if entry.kind == VENUE:
        return _apply_venue(state, entry.body)
    if entry.kind == POOL:
        return _apply_batch(state, entry)
    if entry.kind == PRICES:
        return _apply_prices(state, entry)
    if entry.kind == SIGNED:
        return apply_signed_entry(state, entry)
    if entry.kind == DIGEST:
        found = state.digest()
        if found != entry.body:
            return (
                "digest_differs",
                f"replay reaches {found.hex()}, the journal recorded {entry.body.hex()}",
            )
        return None
    return "unknown_kind", f"entries of kind {entry.kind!r} are not known"


def _apply_venue(state: State, body: bytes) -> tuple[str, str] | None:
    recorded = decode_venue(body)
    if lacks_consent(state.book, recorded.command):
        return "consent_missing", "a command that needs a signature has none"
    try:
        state.apply(recorded.command)
        outcome = "ok"
    except (RefusedError, SpecError) as error:
        outcome = str(error)
    if not agree(recorded, VenueBody(recorded.command, outcome)):
        return "outcome_differs", f"replay gives {outcome!r}, recorded {recorded.outcome!r}"
    return None


def _apply_prices(state: State, entry: Entry) -> tuple[str, str] | None:
    recorded = decode_prices(entry.body)
    again = decode_prices(
        encode_prices(recorded.prices, state.apply_prices(recorded.prices, entry.time_ns))
    )
    if again.statuses != recorded.statuses:
        return "status_differs", "a pool takes other prices in the replay than it did"
    if again.events != recorded.events:
        return "events_differ", "replay records other events than the journal"
    return None


def _apply_batch(state: State, entry: Entry) -> tuple[str, str] | None:
    record = state.pools.get(entry.pool)
    if record is None:
        return "unknown_pool", f"pool {entry.pool.hex()} was never created"
    batch = decode_batch(entry.body)
    if not np.all(batch.rows["time_ns"] == entry.time_ns):
        return "time_differs", f"a row has another time than its entry's {entry.time_ns}"
    if lacks_consent(state.book, batch.rows):
        return "consent_missing", "a row that needs a signature has none"
    outcome = state.apply_rows(record, batch.rows)
    if not np.array_equal(outcome.statuses, batch.outcome.statuses):
        row = int(np.flatnonzero(outcome.statuses != batch.outcome.statuses)[0])
        found, said = int(outcome.statuses[row]), int(batch.outcome.statuses[row])
        return "status_differs", f"row {row}: replay gives status {found}, recorded {said}"
    if outcome.events.tobytes() != batch.outcome.events.tobytes():
        return "events_differ", "replay records other events than the journal"
    return None
