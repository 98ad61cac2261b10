"""Ctrl-C as a wish: what is at hand is finished, and what there is by then is shown."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Yield a question: has Ctrl-C been pressed? A second press ends the command at once."""
    asked: list[int] = []

    def note(_signal: int, _frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(1)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # only the main thread can receive it
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)
