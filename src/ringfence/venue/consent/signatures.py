"""Whether the signatures of a command are what they say; needs no state but the venue's domain."""

from ringfence.signing.keys import SignatureError, recover
from ringfence.venue.consent import messages as m


def check_signatures(signed: m.Signed, separator: bytes) -> None:
    """Check that every signature is by the signer it names, of this command, for this venue.

    Raises:
        SignatureError: One is not.
        TypedDataError: A field cannot be signed.
    """
    for authorisation, digest in m.signatures(signed, separator):
        found = recover(digest, bytes.fromhex(authorisation.signature[2:]))
        if "0x" + found.hex() != authorisation.signer.lower():
            raise SignatureError(
                f"the signature is not one of {authorisation.signer} for this command; check the "
                "domain, the fields and the nonce that were signed"
            )
