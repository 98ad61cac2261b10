"""Checking the signatures of a command, before it comes near the state."""

import msgspec

from ringfence.service.auth.problems import AuthError
from ringfence.signing.keys import SignatureError
from ringfence.signing.typed import Domain, TypedDataError
from ringfence.venue.consent.messages import Signed
from ringfence.venue.consent.signatures import check_signatures

_DECODER = msgspec.json.Decoder(Signed)


def decode(body: bytes) -> Signed:
    """Read a signed command; whatever the bytes are, there is an answer.

    Raises:
        AuthError: They are not one; the message names the field.
    """
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AuthError("malformed", str(error)) from None


def check(signed: Signed, domain: Domain) -> None:
    """Check that every signature is by the signer it names, of this command, for this venue.

    Raises:
        AuthError: One is not, or a field cannot be signed.
    """
    try:
        check_signatures(signed, domain.separator())
    except TypedDataError as error:
        raise AuthError("command_unreadable", str(error)) from None
    except SignatureError as error:
        raise AuthError("signature_invalid", str(error)) from None


def verify(body: bytes, domain: Domain) -> Signed:
    """Read a signed command and check its signatures.

    Raises:
        AuthError: It is not one, or a signature is not what it says.
    """
    signed = decode(body)
    check(signed, domain)
    return signed
