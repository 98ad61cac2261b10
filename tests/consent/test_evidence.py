"""The journal proves who consented: to an auditor who has nothing else."""

import msgspec
import pytest
from tests.consent.ceremony import ANN, BEN, DOMAIN, EVE, OPERATOR, SESSION, Ceremony
from tests.venue.scene import ALICE, BETA

from ringfence.journal.sqlite import Journal
from ringfence.venue import commands as c
from ringfence.venue import entries
from ringfence.venue.audit import audit
from ringfence.venue.clock import ManualClock
from ringfence.venue.consent import messages as m
from ringfence.venue.consent.evidence import SignedBody, decode_signed, receipt_of
from ringfence.venue.encoding import CommandError
from ringfence.venue.replay import replay
from ringfence.venue.state import State
from ringfence.venue.venue import Venue


@pytest.fixture
def path(tmp_path):
    return tmp_path / "venue.journal"


def busy(path, **options: object) -> Ceremony:
    """A journal with signed commands of every sort, accepted and refused."""
    venue = Ceremony(path, **options)
    venue.must(venue.grant(), ANN, SESSION)
    assert venue.tries(venue.trade(), SESSION, BEN) == "ok"
    assert venue.tries(venue.deposit(ANN, "1000000"), ANN) == "exceeds_wallet"
    taker, size = venue.order(ANN, "1"), "0.4"
    maker = venue.order(BEN, "-1")
    fill = m.Match(pool=venue.pool, maker=taker, taker=maker, size=size)
    assert venue.tries(fill, OPERATOR) == "ok"
    assert venue.tries(m.Send(owner=EVE.owner, asset="USDC", amount="5"), EVE) == "ok"
    assert venue.tries(m.Send(owner=EVE.owner, asset="USDC", amount="99999999"), EVE) == "refused"
    spec = msgspec.structs.replace(BETA, name="gamma")
    venue.must(m.CreatePool(owner=EVE.owner, spec=spec), EVE)
    venue.must(m.GrantReader(owner=ANN.owner, until_ms=venue.now_ms + 9), ANN)
    venue.must(m.RevokeKey(owner=ANN.owner, key=SESSION.owner), ANN)
    return venue


def copied(path, target, change) -> None:
    """Write a journal anew, entry by entry, `change` deciding what each becomes."""
    with Journal.open(path) as old, Journal.open(target) as new:
        for entry in old.entries(1):
            kind, pool, body = change(entry) or (entry.kind, entry.pool, entry.body)
            new.append(entry.time_ns, kind, pool, body)
        new.commit()


def codes(path) -> set[str]:
    return {problem.code for problem in audit(path).problems}


def test_an_honest_journal_verifies_and_opens_again(path):
    venue = busy(path)
    assert venue.venue.verify() == []
    digest = venue.venue.state.digest()
    venue.venue.close()
    report = audit(path)
    assert report.ok, report.problems
    with Venue.open(path, clock=ManualClock(venue.scene.clock.now_ns())) as again:
        assert again.state.digest() == digest
        again.checkpoint()
    with Venue.open(path, clock=ManualClock(venue.scene.clock.now_ns())) as again:
        assert again.state.digest() == digest
    assert codes(path) == set()


def signed_entries(path) -> dict[str, int]:
    """Newest signed entry of each command."""
    with Journal.open(path) as journal:
        found = [e for e in journal.entries(1) if e.kind == entries.SIGNED]
    return {type(decode_signed(e.body).signed.command).__name__: e.seq for e in found}


def tampered(body: SignedBody, command: m.Signable) -> bytes:
    signed = msgspec.structs.replace(body.signed, command=command)
    return msgspec.msgpack.encode(SignedBody(signed, body.inner))


@pytest.mark.parametrize("kind", ["Deposit", "Trade", "Match", "Send", "GrantReader", "RevokeKey"])
def test_a_signature_that_was_replaced_is_found(path, tmp_path, kind):
    busy(path).venue.close()
    target = signed_entries(path)[kind]
    forged = tmp_path / "forged.journal"

    def change(entry):
        if entry.seq != target:
            return None
        body = decode_signed(entry.body)
        (first, *rest) = body.signed.authorisations
        data = bytearray.fromhex(first.signature[2:])
        data[10] ^= 1
        first = msgspec.structs.replace(first, signature="0x" + data.hex())
        signed = msgspec.structs.replace(body.signed, authorisations=(first, *rest))
        return entry.kind, entry.pool, msgspec.msgpack.encode(SignedBody(signed, body.inner))

    copied(path, forged, change)
    assert "signature_invalid" in codes(forged)


