"""Pools to measure on: any number of one-leg accounts, built by the machine's own commands."""

import numpy as np

from ringfence.columns import Column
from ringfence.core.command import Kind, Rows, rows
from ringfence.core.creation import create_pool
from ringfence.core.log import Log, empty_log, recorded, room_for_one
from ringfence.core.machine import apply
from ringfence.core.pool import Pool
from ringfence.core.spec import InstrumentSpec, PoolSpec, Tier, UnderlyingSpec
from ringfence.core.status import Status
from ringfence.units import PRICE_UNIT, SECOND_NS, UNIT

START_NS = 1_700_000_000 * SECOND_NS
PRICE = 1000 * PRICE_UNIT
SIZE = UNIT // 10  # of every position: a notional of 100 in the settlement currency
MARGIN_MIN, MARGIN_MAX = 10 * 10**6, 100 * 10**6  # quote units, drawn evenly
CHUNK = 2**19  # commands built and applied at once

# Longs are half of the accounts, and their margins spread evenly, so this price brings a
# fifth of them, a tenth of all accounts, below a maintenance margin of 2.5 %.
CRASH_PRICE = 739 * PRICE_UNIT
CALM_PRICE = 999 * PRICE_UNIT

SPEC = PoolSpec(
    name="bench",
    settlement="USDC",
    cash_cap="4000000000",
    underlyings=(
        UnderlyingSpec(
            "ETH",
            price_max="4000",
            tiers=(
                Tier("0", "0.05", "0.025"),
                Tier("100000", "0.1", "0.05"),
                Tier("1000000", "0.2", "0.1"),
            ),
            open_interest_lower="900000000",
            open_interest_upper="1000000000",
        ),
    ),
    instruments=(
        InstrumentSpec(
            "ETH-PERP",
            "ETH",
            lot="0.001",
            tick="0.01",
            position_cap="1000000",
            open_interest_cap="1000000",
        ),
    ),
)


class WorkError(RuntimeError):
    """The work that was to be measured was not done, so its time says nothing."""


def command_rows(kind: Kind, count: int) -> Rows:
    """Return rows of one kind, to be filled in."""
    batch = rows(count)
    batch["kind"] = kind
    batch["time_ns"] = START_NS
    return batch


def demand_accepted(what: str, statuses: Column) -> None:
    """Check that every command was accepted.

    Raises:
        WorkError: One was not; names the first status.
    """
    refused = statuses[statuses != Status.OK]
    if len(refused):
        raise WorkError(f"{what}: {len(refused)} refused, first {Status(int(refused[0])).name}")


def applied(what: str, pool: Pool, batch: Rows) -> Log:
    """Apply rows that must all be accepted; return their log."""
    statuses = np.empty(len(batch), dtype=np.int64)
    talks = int(np.count_nonzero(batch["kind"] == Kind.LIQUIDATE))
    log = empty_log(talks * room_for_one(pool))
    apply(pool, batch, statuses, log)
    demand_accepted(what, statuses)
    return log


def price_rows(price: int, seconds: int) -> Rows:
    """Return a new index and mark price at a time after the start."""
    batch = rows(3)
    now = START_NS + seconds * SECOND_NS
    batch["time_ns"] = now
    batch["kind"] = (Kind.ADVANCE_CLOCK, Kind.SET_INDEX_PRICE, Kind.SET_MARK_PRICE)
    batch["price"] = (0, price, price)
    batch["size"] = (0, now, 0)
    return batch


def opening_rows(accounts: int) -> Rows:
    """Return rows that open accounts, one for each of as many owners."""
    batch = command_rows(Kind.OPEN_ACCOUNT, accounts)
    batch["other"] = np.arange(accounts)
    batch["amount"] = 1
    return batch


def deposit_rows(first: int, amounts: Column) -> Rows:
    """Return deposits of cash into accounts from the first one on."""
    batch = command_rows(Kind.DEPOSIT, len(amounts))
    batch["account"] = np.arange(first, first + len(amounts))
    batch["amount"] = amounts
    return batch


def pair_rows(first: int, pairs: int) -> Rows:
    """Return trades in which each account buys SIZE from the one after it."""
    batch = command_rows(Kind.TRADE, pairs)
    batch["account"] = first + 2 * np.arange(pairs)
    batch["other"] = batch["account"] + 1
    batch["size"] = SIZE
    batch["price"] = PRICE
    return batch


def populated_pool(accounts: int, *, seed: int = 1) -> Pool:
    """Return a pool with accounts 1 to `accounts` (an even number), half long and half short."""
    rng = np.random.default_rng(seed)
    pool = create_pool(SPEC, owner=0, now_ns=START_NS, accounts=accounts + 1)
    applied("prices", pool, price_rows(PRICE, 1))
    for first in range(1, accounts + 1, CHUNK):
        count = min(CHUNK, accounts + 1 - first)
        applied("accounts", pool, opening_rows(count))
        margins = rng.integers(MARGIN_MIN, MARGIN_MAX, count)
        applied("deposits", pool, deposit_rows(first, margins))
        applied("trades", pool, pair_rows(first, count // 2))
    return pool


def liquidated(log: Log) -> int:
    """Count the accounts that a batch of liquidations recorded events of."""
    return len(np.unique(recorded(log)["account"]))
