"""How a command ends: exit codes, and the one exception that stands for bad usage or input."""

import sys
from typing import NoReturn

OK, FINDING, USAGE = 0, 1, 2
INTERRUPTED = 130  # as shells say it: 128 and the number of the signal


class FailError(Exception):
    """Usage or input that a command cannot work with; ends it with exit code 2."""


def fail(message: str) -> NoReturn:
    """End the command with exit code 2; the message names the value and the fix."""
    raise FailError(message)


def note(line: str) -> None:
    """Tell something that is not the answer, on standard error."""
    sys.stderr.write(line + "\n")
