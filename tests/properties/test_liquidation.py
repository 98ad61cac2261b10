"""What a liquidation may do to an account: P19."""

import numpy as np
from tests.model import health
from tests.model.liquidation import close_part, rates
from tests.model.pool import ModelPool
from tests.model.state import TARGET, State
from tests.model.trading import settle_one
from tests.properties.histories import History
from tests.properties.pools import ROOM, START_NS
from tests.properties.profile import over_histories
from tests.properties.running import Step as Taken
from tests.properties.running import do, outcome
from tests.properties.states import wealth, worth

from ringfence.core.auction import is_auction_over, is_up_for_auction
from ringfence.core.backstop import capital_value
from ringfence.core.command import Happening, Kind
from ringfence.core.health import equity, excess, has_position
from ringfence.core.liquidation import has_anything
from ringfence.core.pool import (
    BACKSTOP,
    CASH,
    Level,
    Pool,
    Rule,
    Step,
    Total,
    account_count,
    copied,
)
from ringfence.core.seizure import liability
from ringfence.core.spec import PoolSpec
from ringfence.core.status import Status
from ringfence.core.validity import Action, validity, valuation_validity
from ringfence.units import BASE

ENDS = (
    *(Status.ACCOUNT_IS_HEALTHY, Status.NOTHING_TO_LIQUIDATE),
    *(Status.AUCTION_IS_RUNNING, Status.ACCOUNT_AWAITS_DELEVERAGING),
)


