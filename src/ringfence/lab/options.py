"""Option pools of a run: valued as the price moves, settled at expiry, traded by their people.

A pool is valued anew where its coin moved enough, or after a few minutes: marks and risk
arrays from the surface go to it as journaled commands. In the half hour before an expiry the
pool averages the price by time; the part that is fixed already is priced in.
"""

from collections import Counter

import msgspec
import numpy as np

from ringfence.core.command import Kind
from ringfence.core.pool import CASH
from ringfence.lab.option_pools import Volatility
from ringfence.lab.population import MAKER
from ringfence.lab.stage import QUOTE, Stage
from ringfence.lab.structures import KINDS, Structure, legs_of, lots_of
from ringfence.lab.traders import ENTER, GO_HOME, LEAVE, Due
from ringfence.risk.scenarios import CoinMarket, valuation_rows
from ringfence.units import HOUR_NS, MINUTE_NS, PRICE_UNIT
from ringfence.venue.receipts import decimal
from ringfence.venue.state import PoolRecord

MOVE_PPM = 2_000  # of the price, since when a pool is valued anew
VALUE_EVERY_NS = 4 * MINUTE_NS
RETRY_NS = HOUR_NS


class StructureSummary(msgspec.Struct, frozen=True):
    """What became of the holders of one kind of structure."""

    accounts: int
    opened: int
    liquidated: int


class OptionsSummary(msgspec.Struct, frozen=True):
    """What happened in the option pools."""

    pools: int
    options: int
    valuations: int
    expired: int  # options settled
    volatility: dict[str, str]  # by symbol, lowest and highest level
    open_interest: str  # perpetuals and options, at their marks
    structures: dict[str, StructureSummary]


class Coin:
    """What the option pools of one symbol share: the volatility and a valuation."""

    def __init__(self, symbol: str, numbers: list[int]) -> None:
        self.symbol, self.numbers = symbol, numbers
        self.price = 0
        self.volatility: Volatility | None = None
        self.levels: list[float] = []
        self.valued_price = self.valued_ns = 0

    def note(self, price: int, now_ns: int) -> None:
        """Take an index price in."""
        if self.volatility is None:
            self.volatility = Volatility(price, now_ns)
        self.volatility.note(price, now_ns)
        self.levels.append(self.volatility.level)
        self.price = price

    def is_due(self, now_ns: int) -> bool:
        """Whether a valuation is asked for."""
        moved = abs(self.price - self.valued_price) * 10**6
        late = now_ns - self.valued_ns >= VALUE_EVERY_NS
        return late or moved >= MOVE_PPM * self.valued_price

    def market(self) -> CoinMarket:
        """Return the market now, for the valuation."""
        assert self.volatility is not None
        spot = self.price / PRICE_UNIT
        return CoinMarket(spot, self.volatility.surface(spot))


