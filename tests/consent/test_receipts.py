"""Receipts: what their signer cannot take back, and what nobody else can make."""

import msgspec
import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from tests.consent.ceremony import ANN, DOMAIN, EVE, OPERATOR, Ceremony, key

from ringfence.signing.keys import ORDER, SignatureError
from ringfence.signing.receipts import Attestation, attest, check_attestation, is_equivocation
from ringfence.signing.typed import Domain
from ringfence.units import MS_NS
from ringfence.venue.consent.held import receipt_problems

OTHER_DOMAIN = Domain("Ringfence", "1", 31_337, "0x" + "5b" * 32)
HEAD, OTHER_HEAD = "ab" * 32, "cd" * 32
TIME_MS = 1_767_250_801_000
SHOUTED = "0x" + OPERATOR.owner[2:].upper()
GOOD = attest(OPERATOR, DOMAIN, 7, HEAD, TIME_MS)

replace = msgspec.structs.replace


def with_signature(data: bytes) -> Attestation:
    return replace(GOOD, signature="0x" + data.hex())


def flipped(data: bytes, place: int) -> bytes:
    return bytes([*data[:place], data[place] ^ 1, *data[place + 1 :]])


def with_higher_s() -> Attestation:
    """The other signature that everybody can make out of a good one."""
    data = bytes.fromhex(GOOD.signature[2:])
    s = ORDER - int.from_bytes(data[32:64])
    return with_signature(data[:32] + s.to_bytes(32) + bytes([55 - data[64]]))


def test_a_receipt_is_signed_as_a_wallet_would_sign_it():
    message = encode_typed_data(
        {"name": "Ringfence", "version": "1", "chainId": 31_337, "salt": b"\x5a" * 32},
        {
            "Receipt": [
                {"name": "seq", "type": "uint64"},
                {"name": "head", "type": "bytes32"},
                {"name": "time_ms", "type": "uint64"},
            ]
        },
        {"seq": 7, "head": bytes.fromhex(HEAD), "time_ms": TIME_MS},
    )
    assert Account.recover_message(message, signature=GOOD.signature).lower() == GOOD.signer
    assert check_attestation(GOOD, DOMAIN)


@pytest.mark.parametrize(
    "forged",
    [
        replace(GOOD, seq=8),
        replace(GOOD, seq=-1),
        replace(GOOD, seq=2**64),
        replace(GOOD, head=OTHER_HEAD),
        replace(GOOD, head="ab" * 31),
        replace(GOOD, time_ms=TIME_MS + 1),
        replace(GOOD, signer=EVE.owner),
        replace(attest(EVE, DOMAIN, 7, HEAD, TIME_MS), signer=OPERATOR.owner),
        replace(GOOD, signature=GOOD.signature[2:]),
        replace(GOOD, signature=GOOD.signature[:-2]),
        replace(GOOD, signature="0x"),
        with_higher_s(),
        with_signature(bytes(65)),
    ],
)
def test_what_the_signer_did_not_sign_is_found(forged):
    with pytest.raises(SignatureError):
        check_attestation(forged, DOMAIN)
    assert not is_equivocation(GOOD, forged, DOMAIN)
    assert not is_equivocation(forged, GOOD, DOMAIN)


@pytest.mark.parametrize("place", range(65))
def test_no_byte_of_a_signature_can_be_changed(place):
    forged = with_signature(flipped(bytes.fromhex(GOOD.signature[2:]), place))
    with pytest.raises(SignatureError):
        check_attestation(forged, DOMAIN)


def test_a_receipt_of_another_venue_is_none_of_this_one():
    with pytest.raises(SignatureError, match="did not sign this receipt for venue 0x5b5b"):
        check_attestation(GOOD, OTHER_DOMAIN)


@pytest.mark.parametrize(
    "other",
    [
        attest(OPERATOR, DOMAIN, 7, OTHER_HEAD, TIME_MS),
        attest(OPERATOR, DOMAIN, 7, HEAD, TIME_MS + 1),
        replace(attest(OPERATOR, DOMAIN, 7, OTHER_HEAD, TIME_MS), signer=SHOUTED),
    ],
)
def test_one_entry_with_two_stories_is_equivocation(other):
    assert is_equivocation(GOOD, other, DOMAIN)
    assert is_equivocation(other, GOOD, DOMAIN)
    assert not is_equivocation(GOOD, other, OTHER_DOMAIN)


@pytest.mark.parametrize(
    "other",
    [
        GOOD,
        attest(OPERATOR, DOMAIN, 7, "0x" + HEAD.upper(), TIME_MS),  # the same, written otherwise
        attest(OPERATOR, DOMAIN, 8, OTHER_HEAD, TIME_MS + 1),  # the next entry
        attest(EVE, DOMAIN, 7, OTHER_HEAD, TIME_MS),  # somebody else's story
        attest(OPERATOR, OTHER_DOMAIN, 7, OTHER_HEAD, TIME_MS),  # of another venue
        replace(GOOD, head=OTHER_HEAD),  # made up by whoever accuses
    ],
)
def test_an_honest_pair_proves_nothing(other):
    assert not is_equivocation(GOOD, other, DOMAIN)
    assert not is_equivocation(other, GOOD, DOMAIN)


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """A closed journal, and good receipts of the commands in it."""
    path = tmp_path_factory.mktemp("held") / "venue.journal"
    ceremony = Ceremony(path)
    answers = [ceremony.must(ceremony.deposit(ANN, "5"), ANN) for _ in range(3)]
    receipts = [attest(OPERATOR, DOMAIN, r.seq, r.head, r.time_ns // MS_NS) for r in answers]
    ceremony.venue.close()
    return path, receipts


def codes(path, receipts, signer=None):
    return [(p.seq, p.code) for p in receipt_problems(path, receipts, signer)]


def test_honest_receipts_say_nothing_against_a_journal(journal):
    path, receipts = journal
    assert codes(path, [*receipts, *receipts]) == []
    assert codes(path, receipts, OPERATOR.owner) == []


def test_a_head_or_a_time_that_is_not_the_journals_is_a_problem(journal):
    path, (first, *_) = journal
    seq = first.seq
    for told in (
        attest(OPERATOR, DOMAIN, seq, OTHER_HEAD, first.time_ms),
        attest(OPERATOR, DOMAIN, seq, first.head, first.time_ms + 1),
    ):
        assert codes(path, [told]) == [(seq, "receipt_differs")]
        assert codes(path, [first, told]) == [(seq, "receipt_differs"), (seq, "equivocation")]


def test_an_entry_that_was_acknowledged_and_is_not_there_is_a_problem(journal):
    path, receipts = journal
    gone = attest(OPERATOR, DOMAIN, receipts[-1].seq + 1, OTHER_HEAD, TIME_MS)
    assert codes(path, [gone]) == [(gone.seq, "receipt_without_entry")]
    assert codes(path.with_name("nothing"), receipts)[0][1] == "receipt_invalid"


def test_a_receipt_that_is_not_signed_says_nothing_about_the_journal(journal):
    path, (first, *_) = journal
    seq = first.seq
    assert codes(path, [replace(first, head=OTHER_HEAD)]) == [(seq, "receipt_invalid")]
    assert codes(path, [first], key("other").owner) == [(seq, "receipt_invalid")]
    foreign = attest(OPERATOR, OTHER_DOMAIN, seq, first.head, first.time_ms)
    assert codes(path, [foreign]) == [(seq, "receipt_invalid")]
