"""Long random histories of one pool, from a spec and a seed, as plain command rows.

The generator keeps a pool of its own and looks at it while it draws, which is how it gets
to rare states: it knows what is unhealthy, what is the last accepted amount, and at which
mark price an account falls. It knows no venue, no wallet and no other pool, so the same
rows can be applied anywhere.
"""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from random import Random

import numpy as np
from tests.properties import draws, valuing
from tests.properties.options import PROCESSES, draw_options
from tests.properties.pools import PRICES, new_pool
from tests.properties.running import (
    Step,
    last_that_holds,
    one_row,
    outcome,
    take_step,
)

from ringfence.core.command import COMMAND, Kind, Rows
from ringfence.core.health import excess
from ringfence.core.pool import CASH, Level, Total, account_count, copied
from ringfence.core.pool import Step as WaterfallStep
from ringfence.core.spec import PoolSpec
from ringfence.core.status import Status
from ringfence.units import HOUR_NS, PRICE_UNIT, SECOND_NS

EXTREMES = (0, 1, -1, 2**31, 2**49, 2**53 - 1, 2**53, 2**62, 2**63 - 1, -(2**53), -(2**63))
Fields = dict[str, int]
KIND_STEP = {Kind.BID: WaterfallStep.AUCTION, Kind.DELEVERAGE: WaterfallStep.DELEVERAGING}


