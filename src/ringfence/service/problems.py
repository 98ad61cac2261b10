"""Problems as RFC 9457 has them: a stable code, a title, and a detail that names the fix."""

from collections.abc import Iterable
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec

from ringfence.journal.errors import JournalError
from ringfence.service import auth
from ringfence.service.writer import BusyError, StoppingError

MEDIA_TYPE = "application/problem+json"

# Status and title by code.
CODES = {
    "malformed": (400, "The request cannot be read."),
    "command_unreadable": (400, "A name or number of the command cannot be read."),
    "authorisation_missing": (401, "An owner whose consent is needed has not signed."),
    "signature_invalid": (401, "The signature is not valid."),
    "key_unknown": (401, "There is no such key."),
    "key_revoked": (401, "The key was revoked."),
    "nonce_used": (401, "The nonce was used before."),
    "nonce_out_of_window": (401, "The nonce is too old, or from the future."),
    "authorisation_expired": (401, "The authorisation has expired."),
    "not_allowed": (403, "This key may not do this."),
    "cap_exceeded": (403, "The session key's cap is used up."),
    "origin_not_allowed": (403, "Pages of this origin may not connect."),
    "not_found": (404, "There is nothing at this path."),
    "pool_unknown": (404, "There is no such pool."),
    "account_unknown": (404, "There is no such account."),
    "owner_unknown": (404, "There is no such owner."),
    "underlying_unknown": (404, "There is no such underlying in the pool."),
    "instrument_unknown": (404, "There is no such instrument in the pool."),
    "entry_unknown": (404, "There is no such journal entry."),
    "receipt_unknown": (404, "There is no such receipt."),
    "method_not_allowed": (405, "This path does not take this method."),
    "too_slow": (408, "The body came too slowly."),
    "client_id_reused": (409, "The client id belongs to another command."),
    "order_ended": (409, "The order is filled, cancelled or has expired."),
    "orders_do_not_match": (409, "The orders do not match."),
    "refused": (409, "A rule of the venue refuses this."),
    "verification_running": (409, "A verification is running."),
    "too_large": (413, "The body is too large."),
    "media_type": (415, "The body must be JSON."),
    "spec_unsafe": (422, "A pool of this spec could not be safe."),
    "rate_limited": (429, "Too many requests."),
    "internal": (500, "The service is at fault."),
    "busy": (503, "The queue is full; nothing was done."),
    "stopping": (503, "The service is stopping."),
    "not_ready": (503, "The service is not ready."),
    "halted": (503, "The venue is halted."),
}
_OF_STATUS = {400: "malformed", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
_OF_STATUS |= {415: "media_type", 429: "rate_limited"}


# What the framework says of these names neither what is wrong nor what is right.
_FRAMEWORK = {
    404: "no view or command has this path; `/v1/openapi.json` lists them",
    405: "the header `Allow` has the methods of this path",
}

_OF_KIND: dict[type[Exception], tuple[str, int | None]] = {
    BusyError: ("busy", 1000),
    StoppingError: ("stopping", 5000),
    JournalError: ("halted", None),
}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem as it goes over the wire."""

    type: str
    code: str
    title: str
    status: int
    detail: str
    problems: tuple[str, ...] = ()
    retry_after_ms: int | None = None


class ProblemError(Exception):
    """Ends a request with a problem."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        problems: Iterable[str] = (),
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(detail)
        status, title = CODES[code]
        self.problem = Problem(
            type=f"urn:ringfence:problem:{code}",
            code=code,
            title=title,
            status=status,
            detail=detail,
            problems=tuple(problems),
            retry_after_ms=retry_after_ms,
        )


def problem_of(error: Exception) -> Problem:
    """Return the problem that an exception stands for."""
    if isinstance(error, ProblemError):
        return error.problem
    if isinstance(error, HTTPException):
        code = "internal" if error.status_code >= 500 else _OF_STATUS.get(error.status_code)
        detail = _FRAMEWORK.get(error.status_code) or _detail(error)
        return ProblemError(code or "malformed", detail).problem
    refusal = auth.problem_of(error)
    if refusal is not None:
        return ProblemError(refusal.code, refusal.detail, problems=refusal.problems).problem
    for kind, (code, retry_after_ms) in _OF_KIND.items():
        if isinstance(error, kind):
            return ProblemError(code, str(error), retry_after_ms=retry_after_ms).problem
    return ProblemError("internal", f"{type(error).__name__}; the log has more").problem


def _detail(error: HTTPException) -> str:
    """What the framework found, with the fields it names."""
    extra = error.extra if isinstance(error.extra, list) else []
    named = [f"{e.get('key', '')}: {e.get('message', '')}" for e in extra if isinstance(e, dict)]
    return "; ".join(named) or str(error.detail)


def answer(problem: Problem) -> Response[bytes]:
    """Return the response of a problem."""
    headers = {}
    if problem.retry_after_ms is not None:
        headers["Retry-After"] = str(-(-problem.retry_after_ms // 1000))
    body = msgspec.json.encode(problem)
    return Response(body, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def handler(_request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer an exception with its problem."""
    return answer(problem_of(error))


def documented(*statuses: int) -> dict[int, ResponseSpec]:
    """Return what OpenAPI says of the problems that a route can end with."""
    of_bodies = (408,) if 415 in statuses else ()
    always = (400, 401, 403, 405, 429, 503, *of_bodies)
    return {
        status: ResponseSpec(
            Problem,
            generate_examples=False,
            description=", ".join(f"`{c}`" for c, (s, _) in CODES.items() if s == status),
            media_type=MEDIA_TYPE,
        )
        for status in sorted({*always, *statuses})
    }
