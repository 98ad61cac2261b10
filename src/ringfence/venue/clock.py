"""Clocks: the only places where time comes from; the core gets it in commands."""

import time
from datetime import UTC, datetime
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


def iso_time(time_ns: int) -> str:
    """Return a time as ISO 8601 in UTC with milliseconds, as 2021-01-11T00:00:00.000Z."""
    seconds, rest = divmod(time_ns, 10**9)
    day = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{day}.{rest // 10**6:03d}Z"