def unit(pool: Pool) -> int:
    """What rounding to debt shares can cost in the steps of one liquidation."""
    return 8 * (int(pool.total[Total.BORROW_INDEX]) // BASE + 2)


def expected(pool: Pool, a: int) -> Status:  # noqa: C901 - one return per rule, in order
    """Outcome of a liquidation by the rules, in order."""
    if a == BACKSTOP:
        return Status.BACKSTOP_IS_NOT_LIQUIDATED
    if excess(pool, a, Level.MAINTENANCE) >= 0:
        return Status.OK if pool.step[a] else Status.ACCOUNT_IS_HEALTHY
    owes_news = pool.debt_shares[a] > 0 or pool.due[a] > pool.uncovered[a]
    if not has_anything(pool, a) and not pool.step[a] and not owes_news:
        return Status.NOTHING_TO_LIQUIDATE
    held = {int(pool.instrument_underlying[i]) for i in np.flatnonzero(pool.size[a])}
    held |= {int(pool.asset_underlying[c]) for c in np.flatnonzero(pool.balance[a]) if c != CASH}
    if not all(pool.allowed[Action.LIQUIDATE, validity(pool, u)] for u in held):
        return Status.PRICE_IS_NOT_USABLE
    legs = np.flatnonzero(pool.size[a])
    if not all(pool.allowed[Action.LIQUIDATE, valuation_validity(pool, i)] for i in legs):
        return Status.VALUATION_IS_NOT_USABLE
    has_grace = any(pool.total[Total.NOW_NS] < pool.grace_until[u] for u in held)
    if has_grace and excess(pool, a, Level.CLOSEOUT) >= 0:
        return Status.ACCOUNT_IS_IN_GRACE_PERIOD
    if pool.step[a] == Step.DELEVERAGING and has_position(pool, a):
        return Status.ACCOUNT_AWAITS_DELEVERAGING
    if pool.step[a] == Step.AUCTION and is_up_for_auction(pool, a):
        return Status.OK if is_auction_over(pool, a) else Status.AUCTION_IS_RUNNING
    return Status.OK


@over_histories(20)
def test_p19_liquidation_is_accepted_exactly_when_the_rules_allow_it(spec, seed):
    history = History(spec, seed)
    for _ in history.take(200):
        for a in range(account_count(history.pool)):
            pool = history.pool
            if excess(pool, a, Level.MAINTENANCE) < 0 or a == BACKSTOP:
                asked = outcome(pool, kind=int(Kind.LIQUIDATE), account=a)
                assert asked == expected(pool, a), f"{spec.name} seed {seed}"


@over_histories(40)
def test_p19_a_liquidation_ends_at_target_or_with_nothing_left(spec, seed):
    history = History(spec, seed)
    for step in history.take(300):
        if not step.is_accepted(Kind.LIQUIDATE):
            continue
        pool, a = history.pool, step.field("account")
        if excess(pool, a, Level.TARGET) < 0 and not is_elsewhere(pool, a):
            assert not has_anything(pool, a), f"{spec.name} seed {seed}: {step.row[0]}"
            assert pool.debt_shares[a] == 0, "what cannot be covered is written off"
        assert do(copied(pool), Kind.LIQUIDATE, account=a) in ENDS


def is_elsewhere(pool: Pool, a: int) -> bool:
    """Whether an account has got into another step, or is above maintenance by its own means."""
    return bool(pool.step[a]) or excess(pool, a, Level.MAINTENANCE) >= 0


@over_histories(40)
def test_p19_bonus_and_fee_never_exceed_what_the_account_is_worth(spec, seed):
    history = History(spec, seed)
    before = copied(history.pool)
    for step in history.take(300):
        pool = history.pool
        if step.is_accepted(Kind.LIQUIDATE):
            a = step.field("account")
            where = f"{spec.name} seed {seed}: {step.row[0]}"
            positions = step.events[step.events["kind"] == Happening.POSITION_LIQUIDATED]
            penalty = int(positions["bonus"].sum() + positions["fee"].sum())
            # Its own lent cash and share of the backstop are used before anything is taken.
            means = wealth(before, a) + capital_value(before, before.backstop_shares[a])
            assert penalty <= max(equity(before, a), means, 0), where
            if worth(before, a) >= 0:
                assert worth(pool, a) >= -unit(pool), where
            assert worth(pool, a) - worth(before, a) <= gift(step) + lent(step) + unit(pool), where
        before = copied(pool)


def gift(step: Taken) -> int:
    """What the insurance fund and the lenders bore for the account."""
    ends = step.events[step.events["kind"] == Happening.SHORTFALL_RECORDED]
    return int(ends["insurance"].sum() + ends["shortfall"].sum())


def lent(step: Taken) -> int:
    """What the account itself had lent to others, and used."""
    return int(step.events[step.events["kind"] == Happening.SHARES_REDEEMED]["value"].sum())


@over_histories(40)
def test_p19_only_an_account_under_water_leaves_a_shortfall(spec, seed):
    history = History(spec, seed)
    before = copied(history.pool)
    for step in history.take(300):
        if step.is_accepted(Kind.LIQUIDATE) and gift(step):
            assert worth(before, step.field("account")) < unit(before)
        before = copied(history.pool)


def one_lot_less(state: State, event, a: int, dust: int) -> int | None:
    """Excess at target had one lot less been closed; None where dust was closed with it."""
    account, i = state.accounts[a], int(event["index"])
    settle_one(state, account)
    notional = sum(
        abs(state.value(p.size, state.instruments[i].mark)) for i, p in enumerate(account.positions)
    )
    terms = rates(
        state, health.equity(state, account), notional, health.health_factor(state, account)
    )
    lot, mark, part = state.instruments[i].lot, state.instruments[i].mark, int(event["size"])
    if account.positions[i].size == part and state.value(lot, mark) < dust:
        return None
    part -= lot if part > 0 else -lot
    after, _, _, fee = close_part(state, account, i, part, terms)
    return health.excess(state, after, TARGET) - fee


def lockstep(spec: PoolSpec, seed: int) -> tuple[History, ModelPool]:
    model = ModelPool.create(spec, owner=1, now_ns=START_NS, accounts=ROOM)
    return History(spec, seed), model


@over_histories(40, "plain", "mixed", "coarse")
def test_p19_no_more_is_closed_than_reaches_the_target(spec, seed):
    history, model = lockstep(spec, seed)
    for step in history.take(300):
        before = model.state.copy() if step.kind == Kind.LIQUIDATE else model.state
        model.apply(step.row[0])
        if not step.is_accepted(Kind.LIQUIDATE):
            continue
        closed = step.events[step.events["kind"] == Happening.POSITION_LIQUIDATED]
        own = step.events[step.events["kind"] == Happening.SHARES_REDEEMED]
        reached = excess(history.pool, step.field("account"), Level.TARGET) >= 0
        if len(closed) == 1 and not len(own) and reached:
            if not has_position(history.pool, step.field("account")):
                continue
            dust = int(history.pool.rule[Rule.DUST])
            left = one_lot_less(before, closed[0], step.field("account"), dust)
            assert left is None or left < 0, f"{spec.name} seed {seed}: {step.row[0]}"


@over_histories(40)
def test_p19_liability_goes_only_where_value_goes(spec, seed):
    history = History(spec, seed)
    before = copied(history.pool)
    for step in history.take(300):
        if step.is_accepted(Kind.LIQUIDATE):
            a, pool = step.field("account"), history.pool
            for event in step.events[step.events["kind"] == Happening.COLLATERAL_LIQUIDATED]:
                assert 0 <= event["size"] <= before.balance[a, int(event["index"])]
                assert event["bonus"] >= -unit(pool)
            for c in range(1, pool.haircut.shape[1]):
                taken = before.balance[a, c] - pool.balance[a, c]
                assert pool.balance[BACKSTOP, c] - before.balance[BACKSTOP, c] == taken >= 0
            is_out = (step.events["kind"] == Happening.STEP_ENDED).any()
            if not liability(before, a) and not before.size[a].any() and not is_out:
                raise AssertionError("nothing was owed")
        before = copied(history.pool)
