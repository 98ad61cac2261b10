"""Signatures are of one form, one message, one venue and one moment, or they are none."""

import msgspec
import pytest
from tests.consent.ceremony import ANN, BEN, DOMAIN, EVE, MINUTE_MS, Ceremony, signature

from ringfence.service import auth
from ringfence.signing.keys import ORDER
from ringfence.venue import commands as c
from ringfence.venue.consent import messages as m
from ringfence.venue.consent.book import DAY_MS, NONCE_AHEAD_MS, NONCES_KEPT


@pytest.fixture(scope="module")
def venue():
    return Ceremony()


def with_signature(signed: m.Signed, **changes: object) -> m.Signed:
    (first, *rest) = signed.authorisations
    return msgspec.structs.replace(
        signed, authorisations=(msgspec.structs.replace(first, **changes), *rest)
    )


def parts(signed: m.Signed) -> tuple[int, int, int]:
    data = bytes.fromhex(signed.authorisations[0].signature[2:])
    return int.from_bytes(data[:32]), int.from_bytes(data[32:64]), data[64]


def joined(r: int, s: int, v: int) -> str:
    return "0x" + (r.to_bytes(32) + s.to_bytes(32) + bytes([v])).hex()


@pytest.mark.parametrize(
    "change",
    [{"name": "Ringfense"}, {"version": "2"}, {"chain_id": 1}, {"venue_id": "0x" + "5b" * 32}],
    ids=lambda change: next(iter(change)),
)
def test_a_signature_for_another_domain_is_none(venue, change):
    other = msgspec.structs.replace(DOMAIN, **change)
    command = venue.deposit(ANN, "1")
    by = signature(command, ANN, venue.nonce(), venue.now_ms + MINUTE_MS, other)
    assert venue.answer(m.Signed(command=command, authorisations=(by,))) == "signature_invalid"


def test_the_twin_with_the_higher_s_is_none(venue):
    signed = venue.sign(venue.deposit(ANN, "1"), ANN)
    r, s, v = parts(signed)
    twin = with_signature(signed, signature=joined(r, ORDER - s, 27 + 28 - v))
    assert venue.answer(twin) == "signature_invalid"
    assert venue.answer(signed) == "ok"


@pytest.mark.parametrize("v", [0, 1, 26, 29, 35, 255])
def test_v_is_27_or_28(venue, v):
    signed = venue.sign(venue.deposit(ANN, "1"), ANN)
    r, s, _ = parts(signed)
    assert venue.answer(with_signature(signed, signature=joined(r, s, v))) == "signature_invalid"


@pytest.mark.parametrize("r", [0, ORDER, ORDER + 1, 2**256 - 1])
@pytest.mark.parametrize("of_s", [False, True])
def test_r_and_s_lie_within_the_order_of_the_curve(venue, r, of_s):
    signed = venue.sign(venue.deposit(ANN, "1"), ANN)
    own_r, own_s, v = parts(signed)
    forged = joined(own_r, r, v) if of_s else joined(r, own_s, v)
    assert venue.answer(with_signature(signed, signature=forged)) == "signature_invalid"


@pytest.mark.parametrize("text", ["0x", "0x" + "11" * 64, "0x" + "11" * 66, "11" * 65])
def test_the_compact_form_and_other_lengths_are_malformed(venue, text):
    signed = venue.sign(venue.deposit(ANN, "1"), ANN)
    assert venue.answer(with_signature(signed, signature=text)) == "malformed"


def test_bodies_cannot_be_swapped(venue):
    first = venue.sign(venue.deposit(ANN, "1"), ANN)
    second = venue.sign(venue.deposit(ANN, "2"), ANN)
    swapped = msgspec.structs.replace(first, command=second.command)
    assert venue.answer(swapped) == "signature_invalid"


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "2"},
        {"amount": "1.0"},
        {"asset": "ETH"},
        {"number": 2},
        {"owner": BEN.owner},
        {"pool": "00" * 32},
    ],
    ids=lambda change: str(next(iter(change.items()))),
)
def test_no_field_can_be_altered(venue, change):
    signed = venue.sign(venue.deposit(ANN, "1"), ANN)
    altered = msgspec.structs.replace(
        signed, command=msgspec.structs.replace(signed.command, **change)
    )
    assert venue.answer(altered) == "signature_invalid"


def test_another_signer_cannot_be_named(venue):
    signed = venue.sign(venue.deposit(ANN, "1"), EVE)
    assert venue.answer(with_signature(signed, signer=ANN.owner)) == "signature_invalid"
    assert venue.answer(signed) == "not_allowed"


def test_a_signature_is_good_once(venue):
    signed = venue.sign(venue.deposit(ANN, "1"), ANN)
    wallet = venue.venue.wallet(ANN.owner)["USDC"]
    assert venue.give(signed).repeated is False
    assert venue.give(signed).repeated is True  # the first receipt, and nothing done
    assert venue.venue.wallet(ANN.owner)["USDC"] == wallet - 10**6
    renamed = msgspec.structs.replace(signed, client_id="another")
    assert venue.answer(renamed) == "nonce_used"


def test_a_nonce_is_spent_by_whatever_was_journaled(venue):
    nonce, end = venue.nonce(), venue.now_ms + MINUTE_MS
    too_much = venue.deposit(ANN, "1000000")
    refused = m.Signed(command=too_much, authorisations=(signature(too_much, ANN, nonce, end),))
    assert venue.answer(refused) == "exceeds_wallet"
    fine = venue.deposit(ANN, "1")
    again = m.Signed(command=fine, authorisations=(signature(fine, ANN, nonce, end),))
    assert venue.answer(again) == "nonce_used"