def test_a_command_that_was_altered_with_all_its_consequences_is_found(path, tmp_path):
    """A forger who recomputes every outcome still lacks the signature."""
    venue = busy(path)
    venue.venue.close()
    target = signed_entries(path)["Send"]
    forged = tmp_path / "forged.journal"

    def change(entry):
        if entry.seq != target:
            return None
        body = decode_signed(entry.body)
        return (
            entry.kind,
            entry.pool,
            tampered(body, msgspec.structs.replace(body.signed.command, amount="99999998")),
        )

    copied(path, forged, change)
    assert "signature_invalid" in codes(forged)


def test_a_signed_entry_that_did_something_else_is_found(path, tmp_path):
    busy(path).venue.close()
    target = signed_entries(path)["Trade"]
    forged = tmp_path / "forged.journal"

    def change(entry):
        if entry.seq != target:
            return None
        body = decode_signed(entry.body)
        inner = body.inner[:40] + bytes([body.inner[40] ^ 1]) + body.inner[41:]
        return entry.kind, entry.pool, msgspec.msgpack.encode(SignedBody(body.signed, inner))

    copied(path, forged, change)
    assert "outcome_differs" in codes(forged)


def test_an_entry_that_is_replayed_in_the_journal_is_found(path, tmp_path):
    venue = busy(path)
    venue.venue.close()
    target = signed_entries(path)["Send"]
    forged = tmp_path / "forged.journal"
    with Journal.open(path) as journal:
        (again,) = journal.entries(target, target + 1)
    copied(path, forged, lambda _entry: None)
    with Journal.open(forged) as journal:
        journal.append(again.time_ns, again.kind, again.pool, again.body)
        journal.commit()
    report = audit(forged)
    assert [problem.code for problem in report.problems] == ["consent_refused"]
    assert "was used before" in report.problems[0].message


@pytest.mark.parametrize("body", [b"", b"\x92", b"\x92\x80\xc0", b"{}", b"\xff" * 50])
def test_whatever_bytes_a_signed_entry_has_there_is_a_report(path, body):
    busy(path).venue.close()
    with Journal.open(path) as journal:
        journal.append(journal.tail(1)[0].time_ns, entries.SIGNED, b"", body)
        journal.commit()
    assert codes(path) == {"malformed_entry"}


def test_a_venue_that_requires_consent_takes_nothing_without_it(path):
    venue = busy(path, requires_consent=True)
    seq = venue.venue.journal.seq
    for command in (
        c.Withdraw(pool="alpha", owner=ALICE, asset="USDC", amount="1"),
        venue.trade(),
        c.CancelChange(pool="alpha", change=0),
    ):
        with pytest.raises(CommandError, match="sign it"):
            venue.venue.execute(command)
    with pytest.raises(CommandError, match="sign it"):
        venue.venue.send(ALICE, "USDC", "1")
    assert venue.venue.journal.seq == seq
    assert venue.venue.execute(c.Settle(pool="alpha")).ok  # needs nobody's consent
    venue.scene.publish(ETH="2001", BTC="40000")
    venue.venue.close()
    assert codes(path) == set()


def test_what_lacks_a_signature_is_found_where_one_is_required(path, tmp_path):
    venue = busy(path)  # requires none, so that the unsigned withdrawal can be written
    venue.scene.deposit(ALICE, "5")
    venue.venue.send(ALICE, "USDC", "1")
    venue.venue.close()
    assert codes(path) == set()
    strict = tmp_path / "strict.journal"

    def change(entry):
        if entry.kind != entries.VENUE or b'"found"' not in entry.body:
            return None
        return entry.kind, entry.pool, entry.body.replace(b"false", b"true")

    copied(path, strict, change)
    assert codes(strict) >= {"consent_missing"}


def test_a_receipt_can_be_made_again_from_the_journal(path):
    venue = busy(path)
    receipt = venue.must(venue.deposit(ANN, "7"), ANN)
    (entry,) = venue.venue.journal.entries(receipt.seq, receipt.seq + 1)
    assert receipt_of(venue.venue.state, entry) == receipt
    state = State()
    assert list(replay(state, venue.venue.journal.entries(1))) == []
    assert state.book == venue.venue.state.book
    assert state.book.domain == DOMAIN
    venue.venue.close()
