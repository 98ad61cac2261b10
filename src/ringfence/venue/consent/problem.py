"""Why a signed command is not taken: a stable code, and a sentence with the value and the fix."""

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One reason."""

    code: str
    message: str


class ConsentError(ValueError):
    """A signed command that lacks a consent; nothing has changed, and its nonce is not spent."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
