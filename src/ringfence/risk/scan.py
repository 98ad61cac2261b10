"""The scenario scan: worst scenario and value of every account of a pool, in exact integers.

    worst[a] = min(0, min over scenarios of sum over legs of size * profit of the instrument)
    value[a] = sum over legs of size * mark

Sizes are in lots and risk arrays in quote units per lot, so nothing is rounded here. Limits:
no sum of an account may leave 62 bits, which `scan` checks against the largest it could be.

An account's legs stand in a row. The table has a row an instrument and its mark in the last
lane; grids of more than 39 scenarios take several blocks, the least of which counts.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ringfence.compiled import screen
from ringfence.risk.lanes import LAST, WIDTH, Indices, Ints, least_and_last

SUM_MAX = 2**62
ACCOUNTS_OF_A_SLICE = 16_384  # some quarter of a millisecond of work for a thread
LINE = 64  # bytes of a cache line; a table that begins at one is read a quarter faster


class Legs(NamedTuple):
    """Positions of accounts, one after the other."""

    start: Ints  # [a + 1] first leg of each account, and the end of the last
    instrument: Indices  # [leg]
    size: Ints  # [leg] lots, long > 0
    gross: int  # largest sum of |size| of an account
    instruments: int  # that a table must have at least


class Scan(NamedTuple):
    """What a scan finds of every account."""

    worst: Ints  # [a] quote units, <= 0
    value: Ints  # [a] quote units


def legs_of(start: ArrayLike, instrument: ArrayLike, size: ArrayLike) -> Legs:
    """Positions of accounts; sizes in lots.

    Raises:
        ValueError: The columns do not fit together, or sizes leave 62 bits.
    """
    begin = np.ascontiguousarray(start, dtype=np.int64)
    which = np.ascontiguousarray(instrument, dtype=np.int32)
    lots = np.ascontiguousarray(size, dtype=np.int64)
    if which.shape != lots.shape or lots.ndim != 1:
        raise ValueError(f"instruments are {which.shape}, but sizes are {lots.shape}")
    is_whole = begin.ndim == 1 and len(begin) > 0 and begin[0] == 0 and begin[-1] == len(lots)
    if not is_whole or np.any(np.diff(begin) < 0):
        raise ValueError(f"start must rise from 0 to {len(lots)}, the number of legs")
    if which.min(initial=0) < 0:
        raise ValueError(f"instrument {which.min()} must not be negative")
    return Legs(begin, which, lots, _gross(begin, lots), int(which.max(initial=-1)) + 1)


def _gross(start: Ints, size: Ints) -> int:
    """Largest sum of |size| of an account, from above where it is large."""
    counts = np.diff(start)
    if not len(size):
        return 0
    largest = max(int(size.max()), -int(size.min()))
    bound = largest * int(counts.max())
    if bound > SUM_MAX:
        raise ValueError(f"a size of {largest} lots is too large; use larger lots")
    # An account without legs would be given the first leg of the next one, so leave it out.
    filled = start[:-1][counts > 0]
    return int(np.add.reduceat(np.abs(size), filled).max())


def new_table(instruments: int, scenarios: int) -> Ints:
    """Return an empty table [block, instrument, lane] that begins at a cache line."""
    blocks = max(1, -(-scenarios // LAST))
    count = blocks * instruments * WIDTH
    memory = np.zeros(count + LINE // 8, dtype=np.int64)
    skip = -memory.ctypes.data % LINE // 8
    return memory[skip : skip + count].reshape(blocks, instruments, WIDTH)


def fill(table: Ints, arrays: Ints, marks: Ints) -> None:
    """Write risk arrays [instrument, scenario] and marks [instrument] into a table."""
    blocks, instruments, _ = table.shape
    scenarios = arrays.shape[1]
    if arrays.shape[0] != instruments or marks.shape != (instruments,):
        raise ValueError(f"{instruments} instruments, but arrays {arrays.shape} {marks.shape}")
    if blocks != max(1, -(-scenarios // LAST)):
        raise ValueError(f"a table of {blocks} blocks has no place for {scenarios} scenarios")
    for b in range(blocks):
        part = arrays[:, b * LAST : (b + 1) * LAST]
        table[b, :, : part.shape[1]] = part
    table[0, :, LAST] = marks


@screen
def scan_columns(
    start: Ints, instrument: Indices, size: Ints, table: Ints, worst: Ints, value: Ints
) -> None:
    """Find worst scenario and value of accounts one by one."""
    rows = table[0]
    for a in range(worst.size):
        worst[a], value[a] = least_and_last(instrument, size, rows, start[a], start[a + 1])
    for b in range(1, table.shape[0]):
        rows = table[b]
        for a in range(worst.size):
            least, _ = least_and_last(instrument, size, rows, start[a], start[a + 1])
            worst[a] = min(worst[a], least)


def scan(legs: Legs, table: Ints, *, threads: int = 1, into: Scan | None = None) -> Scan:
    """Worst scenario and value of every account; the same integers on any number of threads.

    into: columns of an earlier scan of the same accounts to write into; new memory costs time.

    Raises:
        ValueError: A leg names an instrument that the table has not, or `into` does not fit.
        OverflowError: The value of an account might leave 62 bits.
    """
    if legs.instruments > table.shape[1]:
        raise ValueError(f"legs name {legs.instruments} instruments, the table {table.shape[1]}")
    largest = max(int(table.max(initial=0)), -int(table.min(initial=0)))
    if legs.gross * largest > SUM_MAX:
        raise OverflowError(
            f"{legs.gross} lots at {largest} quote units leave 62 bits; use larger lots"
        )
    count = len(legs.start) - 1
    found = into or Scan(np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64))
    if len(found.worst) != count or len(found.value) != count:
        raise ValueError(f"there are {count} accounts, but columns for {len(found.worst)}")

    def one_slice(first: int) -> None:
        part = slice(first, first + ACCOUNTS_OF_A_SLICE)
        start = legs.start[first : first + ACCOUNTS_OF_A_SLICE + 1]
        columns = (start, legs.instrument, legs.size, table)
        scan_columns(*columns, found.worst[part], found.value[part])

    firsts = range(0, count, ACCOUNTS_OF_A_SLICE)
    if threads > 1 and len(firsts) > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one_slice, firsts))
    else:
        for first in firsts:
            one_slice(first)
    return found
