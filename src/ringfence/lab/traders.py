"""What the population does by itself: people enter, leave, take money home and come back."""

import heapq
from collections.abc import Iterator

from ringfence.core.command import Kind
from ringfence.core.margin import position_value
from ringfence.core.pool import CASH, Level, Total
from ringfence.core.validity import Validity, validity
from ringfence.lab.dice import Dice
from ringfence.lab.population import MAKER, Borrower, Taker
from ringfence.lab.stage import Stage
from ringfence.units import HOUR_NS, PPM

MARGIN_USED = 95  # percent of a deposit that a position uses, so that fees are covered
PAUSE_MAX_NS = 12 * HOUR_NS
ENTER, LEAVE, GO_HOME, BORROW, TAKE_OUT = "enter", "leave", "go home", "borrow", "take out"


class Due:
    """A heap of things to do at a time, first added first done."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, tuple[str, int]]] = []
        self._count = 0

    def put(self, time_ns: int, what: tuple[str, int]) -> None:
        """Plan something."""
        heapq.heappush(self._heap, (time_ns, self._count, what))
        self._count += 1

    def until(self, time_ns: int) -> Iterator[tuple[str, int]]:
        """Take off everything planned up to a time."""
        while self._heap and self._heap[0][0] <= time_ns:
            yield heapq.heappop(self._heap)[2]


class Traders:
    """The people of a stage; `act` lets those whose time has come do what they planned."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage = stage
        self._dice = Dice(seed + 1)
        self._due = Due()
        for k, taker in enumerate(stage.population.takers):
            self._due.put(taker.enter_ns, (ENTER, k))
        for k, borrower in enumerate(stage.population.borrowers):
            self._due.put(borrower.enter_ns, (BORROW, k))

    def act(self, now_ns: int) -> None:
        """Put what is due on the stage's list."""
        for what, k in list(self._due.until(now_ns)):
            if what == BORROW:
                self._borrow(self._stage.population.borrowers[k], k, now_ns)
            elif what == TAKE_OUT:
                self._take_out(self._stage.population.borrowers[k])
            else:
                self._trade(self._stage.population.takers[k], what, k, now_ns)

    def _trade(self, taker: Taker, what: str, k: int, now_ns: int) -> None:
        if what == ENTER and self._is_halted(taker):
            self._go_home(taker)
        elif what == ENTER:
            self._enter(taker)
            self._due.put(now_ns + taker.stay_ns, (LEAVE, k))
        elif what == LEAVE:
            self._leave(taker)
            self._due.put(now_ns + HOUR_NS, (GO_HOME, k))
        else:
            if self._dice.below(2) or self._is_halted(taker):
                self._go_home(taker)
            self._due.put(now_ns + HOUR_NS + self._dice.below(PAUSE_MAX_NS), (ENTER, k))

    def _is_halted(self, taker: Taker) -> bool:
        """Whether the pool goes on no longer, so that people take what they can and stay away."""
        return bool(self._stage.records[taker.pool].pool.total[Total.HALTED_AT] > 0)

    def _enter(self, taker: Taker) -> None:
        """Open a position with a deposit, in cash or coin, or with the cash still there."""
        record = self._stage.records[taker.pool]
        pool = record.pool
        mark = int(pool.mark_price[0])
        if mark == 0 or pool.size[self._account(taker), 0] != 0:
            return
        a, cash = self._account(taker), int(pool.balance[self._account(taker), CASH])
        in_coin = bool(record.spec.collateral) and self._dice.below(4) == 0
        fields = {"account": a, "other": MAKER, "instrument": 0, "price": mark}
        worth = cash
        if cash < taker.deposit // 2:
            fields |= self._deposit(taker, in_coin=in_coin)
            keep = PPM - int(pool.haircut[Level.INITIAL, fields["asset"]])
            worth = taker.deposit * keep // PPM
        value = worth * taker.leverage * MARGIN_USED // 100
        one_lot = position_value(int(pool.lot[0]), mark, int(pool.value_divisor[0]))
        size = value // one_lot * int(pool.lot[0])
        kind = Kind.OPEN_POSITION if "amount" in fields else Kind.TRADE
        if size:
            self._stage.add(taker.pool, **fields, kind=kind, size=size if taker.is_long else -size)

    def _deposit(self, taker: Taker, *, in_coin: bool) -> dict[str, int]:
        pool = self._stage.records[taker.pool].pool
        if not in_coin:
            return {"asset": CASH, "amount": taker.deposit}
        price = int(pool.index_price[pool.asset_underlying[CASH + 1]])
        coins = taker.deposit * int(pool.value_divisor[0]) // price
        return {"asset": CASH + 1, "amount": coins}

    def _leave(self, taker: Taker) -> None:
        """Close what is left of the position at the mark."""
        pool = self._stage.records[taker.pool].pool
        a = self._account(taker)
        size = int(pool.size[a, 0])
        if size:
            self._stage.add(
                taker.pool,
                kind=Kind.TRADE,
                account=a,
                other=MAKER,
                instrument=0,
                size=-size,
                price=int(pool.mark_price[0]),
            )

    def _go_home(self, taker: Taker) -> None:
        """Take everything out of an account without a position."""
        pool = self._stage.records[taker.pool].pool
        a = self._account(taker)
        for c in range(pool.balance.shape[1]):
            amount = int(pool.balance[a, c])
            if amount and not pool.size[a, 0]:
                self._stage.add(taker.pool, kind=Kind.WITHDRAW, account=a, asset=c, amount=amount)

    def _borrow(self, borrower: Borrower, k: int, now_ns: int) -> None:
        """Deposit coins and draw cash; it leaves the pool a tick later."""
        record = self._stage.records[borrower.pool]
        pool, a = record.pool, self._account(borrower)
        limit = 0
        for c in range(CASH + 1, pool.balance.shape[1]):
            u = int(pool.asset_underlying[c])
            if validity(pool, u) != Validity.FRESH:
                self._due.put(now_ns + HOUR_NS, (BORROW, k))
                return
            coins = borrower.value * int(pool.value_divisor[0]) // int(pool.index_price[u])
            self._stage.add(borrower.pool, kind=Kind.DEPOSIT, account=a, asset=c, amount=coins)
            limit += borrower.value * (PPM - int(pool.haircut[Level.INITIAL, c])) // PPM
        amount = limit * borrower.loan_to_value // 100
        self._stage.add(borrower.pool, kind=Kind.BORROW, account=a, amount=amount)
        self._due.put(now_ns + 1, (TAKE_OUT, k))

    def _take_out(self, borrower: Borrower) -> None:
        pool, a = self._stage.records[borrower.pool].pool, self._account(borrower)
        cash = int(pool.balance[a, CASH])
        if cash:
            self._stage.add(borrower.pool, kind=Kind.WITHDRAW, account=a, asset=CASH, amount=cash)

    def _account(self, person: Taker | Borrower) -> int:
        return self._stage.account(person.pool, person.owner, person.number)
