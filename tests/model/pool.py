"""ModelPool: one pool in plain Python, command by command, in the engine's own numbers.

`apply` takes a command and returns its Status. `columns` renders the state as the engine's
columns, so that both can be compared number by number.
"""

from collections.abc import Callable
from typing import Any, Self

from tests.model import (
    auction,
    backstop,
    deleveraging,
    expiry,
    governance,
    halt,
    liquidation,
    money,
    options,
    protection,
    trading,
)
from tests.model.state import Account, Change, State, state_from

from ringfence.core.command import Kind
from ringfence.core.pool import Pool, Rule, account_count
from ringfence.core.spec import PoolSpec
from ringfence.core.status import Status

FIELDS = ("account", "other", "asset", "instrument", "amount", "size", "price")
SLOTS = ("account", "other", "amount", "size", "price")
OF_ONE: dict[Kind, Callable[..., Status]] = {
    Kind.DEPOSIT: lambda s, a, f: money.deposit(s, a, f["asset"], f["amount"]),
    Kind.WITHDRAW: lambda s, a, f: money.withdraw(s, a, f["asset"], f["amount"]),
    Kind.FUND_INSURANCE: lambda s, a, f: money.fund_insurance(s, a, f["amount"]),
    Kind.SUPPLY: lambda s, a, f: money.supply(s, a, f["amount"]),
    Kind.REDEEM: lambda s, a, f: money.redeem(s, a, f["amount"]),
    Kind.BORROW: lambda s, a, f: money.borrow(s, a, f["amount"]),
    Kind.REPAY: lambda s, a, f: money.repay(s, a, f["amount"]),
    Kind.LIQUIDATE: lambda s, a, _: liquidation.liquidate(s, a),
    Kind.SUPPLY_BACKSTOP: lambda s, a, f: backstop.supply(s, a, f["amount"]),
    Kind.REDEEM_BACKSTOP: lambda s, a, f: backstop.redeem(s, a, f["amount"]),
    Kind.FUND_BOND: lambda s, a, f: halt.fund_bond(s, a, f["amount"]),
    Kind.RELEASE_BOND: lambda s, a, f: halt.release_bond(s, a, f["amount"]),
    Kind.PROTECT: lambda s, a, f: protection.protect(s, a, f["amount"], f["size"]),
    Kind.TOP_UP: lambda s, a, f: protection.top_up(s, a, f["asset"], f["amount"]),
    Kind.REDUCE: lambda s, a, _: protection.reduce(s, a),
    Kind.WARN: lambda s, a, _: protection.warn(s, a),
    Kind.BUY_FROM_BACKSTOP: lambda s, a, f: backstop.buy(s, a, f["instrument"], f["size"]),
    Kind.BUY_COLLATERAL: lambda s, a, f: backstop.buy_coins(s, a, f["asset"], f["amount"]),
}
OF_TWO: dict[Kind, Callable[..., Status]] = {
    Kind.EXCHANGE: lambda s, a, b, f: money.exchange(s, a, b, f["asset"], f["amount"], f["price"]),
    Kind.TRADE: lambda s, a, b, f: trading.trade(
        s, a, b, f["instrument"], f["size"], f["price"], (-1, 0)
    ),
    Kind.OPEN_POSITION: lambda s, a, b, f: trading.open_position(
        s, a, b, f["instrument"], f["size"], f["price"], (f["asset"], f["amount"])
    ),
    Kind.BID: lambda s, b, a, f: auction.bid(s, b, a, f["amount"], f["size"]),
}
OF_POOL: dict[Kind, Callable[..., Status]] = {
    Kind.EXPIRE: lambda s, f: expiry.expire(s, f["instrument"]),
    Kind.SET_INDEX_PRICE: lambda s, f: trading.set_index(
        s, f["instrument"], f["price"], f["amount"], f["size"], f["asset"]
    ),
    Kind.SET_MARK_PRICE: lambda s, f: trading.set_mark(s, f["instrument"], f["price"]),
    Kind.ACCRUE_FUNDING: lambda s, f: trading.accrue_funding(s, f["instrument"], f["amount"]),
    Kind.SETTLE: lambda s, _: backstop.settle(s),
    Kind.END_POOL: lambda s, _: halt.end(s),
    Kind.DELEVERAGE: lambda s, f: deleveraging.deleverage(s, f["instrument"], f["amount"]),
    Kind.SET_RISK_ARRAY: lambda s, f: options.set_risk_array(
        s, f["instrument"], f["asset"], [f[name] for name in SLOTS]
    ),
    Kind.ANNOUNCE_CHANGE: lambda s, f: governance.announce(
        s, f["asset"], f["instrument"], f["amount"], f["size"], f["price"]
    ),
    Kind.CANCEL_CHANGE: lambda s, f: governance.cancel(s, f["instrument"]),
}