class History:
    """An endless stream of commands for one pool."""

    def __init__(self, spec: PoolSpec, seed: int) -> None:
        self.spec = spec
        self.rng = Random(seed)
        self.options = draw_options(self.rng)
        self.pool = new_pool(spec)
        self.queue: deque[Fields] = deque()
        self.silent_until = [0] * len(spec.underlyings)
        self.prices = [PRICES[u.name] * PRICE_UNIT for u in spec.underlyings]
        self.left_in_tick = 0
        self.is_keeper_due = False
        self._begin()

    # What the pool is now

    @property
    def now(self) -> int:
        """The pool's clock."""
        return int(self.pool.total[Total.NOW_NS])

    def _account(self, other_than: int = -1) -> int:
        a = self.rng.randrange(account_count(self.pool))
        return a if a != other_than else (a + 1) % account_count(self.pool)

    def _asset(self) -> int:
        return self.rng.randrange(len(self.pool.asset_underlying))

    def _instrument(self) -> int:
        return self.rng.randrange(max(len(self.pool.mark_price), 1))

    def _quote(self, coins: int) -> int:
        return coins * 10**self.spec.settlement_decimals

    def unhealthy(self) -> list[int]:
        """Accounts below maintenance."""
        accounts = range(1, account_count(self.pool))
        return [a for a in accounts if excess(self.pool, a, Level.MAINTENANCE) < 0]

    # Drawing

    def __iter__(self) -> Iterator[Step]:
        """Yield commands, each with what it did to this history's own pool."""
        while True:
            yield take_step(self.pool, one_row(self._next()))

    def take(self, count: int) -> Iterator[Step]:
        """Yield the next commands, so many."""
        return islice(self, count)

    def _begin(self) -> None:
        for n in range(self.options.accounts):
            self._push(Kind.OPEN_ACCOUNT, other=n + 2, amount=1)
        self._publish_all()
        rich = self._quote(self.rng.choice((2_000, 50_000, 400_000)))
        for a in range(self.options.accounts + 1):
            self._push(Kind.DEPOSIT, account=a, amount=self.rng.randrange(1, 2 * rich))
            if a:
                self._push(Kind.SUPPLY, account=a, amount=self.rng.randrange(1, rich))
        if self.rng.random() < 0.7:
            self._push(Kind.FUND_INSURANCE, account=0, amount=self.rng.randrange(1, rich))

    def _push(self, kind: Kind, **fields: int) -> None:
        self.queue.append({"kind": int(kind), **fields})

    def _next(self) -> Fields:
        if not self.queue and self.is_keeper_due:
            self.is_keeper_due = False
            self._keep()
        if self.queue:
            return self._perhaps_odd(self.queue.popleft(), 0.3)
        if self.left_in_tick <= 0:
            self.left_in_tick = self.options.commands_per_tick
            self._tick()
            return self.queue.popleft()
        self.left_in_tick -= 1
        weights = self.options.weights
        kind = Kind.SETTLE
        for _ in range(6):
            kind = self.rng.choices(list(weights), list(weights.values()))[0]
            if self._makes_sense(kind):
                break
        return self._perhaps_odd({"kind": int(kind), **DRAWS[kind](self)}, 1)

    def _keep(self) -> None:
        """Ask for all liquidations, and perhaps for what they leave to be deleveraged."""
        for a in self.unhealthy():
            self._push(Kind.LIQUIDATE, account=a)
        if (self.pool.step == WaterfallStep.AUCTION).any():
            self.queue.extend({"kind": int(Kind.BID), **draws.bid(self)} for _ in range(2))
        for i in range(len(self.pool.mark_price)):
            if self.rng.random() < 0.3:
                self._push(Kind.DELEVERAGE, instrument=i)

    def _makes_sense(self, kind: Kind) -> bool:
        pool = self.pool
        if kind in (Kind.TRADE, Kind.OPEN_POSITION):
            return len(pool.mark_price) > 0
        if kind in KIND_STEP:
            return bool((pool.step == KIND_STEP[kind]).any())
        if kind == Kind.BUY_FROM_BACKSTOP:
            return bool(pool.size[0].any())
        if kind == Kind.BUY_COLLATERAL:
            return bool(pool.balance[0, CASH + 1 :].any())
        if kind == Kind.EXCHANGE:
            return bool(pool.balance[:, CASH + 1 :].any())
        if kind == Kind.LIQUIDATE:
            return bool(self.unhealthy())
        has = {Kind.BORROW: Total.LENDER_CASH, Kind.REPAY: Total.DEBT_SHARES}
        has[Kind.REDEEM] = Total.SUPPLY_SHARES
        return kind not in has or pool.total[has[kind]] > 0

    def _perhaps_odd(self, fields: Fields, share: float) -> Fields:
        if self.rng.random() >= self.options.odd * share:
            return fields
        used = [n for n in fields if n != "time_ns"]
        unused = [n for n in COMMAND.names or () if n != "time_ns"]
        name = self.rng.choice(used if self.rng.random() < 0.8 else unused)
        near = fields.get(name, 0) + self.rng.choice((-1, 1))
        return fields | {name: self.rng.choice((*EXTREMES, near, near))}

    # The market

    def _tick(self) -> None:
        options, rng = self.options, self.rng
        step = rng.randrange(2 * options.tick_seconds + 1) * SECOND_NS + rng.randrange(3)
        if rng.random() < options.leap:
            step = rng.choice((HOUR_NS // 2, HOUR_NS, 5 * HOUR_NS))
        self._push(Kind.ADVANCE_CLOCK, time_ns=self.now + step)
        for u in range(len(self.prices)):
            self.prices[u] = self._moved(self.prices[u], u)
            if rng.random() < options.outage:
                self.silent_until[u] = self.now + rng.choice((200, 400, 2_000, 9_000)) * SECOND_NS
        self._publish_all(self.now + step)
        self._fund()
        if rng.random() < options.settler:
            self._push(Kind.SETTLE)
        if rng.random() < options.fall:
            self._fall()
        self.is_keeper_due = rng.random() < options.keeper

    def _fund(self) -> None:
        rng = self.rng
        for i, instrument in enumerate(self.spec.instruments):
            if rng.random() < (0.01 if instrument.expiry_ns else 0.15):
                most = int(self.pool.funding_rate_max[i])
                rate = rng.choice((most, -most, most + 1, rng.randrange(-most, most + 1)))
                self._push(Kind.ACCRUE_FUNDING, instrument=i, amount=rate)

    def _moved(self, price: int, u: int) -> int:
        spread, drift, jump, size = PROCESSES[self.options.process]
        start = PRICES[self.spec.underlyings[u].name] * PRICE_UNIT
        if not start // 50 < price < 3 * start:  # begin anew rather than end
            return start
        ppm = 10**6 + drift + self.rng.randint(-spread, spread)
        if self.rng.random() < jump:
            ppm += size if size < 0 or self.rng.random() < 0.5 else -size // 2
        return max(price * ppm // 10**6, 1)

    def _publish_all(self, time: int | None = None) -> None:
        time = self.now if time is None else time
        rng = self.rng
        for u, price in enumerate(self.prices):
            if time < self.silent_until[u]:
                continue
            flag = rng.choices((0, 1, 2), (60, 1, 1))[0]
            share = rng.choices((10**6, 500, 50, 40, 10), (40, 5, 2, 1, 1))[0]
            late = rng.randrange(self.options.delay_seconds + 1) * SECOND_NS
            published = {"size": time - late, "asset": flag}
            self._push(
                Kind.SET_INDEX_PRICE, instrument=u, price=price, amount=price // share, **published
            )
        for i, u in enumerate(self.pool.instrument_underlying):
            away = rng.randint(-self.options.basis_ppm, self.options.basis_ppm)
            self._push(Kind.SET_MARK_PRICE, instrument=i, price=self._mark(i, self.prices[u], away))
            if self.pool.risk_array.shape[1]:
                self._push_risk(i, self.prices[u], time)

    def _push_risk(self, i: int, price: int, time: int) -> None:
        """A risk array, which is lost at times, or in part."""
        if self.rng.random() < self.options.outage:
            return
        slots = valuing.risk_array(self.pool, i, price, time)
        for first in range(0, len(slots), 5):
            fields = ("account", "other", "amount", "size", "price")
            part = dict(zip(fields, slots[first : first + 5], strict=False))
            self._push(Kind.SET_RISK_ARRAY, instrument=i, asset=first, **part)

    def _mark(self, i: int, price: int, away_ppm: int) -> int:
        if self.pool.option_side[i]:
            return valuing.mark_of(self.pool, i, price, away_ppm, self.now)
        return self._ticks(i, price, away_ppm)

    def _ticks(self, i: int, price: int, away_ppm: int) -> int:
        tick = int(self.pool.tick[i])
        return max(price * (10**6 + away_ppm) // 10**6 // tick, 1) * tick

    def _fall(self) -> None:
        """Move a mark to where an account's excess changes sign, give or take a tick."""
        held = np.argwhere(self.pool.size != 0)
        if not len(held):
            return
        a, i = (int(x) for x in self.rng.choice(held.tolist()))
        tick, price = int(self.pool.tick[i]), int(self.pool.mark_price[i])
        sign = 1 if self.pool.size[a, i] > 0 else -1
        level = self.rng.choice(
            (Level.TARGET, Level.MAINTENANCE, Level.MAINTENANCE, Level.CLOSEOUT)
        )
        trial = copied(self.pool)

        def stands(steps: int) -> bool:
            trial.mark_price[i] = price - sign * steps * tick
            return bool(excess(trial, a, level) >= 0)

        reach = (price // tick if sign > 0 else price // (2 * tick)) - 1
        if reach < 1 or not stands(0) or stands(reach):
            return
        steps = last_that_holds(0, reach, stands) + self.rng.choice((-1, 0, 1))
        self._push(Kind.SET_MARK_PRICE, instrument=i, price=price - sign * steps * tick)
        self._push(Kind.LIQUIDATE, account=a)

    # Amounts

    def _amount(self, scale: int, fields: Fields, name: str, most: int, step: int = 1) -> int:
        """An amount up to a scale, or the last accepted one give or take a step."""
        rng = self.rng
        if rng.random() < self.options.edge:

            def accepted(count: int) -> bool:
                return outcome(self.pool, **fields | {name: count * step}) == Status.OK

            if accepted(1) and not accepted(most):
                return (last_that_holds(1, most, accepted) + rng.choice((-1, 0, 1))) * step
        whole = scale < 2 or rng.random() < 0.15
        return (scale if whole else rng.randrange(1, scale + 1)) * step

    def _of_account(self, kind: Kind, column: str, a: int, c: int | None = None) -> Fields:
        held = getattr(self.pool, column)[a]
        held = int(held if c is None else held[c])
        fields = {"kind": int(kind), "account": a, "asset": c or 0}
        return fields | {"amount": self._amount(held, fields, "amount", held + 2)}

    def _deposit(self) -> Fields:
        a, c = self._account(), self._asset()
        scale = self._quote(self.rng.choice((1, 1_000, 100_000)))
        if c != CASH:
            scale = self.rng.choice((10, 10**8, 30 * 10**8))
        fields = {"kind": int(Kind.DEPOSIT), "account": a, "asset": c}
        return fields | {"amount": self._amount(scale, fields, "amount", 2**53)}

    def _withdraw(self) -> Fields:
        return self._of_account(Kind.WITHDRAW, "balance", self._account(), self._asset())

    def _fund_insurance(self) -> Fields:
        fields = self._of_account(Kind.FUND_INSURANCE, "balance", self._account(), CASH)
        return fields | {"amount": fields["amount"] // 4}

    def _supply(self) -> Fields:
        return self._of_account(Kind.SUPPLY, "balance", self._account(), CASH)

    def _redeem(self) -> Fields:
        return self._of_account(Kind.REDEEM, "supply_shares", self._account())

    def _borrow(self) -> Fields:
        fields = {"kind": int(Kind.BORROW), "account": self._account()}
        cash = int(self.pool.total[Total.LENDER_CASH])
        return fields | {"amount": self._amount(cash, fields, "amount", cash + 2)}

    def _repay(self) -> Fields:
        indebted = np.flatnonzero(self.pool.debt_shares).tolist() or [self._account()]
        return self._of_account(Kind.REPAY, "debt_shares", self.rng.choice(indebted))

    def _exchange(self) -> Fields:
        a, c = self._account(), self.rng.randrange(max(len(self.pool.haircut[0]) - 1, 1)) + 1
        c = min(c, len(self.pool.haircut[0]) - 1)
        sellers = np.flatnonzero(self.pool.balance[:, c]).tolist()
        a = self.rng.choice(sellers) if sellers else a
        fields = {"kind": int(Kind.EXCHANGE), "account": a, "other": self._account(a), "asset": c}
        price = self.prices[max(int(self.pool.asset_underlying[c]), 0)]
        price = self.rng.choice((price, price * 9 // 10, price * 11 // 10, 1))
        fields |= {"price": price}
        held = int(self.pool.balance[a, c])
        return fields | {"amount": self._amount(held // 3, fields, "amount", held + 2)}

    def _trade(self, kind: Kind = Kind.TRADE) -> Fields:
        a, i = self._account(), self._instrument()
        b = self._account(a)
        if not len(self.pool.mark_price):
            return {"account": a, "other": b, "size": 1, "price": 1}
        mark, lot = int(self.pool.mark_price[i]), int(self.pool.lot[i])
        away = self.rng.choice((0, 0, 500, -500, 5_000, int(self.pool.price_band[i])))
        price = self._ticks(i, mark, away)
        cash = int(self.rng.choice((min, max))(self.pool.balance[[a, b], CASH])) + 1
        worth = mark
        if self.pool.option_side[i]:  # its margin goes by spot, whatever the mark
            worth = max(mark, self.prices[int(self.pool.instrument_underlying[i])] // 4)
        per_lot = max(lot * worth // int(self.pool.value_divisor[0]), 1)
        lots = max(cash * self.options.leverage // per_lot, 1)
        if self.rng.random() < 0.35 and self.pool.size[a, i]:
            lots = max(abs(int(self.pool.size[a, i])) // lot, 1)
        side = self.rng.choice((-1, 1))
        if self.rng.random() < 0.4:
            side = -1 if self.pool.size[a, i] > 0 else 1
        fields = {"kind": int(kind), "account": a, "other": b, "instrument": i, "price": price}
        if kind == Kind.OPEN_POSITION:
            deposit = self._deposit()
            fields |= {"asset": deposit["asset"], "amount": deposit["amount"]}
        return fields | {
            "size": side * self._amount(lots, fields, "size", 10**7, side * lot) * side
        }

    def _expire(self) -> Fields:
        dated = np.flatnonzero(self.pool.expiry).tolist() or [self._instrument()]
        i = self.rng.choice(dated)
        return {"instrument": i}

    def _liquidate(self) -> Fields:
        return {"account": self.rng.choice(self.unhealthy() or [self._account()])}

    def _open_account(self) -> Fields:
        return {"other": self.rng.randrange(2, 6), "amount": self.rng.choice((0, 1, 2))}


DRAWS: dict[Kind, Callable[[History], Fields]] = {
    Kind.OPEN_ACCOUNT: History._open_account,
    Kind.DEPOSIT: History._deposit,
    Kind.WITHDRAW: History._withdraw,
    Kind.EXCHANGE: History._exchange,
    Kind.FUND_INSURANCE: History._fund_insurance,
    Kind.SUPPLY: History._supply,
    Kind.REDEEM: History._redeem,
    Kind.BORROW: History._borrow,
    Kind.REPAY: History._repay,
    Kind.TRADE: History._trade,
    Kind.OPEN_POSITION: lambda h: h._trade(Kind.OPEN_POSITION),
    Kind.EXPIRE: History._expire,
    Kind.SETTLE: lambda _: {},
    Kind.LIQUIDATE: History._liquidate,
    Kind.DELEVERAGE: draws.deleverage,
    Kind.BID: draws.bid,
    Kind.SUPPLY_BACKSTOP: draws.supply_backstop,
    Kind.REDEEM_BACKSTOP: draws.redeem_backstop,
    Kind.BUY_FROM_BACKSTOP: draws.buy_from_backstop,
    Kind.BUY_COLLATERAL: draws.buy_collateral,
    Kind.FUND_BOND: draws.fund_bond,
    Kind.RELEASE_BOND: draws.release_bond,
    Kind.PROTECT: draws.protect,
    Kind.TOP_UP: draws.top_up,
    Kind.REDUCE: draws.weak,
    Kind.WARN: draws.weak,
    Kind.END_POOL: lambda _: {},
    Kind.ANNOUNCE_CHANGE: draws.announce,
    Kind.CANCEL_CHANGE: draws.cancel,
}


def history_rows(spec: PoolSpec, seed: int, count: int) -> Rows:
    """The first commands of the history with this seed: what other tests drive pools with."""
    return np.concatenate([step.row for step in History(spec, seed).take(count)])
