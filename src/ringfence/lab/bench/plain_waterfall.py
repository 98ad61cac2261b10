"""Deleveraging in plain Python: the baseline of the burst, and a second opinion on it.

The same rules in the same order with the same roundings as the core's, on dataclasses and
Python's own integers, for one instrument and cash, without a backstop that takes anything.
"""

from ringfence.core.pool import Level, Pool, Rule, Step, Total, account_count
from ringfence.fixed import DIVISOR_MAX
from ringfence.lab.bench.plain import PlainAccount, PlainPool, down, up
from ringfence.units import PPM


class PlainWaterfall(PlainPool):
    """A plain pool that knows who waits, and what nobody paid."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        count = account_count(pool)
        self.uncovered = [int(u) for u in pool.uncovered[:count]]
        self.waiting = {a for a in range(count) if pool.step[a] == Step.DELEVERAGING}
        self.shortfall = int(pool.total[Total.SHORTFALL])
        self.drawn = int(pool.total[Total.INSURANCE_DRAWN])

    def burst(self, most: int) -> int:
        """Liquidate everybody below maintenance, then deleverage; return the losers closed."""
        for a in self.unhealthy():
            self.liquidate(a)
        closed = 0
        while self.waiting:
            closed += self.deleverage(most)
        return closed

    def liquidate(self, a: int) -> None:
        """Settle an account, and let it wait if that does not help."""
        self.settle(self.accounts[a])
        if self.excess(self.accounts[a], Level.TARGET) < 0:
            self.waiting.add(a)

    def settle(self, account: PlainAccount) -> None:
        """Realise profit and loss at the mark."""
        self.pay_funding(account)
        worth = down(account.size, self.mark, self.divisor)
        result = worth - account.cost
        account.cost = worth
        self.realise(account, result)

    def equity(self, account: PlainAccount) -> int:
        """Cash and everything uncollected."""
        moved = self.funding_index - account.funding_paid
        held = down(account.size, self.mark, self.divisor) - account.cost
        owed = up(account.size, moved, self.divisor)
        return account.cash + account.claim - account.due + held - owed

    # What closes

    def fee_rate(self, account: PlainAccount) -> int:
        """Fee of a loser in ppm: as in a liquidation, never more than his equity."""
        worth, taken = self.equity(account), abs(down(account.size, self.mark, self.divisor))
        if worth <= 0 or taken <= 0:
            return 0
        cap = PPM if worth >= taken else down(worth, PPM, taken)
        bonus = min(self.rule[Rule.BONUS_MIN], cap)
        fee = min(self.rule[Rule.LIQUIDATION_FEE], cap - bonus)
        return min(self.rule[Rule.LIQUIDATION_FEE], bonus + fee)

    def lots_to_close(self, account: PlainAccount) -> int:
        """Fewest lots whose closing reaches the target level; all if none does."""
        lots, rate = abs(account.size) // self.lot, self.fee_rate(account)
        if not self.is_enough(account, lots, rate):
            return lots
        low, high = 0, lots
        while high - low > 1:
            middle = (low + high) // 2
            if self.is_enough(account, middle, rate):
                high = middle
            else:
                low = middle
        left = down((lots - high) * self.lot, self.mark, self.divisor)
        return lots if left < self.rule[Rule.DUST] else high

    def is_enough(self, account: PlainAccount, lots: int, rate: int) -> bool:
        """Whether closing so many lots reaches the target level."""
        part = lots * self.lot * (1 if account.size > 0 else -1)
        value = down(part, self.mark, self.divisor)
        fee = down(abs(value), rate, PPM)
        return self.excess(account, Level.TARGET, size=-part, cost=-value, fee=fee) >= 0

    def deleverage(self, most: int) -> int:
        """Close those who wait against the other side; return how many there were."""
        closed = 0
        for side in (1, -1):
            losers = [
                (a, self.lots_to_close(self.accounts[a]))
                for a in sorted(self.waiting)
                if self.accounts[a].size * side > 0
                and self.excess(self.accounts[a], Level.MAINTENANCE) < 0
            ][:most]
            if losers:
                self.close(side, losers)
            closed += len(losers)
        return closed

    def close(self, side: int, losers: list[tuple[int, int]]) -> None:
        """Close losers, and winners for as much; let winners' gains relieve who is bankrupt."""
        winners = [account for account in self.accounts if account.size * side < 0]
        given = cuts(
            [abs(w.size) // self.lot for w in winners],
            [self.equity(w) for w in winners],
            sum(lots for _, lots in losers),
        )
        for winner, lots in zip(winners, given, strict=True):
            if lots:
                size = side * lots * self.lot
                self.move(winner, size, down(size, self.mark, self.divisor))
        missing = [(a, self.close_loser(a, side * lots * self.lot)) for a, lots in losers]
        paid = self.gains_of(winners, given, sum(loss for _, loss in missing))
        for a, loss in missing:
            relief = min(paid, loss)
            paid -= relief
            self.shortfall -= relief
            self.accounts[a].due -= relief
            self.uncovered[a] = self.accounts[a].due

    def close_loser(self, a: int, part: int) -> int:
        """Close a part of a position for a fee; return the loss that is left to share."""
        account = self.accounts[a]
        value = down(part, self.mark, self.divisor)
        fee = down(abs(value), self.fee_rate(account), PPM)
        self.settle(account)
        self.move(account, -part, -value)
        self.charge(account, fee)
        is_short = self.excess(account, Level.TARGET) < 0
        if not is_short or account.size == 0:
            self.waiting.discard(a)
        if account.size or not is_short or account.cash or account.claim or not account.due:
            return 0
        return self.record_shortfall(a)

    def record_shortfall(self, a: int) -> int:
        """Let the insurance fund pay; return what it does not."""
        account = self.accounts[a]
        due = account.due - min(self.uncovered[a], account.due)
        day = down(self.insurance + self.drawn, self.rule[Rule.INSURANCE_DRAW_DAY], PPM)
        event = down(self.insurance, self.rule[Rule.INSURANCE_DRAW], PPM)
        drawn = max(min(due, event, day - self.drawn), 0)
        self.insurance -= drawn
        self.drawn += drawn
        account.due -= drawn
        self.settled += drawn
        self.uncovered[a] = account.due
        self.shortfall += due - drawn
        return min(account.due, due - drawn)

    @staticmethod
    def gains_of(winners: list[PlainAccount], given: list[int], wanted: int) -> int:
        """Take up to an amount from the claims of those who gave lots, by lots."""
        weights, left = fitting(given), wanted
        while left > 0:
            able = [k for k, lots in enumerate(given) if lots and winners[k].claim > 0]
            total, before = sum(max(weights[k], 1) for k in able), left
            if not able:
                break
            for k in able:
                if left == 0:
                    break
                share = max(down(before, max(weights[k], 1), total), 1 if before < total else 0)
                taken = min(share, winners[k].claim, left)
                winners[k].claim -= taken
                left -= taken
            if left == before:
                break
        return wanted - left


def fitting(weights: list[int]) -> list[int]:
    """Weights in proportion, none negative, small enough for the core's divisions."""
    total, shift = sum(max(w, 0) >> 24 for w in weights), 0
    while total >> shift >= DIVISOR_MAX >> 25:
        shift += 1
    return [max(w, 0) >> shift for w in weights]


def cuts(sizes: list[int], equities: list[int], needed: int) -> list[int]:
    """Lots of each size that close, so that what is left stands at one level of leverage."""
    weights = fitting(equities)
    over = {k for k, size in enumerate(sizes) if size > 0}
    while True:
        kept = sum(sizes[k] for k in over) - needed
        total = sum(weights[k] for k in over)
        below = {k for k in over if total and up(kept, weights[k], total) > sizes[k]}
        if not below:
            break
        over -= below
    if total == 0:
        weights = fitting([size if k in over else 0 for k, size in enumerate(sizes)])
        total = sum(weights)
    left = {k: min(down(kept, weights[k], total), sizes[k]) for k in sorted(over)} if total else {}
    found = [sizes[k] - left.get(k, 0) if k in over else 0 for k in range(len(sizes))]
    spare = kept - sum(left.values())
    order = sorted(left, key=lambda k: left[k] * total - kept * weights[k])
    for k in order:
        if spare == 0:
            break
        if found[k] > 0:
            found[k] -= 1
            spare -= 1
    return found
