"""Planted bugs: venues whose pools interfere with each other, each in one way.

They test the tests: every one must be caught by the properties named for it, within the
seeds of a normal run. Both the world and the lonely pools it is compared with carry the bug, as
they would if it were in the code.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from ringfence.core.command import Happening, Kind, Rows
from ringfence.core.health import equity
from ringfence.core.log import empty_log
from ringfence.core.machine import apply
from ringfence.core.pool import CASH, Rule, Total, account_count
from ringfence.core.status import Status
from ringfence.venue.fanout import FeedPrice
from ringfence.venue.state import Outcome, PoolRecord, State

GROSS = 10**9  # quote units; enough to decide something


class Planted(State):
    """What the bugs need to find their way to other pools."""

    def others(self, record: PoolRecord) -> list[PoolRecord]:
        """Every other pool."""
        return [other for other in self.pools.values() if other.id != record.id]

    def elsewhere(self, record: PoolRecord, a: int) -> Iterator[tuple[PoolRecord, int]]:
        """Accounts of the same owner in other pools."""
        owner = record.pool.owner[a]
        for other in self.others(record):
            for b in range(1, account_count(other.pool)):
                if other.pool.owner[b] == owner:
                    yield other, b

    def one_by_one(self, record: PoolRecord, rows: Rows) -> Outcome:
        """Apply a batch row by row, with room for something in between."""
        outcomes = [self.apply_single(record, rows[r : r + 1]) for r in range(len(rows))]
        return Outcome(
            np.concatenate([o.statuses for o in outcomes]),
            np.concatenate([o.events for o in outcomes]),
        )

    def apply_single(self, record: PoolRecord, row: Rows) -> Outcome:
        """Apply one row; bugs override it."""
        return State.apply_rows(self, record, row)

    def apply_rows(self, record: PoolRecord, rows: Rows) -> Outcome:
        """Apply a batch."""
        return self.one_by_one(record, rows)


def names_an_account(record: PoolRecord, row: Rows) -> bool:
    """Whether a row names an account that exists."""
    return 0 <= row["account"][0] < account_count(record.pool)


def is_kind(row: Rows, *kinds: Kind) -> bool:
    """Whether a row is of these kinds."""
    return row["kind"][0] in kinds


class LiquidationDrawsOnOtherPool(Planted):
    """A loss is collected from the same owner's cash in another pool."""

    def apply_single(self, record: PoolRecord, row: Rows) -> Outcome:
        outcome = super().apply_single(record, row)
        for event in outcome.events:
            if event["kind"] == Happening.SHORTFALL_RECORDED:
                for other, b in self.elsewhere(record, event["account"]):
                    taken = other.pool.balance[b, CASH] // 2
                    other.pool.balance[b, CASH] -= taken
                    record.pool.total[Total.INSURANCE_FUND] += taken
        return outcome


class LiquidationSparesTheRich(Planted):
    """Nobody is liquidated who owns enough in other pools: a leak that only refuses."""

    def apply_single(self, record: PoolRecord, row: Rows) -> Outcome:
        if is_kind(row, Kind.LIQUIDATE) and names_an_account(record, row):
            found = self.elsewhere(record, row["account"][0])
            if sum(equity(other.pool, b) for other, b in found) > GROSS:
                statuses = np.full(1, Status.ACCOUNT_IS_HEALTHY, dtype=np.int64)
                return Outcome(statuses, State.apply_rows(self, record, row[:0]).events)
        return super().apply_single(record, row)


class WalletCountsAsMargin(Planted):
    """A borrower's wallet counts as his collateral while the loan is decided."""

    def apply_single(self, record: PoolRecord, row: Rows) -> Outcome:
        if not (is_kind(row, Kind.BORROW, Kind.TRADE) and names_an_account(record, row)):
            return super().apply_single(record, row)
        a = row["account"][0]
        lent = self.wallets.amount[record.pool.owner[a], record.assets[CASH]]
        record.pool.balance[a, CASH] += lent
        outcome = super().apply_single(record, row)
        record.pool.balance[a, CASH] -= lent
        return outcome


class RefusedDepositIsTaken(Planted):
    """The wallet pays before the pool is asked, and a refusal does not give it back."""

    def apply_single(self, record: PoolRecord, row: Rows) -> Outcome:
        outcome = super().apply_single(record, row)
        refused = outcome.statuses[0] not in (Status.OK, Status.EXCEEDS_WALLET)
        if is_kind(row, Kind.DEPOSIT, Kind.OPEN_POSITION) and refused:
            c, amount = row["asset"][0], row["amount"][0]
            if names_an_account(record, row) and 0 <= c < len(record.assets) and amount > 0:
                owner = record.pool.owner[row["account"][0]]
                self.wallets.amount[owner, record.assets[c]] -= amount
        return outcome


class RefusalLeavesATrace(Planted):
    """A refused trade is counted in the pool."""

    def apply_single(self, record: PoolRecord, row: Rows) -> Outcome:
        outcome = super().apply_single(record, row)
        if is_kind(row, Kind.TRADE) and outcome.statuses[0] == Status.INITIAL_MARGIN_TOO_LOW:
            record.pool.total[Total.VERSION] += 1
        return outcome


