"""The same pool in plain Python, as a careful programmer would write it: the baseline.

Dataclasses with slots and Python's own integers; from the same bytes to the same statuses,
by the same rules in the same order with the same roundings. It knows deposits, withdrawals
and trades, cash and the pool's one instrument only, which favours it. `differences` proves
after a run that both did the same work.
"""

import struct
from dataclasses import dataclass

from ringfence.core.command import COMMAND, Kind
from ringfence.core.pool import BACKSTOP, CASH, Level, Pool, Rule, Total, account_count
from ringfence.core.status import Status
from ringfence.core.validity import Action, Flag, Validity
from ringfence.units import AMOUNT_MAX, PPM


def down(x: int, y: int, d: int) -> int:
    """Return floor(x * y / d)."""
    return x * y // d


def up(x: int, y: int, d: int) -> int:
    """Return ceil(x * y / d)."""
    return -(-x * y // d)


@dataclass(slots=True)
class PlainCommand:
    """A command; its fields are those of a row."""

    time_ns: int
    kind: int
    account: int
    other: int
    asset: int
    instrument: int
    amount: int
    size: int
    price: int


_ROW = struct.Struct("<9q")
assert COMMAND.itemsize == _ROW.size


@dataclass(slots=True)
class PlainAccount:
    """Cash and one position."""

    cash: int
    size: int
    cost: int
    funding_paid: int
    due: int
    claim: int


@dataclass(slots=True, frozen=True)
class PlainTier:
    """A margin tier."""

    floor: int
    initial: int
    maintenance: int
    deduction: int


class PlainPool:
    """A pool of one instrument and cash, read from a compiled pool."""

    def __init__(self, pool: Pool) -> None:
        self.divisor = int(pool.value_divisor[0])
        self.mark = int(pool.mark_price[0])
        self.index_price = int(pool.index_price[0])
        self.confidence = int(pool.confidence[0])
        self.publish_time = int(pool.publish_time[0])
        self.flag = int(pool.price_flag[0])
        self.now = int(pool.total[Total.NOW_NS])
        self.price_max = int(pool.price_max[0])
        self.lot, self.tick = int(pool.lot[0]), int(pool.tick[0])
        self.band = int(pool.price_band[0])
        self.taker_fee, self.maker_fee = int(pool.taker_fee[0]), int(pool.maker_fee[0])
        self.position_cap = int(pool.position_cap[0])
        self.interest, self.interest_cap = (
            int(pool.open_interest[0]),
            int(pool.open_interest_cap[0]),
        )
        self.interest_lower = int(pool.open_interest_lower[0])
        self.interest_upper = int(pool.open_interest_upper[0])
        self.funding_index = int(pool.funding_index[0])
        self.factor = [int(f) for f in pool.factor[:, 0]]
        self.rule = [int(r) for r in pool.rule]
        self.allowed = [[int(v) for v in row] for row in pool.allowed]
        self.deposited, self.deposit_cap = int(pool.deposited[CASH]), int(pool.deposit_cap[CASH])
        self.settled = int(pool.total[Total.SETTLED_CASH])
        self.insurance = int(pool.total[Total.INSURANCE_FUND])
        self.insurance_claim = int(pool.total[Total.INSURANCE_CLAIM])
        self.rounding = int(pool.total[Total.ROUNDING])
        self.tiers = [
            PlainTier(*map(int, numbers))
            for numbers in zip(
                pool.tier_floor[0],
                pool.tier_initial_rate[0],
                pool.tier_maintenance_rate[0],
                pool.tier_deduction[0],
                strict=True,
            )
        ]
        self.accounts = [
            PlainAccount(
                int(pool.balance[a, CASH]),
                int(pool.size[a, 0]),
                int(pool.cost[a, 0]),
                int(pool.funding_paid[a, 0]),
                int(pool.due[a]),
                int(pool.claim[a]),
            )
            for a in range(account_count(pool))
        ]

    # Health

    def requirement(self, level: int, size: int) -> int:
        """Margin requirement of a position."""
        notional = abs(down(size, self.mark, self.divisor))
        base = max(0, *(up(notional, t.maintenance, PPM) - t.deduction for t in self.tiers))
        required = up(base, self.factor[Level.CLOSEOUT], PPM)
        if level <= Level.MAINTENANCE:
            required = max(required, up(base, self.factor[Level.MAINTENANCE], PPM))
        if level <= Level.TARGET:
            required = max(required, up(base, self.factor[Level.TARGET], PPM))
        if level == Level.INITIAL:
            tier = next(t for t in reversed(self.tiers) if t.floor <= notional)
            initial = up(notional, self.scaled(tier.initial), PPM)
            required = max(required, up(initial, self.factor[Level.INITIAL], PPM))
        return required

    def scaled(self, rate: int) -> int:
        """Initial rate by open interest."""
        value = down(self.interest, self.mark, self.divisor)
        if value <= self.interest_lower:
            return rate
        if value >= self.interest_upper:
            return PPM
        width = self.interest_upper - self.interest_lower
        return rate + up(value - self.interest_lower, PPM - rate, width)

    def excess(
        self,
        account: PlainAccount,
        level: int,
        weight: int = PPM,
        *,
        size: int = 0,
        cost: int = 0,
        cash: int = 0,
        fee: int = 0,
    ) -> int:
        """Excess margin after a change, profit counting by a weight."""
        result = account.claim - account.due
        if account.size != 0:
            moved = self.funding_index - account.funding_paid
            result -= up(account.size, moved, self.divisor)
        size += account.size
        result += down(size, self.mark, self.divisor) - account.cost - cost
        if result > 0:
            result = down(result, weight, PPM)
        return account.cash + cash + result - fee - self.requirement(level, size)

    def unhealthy(self) -> list[int]:
        """Accounts below maintenance, but for the backstop."""
        return [
            a
            for a, account in enumerate(self.accounts)
            if a != BACKSTOP and self.excess(account, Level.MAINTENANCE) < 0
        ]

    def validity(self) -> Validity:
        """Class of the index price."""
        if self.flag == Flag.NON_POSITIVE or self.index_price <= 0:
            return Validity.NON_POSITIVE
        if self.flag == Flag.DIVERGENT:
            return Validity.DIVERGENT
        age = self.now - self.publish_time
        if age >= self.rule[Rule.LONG_STALE_NS]:
            return Validity.LONG_STALE
        if age >= self.rule[Rule.STALE_NS]:
            return Validity.STALE
        if self.confidence > down(self.index_price, self.rule[Rule.CONFIDENCE_MAX], PPM):
            return Validity.UNCERTAIN
        return Validity.FRESH

    def is_usable(self, action: Action) -> bool:
        """Whether the action may use the index price."""
        return self.allowed[action][self.validity()] == 1

    # Commands

    def run(self, batch: bytes) -> list[Status]:
        """Apply the rows of a batch, given by their bytes, and return the statuses."""
        return [self.apply(PlainCommand(*fields)) for fields in _ROW.iter_unpack(batch)]

    def apply(self, command: PlainCommand) -> Status:
        """Apply one command or refuse it with the first rule it breaks."""
        count = len(self.accounts)
        if not 0 <= command.account < count:
            return Status.ACCOUNT_DOES_NOT_EXIST
        account = self.accounts[command.account]
        if command.kind in (Kind.DEPOSIT, Kind.WITHDRAW):
            if command.asset != CASH:
                return Status.ASSET_DOES_NOT_EXIST
            move = self.deposit if command.kind == Kind.DEPOSIT else self.withdraw
            return move(account, command.amount)
        if not 0 <= command.other < count:
            return Status.OTHER_ACCOUNT_DOES_NOT_EXIST
        if command.account == command.other:
            return Status.ACCOUNTS_MUST_DIFFER
        if command.instrument != 0:
            return Status.INSTRUMENT_DOES_NOT_EXIST
        return self.trade(account, self.accounts[command.other], command.size, command.price)

    def deposit(self, account: PlainAccount, amount: int) -> Status:
        """Add cash, which pays the due first."""
        if amount <= 0:
            return Status.AMOUNT_MUST_BE_POSITIVE
        if amount > AMOUNT_MAX:
            return Status.AMOUNT_EXCEEDS_LIMIT
        if self.deposited + amount > self.deposit_cap:
            return Status.EXCEEDS_DEPOSIT_CAP
        account.cash += amount
        self.deposited += amount
        self.collect_due(account)
        return Status.OK

    def withdraw(self, account: PlainAccount, amount: int) -> Status:
        """Take cash out, as far as initial margin allows without any profit."""
        if amount <= 0:
            return Status.AMOUNT_MUST_BE_POSITIVE
        if amount > account.cash:
            return Status.EXCEEDS_BALANCE
        if account.size != 0 or account.due != 0:
            if account.size != 0 and not self.is_usable(Action.WITHDRAW):
                return Status.PRICE_IS_NOT_USABLE
            if self.excess(account, Level.INITIAL, 0, cash=-amount) < 0:
                return Status.INITIAL_MARGIN_TOO_LOW
        account.cash -= amount
        self.deposited -= amount
        return Status.OK

    def order_status(self, size: int, price: int) -> Status:
        """Rules of a trade's own numbers."""
        if size == 0:
            return Status.SIZE_MUST_NOT_BE_ZERO
        if abs(size) > AMOUNT_MAX:
            return Status.AMOUNT_EXCEEDS_LIMIT
        if size % self.lot != 0:
            return Status.SIZE_MUST_BE_WHOLE_LOTS
        if price <= 0:
            return Status.PRICE_MUST_BE_POSITIVE
        if price % self.tick != 0:
            return Status.PRICE_MUST_BE_WHOLE_TICKS
        if price > self.price_max:
            return Status.PRICE_EXCEEDS_LIMIT
        return self.price_status(price)

    def price_status(self, price: int) -> Status:
        """Rules of a trade's price against the mark."""
        if self.mark == 0:
            return Status.MARK_PRICE_IS_MISSING
        if abs(price - self.mark) > down(self.mark, self.band, PPM):
            return Status.PRICE_OUTSIDE_BAND
        return Status.OK

    def side_status(self, account: PlainAccount, size: int, value: int, fee: int) -> Status:
        """Rules of one side of a trade."""
        before = account.size
        if before != 0 and (before > 0) != (size > 0) and abs(size) <= abs(before):
            after = self.excess(account, Level.MAINTENANCE, size=size, cost=value, fee=fee)
            if after >= self.excess(account, Level.MAINTENANCE):
                return Status.OK
        elif not self.is_usable(Action.OPEN):
            return Status.PRICE_IS_NOT_USABLE
        elif abs(before + size) > self.position_cap:
            return Status.EXCEEDS_POSITION_LIMIT
        if before != 0 and not self.is_usable(Action.OPEN):
            return Status.PRICE_IS_NOT_USABLE
        weight = self.rule[Rule.PROFIT_WEIGHT]
        if self.excess(account, Level.INITIAL, weight, size=size, cost=value, fee=fee) < 0:
            return Status.INITIAL_MARGIN_TOO_LOW
        return Status.OK

    def trade(self, buyer: PlainAccount, seller: PlainAccount, size: int, price: int) -> Status:
        """Let one account buy a signed size from another."""
        status = self.order_status(size, price)
        if status != Status.OK:
            return status
        value = down(size, price, self.divisor)
        taker_fee = up(abs(value), self.taker_fee, PPM)
        maker_fee = up(abs(value), self.maker_fee, PPM)
        grown = interest_change(buyer.size, size) + interest_change(seller.size, -size)
        if grown > 0 and self.interest + grown > self.interest_cap:
            return Status.EXCEEDS_OPEN_INTEREST_CAP
        status = self.side_status(buyer, size, value, taker_fee)
        if status != Status.OK:
            return status
        status = self.side_status(seller, -size, -value, maker_fee)
        if status == Status.INITIAL_MARGIN_TOO_LOW:
            return Status.OTHER_INITIAL_MARGIN_TOO_LOW
        if status != Status.OK:
            return status
        self.move(buyer, size, value)
        self.move(seller, -size, -value)
        self.charge(buyer, taker_fee)
        self.charge(seller, maker_fee)
        return Status.OK

    # Bookings

    def move(self, account: PlainAccount, size: int, value: int) -> None:
        """Add size and cost to the position; a reduced one is settled at the mark."""
        before = account.size
        self.pay_funding(account)
        self.interest += interest_change(before, size)
        account.size = before + size
        account.cost += value
        if (before > 0 > size) or (before < 0 < size):
            self.pay_funding(account)
            worth = down(account.size, self.mark, self.divisor)
            result = worth - account.cost
            account.cost = worth
            self.realise(account, result)

    def pay_funding(self, account: PlainAccount) -> None:
        """Add the funding owed to the position's cost."""
        owed = up(account.size, self.funding_index - account.funding_paid, self.divisor)
        account.cost += owed
        self.rounding -= owed
        account.funding_paid = self.funding_index

    def realise(self, account: PlainAccount, result: int) -> None:
        """Book a result: profit is a claim, a loss takes claim, then cash, then is due."""
        if result >= 0:
            cancelled = min(account.due, result)
            account.due -= cancelled
            account.claim += result - cancelled
            return
        from_claim = min(account.claim, -result)
        account.claim -= from_claim
        account.due += -result - from_claim
        self.collect_due(account)

    def collect_due(self, account: PlainAccount) -> None:
        """Pay the due from cash."""
        paid = min(account.due, account.cash)
        if paid > 0:
            account.cash -= paid
            self.deposited -= paid
            account.due -= paid
            self.settled += paid

    def charge(self, account: PlainAccount, fee: int) -> None:
        """Collect a fee for the insurance fund."""
        from_cash = min(account.cash, fee)
        account.cash -= from_cash
        self.deposited -= from_cash
        self.insurance += from_cash
        rest = fee - from_cash
        from_claim = min(account.claim, rest)
        account.claim -= from_claim
        account.due += rest - from_claim
        self.insurance_claim += rest


def interest_change(size: int, change: int) -> int:
    """Change of the sum of long sizes."""
    return max(size + change, 0) - max(size, 0)


def differences(twin: PlainPool, pool: Pool) -> list[str]:
    """Name whatever differs between the twin and the compiled pool."""
    other = type(twin)(pool)
    return [name for name, value in vars(twin).items() if value != getattr(other, name)]
