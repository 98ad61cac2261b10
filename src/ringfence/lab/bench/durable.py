"""Durable commands a second: applied, hash-chained, in SQLite and anchored before the answer.

The bound is a program that does nothing but append the same bytes to a file and wait for the
disk (fdatasync). Both wait, so both are timed by the clock on the wall, in turn.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ringfence.core.command import Kind, Rows
from ringfence.core.reading import scaled
from ringfence.core.status import Status
from ringfence.lab.bench.commands import mixed_rows, random_rows
from ringfence.lab.bench.measure import Result, against, seconds_in_turn
from ringfence.lab.bench.pools import (
    CHUNK,
    MARGIN_MAX,
    PRICE,
    SPEC,
    START_NS,
    WorkError,
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
GOALS = {8_192: 0.5}
RAW = "raw append and fdatasync of the same bytes"
DEPOSIT_ASSET = "USDC"
WALLET = "1000"

_MILLION = 1e6


def address(number: int) -> bytes:
    """Return the address of an owner of the bench."""
    return number.to_bytes(20, "big")


def demand_accepted_by(venue: Venue, pool: str, batch: Rows) -> None:
    """Let the venue run a batch of which every row must be accepted.

    Raises:
        WorkError: One was refused.
    """
    refused = [s for s in venue.execute_many(pool, batch).statuses.tolist() if s != Status.OK]
    if refused:
        raise WorkError(f"the venue refused {len(refused)} rows, first {Status(refused[0]).name}")


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


def _of_kind(name: str, venue: Venue, pool: str, log: int, batch: Rows, *, rounds: int) -> Result:
    """Measure one batch, durable, against appending its entry to a file."""
    size = len(batch)
    no_events = venue.execute_many(pool, batch).events
    body = encode_batch(batch, Outcome(np.zeros(size, dtype=np.int64), no_events))
    contenders = {
        "durable": lambda: demand_accepted_by(venue, pool, batch),
        "raw": lambda: append_durably(log, venue.journal.head, body),
    }
    times = seconds_in_turn(contenders, rounds, time.perf_counter_ns)
    durable, raw = (statistics.median(times[name]) for name in ("durable", "raw"))
    return against(
        f"{name}, durable, {size:,} a batch",
        size / durable / _MILLION,
        "M/s",
        RAW,
        raw / durable,
        GOALS.get(size),
    )


def measured_durable(*, quick: bool) -> Iterator[Result]:
    """Measure deposits and a mix of commands at several batch sizes."""
    accounts = 200 if quick else 10_000
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        venue, pool = populated_venue(Path(folder) / "bench.journal", accounts)
        log = os.open(Path(folder) / "raw.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        try:
            for size in (1, 100) if quick else BATCHES:
                rounds = 3 if quick else 40
                deposits = random_rows(Kind.DEPOSIT, size, accounts, rng)
                yield _of_kind("deposits", venue, pool, log, deposits, rounds=rounds)
                if size >= 4:
                    mix = mixed_rows(size, accounts, rng)
                    yield _of_kind("mixed", venue, pool, log, mix, rounds=rounds)
        finally:
            os.close(log)
            venue.close()