class ModelPool:
    """One pool as the rules describe it."""

    def __init__(self, state: State) -> None:
        self.state = state

    @classmethod
    def create(cls, spec: PoolSpec, *, owner: int, now_ns: int, accounts: int = 64) -> Self:
        """The model of a new pool."""
        return cls(state_from(spec, owner=owner, now_ns=now_ns, accounts=accounts))

    def apply(self, command: Any) -> Status:  # noqa: C901 - one return per rule, in order
        """Apply one command row (or a mapping with its fields)."""
        state, kind = self.state, int(command["kind"])
        fields = {name: int(command[name]) for name in FIELDS}
        if kind == Kind.ADVANCE_CLOCK:
            return self._advance(int(command["time_ns"]))
        if kind == Kind.OPEN_ACCOUNT:
            return self._open(fields["other"], fields["amount"])
        if kind in OF_POOL:
            status = OF_POOL[Kind(kind)](state, fields)
            if status == Status.OK:
                halt.halt_if_due(state, kind)
            return status
        if kind not in OF_ONE and kind not in OF_TWO:
            return Status.COMMAND_IS_UNKNOWN
        account, other = self._account(fields["account"]), self._account(fields["other"])
        if account is None:
            return Status.ACCOUNT_DOES_NOT_EXIST
        status = backstop.bars(state, kind, account)
        if status == Status.OK and kind in OF_ONE:
            status = OF_ONE[Kind(kind)](state, account, fields)
        elif status == Status.OK:
            status = self._of_two(kind, account, other, fields)
        if status == Status.OK:
            halt.halt_if_due(state, kind)
            for name in ("account", "other") if kind in OF_TWO else ("account",):
                liquidation.release_if_healthy(state, self._account(fields[name]))
        return status

    def _of_two(
        self, kind: int, account: Account, other: Account | None, fields: dict[str, int]
    ) -> Status:
        if other is None:
            return Status.OTHER_ACCOUNT_DOES_NOT_EXIST
        if account is other:
            return Status.ACCOUNTS_MUST_DIFFER
        status = backstop.bars_trade(self.state, kind, account, other, fields)
        return (
            status
            if status != Status.OK
            else OF_TWO[Kind(kind)](self.state, account, other, fields)
        )

    def _account(self, index: int) -> Account | None:
        accounts = self.state.accounts
        return accounts[index] if 0 <= index < len(accounts) else None

    def _advance(self, time: int) -> Status:
        if time < self.state.now:
            return Status.TIME_MUST_NOT_DECREASE
        for period, name in ((86_400 * 10**9, "drawn"), (self.state.rules[Rule.EPOCH_NS], "taken")):
            if time // period != self.state.now // period:
                setattr(self.state, name, 0)
        self.state.now = time
        money.accrue(self.state)
        governance.progress(self.state)
        return Status.OK

    def _open(self, owner: int, number: int) -> Status:
        if number <= 0:
            return Status.AMOUNT_MUST_BE_POSITIVE
        if len(self.state.accounts) >= self.state.room:
            return Status.POOL_IS_FULL
        self.state.open_account(owner, number)
        return Status.OK


NUMBERS = (
    *("owner", "number", "due", "uncovered", "claim", "debt_shares", "supply_shares"),
    *("backstop_shares", "step", "step_since", "auction_raised", "auction_notional"),
    *("warned", "protect_budget", "protect_reduce"),
)


def _change_row(change: Change | None) -> list[int]:
    if change is None:
        return [0] * 7
    c = change
    return [c.parameter, c.index, c.old, c.new, c.start, c.ramp, int(c.active)]


def _accounts(state: State) -> dict[str, Any]:
    accounts = state.accounts
    columns: dict[str, Any] = {name: [getattr(a, name) for a in accounts] for name in NUMBERS}
    columns["balance"] = [a.balances for a in accounts]
    for name in ("size", "cost", "funding_paid"):
        columns[name] = [[getattr(p, name) for p in a.positions] for a in accounts]
    return columns


