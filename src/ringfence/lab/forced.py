"""What is closed by force and reaches the market: sales of backstops, and keepers who bid.

Each pool has keepers, bots that watch its auctions and buy what is offered once that gains
them enough. What a keeper has bought it sells on the next tick; so does a backstop, in the
parts that its pool allows. The pool's maker buys all of it at the mark or the index price,
and hedges outside: that is what market impact feels.
"""

from collections.abc import Callable

import numpy as np

from ringfence.core.auction import WHOLE, auction_notional, offer_of
from ringfence.core.backstop import disposable_amount, disposable_lots, is_paced
from ringfence.core.command import Kind
from ringfence.core.health import debt_of
from ringfence.core.margin import position_value
from ringfence.core.pool import BACKSTOP, CASH, Pool, Step, Total
from ringfence.lab.population import MAKER
from ringfence.lab.stage import KEEPERS, Stage
from ringfence.risk.survey import hold_anything
from ringfence.units import PPM
from ringfence.venue.state import PoolRecord

# What each keeper wants to gain, in ppm of the notional and debt that he takes over.
DEMANDS = (1_000, 2_500, 5_000)

SELLERS = np.array([BACKSTOP, *KEEPERS])

Push = Callable[[str, int], None]  # of a feed, by a value in quote units


class Forced:
    """Backstops and keepers of every pool of a stage."""

    def __init__(self, stage: Stage, push: Push) -> None:
        self._stage = stage
        self._push = push

    def act(self) -> None:
        """Put sales and bids of this tick on the stage's list."""
        for k, record in enumerate(self._stage.records):
            if hold_anything(record.pool, SELLERS):
                self._sell_backstop(k, record)
                for keeper in KEEPERS:
                    self._sell_keeper(k, record, keeper)
            if record.pool.total[Total.AUCTIONED]:
                self._bid(k, record.pool)

    def _sell_backstop(self, k: int, record: PoolRecord) -> None:
        pool = record.pool
        for i in np.flatnonzero(pool.size[BACKSTOP]).tolist():
            if is_paced(pool, pool.disposed_at[i]):
                continue
            lots = disposable_lots(pool, i) * (1 if pool.size[BACKSTOP, i] > 0 else -1)
            size = int(lots * pool.lot[i])
            self._stage.add(k, kind=Kind.BUY_FROM_BACKSTOP, account=MAKER, instrument=i, size=size)
            self._feel_position(record, i, -size)
        for c in (np.flatnonzero(pool.balance[BACKSTOP, CASH + 1 :]) + CASH + 1).tolist():
            if is_paced(pool, pool.asset_disposed_at[c]):
                continue
            amount = int(disposable_amount(pool, c))
            self._stage.add(k, kind=Kind.BUY_COLLATERAL, account=MAKER, asset=c, amount=amount)
            self._feel_coins(record, c, -amount)

    def _sell_keeper(self, k: int, record: PoolRecord, keeper: int) -> None:
        pool, with_maker = record.pool, {"account": keeper, "other": MAKER}
        for i in np.flatnonzero(pool.size[keeper]).tolist():
            size = -int(pool.size[keeper, i])
            price = int(pool.mark_price[i])
            self._stage.add(k, kind=Kind.TRADE, instrument=i, size=size, price=price, **with_maker)
            self._feel_position(record, i, size)
        for c in (np.flatnonzero(pool.balance[keeper, CASH + 1 :]) + CASH + 1).tolist():
            amount = int(pool.balance[keeper, c])
            price = int(pool.index_price[pool.asset_underlying[c]])
            self._stage.add(
                k, kind=Kind.EXCHANGE, asset=c, amount=amount, price=price, **with_maker
            )
            self._feel_coins(record, c, -amount)
        owed = min(debt_of(pool, pool.debt_shares[keeper]), int(pool.balance[keeper, CASH]))
        if owed > 0:
            self._stage.add(k, kind=Kind.REPAY, account=keeper, amount=owed)

    def _bid(self, k: int, pool: Pool) -> None:
        """Let the keeper who watches an auction take what is offered, if it gains him enough."""
        for a in np.flatnonzero(pool.step == Step.AUCTION).tolist():
            watcher = a % len(KEEPERS)
            offer, taken = offer_of(pool, a), auction_notional(pool, a)
            if offer.price <= 0 or offer.bonus * PPM < DEMANDS[watcher] * taken:
                continue
            self._stage.add(
                k,
                kind=Kind.BID,
                account=KEEPERS[watcher],
                other=a,
                amount=WHOLE,
                size=max(taken * offer.largest // WHOLE * DEMANDS[watcher] // PPM, 0),
            )

    def _feel_position(self, record: PoolRecord, i: int, size: int) -> None:
        pool = record.pool
        value = position_value(size, int(pool.mark_price[i]), int(pool.value_divisor[0]))
        self._push(record.spec.instruments[i].underlying, value)

    def _feel_coins(self, record: PoolRecord, c: int, amount: int) -> None:
        pool = record.pool
        price = int(pool.index_price[pool.asset_underlying[c]])
        value = position_value(amount, price, int(pool.value_divisor[0]))
        self._push(record.spec.collateral[c - 1].underlying, value)


assert len(DEMANDS) == len(KEEPERS)