def test_a_signature_is_good_up_to_its_expiry_and_not_a_ms_longer(venue):
    now = venue.now_ms
    for end, answer in (
        (now - 1, "authorisation_expired"),
        (now, "ok"),
        (now + DAY_MS, "ok"),
        (now + DAY_MS + 1, "authorisation_expired"),
    ):
        command = venue.deposit(ANN, "1")
        by = signature(command, ANN, venue.nonce(), end)
        assert venue.answer(m.Signed(command=command, authorisations=(by,))) == answer


def test_a_nonce_from_the_future_is_none():
    venue = Ceremony()
    end, furthest = venue.now_ms + MINUTE_MS, venue.now_ms + NONCE_AHEAD_MS
    command = venue.deposit(ANN, "1")
    for nonce, answer in ((furthest + 1, "nonce_out_of_window"), (furthest, "ok"), (1, "ok")):
        by = signature(command, ANN, nonce, end)
        assert venue.answer(m.Signed(command=command, authorisations=(by,))) == answer


def test_nonces_come_in_any_order_within_the_window_and_never_below_it():
    venue = Ceremony()
    base, end = venue.now_ms + 1_000, venue.now_ms + MINUTE_MS
    command = c.Settle(pool=venue.pool)

    def answer(nonce: int) -> str:
        by = signature(command, EVE, nonce, end)
        return venue.answer(m.Signed(command=command, authorisations=(by,), client_id=str(nonce)))

    # Eve's registration spent one; with these the window is full, and then moves by one.
    assert {answer(base + step) for step in range(0, 2 * NONCES_KEPT, 2)} == {"ok"}
    lowest = venue.venue.state.book.spent[EVE.address][0].nonce
    assert lowest == base
    assert answer(base - 1) == "nonce_out_of_window"
    assert answer(base) == "ok"  # its own receipt, once more
    assert answer(base + 1) == "ok"  # between two that were used
    assert venue.venue.state.book.spent[EVE.address][0].nonce == base + 1
    assert answer(base) == "nonce_out_of_window"  # forgotten, but below the window


def test_spent_nonces_outlive_a_restart(tmp_path):
    path = tmp_path / "venue.journal"
    venue = Ceremony(path)
    signed = venue.sign(venue.deposit(ANN, "1"), ANN)
    assert venue.give(signed).ok
    for checkpointed in (False, True):
        if checkpointed:
            venue.venue.checkpoint()
        digest = venue.venue.state.digest()
        venue.venue.close()
        venue.venue = type(venue.venue).open(path, clock=venue.scene.clock)
        assert venue.venue.state.digest() == digest
        assert venue.give(signed).repeated is True
        assert venue.answer(msgspec.structs.replace(signed, client_id="x")) == "nonce_used"
    venue.venue.close()


def test_a_client_id_names_one_command(venue):
    first = venue.sign(venue.deposit(ANN, "3"), ANN, client_id="three")
    receipt = venue.give(first)
    signed_again = venue.sign(venue.deposit(ANN, "3"), ANN, client_id="three")
    repeated = venue.give(signed_again)
    assert (repeated.seq, repeated.head, repeated.repeated) == (receipt.seq, receipt.head, True)
    other = venue.sign(venue.deposit(ANN, "4"), ANN, client_id="three")
    assert venue.answer(other) == "client_id_reused"
    of_ben = venue.sign(venue.deposit(BEN, "4"), BEN, client_id="three")
    assert venue.answer(of_ben) == "ok"


def test_what_comes_twice_in_one_group_is_done_once(venue):
    signed = venue.sign(venue.deposit(ANN, "3"), ANN)
    with venue.venue.group():
        receipts = [venue.give(signed), venue.give(signed)]
    assert [receipt.repeated for receipt in receipts] == [False, True]
    assert receipts[0].seq == receipts[1].seq


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"{}",
        b"[" * 100_000,
        b'{"command": {"type": "deposit"}, "authorisations": []}',
        b'{"command": {"type": "nothing"}, "authorisations": [{}]}',
        b'{"command": {"type": "settle", "pool": "a", "more": 1}, "authorisations": [{}]}',
    ],
)
def test_what_is_no_signed_command_is_malformed(body):
    with pytest.raises(auth.AuthError) as error:
        auth.verify(body, DOMAIN)
    assert error.value.code == "malformed"


def test_a_name_is_no_pool_id(venue):
    named = c.Deposit(pool="alpha", owner=ANN.owner, asset="USDC", amount="1")
    blank = m.Authorisation(signer=ANN.owner, nonce="1", expires_ms=1, signature="0x" + "11" * 65)
    signed = m.Signed(command=named, authorisations=(blank,))
    assert venue.answer(signed) == "command_unreadable"


def test_a_venue_that_was_not_founded_takes_no_signature():
    from tests.venue.scene import Scene

    scene = Scene.set_up()
    command = c.Settle(pool=scene.venue.record("alpha").id.hex())
    now = scene.clock.now_ns() // 10**6
    signed = m.Signed(command=command, authorisations=(signature(command, ANN, now, now + 1),))
    with pytest.raises(ValueError, match="takes no signed commands"):
        scene.venue.execute_signed(signed)
