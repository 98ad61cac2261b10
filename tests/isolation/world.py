"""Random histories of a whole venue: several pools, owners with accounts in many of them.

Each pool has a history of its own (tests/properties/histories.py) that looks at the live
pool while it draws, so it gets to rare states; all of them share owners, wallets, one clock
and one market, whose prices are fanned out. What was attempted, and what came of it, is kept
as a list that the properties are checked against.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import msgspec
import numpy as np
from tests.properties.histories import History
from tests.properties.options import PROCESSES
from tests.properties.pools import PRICES, SPECS, START_NS
from tests.properties.running import one_row

from ringfence.columns import Column
from ringfence.core.command import COMMAND, Happening, Kind, Rows
from ringfence.core.pool import Total
from ringfence.core.spec import PoolSpec
from ringfence.core.status import Status
from ringfence.units import AMOUNT_MAX, HOUR_NS, PRICE_UNIT, SECOND_NS
from ringfence.venue.fanout import FeedPrice, TickPrices
from ringfence.venue.sequencer import with_clock
from ringfence.venue.state import (
    CreatePool,
    Outcome,
    PoolRecord,
    Receive,
    RefusedError,
    RegisterAsset,
    RegisterOwner,
    Send,
    State,
)

OWNERS = 12  # owner 1 creates every pool
ASSETS = {"USDC": 6, "EURC": 2, "BTC": 8, "ETH": 8, "SOL": 8}


class PoolHistory(History):
    """The history of one pool inside a world: its clock and prices are the world's."""

    def __init__(self, world: "World", record: PoolRecord, seed: int) -> None:
        self.world = world
        super().__init__(record.spec, seed)
        self.record = record
        # Searching for the last accepted amount is dear, and positions bring liquidations.
        self.options = replace(
            self.options,
            edge=min(self.options.edge, 0.02),
            leverage=self.rng.choice((3, 8, 15)),
            weights=self.options.weights | {Kind.TRADE: 200, Kind.OPEN_POSITION: 60},
        )

    @property
    def now(self) -> int:
        """The venue's clock; a pool that nobody commanded is behind it."""
        return self.world.now

    def next_row(self) -> Rows:
        """Draw the next command at the pool as it is now."""
        self.pool = self.record.pool
        while True:
            fields = self._next()
            # Clocks are the sequencer's business, so those of the history's own start are out.
            if fields["kind"] != Kind.ADVANCE_CLOCK:
                return one_row(fields)

    def _tick(self) -> None:
        for i in range(len(self.pool.mark_price)):
            if self.rng.random() < 0.15 and not self.spec.instruments[i].expiry_ns:
                most = int(self.pool.funding_rate_max[i])
                self._push(Kind.ACCRUE_FUNDING, instrument=i, amount=self.rng.randint(-most, most))
        if self.rng.random() < 0.6:
            self._fall()
        if self.rng.random() < self.options.settler:
            self._push(Kind.SETTLE)
        self.call_keeper()
        if not self.queue:
            self._push(Kind.SETTLE)

    def call_keeper(self) -> None:
        """Ask for the liquidation of everybody below maintenance, unless the keeper sleeps."""
        self.pool = self.record.pool
        if self.rng.random() < self.options.keeper:
            for a in self.unhealthy():
                self._push(Kind.LIQUIDATE, account=a)


@dataclass(frozen=True)
class Money:
    """A command at the venue's edge; `accepted` says whether it moved anything."""

    command: Receive | Send
    accepted: bool


@dataclass(frozen=True)
class Batch:
    """Stamped rows for one pool, and what became of them."""

    pool: bytes
    rows: Rows
    outcome: Outcome
    drawn: Rows  # without the clock row that the sequencer put before them


@dataclass(frozen=True)
class Prices:
    """Prices for every pool, with the rows and statuses that each got from them."""

    prices: tuple[FeedPrice, ...]
    time_ns: int
    rows: dict[bytes, Rows]
    statuses: dict[bytes, Column]


Attempt = Money | Batch | Prices


def empty_state(make: type[State]) -> State:
    """A venue with assets and owners, without pools and money."""
    state = make()
    for name, decimals in ASSETS.items():
        state.apply(RegisterAsset(name, decimals))
    for n in range(OWNERS):
        state.apply(RegisterOwner(n.to_bytes(20, "big")))
    return state


def draw_specs(rng: Random) -> list[PoolSpec]:
    """Two to five pools; some are twins that differ in nothing but their salt."""
    count = rng.choice((2, 3, 3, 5))
    drawn = [rng.choice(list(SPECS.values())) for _ in range(count)]
    return [msgspec.structs.replace(spec, salt=str(n)) for n, spec in enumerate(drawn)]


