"""Durable commands a second: applied, hash-chained, in SQLite and anchored before the answer.

The bound is a program that does nothing but append the same bytes to a file and wait for the
disk (fdatasync). Both wait, so both are timed by the clock on the wall, in turn. In a stream
of batches the journal commits one in its thread while the next one is applied and chained;
a batch still counts only when it is on disk.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ringfence.core.command import EVENT, Kind, Rows
from ringfence.core.reading import scaled
from ringfence.lab.bench.commands import mixed_rows, random_rows, there_and_back
from ringfence.lab.bench.measure import Result, Work, against, seconds_in_turn
from ringfence.lab.bench.pools import (
    CHUNK,
    MARGIN_MAX,
    PRICE,
    SPEC,
    START_NS,
    demand_accepted,
    deposit_rows,
    opening_rows,
    pair_rows,
    price_rows,
)
from ringfence.units import SECOND_NS
from ringfence.venue.clock import ManualClock
from ringfence.venue.entries import encode_batch
from ringfence.venue.state import Outcome, Receive, RegisterOwner
from ringfence.venue.venue import Venue

BATCHES = (1, 100, 1_000, 8_192)
GOALS = {8_192: 0.5}  # of a stream, which is how a busy venue commits
RAW = "raw append and fdatasync of the same bytes"
DEPOSIT_ASSET = "USDC"
WALLET = "1000"

ROUNDS = 24
STREAM = 32  # batches in a stream


def address(number: int) -> bytes:
    """Return the address of an owner of the bench."""
    return number.to_bytes(20, "big")


def demand_accepted_by(venue: Venue, pool: str, batch: Rows) -> None:
    """Let the venue run a batch of which every row must be accepted.

    Raises:
        WorkError: One was refused.
    """
    demand_accepted("the venue", venue.execute_many(pool, batch).statuses)


def populated_venue(url: Path | str, accounts: int) -> tuple[Venue, str]:
    """Return a venue with a pool in which every owner has an account and a position.

    Owners and their money are put into the registries directly; a venue would do so one at a
    time.
    """
    venue = Venue.open(url, clock=ManualClock(START_NS + SECOND_NS))
    venue.list_asset(DEPOSIT_ASSET, SPEC.settlement_decimals)
    pool = venue.create_pool(SPEC, "0x" + address(0).hex())
    units = scaled(WALLET, 10**SPEC.settlement_decimals)
    for number in range(1, accounts + 1):
        venue.state.apply(RegisterOwner(address(number)))
        venue.state.apply(Receive(number, 0, units))
    demand_accepted_by(venue, pool, price_rows(PRICE, 1)[1:])
    step = CHUNK // 8  # a batch is one entry of the journal, which has a limit
    for first in range(1, accounts + 1, step):
        count = min(step, accounts + 1 - first)
        margins = np.full(count, MARGIN_MAX)
        opening = opening_rows(count)
        opening["other"] += first
        for batch in (opening, deposit_rows(first, margins), pair_rows(first, count // 2)):
            demand_accepted_by(venue, pool, batch)
    return venue, pool


def append_durably(file: int, head: bytes, body: bytes) -> None:
    """Append one batch to a file and wait until it is on disk."""
    os.writev(file, (head, body))
    os.fdatasync(file)


def stream(venue: Venue, pool: str, batch: Rows) -> None:
    """Run a batch STREAM times, each applied while the one before it is being committed."""
    waiting = [venue.submit_many(pool, batch) for _ in range(STREAM)]
    for future in waiting:
        demand_accepted("the venue", future.result().statuses)


def append_stream(file: int, head: bytes, body: bytes) -> None:
    """Append STREAM batches, waiting for the disk after each."""
    for _ in range(STREAM):
        append_durably(file, head, body)


def _compared(
    name: str, size: int, rows_a_turn: int, contenders: dict[str, Work], goal: float | None
) -> Result:
    """Measure two contenders in turn; the first one is ours."""
    rounds = ROUNDS if size == BATCHES[-1] else ROUNDS // 2
    times = seconds_in_turn(contenders, rounds, time.perf_counter_ns)
    durable, raw = (statistics.median(times[name]) for name in contenders)
    rate, ratio = rows_a_turn / durable, raw / durable
    return against(f"{name}, {size:,} a batch", rate, "commands/s", RAW, ratio, goal)


def _of_batch(name: str, venue: Venue, pool: str, log: int, batch: Rows) -> Iterator[Result]:
    """Measure one batch, alone and in a stream, against appending its entry to a file."""
    size, head = len(batch), venue.journal.head
    body = encode_batch(batch, Outcome(np.zeros(size, dtype=np.int64), np.zeros(0, dtype=EVENT)))
    alone: dict[str, Work] = {
        "durable": lambda: demand_accepted_by(venue, pool, batch),
        "raw": lambda: append_durably(log, head, body),
    }
    yield _compared(f"{name}, durable", size, size, alone, None)
    streamed: dict[str, Work] = {
        "durable": lambda: stream(venue, pool, batch),
        "raw": lambda: append_stream(log, head, body),
    }
    goal = GOALS.get(size)
    yield _compared(f"{name}, durable, streamed", size, size * STREAM, streamed, goal)


def measured_durable(*, quick: bool) -> Iterator[Result]:
    """Measure deposits and a mix of commands at several batch sizes."""
    accounts = 200 if quick else 10_000
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        venue, pool = populated_venue(Path(folder) / "bench.journal", accounts)
        log = os.open(Path(folder) / "raw.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        try:
            for size in BATCHES[:2] if quick else BATCHES:
                deposits = random_rows(Kind.DEPOSIT, size, accounts, rng)
                yield from _of_batch("deposits", venue, pool, log, deposits)
                if size >= 8:
                    # The same batch is run hundreds of times, so its trades must cancel out.
                    mix = there_and_back(mixed_rows(size // 2, accounts, rng))
                    yield from _of_batch("mixed", venue, pool, log, mix)
        finally:
            os.close(log)
            venue.close()
