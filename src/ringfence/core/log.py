"""The log of one batch: events that kernels record beside the state, for receipts."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ringfence.columns import Column
from ringfence.compiled import kernel
from ringfence.core.command import EVENT, Happening, Kind, Rows
from ringfence.core.pool import Pool, Total


class Log(NamedTuple):
    """Room for events, and how many of them and which command row are current."""

    events: NDArray[np.void]
    position: Column  # [2] events recorded, row of the command


COUNT, ROW = 0, 1
EVENTS_OF_LOSER = 5  # position, claim, lent cash, capital, shortfall; and one for each asset
DELEVERAGED_MAX = 100_000  # events of one deleveraging; they still fit into a journal entry


def empty_log(room: int) -> Log:
    """Return a log with room for that many events."""
    return Log(np.zeros(room, dtype=EVENT), np.zeros(2, dtype=np.int64))


def recorded(log: Log) -> NDArray[np.void]:
    """Return the events recorded so far."""
    return log.events[: log.position[COUNT]]


def room_for_one(pool: Pool) -> int:
    """Events that one command can record at most; deleveraging apart."""
    return len(pool.mark_price) + len(pool.asset_underlying) + len(pool.change) + 8


def room_for(pool: Pool, rows: Rows) -> int:
    """Events that a batch can record at most; most kinds record none."""
    single, whole = recording_rows(rows)
    # Whoever is closed, on either side, may come to its end with it.
    accounts = int(pool.total[Total.ACCOUNTS]) + len(rows)
    each = 1 + EVENTS_OF_LOSER + len(pool.asset_underlying)
    return single * room_for_one(pool) + whole * min(accounts * each + 1, DELEVERAGED_MAX)


@kernel
def recording_rows(rows: Rows) -> tuple[int, int]:
    """Rows of a batch whose kind records events, and those that deleverage."""
    single, whole = 0, 0
    for r in range(rows.size):
        kind = rows[r]["kind"]
        single += kind in (
            Kind.LIQUIDATE,
            Kind.BID,
            Kind.SETTLE,
            Kind.EXPIRE,
            Kind.ADVANCE_CLOCK,
            Kind.TOP_UP,
            Kind.REDUCE,
            Kind.WARN,
            Kind.END_POOL,
        )
        whole += kind == Kind.DELEVERAGE
    return single, whole


@kernel
def next_event(log: Log, kind: Happening) -> int:
    """Start an event and return its row."""
    e = log.position[COUNT]
    assert e < log.events.size
    log.position[COUNT] += 1
    event = log.events[e]
    event["row"] = log.position[ROW]
    event["kind"] = kind
    return e


@kernel
def record_total(log: Log, kind: Happening, value: int, shortfall: int) -> None:
    """Record something that concerns the whole pool."""
    event = log.events[next_event(log, kind)]
    event["account"] = -1
    event["index"] = -1
    event["value"] = value
    event["shortfall"] = shortfall


@kernel
def record_change(pool: Pool, log: Log, parameter: int, index: int, value: int) -> None:
    """Record that a parameter change became active."""
    event = log.events[next_event(log, Happening.CHANGE_ACTIVATED)]
    event["account"] = parameter
    event["index"] = index
    event["value"] = value
    event["version"] = pool.total[Total.VERSION]
