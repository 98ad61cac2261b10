"""The door of signed commands: bytes in, a command whose signatures are what they say out.

    signed = auth.verify(body, domain)          # any thread or process; touches no state
    receipt = venue.execute_signed(signed)      # the sequencer's thread

Both raise errors that `auth.problem_of` turns into status, code and detail of an RFC 9457
problem. `auth.authorise` is the pure function behind every answer of 403.
"""

from ringfence.service.auth.problems import STATUS, AuthError, Refusal, problem_of
from ringfence.service.auth.readers import authorise_view, reader_of, request_signature, secret_of
from ringfence.service.auth.verify import check, decode, verify
from ringfence.signing.typed import Domain
from ringfence.venue.consent.authority import TABLE, Class, Identity, authorise, identify
from ringfence.venue.consent.evidence import SignedReceipt
from ringfence.venue.consent.messages import CreatePool, Signed

__all__ = [
    "STATUS",
    "TABLE",
    "AuthError",
    "Class",
    "CreatePool",
    "Domain",
    "Identity",
    "Refusal",
    "Signed",
    "SignedReceipt",
    "authorise",
    "authorise_view",
    "check",
    "decode",
    "identify",
    "problem_of",
    "reader_of",
    "request_signature",
    "secret_of",
    "verify",
]
