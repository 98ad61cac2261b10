"""Print the digests of a pool and its statuses after a file of command rows.

Run as a module by the tests that compare processes: a spec's name, then the file.
"""

import hashlib
import sys

import numpy as np
from tests.properties.pools import SPECS, new_pool
from tests.properties.running import replayed

from ringfence.core.pool import pool_bytes

if __name__ == "__main__":
    pool = new_pool(SPECS[sys.argv[1]])
    statuses = replayed(pool, np.load(sys.argv[2]))
    print(hashlib.sha256(pool_bytes(pool)).hexdigest())  # noqa: T201 - the parent reads it
    print(hashlib.sha256(statuses.astype("<i8").tobytes()).hexdigest())  # noqa: T201 - as above
