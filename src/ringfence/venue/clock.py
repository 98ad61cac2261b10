"""Clocks: the only places where time comes from; the core gets it in commands."""

import time
from typing import Protocol


class Clock(Protocol):
    """Something that tells the time in ns since 1970."""

    def now_ns(self) -> int:
        """Return the time now."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """Return the machine's time."""
        return time.time_ns()


class ManualClock:
    """A clock that stands still until it is set; for replays, simulations and tests."""

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """Return the time it was last set to."""
        return self._now_ns

    def set(self, now_ns: int) -> None:
        """Set the time; it may also go back, as a machine's clock can."""
        self._now_ns = now_ns
