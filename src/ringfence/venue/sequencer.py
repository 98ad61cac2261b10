"""The sequencer's stamp: every row of a batch gets the time, and the pool's clock goes first."""

from ringfence.core.command import Kind, Rows, cells, rows
from ringfence.core.pool import Pool, Total


def with_clock(pool: Pool, batch: Rows, time_ns: int) -> Rows:
    """Stamp rows, and put a clock row before them when the pool's clock is behind."""
    extra = int(time_ns > pool.total[Total.NOW_NS])
    stamped = rows(extra + len(batch))
    cells(stamped)[extra:] = cells(batch)
    stamped["time_ns"] = time_ns
    if extra:
        stamped["kind"][0] = Kind.ADVANCE_CLOCK
    return stamped
