"""Executing a signed command in a running venue: once, and journaled before anybody hears of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from ringfence.core.command import Rows
from ringfence.journal.sqlite import Journal
from ringfence.venue import entries
from ringfence.venue.consent import messages as m
from ringfence.venue.consent.apply import apply_prepared, prepare
from ringfence.venue.consent.evidence import (
    SignedReceipt,
    decode_signed,
    encode_signed,
    receipt_of,
)
from ringfence.venue.consent.problem import ConsentError
from ringfence.venue.encoding import check_encodable
from ringfence.venue.state import PoolRecord, State


def execute(
    state: State,
    journal: Journal,
    signed: m.Signed,
    time_ns: int,
    journaling: Callable[[], AbstractContextManager[None]],
    follow: Callable[[PoolRecord, Rows], None],
) -> SignedReceipt:
    """Apply a command whose signatures were checked (`ringfence.service.auth`) and journal it.

    The same command again gets the receipt of the first, and does nothing.

    Raises:
        ConsentError: A consent is missing; nothing has changed.
        CommandError: It cannot be read; the same.
        SpecError: It would create a pool that cannot be safe; the same.
    """
    earlier = earlier_receipt(state, journal, signed)
    if earlier is not None:
        return earlier
    check_encodable(signed)
    prepared = prepare(state, signed, time_ns)
    with journaling():
        applied = apply_prepared(state, prepared)
        body = encode_signed(signed, applied.inner)
        entry = journal.append(time_ns, entries.SIGNED, prepared.pool, body)
        prepared.spend(state, entry.seq)
    if prepared.record is not None:
        follow(prepared.record, prepared.rows)
    return receipt_of(state, entry)


def earlier_receipt(state: State, journal: Journal, signed: m.Signed) -> SignedReceipt | None:
    """Return the receipt of the same command, sent before by the same signer; None if it is new.

    It is the same when its client id is, or the whole of it. That is known as long as the nonce is
    among those kept of the signer.

    Raises:
        ConsentError: The client id was used for another command.
    """
    first = signed.authorisations[0]
    try:
        signer = bytes.fromhex(first.signer.removeprefix("0x"))
    except ValueError:
        return None
    for spent in reversed(state.book.spent.get(signer, [])):
        is_named = signed.client_id is not None and spent.client_id == signed.client_id
        if not is_named and spent.nonce != int(first.nonce):
            continue
        if spent.seq > journal.seq:
            journal.commit()  # a group is under way, and the receipt has to be on disk
        (entry,) = journal.entries(spent.seq, spent.seq + 1)
        earlier = decode_signed(entry.body).signed
        if earlier.command == signed.command and earlier.client_id == signed.client_id:
            return receipt_of(state, entry, repeated=True)
        if is_named:
            raise ConsentError(
                "client_id_reused",
                f"client id {signed.client_id!r} stands for another command, entry {spent.seq}",
            )
    return None
