"""The engine: what a venue does by itself on every tick, pool by pool, down the waterfall."""

from abc import ABC, abstractmethod
from functools import partial

import numpy as np

from ringfence.columns import Column
from ringfence.core.command import Kind, Rows, rows
from ringfence.core.expiry import settlement_price
from ringfence.core.pool import CASH, Pool, account_count
from ringfence.venue.liquidator import (
    Ahead,
    Liquidator,
    accounts_to_warn,
    deleverage,
    in_entries,
    liquidations,
    run_waterfall,
    warnings,
)
from ringfence.venue.receipts import BatchReceipt, merged
from ringfence.venue.state import PoolRecord, State

FOREVER_NS = 2**63 - 1


class Engine(ABC):
    """The part of a venue that needs nobody's command."""

    state: State
    _liquidators: dict[bytes, Liquidator]
    _next_expiry: dict[bytes, int]  # ns, by pool: until then nothing is over

    @property
    @abstractmethod
    def time_ns(self) -> int:
        """Time of the newest entry."""

    @abstractmethod
    def record(self, pool: str) -> PoolRecord:
        """Return what the venue knows of a pool."""

    @abstractmethod
    def execute_many(self, pool: str, batch: Rows) -> BatchReceipt:
        """Apply a batch of rows to one pool."""

    def expire_due(self, pool: str) -> BatchReceipt | None:
        """Settle what is over of a pool, where a settlement price is known; None: nothing is."""
        record = self.record(pool)
        now_ns = self.time_ns
        if now_ns < self._next_expiry.get(record.id, 0):
            return None
        batch, self._next_expiry[record.id] = expiries(record.pool, now_ns)
        return self.execute_many(pool, batch) if len(batch) else None

    def liquidate_unhealthy(self) -> dict[str, BatchReceipt]:
        """Take every account a step on and warn whom it concerns, pool by pool, by number."""
        receipts = {}
        for record in self.state.pools.values():
            pool = record.id.hex()
            parts = self.step(pool, self.look(pool))
            if parts:
                receipts[pool] = merged(parts)
        return receipts

    def look(self, pool: str) -> Ahead:
        """Return what the engine has to do in a pool now; nothing is done by it."""
        record = self.record(pool)
        cash = self.state.wallets.amount[:, record.assets[CASH]]
        return self._liquidator(record).look(record.pool, cash)

    def step(self, pool: str, ahead: Ahead) -> list[BatchReceipt]:
        """Do what `look` has found in a pool; call both without a command between them."""
        if not ahead.has_steps and not ahead.has_warnings:
            return []
        record = self.record(pool)
        liquidator, execute = self._liquidator(record), partial(self.execute_many, pool)
        return run_waterfall(liquidator, record.pool, ahead, execute)

    def warn(self, pool: str) -> list[BatchReceipt]:
        """Tell every account of a pool that it has come below another level, or above one."""
        record = self.record(pool)
        everybody = np.arange(account_count(record.pool), dtype=np.int64)
        batches = in_entries(warnings(accounts_to_warn(record.pool, everybody)))
        return [self.execute_many(pool, batch) for batch in batches if len(batch)]

    def deleverage(self, pool: str) -> list[BatchReceipt]:
        """Close all who wait in a pool against the other side, an instrument at a time."""
        return deleverage(self.record(pool).pool, partial(self.execute_many, pool))

    def liquidate(self, pool: str, accounts: Column) -> BatchReceipt:
        """Liquidate some accounts of a pool; the core refuses those that are healthy."""
        parts = in_entries(liquidations(accounts))
        return merged([self.execute_many(pool, part) for part in parts])

    def unhealthy(self, pool: str) -> Column:
        """Accounts of a pool below maintenance now, found by its ladder."""
        record = self.record(pool)
        return self._liquidator(record).unhealthy(record.pool)

    def _liquidator(self, record: PoolRecord) -> Liquidator:
        """Return the liquidator of a pool, made when it is first asked for."""
        found = self._liquidators.get(record.id)
        if found is None:
            found = self._liquidators[record.id] = Liquidator(record.pool)
        return found


def expiries(pool: Pool, now_ns: int) -> tuple[Rows, int]:
    """Commands that settle what is over, and the time until when nothing more will be."""
    alive = np.flatnonzero((pool.expiry > 0) & (pool.expired == 0))
    over = [i for i in alive[pool.expiry[alive] <= now_ns].tolist() if settlement_price(pool, i)]
    batch = rows(len(over))
    batch["kind"], batch["instrument"] = Kind.EXPIRE, over
    left = np.setdiff1d(alive, over)
    return batch, int(pool.expiry[left].min()) if len(left) else FOREVER_NS