def _prices(state: State) -> dict[str, Any]:
    sides, things = state.underlyings, state.instruments
    return {
        "index_price": [u.price for u in sides],
        "confidence": [u.confidence for u in sides],
        "publish_time": [u.published for u in sides],
        "price_flag": [u.flag for u in sides],
        "grace_until": [u.grace_until for u in sides],
        "index_since": [u.taken for u in sides],
        "average_high": [sum(price // 2**30 * ms for price, ms in i.stood) for i in things],
        "average_low": [sum(price % 2**30 * ms for price, ms in i.stood) for i in things],
        "average_ms": [sum(ms for _, ms in i.stood) for i in things],
        "mark_price": [i.mark for i in things],
        "expired": [int(i.expired) for i in things],
        "funding_index": [i.funding for i in things],
        "valued_at": [i.valued for i in things],
        "risk_array": [i.array for i in things],
        "risk_array_next": [i.upcoming for i in things],
        "risk_slots": [i.filled for i in things],
        "open_interest": [state.open_interest(i) for i in range(len(things))],
        "disposed_at": [i.disposed_at for i in things],
        "asset_disposed_at": [c.disposed_at for c in state.assets],
        "deposited": [state.deposited(c) for c in range(len(state.assets))],
    }


def _parameters(state: State) -> dict[str, Any]:
    sides, things = state.underlyings, state.instruments
    columns: dict[str, Any] = {
        "rule": state.rules,
        "haircut": [[a.haircut[level] for a in state.assets] for level in range(4)],
        "factor": [[u.factor[level] for u in sides] for level in range(4)],
        "deposit_cap": [a.cap for a in state.assets],
        "hedge_rate": [u.hedge_rate for u in sides],
        "open_interest_lower": [u.interest_lower for u in sides],
        "open_interest_upper": [u.interest_upper for u in sides],
        "change": [_change_row(c) for c in state.changes],
    }
    for name, field in (
        ("position_cap", "position_cap"),
        ("open_interest_cap", "interest_cap"),
        ("price_band", "band"),
        ("taker_fee", "taker_fee"),
        ("maker_fee", "maker_fee"),
        ("funding_rate_max", "funding_max"),
    ):
        columns[name] = [getattr(i, field) for i in things]
    return columns


def moving_columns(state: State) -> dict[str, Any]:
    """Every column that a command can change."""
    s = state
    total = [s.now, len(s.accounts), s.version, s.settled_cash, s.insurance, s.insurance_claim]
    total += [s.rounding, s.shortfall, s.insurance_paid, s.lender_cash, s.supply_shares]
    total += [s.debt_shares, s.reserve, s.borrow_index, s.accrued_until]
    total += [sum(a.backstop_shares for a in s.accounts), s.taken, s.drawn]
    total += [s.auctioned(), s.waiting(), s.target, s.bond, s.halted_at, s.ended_at]
    return _accounts(s) | _prices(s) | {"total": total} | _parameters(s)


def fixed_columns(state: State) -> dict[str, Any]:
    """Every column that creation sets for good."""
    sides, things = state.underlyings, state.instruments
    width = max(len(u.tiers) for u in sides)

    def tiers(name: str, unused: int) -> list[list[int]]:
        return [
            [getattr(t, name) for t in u.tiers] + [unused] * (width - len(u.tiers)) for u in sides
        ]

    firsts = [sum(i.underlying < u for i in things) for u in range(len(sides) + 1)]
    parameters = range(max(state.bounds) + 1)
    return {
        "asset_underlying": [a.underlying for a in state.assets],
        "price_max": [u.price_max for u in sides],
        "tier_floor": tiers("floor", 2**53 - 1),
        "tier_initial_rate": tiers("initial", 0),
        "tier_maintenance_rate": tiers("maintenance", 0),
        "tier_deduction": tiers("deduction", 0),
        "first_instrument": firsts,
        "instrument_underlying": [i.underlying for i in things],
        "expiry": [i.expiry for i in things],
        "window_ns": [i.window for i in things],
        "lot": [i.lot for i in things],
        "tick": [i.tick for i in things],
        "value_divisor": [state.divisor],
        "margin_model": [state.model],
        "standard_rate": state.standard,
        "scenario_kind": state.kinds,
        "scenario_move": state.moves,
        "is_offsetting": [int(a.offsetting) for a in state.assets],
        "option_rate": [[u.option_rate[level] for u in sides] for level in range(4)],
        "linear_rate": [[u.linear_rate[level] for u in sides] for level in range(4)],
        "option_side": [i.side for i in things],
        "strike": [i.strike for i in things],
        "allowed": [[int(x) for x in row] for row in state.allowed],
        "bound_min": [state.bounds.get(p, (0, 0))[0] for p in parameters],
        "bound_max": [state.bounds.get(p, (0, 0))[1] for p in parameters],
    }


def columns(state: State) -> dict[str, Any]:
    """The state as the engine's columns."""
    return moving_columns(state) | fixed_columns(state)


def differences(rendered: dict[str, Any], pool: Pool) -> list[str]:
    """Columns in which the engine differs from what the model rendered."""
    count = account_count(pool)
    found = []
    for name, expected in rendered.items():
        actual = getattr(pool, name)
        used = actual[:count] if name in ACCOUNT_AXES else actual
        if used.tolist() != expected:
            found.append(f"{name}: engine {used.tolist()}, model {expected}")
    return found


ACCOUNT_AXES = frozenset(_accounts(State(1, 0, 0, [], [], [], [], {}, [])))
