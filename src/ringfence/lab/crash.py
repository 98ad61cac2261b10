"""The main job: a price file is played tick by tick through a venue full of people.

On every tick, in this order: prices reach all pools; the engine does what is ahead in each:
orders signed in advance, the steps of the waterfall, the end of halted pools, warnings; then
backstops and keepers sell what they took over, and keepers bid; then people come, go, and
settle. Around what the engine does, the digests of all pools in which it does nothing are
taken, and must be equal; wallets may have paid what their owners have signed and no more. With
market impact, what is closed by force pushes the prices of the next ticks.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from ringfence.core.command import Kind
from ringfence.core.pool import Step, Total, account_count
from ringfence.lab.forced import Forced
from ringfence.lab.impact import Market, displaced
from ringfence.lab.options import OptionPools
from ringfence.lab.pools import tail_name, tail_price
from ringfence.lab.population import PopulationPlan, populate
from ringfence.lab.stage import QUOTE, Stage
from ringfence.lab.traders import Traders
from ringfence.lab.waterfall import Book, Paid, total_of
from ringfence.oracle.index import Feed, Index, IndexRules, Quote
from ringfence.oracle.mark import mark_price
from ringfence.oracle.sources.series import PriceSeries, Tick
from ringfence.units import HOUR_NS, MINUTE_NS, PRICE_UNIT, SECOND_NS
from ringfence.venue.clock import ManualClock
from ringfence.venue.fanout import FeedPrice
from ringfence.venue.liquidator import Ahead
from ringfence.venue.receipts import BatchReceipt
from ringfence.venue.venue import Venue

FUNDING_EVERY_NS = 8 * HOUR_NS
FUNDING_RATE = PRICE_UNIT // 10_000  # 0.01 % of the mark price per eight hours
TAIL_EVERY_NS = 5 * MINUTE_NS  # a thin market's feed speaks this often, so its price jumps
TAIL_DEPTH_PARTS = 20  # a thin market has this part of the others' depth
SOURCE = "file"


@dataclass
class Counts:
    """What a run has seen so far."""

    ticks: int = 0
    latency_ns: list[int] = field(default_factory=list)  # tick to last decision, where any
    are_others_unchanged: bool = True
    are_wallets_unchanged: bool = True


class Watch:
    """A watch that can be made to stand."""

    def __init__(self) -> None:
        self._started_ns = time.perf_counter_ns()

    def elapsed_ns(self) -> int:
        """Time that it has run."""
        return time.perf_counter_ns() - self._started_ns

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Leave out what happens inside."""
        stopped_ns = time.perf_counter_ns()
        yield
        self._started_ns += time.perf_counter_ns() - stopped_ns