class InsuranceIsShared(Planted):
    """What one pool's insurance pays comes out of another pool's fund."""

    def apply_single(self, record: PoolRecord, row: Rows) -> Outcome:
        before = record.pool.total[Total.INSURANCE_PAID]
        outcome = super().apply_single(record, row)
        paid = record.pool.total[Total.INSURANCE_PAID] - before
        for other in self.others(record)[:1]:
            record.pool.total[Total.INSURANCE_FUND] += paid
            other.pool.total[Total.INSURANCE_FUND] -= paid
        return outcome


class InsuranceLimitIsShared(Planted):
    """Once any pool's insurance has paid, no other's may: no byte of another is written."""

    def apply_single(self, record: PoolRecord, row: Rows) -> Outcome:
        rule = record.pool.rule
        own = rule[Rule.INSURANCE_DRAW]
        if any(other.pool.total[Total.INSURANCE_PAID] for other in self.others(record)):
            rule[Rule.INSURANCE_DRAW] = 0
        outcome = super().apply_single(record, row)
        if rule[Rule.INSURANCE_DRAW] == 0:
            rule[Rule.INSURANCE_DRAW] = own
        return outcome


class DepositGoesToAnotherPool(Planted):
    """A deposit is booked in the first pool in which the owner has an account."""

    def apply_single(self, record: PoolRecord, row: Rows) -> Outcome:
        if is_kind(row, Kind.DEPOSIT) and names_an_account(record, row) and row["asset"][0] == CASH:
            for other, b in self.elsewhere(record, row["account"][0]):
                if other.spec.name == record.spec.name:
                    moved = row.copy()
                    moved["account"] = b
                    return super().apply_single(other, moved)
        return super().apply_single(record, row)


class WithdrawalPaysAnotherOwner(Planted):
    """A withdrawal is paid into the next owner's wallet."""

    def apply_single(self, record: PoolRecord, row: Rows) -> Outcome:
        outcome = super().apply_single(record, row)
        if is_kind(row, Kind.WITHDRAW) and outcome.statuses[0] == Status.OK:
            owner = record.pool.owner[row["account"][0]]
            asset = record.assets[row["asset"][0]]
            self.wallets.amount[owner, asset] -= row["amount"][0]
            self.wallets.amount[owner - 1, asset] += row["amount"][0]
        return outcome


class ClockIsShared(Planted):
    """A command to one pool moves the clock of all, so their interest accrues in other steps."""

    def apply_rows(self, record: PoolRecord, rows: Rows) -> Outcome:
        for other in self.others(record):
            clock = rows[:1].copy()
            clock["kind"] = Kind.ADVANCE_CLOCK
            State.apply_rows(self, other, clock)
        return super().apply_rows(record, rows)


class AccountNumbersAreShared(Planted):
    """An owner cannot use a number that he uses in another pool."""

    def apply_single(self, record: PoolRecord, row: Rows) -> Outcome:
        name = int(row["other"][0]), int(row["amount"][0])
        taken = any(name in other.accounts for other in self.others(record))
        if is_kind(row, Kind.OPEN_ACCOUNT) and taken and name[1] > 1:
            statuses = np.full(1, Status.ACCOUNT_NUMBER_IS_TAKEN, dtype=np.int64)
            return Outcome(statuses, State.apply_rows(self, record, row[:0]).events)
        return super().apply_single(record, row)


class CapIsShared(Planted):
    """The cap on deposits counts what all pools hold of the settlement asset."""

    def apply_single(self, record: PoolRecord, row: Rows) -> Outcome:
        cap, own = record.pool.deposit_cap, record.pool.deposit_cap[CASH]
        cap[CASH] -= sum(other.pool.deposited[CASH] for other in self.others(record))
        outcome = super().apply_single(record, row)
        cap[CASH] = own
        return outcome


class PricesReachOtherPools(Planted):
    """A pool that got no price for an instrument takes the mark of its namesake elsewhere."""

    def apply_prices(self, prices: Sequence[FeedPrice], time_ns: int) -> dict[bytes, Outcome]:
        outcomes = super().apply_prices(prices, time_ns)
        for record in self.pools.values():
            if record.id in outcomes:
                continue
            for other in self.others(record):
                if len(other.pool.mark_price) and len(record.pool.mark_price):
                    record.pool.mark_price[0] = other.pool.mark_price[0]
        return outcomes


class SettlementIsShared(Planted):
    """A settlement takes in the settled cash of a pool that waits for its own."""

    def apply_single(self, record: PoolRecord, row: Rows) -> Outcome:
        if is_kind(row, Kind.SETTLE):
            for other in self.others(record):
                apply(other.pool, row, np.zeros(1, dtype=np.int64), empty_log(64))
        return super().apply_single(record, row)


# Each bug, and the properties that catch it, each of them without the help of the others.
BUGS: dict[type[Planted], str] = {
    LiquidationDrawsOnOtherPool: "P1 P2 P3 P4",
    LiquidationSparesTheRich: "P2",
    WalletCountsAsMargin: "P2 P4",
    RefusedDepositIsTaken: "P2 P3",
    RefusalLeavesATrace: "P1 P4",
    InsuranceIsShared: "P1 P2 P3 P4",
    InsuranceLimitIsShared: "P1 P2 P4",
    DepositGoesToAnotherPool: "P1 P2 P3 P4",
    WithdrawalPaysAnotherOwner: "P2 P3",
    ClockIsShared: "P1 P2 P3 P4",
    AccountNumbersAreShared: "P2",
    CapIsShared: "P2",
    PricesReachOtherPools: "P1 P2 P3 P4",
    SettlementIsShared: "P1 P2 P3 P4",
}
