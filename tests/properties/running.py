"""Applying single commands to a pool, and what a test wants to know of each."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ringfence.core.command import Kind, Rows, rows
from ringfence.core.log import empty_log, recorded, room_for
from ringfence.core.machine import apply
from ringfence.core.parameters import does_parameter_exist, parameter_column
from ringfence.core.pool import Pool, copied
from ringfence.core.status import Status


class Step(NamedTuple):
    """One command, its outcome and its events."""

    row: Rows
    status: Status
    events: NDArray[np.void]

    @property
    def kind(self) -> int:
        """What the command asked for; not always a Kind."""
        return int(self.row["kind"][0])

    def field(self, name: str) -> int:
        """A field of the command."""
        return int(self.row[name][0])

    def is_accepted(self, *kinds: Kind) -> bool:
        """Whether the command is of these kinds, or of any, and was accepted."""
        return self.status == Status.OK and (not kinds or self.kind in kinds)


def one_row(fields: dict[str, int]) -> Rows:
    """A batch of one command."""
    row = rows(1)
    for name, value in fields.items():
        row[name] = min(max(value, -(2**63)), 2**63 - 1)
    return row


def take_step(pool: Pool, row: Rows) -> Step:
    """Apply a batch of one command."""
    log = empty_log(room_for(pool, row))
    statuses = np.zeros(1, dtype=np.int64)
    apply(pool, row, statuses, log)
    return Step(row, Status(int(statuses[0])), recorded(log))


def do(pool: Pool, kind: Kind, **fields: int) -> Status:
    """Apply a command given by its fields."""
    return take_step(pool, one_row({"kind": int(kind), **fields})).status


def must(pool: Pool, kind: Kind, **fields: int) -> None:
    """Apply a command that has to be accepted."""
    status = do(pool, kind, **fields)
    assert status == Status.OK, f"{kind.name} {fields} was refused: {status.name}"


def outcome(pool: Pool, **fields: int) -> Status:
    """What a command would return, without doing it."""
    return take_step(copied(pool), one_row(fields)).status


def replayed(pool: Pool, commands: Rows) -> NDArray[np.int64]:
    """Apply a batch in one call and return the outcomes."""
    statuses = np.zeros(len(commands), dtype=np.int64)
    apply(pool, commands, statuses, empty_log(room_for(pool, commands)))
    return statuses


def last_that_holds(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Largest number from low to high at which something still holds; it holds at low."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def parameter_now(pool: Pool, parameter: int, index: int) -> int | None:
    """Value of a parameter now, or None where there is none."""
    if not does_parameter_exist(pool, parameter, index):
        return None
    return int(parameter_column(pool, parameter)[index])
