"""The compiler flags of Ringfence, and a compile cache that cannot be stale.

formula: one quantity from scalars, or a short step that every command takes; inlined into
         its caller, so it costs no call.
kernel:  a loop over columns, or a state transition; the unit that Numba caches.

Numba looks only at the file of the cached function, neither at the files of what it
inlines nor at NUMBA_BOUNDSCHECK. So the cache folder is named after both: after the
flags, and after every module of every folder that holds a kernel. (A kernel takes
functions and constants from such folders only; the tidy test sees to it.) Folders of
other sources and flags go when nobody has used them for a week.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache

_SOURCE = Path(__file__).parent
_FLAGS = sorted(f"{k}={v}" for k, v in os.environ.items() if k.startswith("NUMBA_"))
_DIGEST = hashlib.blake2b(repr(_FLAGS).encode(), digest_size=8)
_KERNEL_FOLDERS = {
    file.parent for file in _SOURCE.rglob("*.py") if b"ringfence.compiled" in file.read_bytes()
}
for _file in sorted(file for folder in {_SOURCE, *_KERNEL_FOLDERS} for file in folder.glob("*.py")):
    _DIGEST.update(_file.read_bytes())

CACHE = _SOURCE / "__pycache__" / _DIGEST.hexdigest()
numba.config.CACHE_DIR = str(CACHE)  # type: ignore[attr-defined]
UNUSED_SECONDS = 7 * 24 * 3600  # after which the cache of another source is removed


def last_used(cache: Path) -> float:
    """When a process last began with a cache, or added to it, in seconds since 1970."""
    return max(folder.stat().st_mtime for folder in (cache, *cache.iterdir()))


def remove_unused_caches(current: Path) -> None:
    """Mark a cache as used now, and remove those beside it that have long been unused.

    A process that still uses one loses time and nothing else: what it finds no more, it compiles
    again. What cannot be marked or removed stays.
    """
    with suppress(OSError):  # not there yet, or another user's
        os.utime(current)
        now = current.stat().st_mtime  # of the clock that stamps the others
        for cache in current.parent.iterdir():
            if cache == current or not re.fullmatch("[0-9a-f]{16}", cache.name):
                continue
            with suppress(OSError):
                if now - last_used(cache) > UNUSED_SECONDS:
                    shutil.rmtree(cache, ignore_errors=True)


remove_unused_caches(CACHE)


class _Cache(FunctionCache):
    """A cache whose kernels hand on what must be there before they are loaded (`separate`).

    Numba restores that for the loaded kernel itself, but not for callers compiled later, into
    which it is linked.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Load a kernel compiled for a signature; None where there is none."""
        loaded = super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        if loaded is not None:
            loaded.library._reload_init.update(loaded.reload_init or ())  # noqa: SLF001 - as numba
        return loaded


def _decorator(**options: Any) -> Callable[[Any], Any]:
    """Return numba's decorator with these options and the flags and cache of Ringfence."""

    def decorate(function: Any) -> Any:
        compiled = numba.njit(cache=True, error_model="numpy", **options)(function)
        if not numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
            compiled._cache = _Cache(function)  # type: ignore[no-untyped-call]  # noqa: SLF001 - as numba
        return compiled

    return decorate


formula = _decorator(forceinline=True)
kernel = _decorator()
# A kernel that may run on several threads: it gives up the interpreter lock.
screen = _decorator(nogil=True)