class Crash:
    """One run; `play` yields after every tick, so that a view can look at it."""

    def __init__(
        self,
        series: PriceSeries,
        symbols: list[str],
        plan: PopulationPlan,
        journal: str,
        *,
        depth: int | None = None,
        is_proving: bool = True,
    ) -> None:
        """Build everything.

        Args:
            series: The prices to play.
            symbols: Of these.
            plan: How many people, in how many pools.
            journal: Path of the journal, or ":memory:".
            depth: Of market impact, in dollars; None for no impact.
            is_proving: Whether digests of the pools in which nothing is done are taken.
        """
        self._is_proving = is_proving
        self.series, self.symbols, self.plan = series, symbols, plan
        self.first = {s: int(series.prices(s).mid[0]) for s in symbols}
        self.prices = dict(self.first)
        self.counts = Counts()
        self.ticks = _tick_count(series, symbols)
        gap = _usual_gap(series, symbols)
        start, end = series.span
        self.population = populate(
            plan,
            self.first,
            (start, end),
            stale_seconds=max(300, 5 * gap // SECOND_NS),
            quote=QUOTE,
        )
        self.clock = ManualClock(start - MINUTE_NS)
        self.venue = Venue.open(journal, clock=self.clock)
        self.stage = Stage(self.venue, self.population, plan.seed)
        self.markets = {} if depth is None else _markets(symbols, depth * QUOTE)
        self._feeds = {s: Feed(_rules(gap)) for s in symbols}
        self._next_tail = dict.fromkeys(symbols, start)
        self._next_hour = (start // HOUR_NS + 1) * HOUR_NS
        self.traders = Traders(self.stage, plan.seed)
        self._forced = Forced(self.stage, self._push)
        self.books = [Book() for _ in self.stage.records]
        self.options = OptionPools(self.stage)
        self.seconds = 0.0

    def set_up(self) -> None:
        """Fill wallets and open accounts, before the first price."""
        self.stage.fill_wallets(self.first, PRICE_UNIT)
        self.stage.open_accounts()
        self.venue.record_digest()

    def play(self) -> Iterator[Tick]:
        """Play every tick of the series; yield each one after it is done."""
        started = time.perf_counter()
        for tick in self.series.ticks(self.symbols):
            self.step(tick)
            self.seconds = time.perf_counter() - started
            yield tick

    def finish(self) -> None:
        """Take the last proof and a checkpoint, when the play is over or stopped."""
        self.counts.are_wallets_unchanged &= self.stage.are_wallets_as_expected()
        self.venue.checkpoint()

    def step(self, tick: Tick) -> None:
        """Play one tick, committed as a whole."""
        self.clock.set(tick.time_ns)
        with self.venue.group():
            self._engine(tick)
            self._forced.act()
            self._keep_hours(tick.time_ns)
            self.traders.act(tick.time_ns)
            self.options.act(tick.time_ns)
            self._note(self.stage.act().items())
        self.counts.ticks += 1

    # One tick

    def _engine(self, tick: Tick) -> None:
        """Prices to all pools, then the engine; without options, nobody waits for a valuation."""
        watch = Watch()
        self.venue.set_prices(self._feed_prices(tick))
        with_options = self.options.numbers
        linear = [k for k in range(len(self.stage.records)) if k not in with_options]
        decided_ns = self._decide(linear, watch)
        self.options.value(tick.time_ns)
        decided_ns = self._decide(with_options, watch) or decided_ns
        if decided_ns:
            self.counts.latency_ns.append(decided_ns)
        self.counts.are_wallets_unchanged &= self.stage.are_wallets_as_expected()

    def _decide(self, numbers: Iterable[int], watch: Watch) -> int:
        """Let the engine do what is ahead in some pools; return when it had decided, 0: nothing.

        The watch stands while the proof is taken.
        """
        looked = {k: self.venue.look(self.stage.records[k].id.hex()) for k in numbers}
        found = {k: ahead for k, ahead in looked.items() if ahead.has_steps or ahead.has_warnings}
        has_steps = any(ahead.has_steps for ahead in found.values())
        is_proven = has_steps and self._is_proving
        with watch.standing():
            before = self._digests(set(found)) if is_proven else []
        receipts = [(k, r) for k, ahead in found.items() for r in self._act(k, ahead)]
        decided_ns = watch.elapsed_ns()
        with watch.standing():
            if is_proven:
                self.counts.are_others_unchanged &= before == self._digests(set(found))
            self._note(receipts)
        return decided_ns if has_steps else 0

    def _act(self, k: int, ahead: Ahead) -> list[BatchReceipt]:
        """Let the engine do what is ahead in a pool."""
        return self.venue.step(self.stage.records[k].id.hex(), ahead)

    def _note(self, receipts: Iterable[tuple[int, BatchReceipt]]) -> None:
        for k, receipt in receipts:
            self.books[k].note(receipt.events)
            self.stage.book_budgets(k, receipt.events)

    def _feed_prices(self, tick: Tick) -> list[FeedPrice]:
        feeds = []
        for symbol, price in tick.prices.items():
            mid = self._pushed(symbol, price.mid)
            self.prices[symbol] = mid
            quote = Quote(SOURCE, mid, (price.ask - price.bid + 1) // 2, tick.time_ns)
            self._feeds[symbol].offer(quote, tick.time_ns)
            index = self._feeds[symbol].index(tick.time_ns)
            if isinstance(index, Index):
                feeds.append(_feed_price(symbol, index.price, index))
                if tick.time_ns >= self._next_tail[symbol]:
                    self._next_tail[symbol] = tick.time_ns + TAIL_EVERY_NS
                    name, tail = tail_name(symbol), tail_price(self.first[symbol], index.price)
                    feeds.append(_feed_price(name, self._pushed(name, tail), index))
        return feeds

    def _pushed(self, feed: str, price: int) -> int:
        """A price as forced closing has pushed it."""
        market = self.markets.get(feed)
        return displaced(price, market.displacement(self.clock.now_ns())) if market else price

    def _push(self, feed: str, value: int) -> None:
        """Let a value that is bought, or sold where negative, push its market."""
        market = self.markets.get(feed)
        if market:
            market.push(value)

    def _digests(self, busy: set[int]) -> list[bytes]:
        """Digests of every pool in which the engine does nothing in this tick."""
        return [r.digest() for k, r in enumerate(self.stage.records) if k not in busy]

    def _keep_hours(self, now_ns: int) -> None:
        """Settle every pool on the hour; funding every eight hours, just before."""
        if now_ns < self._next_hour:
            return
        is_funding = self._next_hour % FUNDING_EVERY_NS == 0
        self._next_hour = (now_ns // HOUR_NS + 1) * HOUR_NS
        for k, record in enumerate(self.stage.records):
            if is_funding:
                for i in np.flatnonzero(record.pool.expiry == 0).tolist():
                    self.stage.add(k, kind=Kind.ACCRUE_FUNDING, instrument=i, amount=FUNDING_RATE)
            self.stage.add(k, kind=Kind.SETTLE)

    # Totals, in quote units

    def paid(self) -> Paid:
        """What the steps of the waterfall did in all pools together."""
        return total_of(self.books)

    def liquidated(self) -> int:
        """Accounts from whom a step took something."""
        return sum(len(book.accounts) for book in self.books)

    def in_step(self, step: Step) -> int:
        """Accounts that are in a step of the waterfall now."""
        return sum(int(np.count_nonzero(r.pool.step == step)) for r in self.stage.records)

    def problems(self) -> list[str]:
        """What does not add up, each sentence with the name of its pool; empty when all does."""
        return [
            f"{record.spec.name}: {problem}"
            for record, book, held in zip(
                self.stage.records, self.books, self.stage.held, strict=True
            )
            for problem in book.problems(record.pool, held)
        ]

    def total(self, which: Total) -> int:
        """Sum of one of the pools' totals over all pools."""
        return sum(int(record.pool.total[which]) for record in self.stage.records)

    def shortfalls(self) -> dict[str, int]:
        """Shortfall of each pool that has one, by name."""
        found = {r.spec.name: int(r.pool.total[Total.SHORTFALL]) for r in self.stage.records}
        return {name: value for name, value in found.items() if value}

    def unpaid_claims(self) -> int:
        """Claims not yet paid, over all pools."""
        return sum(int(r.pool.claim[: account_count(r.pool)].sum()) for r in self.stage.records)


def _markets(symbols: list[str], depth: int) -> dict[str, Market]:
    """A market for each symbol and for the thin one that follows it; depth in quote units."""
    thin = max(depth // TAIL_DEPTH_PARTS, 1)
    return {s: Market(depth) for s in symbols} | {tail_name(s): Market(thin) for s in symbols}


def _feed_price(feed: str, price: int, index: Index) -> FeedPrice:
    return FeedPrice(
        feed=feed,
        index_price=price,
        mark_price=mark_price(price, 0, 1),
        publish_time_ns=index.publish_time_ns,
        confidence=index.confidence * price // index.price,
        sources=index.sources,
    )


def _rules(gap_ns: int) -> IndexRules:
    """A file is one source, and as fresh as its usual gap."""
    return IndexRules(sources=(SOURCE,), stale_after_ns=max(5 * gap_ns, 5 * MINUTE_NS))


def _tick_count(series: PriceSeries, symbols: list[str]) -> int:
    """Ticks that the series will play: its distinct times."""
    return len(np.unique(np.concatenate([series.prices(s).time_ns for s in symbols])))


def _usual_gap(series: PriceSeries, symbols: list[str]) -> int:
    """Median time between two prices of the first symbol, in ns."""
    times = series.prices(symbols[0]).time_ns
    return int(np.median(np.diff(times))) if len(times) > 1 else MINUTE_NS
