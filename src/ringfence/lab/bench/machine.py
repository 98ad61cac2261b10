"""What the measuring process takes of the machine."""

import gc
import os
from pathlib import Path

_STATM = Path("/proc/self/statm")
_MEMINFO = Path("/proc/meminfo")
UNKNOWN = 2**33  # bytes assumed free where the system does not say


def resident_memory() -> int | None:
    """Bytes of this process in memory, after collecting garbage; None: not told here."""
    gc.collect()
    if not _STATM.exists():
        return None
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def available_memory() -> int:
    """Bytes that the system can still give without swapping."""
    if not _MEMINFO.exists():
        return UNKNOWN
    lines = dict(line.split(":", 1) for line in _MEMINFO.read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024
