"""The audit of a journal: is it whole, is it the acknowledged one, does it do what it says.

    chain     every entry hashes onto the one before, every checkpoint is as written
    anchor    the end is the one that was acknowledged
    replay    from nothing, every status, event and digest comes out as recorded
    consent   every signature is of its signer, for this venue and what the entry did
    money     what came into the venue and has not left is in wallets and pools, to the unit

The journal is only read. Whatever its bytes are, there is a report.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import msgspec

from ringfence.core.invariants import broken_invariants, exact_sum
from ringfence.core.pool import CASH, Total
from ringfence.journal.entry import Entry
from ringfence.journal.errors import JournalError, Problem
from ringfence.journal.verify import PROBLEMS_MAX, verify_chain
from ringfence.signing.keys import SignatureError
from ringfence.signing.typed import TypedDataError
from ringfence.venue.archive import Archive, open_archive
from ringfence.venue.consent.evidence import decode_signed, edge_body
from ringfence.venue.consent.signatures import check_signatures
from ringfence.venue.entries import SIGNED, VENUE, MalformedEntryError, VenueBody, decode_venue
from ringfence.venue.replay import replay
from ringfence.venue.state import Receive, Send, State

# What a pool holds of its settlement asset besides the balances of its accounts.
CASH_HELD = (Total.SETTLED_CASH, Total.INSURANCE_FUND, Total.LENDER_CASH, Total.BOND)

Progress = Callable[[int, int], None]  # entries replayed, entries altogether


class Report(msgspec.Struct, frozen=True):
    """What an audit found; ok when there is no problem."""

    ok: bool
    entries: int
    head: str  # in hex, of the last entry
    problems: list[Problem]


def audit(path: str | Path, head: bytes | None = None, progress: Progress | None = None) -> Report:
    """Audit a journal that is closed, crashed, or open in another process.

    Args:
        path: The SQLite file, its -wal and .anchor files beside it.
        head: Expected hash of the last entry, when known from elsewhere.
        progress: Called with the entries replayed so far and their number.
    """
    chain = verify_chain(path, head=head)
    problems = list(chain.problems)
    if chain.entries:
        problems += _replay_problems(Path(path), chain.entries, progress or _nobody)
    return Report(not problems, chain.entries, chain.head, problems[:PROBLEMS_MAX])


def _nobody(_done: int, _total: int) -> None:
    """Hear of progress and forget it."""


def _replay_problems(path: Path, entries: int, progress: Progress) -> Iterator[Problem]:
    """What differs between the record and its replay, which ends at the first broken link."""
    replayed = 0

    def note(done: int) -> None:
        nonlocal replayed
        replayed = done
        progress(done, entries)

    try:
        with open_archive(path, anchored=False) as archive:
            yield from _differences(archive, entries, note)
    except (JournalError, apsw.Error, OSError) as error:
        message = f"nothing after entry {replayed} was replayed: {error}"
        yield Problem(replayed + 1, "not_replayed", message)
    except Exception as error:  # noqa: BLE001 - whatever the bytes of an entry do is a finding
        message = f"it cannot be applied: {type(error).__name__}: {error}"
        yield Problem(replayed + 1, "replay_failed", message)


def _differences(archive: Archive, entries: int, note: Callable[[int], None]) -> Iterator[Problem]:
    """Replay from nothing, and compare every outcome, digest and checkpoint."""
    state, kept, crossed = State(), archive.digests(), Counter[int]()
    for entry in archive.entries(1, entries + 1):
        yield from examined(state, entry)
        if entry.seq in kept:
            said, found = kept[entry.seq]
            reached = state.digest()
            if not said == found == reached:
                message = (
                    f"the checkpoint after entry {entry.seq} holds {found.hex()} and says "
                    f"{said.hex()}, replay reaches {reached.hex()}; delete its row"
                )
                yield Problem(entry.seq, "checkpoint_differs", message)
        crossed.update(crossing(entry))
        note(entry.seq)
    for broken in broken_rules(state, crossed):
        yield Problem(entries, "invariant_broken", broken)


def examined(state: State, entry: Entry) -> Iterator[Problem]:
    """Apply an entry to a state, and tell what it does not do as it says, and who did not sign."""
    for mismatch in replay(state, (entry,)):
        yield Problem(mismatch.seq, mismatch.code, mismatch.message)
    if entry.kind != SIGNED or state.book.domain is None:
        return
    try:
        check_signatures(decode_signed(entry.body).signed, state.book.domain.separator())
    except (SignatureError, TypedDataError) as error:
        yield Problem(entry.seq, "signature_invalid", str(error))
    except MalformedEntryError:
        return  # the replay has told so


def crossing(entry: Entry) -> dict[int, int]:
    """What an entry let into the venue, by asset; below zero for what it let out."""
    if entry.kind not in {VENUE, SIGNED}:
        return {}
    try:
        is_signed = entry.kind == SIGNED
        body = edge_body(decode_signed(entry.body)) if is_signed else decode_venue(entry.body)
    except MalformedEntryError:
        return {}
    match body:
        case VenueBody(Receive(_, asset, amount), "ok"):
            return {asset: amount}
        case VenueBody(Send(_, asset, amount), "ok"):
            return {asset: -amount}
    return {}


def broken_rules(state: State, crossed: Counter[int]) -> Iterator[str]:
    """What does not hold of the last state: in a pool, or of the money altogether."""
    held = [exact_sum(state.wallets.amount[:, v]) for v in range(len(state.assets))]
    for record in state.pools.values():
        for broken in broken_invariants(record.pool):
            yield f"pool {record.spec.name}: {broken}"
        for c, v in enumerate(record.assets.tolist()):
            held[v] += int(record.pool.deposited[c])
            if c == CASH:
                held[v] += sum(int(record.pool.total[row]) for row in CASH_HELD)
    for v, asset in enumerate(state.assets):
        if held[v] != crossed[v]:
            yield (
                f"P5 {asset.name}: {crossed[v]} smallest units came in and have not left, "
                f"wallets and pools have {held[v]}"
            )
