"""Read-only API keys: a secret that the service derives and never stores, and HMAC by it.

    secret = HMAC-SHA256(master secret of the service, "ringfence reader" | id of the key)

The key's owner, its end and its revocation are journaled state; only the master secret is not.
"""

import hashlib
import hmac
import re

from ringfence.service.auth.problems import AuthError
from ringfence.venue.consent.authority import Class, Identity
from ringfence.venue.consent.book import Book
from ringfence.venue.consent.problem import Problem

TIME_TOLERANCE_MS = 30_000

_KEY = re.compile("[0-9a-fA-F]{64}", re.ASCII)
_TIME = re.compile("[0-9]{1,16}", re.ASCII)


def secret_of(master: bytes, reader: bytes) -> bytes:
    """Secret of a read-only key, from the service's own."""
    return hmac.new(master, b"ringfence reader" + reader, hashlib.sha256).digest()


def request_signature(secret: bytes, time_ms: int, method: str, target: str) -> str:
    """Return what a request with a read-only key is signed with; target: path and query."""
    text = f"{time_ms}\n{method}\n{target}".encode()
    return hmac.new(secret, text, hashlib.sha256).hexdigest()


def reader_of(
    book: Book,
    master: bytes,
    headers: tuple[str, str, str],
    request: tuple[str, str],
    now_ms: int,
    venue_ms: int,
) -> Identity:
    """Return the identity behind a request with a read-only key.

    Args:
        book: Of the venue's state.
        master: The service's secret.
        headers: Ringfence-Key, Ringfence-Time and Ringfence-Signature.
        request: Method, and path with query.
        now_ms: UTC of the machine, which the request is held against.
        venue_ms: The venue's time, in which keys end; in a replay it is that of the prices.

    Raises:
        AuthError: The key is not known or has ended, or did not sign this request now.
    """
    key, time_ms, signature = headers
    if _KEY.fullmatch(key) is None or _TIME.fullmatch(time_ms) is None:
        raise AuthError("signature_invalid", "a key is 64 hex digits, a time is in ms")
    identity, then = bytes.fromhex(key), int(time_ms)
    secret = secret_of(master, identity)
    wanted = request_signature(secret, then, *request)
    # Compared first, so that nobody without the secret learns which keys there are.
    if not hmac.compare_digest(wanted.encode(), signature.lower().encode("utf-8", "replace")):
        raise AuthError("signature_invalid", "the key did not sign this time, method and path")
    if abs(then - now_ms) > TIME_TOLERANCE_MS:
        raise AuthError(
            "authorisation_expired", f"signed at {then} ms, but it is {now_ms} ms; set your clock"
        )
    reader = book.readers.get(identity)
    if reader is None:
        raise AuthError("key_unknown", f"there is no read-only key {key}, or no longer")
    if reader.until_ms < venue_ms:
        raise AuthError("authorisation_expired", f"the key ended at {reader.until_ms} ms")
    return Identity(Class.READER, identity, reader.owner)


def authorise_view(identity: Identity, owner: bytes) -> Problem | None:
    """Why an identity may not see what is private to an owner; None when it may."""
    if identity.owner == owner and owner:
        return None
    return Problem("not_allowed", f"{identity} of 0x{identity.owner.hex()}, not of 0x{owner.hex()}")