class OptionPools:
    """The option pools of a stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._people = stage.population.structures
        self._due = Due()
        for k, person in enumerate(self._people):
            self._due.put(person.enter_ns, (ENTER, k))
        self.numbers = sorted({person.pool for person in self._people})  # of the pools
        by_symbol: dict[str, list[int]] = {}
        for k in self.numbers:
            by_symbol.setdefault(stage.records[k].spec.underlyings[0].name, []).append(k)
        self._coins = [Coin(symbol, numbers) for symbol, numbers in by_symbol.items()]
        self._opened: set[int] = set()
        self._valuations = self._expired = 0

    # The market's part

    def value(self, now_ns: int) -> None:
        """Bring what moved to the pools: settle what expires, then marks and risk arrays."""
        for coin in self._coins:
            # Pools of a coin differ in their names only, so one valuation serves them all.
            record = self._stage.records[coin.numbers[0]]
            pool = record.pool
            if pool.index_price[0] == 0:
                continue
            coin.note(int(pool.index_price[0]), now_ns)
            has_expired = self._settle(coin)
            if has_expired or coin.is_due(now_ns):
                market = {coin.symbol: coin.market()}
                batch = valuation_rows(record.spec, pool, market, now_ns)
                coin.valued_price, coin.valued_ns = coin.price, now_ns
                self._valuations += 1
                for k in coin.numbers:
                    self._stage.venue.execute_many(self._stage.records[k].id.hex(), batch.copy())

    def market(self) -> dict[str, CoinMarket]:
        """Return the markets that the pools are valued at, by symbol; none before a price."""
        return {c.symbol: c.market() for c in self._coins if c.volatility is not None}

    def _settle(self, coin: Coin) -> bool:
        """Settle what is over in the pools of a coin; return whether anything was."""
        before = self._expired
        for k in coin.numbers:
            receipt = self._stage.venue.expire_due(self._stage.records[k].id.hex())
            self._expired += 0 if receipt is None else receipt.accepted
        return self._expired > before

    # The people's part

    def act(self, now_ns: int) -> None:
        """Put what people do now on the stage's list."""
        for what, k in list(self._due.until(now_ns)):
            person = self._people[k]
            if what == ENTER:
                self._enter(person, k, now_ns)
            elif what == LEAVE:
                self._leave(person)
                self._due.put(now_ns + HOUR_NS, (GO_HOME, k))
            else:
                self._go_home(person)

    def _enter(self, person: Structure, k: int, now_ns: int) -> None:
        pool = self._stage.records[person.pool].pool
        if not pool.valued_at.any():
            self._due.put(now_ns + RETRY_NS, (ENTER, k))
            return
        legs = legs_of(person, pool, now_ns)
        lots = lots_of(person, pool, legs) if legs else 0
        if lots == 0:
            return
        self._deposit(person)
        for i, side in legs:
            self._trade(person, i, side * lots * int(pool.lot[i]))
        self._opened.add(k)
        self._due.put(now_ns + person.stay_ns, (LEAVE, k))

    def _deposit(self, person: Structure) -> None:
        """Deposit cash; whoever covers calls deposits coins, and a tenth in cash."""
        pool, a = self._stage.records[person.pool].pool, self._account(person)
        cash = person.deposit
        if person.kind == "covered call":
            coins = person.deposit * int(pool.value_divisor[0]) // int(pool.index_price[0])
            fields = {"account": a, "asset": CASH + 1, "amount": coins}
            self._stage.add(person.pool, kind=Kind.DEPOSIT, **fields)
            cash //= 10
        self._stage.add(person.pool, kind=Kind.DEPOSIT, account=a, asset=CASH, amount=cash)

    def _leave(self, person: Structure) -> None:
        """Close what is left at the marks, what was sold first."""
        pool, a = self._stage.records[person.pool].pool, self._account(person)
        held = np.flatnonzero(pool.size[a]).tolist()
        for i in sorted(held, key=lambda i: int(pool.size[a, i])):
            self._trade(person, i, -int(pool.size[a, i]))

    def _trade(self, person: Structure, i: int, size: int) -> None:
        self._stage.add(
            person.pool,
            kind=Kind.TRADE,
            account=self._account(person),
            other=MAKER,
            instrument=i,
            size=size,
            price=int(self._stage.records[person.pool].pool.mark_price[i]),
        )

    def _go_home(self, person: Structure) -> None:
        """Take everything out of an account without a position."""
        pool, a = self._stage.records[person.pool].pool, self._account(person)
        if pool.size[a].any():
            return
        for c in np.flatnonzero(pool.balance[a]).tolist():
            amount = int(pool.balance[a, c])
            self._stage.add(person.pool, kind=Kind.WITHDRAW, account=a, asset=c, amount=amount)

    def _account(self, person: Structure) -> int:
        return self._stage.account(person.pool, person.owner, person.number)

    # What came of it

    def summary(self, liquidated: set[tuple[int, int]]) -> OptionsSummary | None:
        """Return what happened; liquidated: (pool, account). None: there are no option pools."""
        if not self._coins:
            return None
        hit = Counter(p.kind for p in self._people if (p.pool, self._account(p)) in liquidated)
        people = Counter(p.kind for p in self._people)
        opened = Counter(self._people[k].kind for k in self._opened)
        records = [self._stage.records[k] for coin in self._coins for k in coin.numbers]
        levels = {c.symbol: c.levels or [0.0] for c in self._coins}
        return OptionsSummary(
            pools=len(records),
            options=sum(int((r.pool.option_side != 0).sum()) for r in records),
            valuations=self._valuations,
            expired=self._expired,
            volatility={s: f"{min(seen):.4f} to {max(seen):.4f}" for s, seen in levels.items()},
            open_interest=decimal(sum(_open_interest(r) for r in records), QUOTE),
            structures={
                kind: StructureSummary(people[kind], opened[kind], hit[kind]) for kind in KINDS
            },
        )


def _open_interest(record: PoolRecord) -> int:
    pool = record.pool
    sizes, marks, divisor = pool.open_interest, pool.mark_price, int(pool.value_divisor[0])
    pairs = zip(sizes.tolist(), marks.tolist(), strict=True)
    return sum(size * mark // divisor for size, mark in pairs)
