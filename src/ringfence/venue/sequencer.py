"""The sequencer's stamp: every row of a batch gets the time, and the pool's clock goes first."""

from ringfence.compiled import kernel
from ringfence.core.command import Kind, Rows, cells, rows
from ringfence.core.log import room_for_one
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


def events_at_most(pool: Pool, rows: Rows) -> int:
    """Events that a batch can record at most; most kinds record none."""
    return rows_that_record(rows) * room_for_one(pool)


@kernel
def rows_that_record(rows: Rows) -> int:
    """Rows of a batch whose kind records events."""
    count = 0
    for r in range(rows.size):
        kind = rows[r]["kind"]
        count += kind in (Kind.LIQUIDATE, Kind.SETTLE, Kind.EXPIRE, Kind.ADVANCE_CLOCK)
    return count