class World:
    """A state under random commands; iterate to run it, one attempt after the other."""

    def __init__(self, seed: int, make: type[State] = State) -> None:
        self.rng = Random(seed)
        self.state = empty_state(make)
        self.now = START_NS
        self.market = {feed: price * PRICE_UNIT for feed, price in PRICES.items()}
        processes = (*PROCESSES, "crash", "crash", "collapse", "wild")
        self.process = {feed: self.rng.choice(processes) for feed in PRICES}
        self.rich = self.rng.choice((2, 60, 500))
        self.steps_per_tick = self.rng.choice((4, 8, 16))
        self.batch_most = self.rng.choice((1, 1, 6, 20))
        self.specs = draw_specs(self.rng)
        for spec in self.specs:
            self.state.apply(CreatePool(spec, 1, START_NS))
        self.histories = [
            PoolHistory(self, record, self.rng.randrange(2**32))
            for record in self.state.pools.values()
        ]
        self.heat = [self.rng.random() + 0.2 for _ in self.histories]
        self.seen: Counter[object] = Counter()

    def attempts(self, count: int) -> Iterator[Attempt]:
        """Draw and apply attempts; each is yielded after it was applied."""
        yield from self._money_for_everybody()
        yield self._prices(0)
        for history in self.histories:
            while history.queue:
                yield self._batch(history, len(history.queue))
        for n in range(count):
            if n % self.steps_per_tick == self.steps_per_tick - 1:
                yield self._prices(self._step())
            elif self.rng.random() < 0.06:
                yield self._money()
            else:
                history = self.rng.choices(self.histories, self.heat)[0]
                yield self._batch(history, self.rng.randint(1, self.batch_most))

    # Each applies one attempt

    def _money_for_everybody(self) -> Iterator[Attempt]:
        for owner in range(1, OWNERS):
            for asset in range(len(ASSETS)):
                if self.rng.random() < 0.8:
                    yield self._moved(Receive(owner, asset, self._purse(asset)))

    def _purse(self, asset: int) -> int:
        decimals = list(ASSETS.values())[asset]
        return self.rng.randrange(
            1, self.rich * 10 ** (decimals if decimals == 8 else decimals + 4)
        )

    def _money(self) -> Money:
        owner, asset = self.rng.randrange(OWNERS + 1), self.rng.randrange(len(ASSETS))
        if self.rng.random() < 0.6:
            return self._moved(Receive(owner, asset, self._purse(asset)))
        held = int(self.state.wallets.amount[min(owner, OWNERS - 1), asset])
        amount = self.rng.choice((held, held + 1, held // 2, 0, -1, AMOUNT_MAX))
        return self._moved(Send(owner, asset, amount))

    def _moved(self, command: Receive | Send) -> Money:
        try:
            self.state.apply(command)
        except RefusedError:
            self.seen["money refused"] += 1
            return Money(command, accepted=False)
        self.seen["money moved"] += 1
        return Money(command, accepted=True)

    def _batch(self, history: PoolHistory, count: int) -> Batch:
        drawn = np.concatenate([history.next_row() for _ in range(count)])
        rows = with_clock(history.record.pool, drawn.astype(COMMAND), self.now)
        outcome = self.state.apply_rows(history.record, rows)
        self._count(rows, outcome)
        return Batch(history.record.id, rows, outcome, drawn)

    def _count(self, rows: Rows, outcome: Outcome) -> None:
        for kind, status in zip(rows["kind"].tolist(), outcome.statuses.tolist(), strict=True):
            self.seen[kind, Status(status)] += 1
        for event in outcome.events:
            happening = Happening(int(event["kind"]))
            self.seen[happening] += 1
            self.seen["insurance paid"] += bool(event["insurance"] > 0)
            if happening == Happening.SHORTFALL_RECORDED:
                self.seen["shortfall"] += bool(event["shortfall"] > 0)
            if happening == Happening.POSITION_LIQUIDATED:
                self.seen["healed"] += bool(event["excess_after"] >= 0)

    def _prices(self, step: int) -> Prices:
        self.now += step
        prices = tuple(self._price(feed) for feed in self.market if self.rng.random() < 0.95)
        rows = {}
        tick = TickPrices(prices)
        for record in self.state.pools.values():
            filled = record.price_rows.filled(tick, self.now)
            if filled is not None:
                rows[record.id] = filled.copy()
        outcomes = self.state.apply_prices(prices, self.now)
        statuses = {pool: outcome.statuses for pool, outcome in outcomes.items()}
        for column in statuses.values():
            self.seen.update(("price", Status(status)) for status in column.tolist())
        for history in self.histories:
            history.prices = [self.market[u.name] for u in history.spec.underlyings]
            history.call_keeper()
        return Prices(prices, self.now, rows, statuses)

    def _step(self) -> int:
        if self.rng.random() < 0.04:
            return self.rng.choice((HOUR_NS // 2, HOUR_NS, 5 * HOUR_NS))
        return self.rng.choice((0, 1, 30, 120, 290)) * SECOND_NS

    def _price(self, feed: str) -> FeedPrice:
        spread, drift, jump, size = PROCESSES[self.process[feed]]
        ppm = 10**6 + drift + self.rng.randint(-spread, spread)
        if self.rng.random() < jump:
            ppm += size
        start = PRICES[feed] * PRICE_UNIT
        moved = max(self.market[feed] * ppm // 10**6, 1)
        self.market[feed] = moved if start // 50 < moved < 3 * start else start
        price = self.market[feed]
        away = self.rng.choice((0, 0, 2_000, -2_000, 30_000))
        return FeedPrice(
            feed,
            price,
            price * (10**6 + away) // 10**6,
            self.now - self.rng.choice((0, 0, 0, 1, 250)) * SECOND_NS,
            price // self.rng.choice((10**6, 10**6, 500, 40)),
            self.rng.choices((0, 1, 2), (60, 1, 1))[0],
        )

    # What was reached

    def final_totals(self) -> Counter[str]:
        """Rare states at the end of a history, for the gate."""
        seen: Counter[str] = Counter()
        for record in self.state.pools.values():
            total = record.pool.total
            seen["pools with shortfall"] += bool(total[Total.SHORTFALL] > 0)
            seen["pools whose insurance paid"] += bool(total[Total.INSURANCE_PAID] > 0)
            seen["pools with unpaid claims"] += bool(record.pool.claim.sum() > 0)
            seen["pools with changed parameters"] += bool(total[Total.VERSION] > 1)
            seen["pools with debt"] += bool(total[Total.DEBT_SHARES] > 0)
        return seen
