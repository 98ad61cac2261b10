"""Structured logs: one JSON object a line on standard error."""

import sys
import traceback
from typing import Any

import msgspec

from ringfence.venue.clock import SystemClock, iso_time


class Log:
    """Writes events with their fields; an exception is written with its traceback."""

    def __init__(self) -> None:
        self.is_quiet = False

    def info(self, event: str, **fields: Any) -> None:
        """Tell what happens."""
        self._write("info", event, fields)

    def error(self, event: str, *, error: BaseException | None = None, **fields: Any) -> None:
        """Tell what must not happen."""
        if error is not None:
            fields["error"] = f"{type(error).__name__}: {error}"
            fields["traceback"] = "".join(traceback.format_exception(error))
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, Any]) -> None:
        if self.is_quiet and level == "info":
            return
        at = {"time": iso_time(SystemClock().now_ns()), "level": level, "event": event}
        line = msgspec.json.encode(at | fields, enc_hook=str)
        sys.stderr.write(line.decode() + "\n")
        sys.stderr.flush()


log = Log()
