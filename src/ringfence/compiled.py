"""The compiler flags of Ringfence, and a compile cache that cannot be stale.

formula: one quantity from scalars, or a short step that every command takes; inlined into
         its caller, so it costs no call.
kernel:  a loop over columns, or a state transition; the unit that Numba caches.

Numba looks only at the file of the cached function, neither at the files of what it
inlines nor at NUMBA_BOUNDSCHECK. So the cache folder is named after both: after the
flags, and after every module of every folder that holds a kernel. (A kernel takes
functions and constants from such folders only; the tidy test sees to it.)
"""

import hashlib
import os
from pathlib import Path

import numba

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

formula = numba.njit(cache=True, forceinline=True, error_model="numpy")
kernel = numba.njit(cache=True, error_model="numpy")
# A kernel that may run on several threads: it gives up the interpreter lock.
screen = numba.njit(cache=True, error_model="numpy", nogil=True)
