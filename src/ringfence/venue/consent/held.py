"""Receipts held against a journal: is it the history that its operator signed.

Whoever can write every file of a journal can forge one that is whole. He cannot take back the
receipts that he gave: each has the head of one entry, and with it of all before.
"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import apsw

from ringfence.journal.entry import Entry
from ringfence.journal.errors import JournalError, Problem
from ringfence.signing.keys import SignatureError
from ringfence.signing.receipts import Attestation, check_attestation, is_equivocation
from ringfence.signing.typed import Domain
from ringfence.units import MS_NS
from ringfence.venue.archive import open_archive
from ringfence.venue.consent.book import Found
from ringfence.venue.entries import VENUE, MalformedEntryError, VenueBody, decode_venue


class _History(NamedTuple):
    """What a journal says about itself and about some of its entries."""

    domain: Domain | None
    seq: int  # up to which it can be read
    places: dict[int, tuple[str, int]]  # head in hex and time in ms


def receipt_problems(
    path: Path, receipts: Sequence[Attestation], signer: str | None = None
) -> Iterator[Problem]:
    """What receipts say against a journal, or against each other.

    Args:
        path: The SQLite file of the journal.
        receipts: As the venue answered them.
        signer: Address that has to have signed them; by default the one that each names.
    """
    history = _read(path, {receipt.seq for receipt in receipts})
    first: dict[tuple[str, int], Attestation] = {}
    for receipt in receipts:
        unsigned = _unsigned(receipt, history.domain, signer)
        if unsigned is not None:
            yield Problem(receipt.seq, "receipt_invalid", unsigned)
            continue
        yield from _differences(receipt, history)
        earlier = first.setdefault((receipt.signer.lower(), receipt.seq), receipt)
        if history.domain is not None and is_equivocation(earlier, receipt, history.domain):
            message = (
                f"{receipt.signer} signed two stories of entry {receipt.seq}: "
                f"head {earlier.head} at {earlier.time_ms} ms, "
                f"and head {receipt.head} at {receipt.time_ms} ms"
            )
            yield Problem(receipt.seq, "equivocation", message)


def _read(path: Path, wanted: Collection[int]) -> _History:
    """Read a journal as far as its chain is whole."""
    domain: Domain | None = None
    seq, places = 0, dict[int, tuple[str, int]]()
    try:
        with open_archive(path, anchored=False) as archive:
            for entry in archive.entries():
                seq = entry.seq
                domain = domain or _domain_of(entry)
                if seq in wanted:
                    places[seq] = entry.head.hex(), entry.time_ns // MS_NS
    except (JournalError, apsw.Error, OSError):
        pass  # the audit tells what is wrong; a receipt behind it has no entry
    return _History(domain, seq, places)


def _domain_of(entry: Entry) -> Domain | None:
    """The domain that an entry founds the venue with; None where it does something else."""
    if entry.kind != VENUE:
        return None
    try:
        body = decode_venue(entry.body)
    except MalformedEntryError:
        return None
    match body:
        case VenueBody(Found(domain=domain), "ok"):
            return domain
    return None


def _unsigned(receipt: Attestation, domain: Domain | None, signer: str | None) -> str | None:
    """Why a receipt proves nothing; None where its signature is good."""
    if domain is None:
        return "this journal has no domain to sign for, so the receipt is not one of this venue"
    if signer is not None and receipt.signer.lower() != signer.lower():
        return f"the receipt names {receipt.signer} as its signer, not {signer}"
    try:
        check_attestation(receipt, domain)
    except SignatureError as error:
        return str(error)
    return None


def _differences(receipt: Attestation, history: _History) -> Iterator[Problem]:
    """Where the journal tells another story than a good receipt."""
    seq = receipt.seq
    if seq not in history.places:
        message = (
            f"{receipt.signer} acknowledged entry {seq}, but the journal can only be read up to "
            f"entry {history.seq}"
        )
        yield Problem(seq, "receipt_without_entry", message)
        return
    head, time_ms = history.places[seq]
    if (receipt.head.lower().removeprefix("0x"), receipt.time_ms) != (head, time_ms):
        message = (
            f"{receipt.signer} acknowledged entry {seq} with head {receipt.head} at "
            f"{receipt.time_ms} ms, but the journal has head {head} at {time_ms} ms"
        )
        yield Problem(seq, "receipt_differs", message)
