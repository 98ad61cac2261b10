"""Why a request is not taken, as HTTP tells it: status, stable code, and a detail with the fix."""

from typing import NamedTuple

from ringfence.core.reading import SpecError
from ringfence.venue.consent.problem import ConsentError
from ringfence.venue.encoding import CommandError
from ringfence.venue.state import RefusedError

STATUS = {
    "malformed": 400,
    "command_unreadable": 400,
    "authorisation_missing": 401,
    "authorisation_expired": 401,
    "signature_invalid": 401,
    "key_unknown": 401,
    "key_revoked": 401,
    "nonce_used": 401,
    "nonce_out_of_window": 401,
    "not_allowed": 403,
    "cap_exceeded": 403,
    "client_id_reused": 409,
    "refused": 409,
    "order_ended": 409,
    "orders_do_not_match": 409,
    "spec_unsafe": 422,
}


class AuthError(ValueError):
    """A request whose bytes or signatures are not what they should be."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Refusal(NamedTuple):
    """Status, code and detail of a problem, and its parts where there are several."""

    status: int
    code: str
    detail: str
    problems: tuple[str, ...] = ()


def problem_of(error: Exception) -> Refusal | None:
    """Return what to answer for an error of `verify` or `execute_signed`; None for others."""
    match error:
        case AuthError() | ConsentError():
            return Refusal(STATUS[error.code], error.code, error.message)
        case SpecError():
            return Refusal(422, "spec_unsafe", "the pool cannot be created", tuple(error.problems))
        case CommandError():
            return Refusal(400, "command_unreadable", str(error))
        case RefusedError():
            return Refusal(409, "refused", str(error))
    return None
