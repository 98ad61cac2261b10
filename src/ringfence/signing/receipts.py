"""What a receipt binds its signer to: one history, up to one entry.

    Receipt(uint64 seq,bytes32 head,uint64 time_ms)

The head hashes the entry and all before it, so whoever signs it has signed the whole history up
to there. Two good signatures of one signer, with one seq but another head or time, prove to
anybody that the signer told two stories (equivocation); no journal is needed for that.
"""

import re
from typing import Annotated

import msgspec

from ringfence.signing.keys import SIGNATURE_PATTERN, SignatureError, SigningKey, recover
from ringfence.signing.typed import Domain, TypedDataError, TypedStruct

RECEIPT = TypedStruct("Receipt(uint64 seq,bytes32 head,uint64 time_ms)")


class Attestation(msgspec.Struct, frozen=True):
    """The fields of a receipt that its signature is about, and the signature."""

    seq: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    head: str  # 64 hex digits, of the entry with this seq
    time_ms: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    signer: str  # address
    signature: str  # 0x and 130 hex digits


def attest(key: SigningKey, domain: Domain, seq: int, head: str, time_ms: int) -> Attestation:
    """Sign the place of an entry; the same place gets the same signature again."""
    fields = {"seq": seq, "head": head, "time_ms": time_ms}
    signature = key.sign(RECEIPT.digest(domain.separator(), fields))
    return Attestation(seq, head, time_ms, key.owner, "0x" + signature.hex())


def check_attestation(attestation: Attestation, domain: Domain) -> bytes:
    """Check that a receipt is signed by the signer it names, in this domain; return what it signed.

    Raises:
        SignatureError: It is not.
    """
    try:
        digest = RECEIPT.digest(domain.separator(), msgspec.structs.asdict(attestation))
    except TypedDataError as error:
        raise SignatureError(f"nobody can have signed this receipt: {error}") from None
    if re.fullmatch(SIGNATURE_PATTERN, attestation.signature) is None:
        raise SignatureError("the signature of a receipt is 0x and 130 hex digits")
    found = "0x" + recover(digest, bytes.fromhex(attestation.signature[2:])).hex()
    if found != attestation.signer.lower():
        raise SignatureError(
            f"{attestation.signer} did not sign this receipt for venue {domain.venue_id}"
        )
    return digest


def is_equivocation(one: Attestation, other: Attestation, domain: Domain) -> bool:
    """Whether two receipts prove that their signer told two stories about one entry."""
    if one.seq != other.seq or one.signer.lower() != other.signer.lower():
        return False
    try:
        # Digests, since one head can be written in two ways.
        return check_attestation(one, domain) != check_attestation(other, domain)
    except SignatureError:
        return False
