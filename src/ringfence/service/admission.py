"""How many commands are worked on at the same time; more would only make all of them wait.

What can only reduce risk waits for its turn; other commands are refused at once when they would
have to. So an answer to those that are taken comes as soon as when nobody else is there, and
what reduces risk is answered however many others there are.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from ringfence.service.problems import ProblemError
from ringfence.service.writer import REDUCING_MAX

SLOTS = 8  # commands that are worked on
REDUCING_SLOTS = 6  # of these, what reduces risk may take so many
AGAIN_MS = 1000  # at least; and as much again by chance, so that not all come back at once


class Admission:
    """The slots of one service; lives in the event loop's thread."""

    def __init__(self) -> None:
        self._others = self._reducing = 0
        self._slots = asyncio.Semaphore(REDUCING_SLOTS)

    @asynccontextmanager
    async def slot(self, *, reduces_risk: bool) -> AsyncIterator[None]:
        """Work on a command.

        Raises:
            ProblemError: There is too much to do; nothing was done.
        """
        if not reduces_risk:
            with self.slot_at_once():
                yield
            return
        if self._reducing >= REDUCING_MAX:
            raise _busy(f"{self._reducing} commands that reduce risk are waiting")
        self._reducing += 1
        try:
            async with self._slots:
                yield
        finally:
            self._reducing -= 1

    @contextmanager
    def slot_at_once(self) -> Iterator[None]:
        """Work on a command that may add risk.

        Raises:
            ProblemError: It would have to wait.
        """
        taken = self._others + min(self._reducing, REDUCING_SLOTS)
        if taken >= SLOTS:
            raise _busy(f"{taken} commands are under way")
        self._others += 1
        try:
            yield
        finally:
            self._others -= 1


def _busy(detail: str) -> ProblemError:
    return ProblemError("busy", detail, retry_after_ms=AGAIN_MS + secrets.randbelow(AGAIN_MS))
