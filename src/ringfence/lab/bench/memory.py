"""Memory of a million accounts: of a pool alone, and of a whole venue that watches it."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ringfence.lab.bench.durable import populated_venue
from ringfence.lab.bench.machine import resident_memory
from ringfence.lab.bench.measure import Result, at_most
from ringfence.lab.bench.pools import WorkError, populated_pool

GIBIBYTE = 2**30
MILLION = 10**6
GOAL = 1.0  # GiB for a million accounts


def measured_memory(*, quick: bool) -> Iterator[Result]:
    """Measure how much the process grows; nothing where the system does not tell."""
    # Fewer would fit into memory that the process has taken before.
    accounts = MILLION // 5 if quick else MILLION
    for name, build in (("pool", _pool), ("venue with ladder", _venue)):
        build(1_000)  # what is compiled and imported on the way counts for nobody
        grown = _growth(build, accounts)
        if grown is not None:
            title = f"memory of a {name} for a million accounts, by {accounts:,}"
            yield at_most(title, grown / accounts * MILLION / GIBIBYTE, "GiB", GOAL)


def _growth(build: Callable[[int], object], accounts: int) -> int | None:
    before = resident_memory()
    kept = build(accounts)
    after = resident_memory()
    del kept
    return None if before is None or after is None else max(after - before, 0)


def _pool(accounts: int) -> object:
    return populated_pool(accounts)


def _venue(accounts: int) -> object:
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        venue, pool = populated_venue(Path(folder) / "bench.journal", accounts)
        if len(venue.unhealthy(pool)):
            raise WorkError("somebody is below maintenance before any price has moved")
        venue.journal.close()
        return venue
