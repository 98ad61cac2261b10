"""The entry that a signed command leaves in the journal, and the receipt that tells of it.

    signed    MessagePack of the command with its authorisations as they came, and of what it did

What it did is, for a command of a pool, a batch as in the entries of pools; for one of the venue
itself, its command and outcome as in the entries of the venue; for one of keys, "ok" and the id
of what was made. So an auditor has the signatures, and replays the command from what was signed.
"""

import msgspec

from ringfence.core.spec import pool_id
from ringfence.core.status import Status
from ringfence.journal.entry import Entry
from ringfence.venue import entries
from ringfence.venue.consent import messages as m
from ringfence.venue.consent.apply import VENUE_COMMANDS, apply_prepared, prepare
from ringfence.venue.consent.problem import ConsentError
from ringfence.venue.receipts import Event, event_view
from ringfence.venue.state import CreatePool, State

_OK = b"ok"


class SignedBody(msgspec.Struct, frozen=True, array_like=True):
    """What was signed, and what came of it."""

    signed: m.Signed
    inner: bytes


class SignedReceipt(msgspec.Struct, frozen=True):
    """Answer to a signed command: it is on disk when you hold this."""

    ok: bool
    status: str  # ok, the first broken rule of the pool, or refused
    seq: int
    head: str
    time_ns: int
    events: tuple[Event, ...] = ()
    reason: str | None = None  # of what the venue itself refused
    created: str | None = None  # id of the pool or of the read-only key that was made
    client_id: str | None = None
    repeated: bool = False  # whether this is the receipt of an earlier request


def encode_signed(signed: m.Signed, inner: bytes) -> bytes:
    """Return the body of a signed entry."""
    return msgspec.msgpack.encode(SignedBody(signed, inner))


def decode_signed(body: bytes) -> SignedBody:
    """Read the body of a signed entry.

    Raises:
        MalformedEntryError: It has another layout.
    """
    try:
        return msgspec.msgpack.decode(body, type=SignedBody)
    except msgspec.MsgspecError as error:
        raise entries.MalformedEntryError(f"not a signed command: {error}") from None


def apply_signed_entry(state: State, entry: Entry) -> tuple[str, str] | None:
    """Apply a signed entry in a replay; return what differs from its record.

    Raises:
        MalformedEntryError: The body does not have the layout of its kind.
    """
    body = decode_signed(entry.body)
    try:
        prepared = prepare(state, body.signed, entry.time_ns)
    except (ConsentError, ValueError) as error:
        return "consent_refused", f"replay refuses what was accepted: {error}"
    if prepared.pool != entry.pool:
        return "unknown_pool", f"the entry names another pool than its command, {entry.pool.hex()}"
    applied = apply_prepared(state, prepared)
    prepared.spend(state, entry.seq)
    recorded = edge_body(body)
    if recorded is None:
        is_same = applied.inner == body.inner
    else:
        is_same = entries.agree(recorded, entries.decode_venue(applied.inner))
    if not is_same:
        return "outcome_differs", "replay of the signed command gives another outcome than recorded"
    return None


def edge_body(body: SignedBody) -> entries.VenueBody | None:
    """What a signed command did as a command of the venue itself; None when it was none.

    Raises:
        MalformedEntryError: It has another layout.
    """
    is_of_venue = isinstance(body.signed.command, VENUE_COMMANDS)
    return entries.decode_venue(body.inner) if is_of_venue else None


def receipt_of(state: State, entry: Entry, *, repeated: bool = False) -> SignedReceipt:
    """Return the receipt of a signed entry.

    Raises:
        MalformedEntryError: The body does not have the layout of its kind.
    """
    body = decode_signed(entry.body)
    receipt = SignedReceipt(
        ok=False,
        status="refused",
        seq=entry.seq,
        head=entry.head.hex(),
        time_ns=entry.time_ns,
        client_id=body.signed.client_id,
        repeated=repeated,
    )
    if entry.pool:
        outcome = entries.decode_batch(body.inner).outcome
        status = Status(int(outcome.statuses[-1]))
        spec = state.pools[entry.pool].spec
        events = tuple(event_view(spec, event) for event in outcome.events)
        return msgspec.structs.replace(
            receipt, ok=status == Status.OK, status=status.name.lower(), events=events
        )
    edge = edge_body(body)
    if edge is None:
        created = body.inner[len(_OK) :].hex() or None
    elif edge.outcome == "ok":
        made = edge.command if isinstance(edge.command, CreatePool) else None
        created = None if made is None else pool_id(made.spec, state.owners[made.creator]).hex()
    else:
        return msgspec.structs.replace(receipt, reason=edge.outcome)
    return msgspec.structs.replace(receipt, ok=True, status="ok", created=created)
