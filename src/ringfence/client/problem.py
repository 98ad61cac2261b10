"""What a client raises when the service answers with a problem, or with a doubtful receipt."""

import msgspec

from ringfence.service.schema import Receipt


class _Problem(msgspec.Struct, frozen=True):
    """A problem as RFC 9457 has it, with what Ringfence adds."""

    code: str = "unknown"
    title: str = ""
    detail: str = ""
    problems: tuple[str, ...] = ()
    retry_after_ms: int | None = None


class ProblemError(Exception):
    """The service did not do what it was asked; `code` is stable, `detail` names the fix."""

    def __init__(self, status: int, body: bytes) -> None:
        try:
            problem = msgspec.json.decode(body, type=_Problem)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            shown = body[:200].decode(errors="replace")
            problem = _Problem(title=f"status {status}", detail=shown)
        super().__init__(f"{problem.code}: {problem.detail or problem.title}")
        self.status = status
        self.code = problem.code
        self.detail = problem.detail
        self.problems = problem.problems
        self.retry_after_ms = problem.retry_after_ms


class ReceiptError(RuntimeError):
    """The venue's receipts are not signed by the key that it named, or that was pinned.

    `receipt` is the one that came for a command, which may have been done; None where the venue
    names another signer before anything was sent.
    """

    def __init__(self, message: str, receipt: Receipt | None = None) -> None:
        super().__init__(message)
        self.receipt = receipt
