"""Nothing appears and nothing is lost: P4, P5, P17, P21."""

import numpy as np
from tests.properties.histories import History
from tests.properties.profile import over_histories
from tests.properties.running import do

from ringfence.core.command import Kind
from ringfence.core.health import excess
from ringfence.core.margin import funding_due
from ringfence.core.pool import BACKSTOP, CASH, Level, Pool, Total, copied, pool_bytes
from ringfence.core.status import Status

STORES = (Total.SETTLED_CASH, Total.INSURANCE_FUND, Total.LENDER_CASH, Total.BOND)
NEVER_NEGATIVE = (*STORES, Total.INSURANCE_CLAIM, Total.RESERVE, Total.SHORTFALL)


@over_histories(30)
def test_p4_a_refused_command_changes_no_byte(spec, seed):
    history = History(spec, seed)
    before = pool_bytes(history.pool)
    for step in history.take(300):
        after = pool_bytes(history.pool)
        if step.status != Status.OK:
            assert after == before, f"{spec.name} seed {seed}: {step.row[0]} {step.status.name}"
            assert len(step.events) == 0
        before = after


def assert_conserved(pool: Pool, external: list[int]) -> None:
    balances = pool.balance.sum(axis=0)
    assert balances.tolist() == pool.deposited.tolist()
    assert balances[CASH] + sum(pool.total[t] for t in STORES) == external[CASH]
    assert balances[1:].tolist() == external[1:]
    assert not pool.size.sum(axis=0).any()
    assert np.maximum(pool.size, 0).sum(axis=0).tolist() == pool.open_interest.tolist()
    assert pool.debt_shares.sum() == pool.total[Total.DEBT_SHARES]
    assert pool.supply_shares.sum() == pool.total[Total.SUPPLY_SHARES]
    for column in ("balance", "due", "claim", "debt_shares", "supply_shares"):
        assert getattr(pool, column).min() >= 0, column
    for total in NEVER_NEGATIVE:
        assert pool.total[total] >= 0, total.name
    owing = pool.due > 0
    assert not pool.claim[owing].any(), "a claim stands beside a due"
    assert not pool.balance[owing, CASH].any(), "cash stands beside a due"


@over_histories(30)
def test_p5_every_unit_is_accounted_for_after_every_command(spec, seed):
    history = History(spec, seed)
    external = [0] * len(history.pool.deposited)
    for step in history.take(300):
        if step.is_accepted(Kind.DEPOSIT, Kind.OPEN_POSITION, Kind.TOP_UP):
            external[step.field("asset")] += step.field("amount")
        if step.is_accepted(Kind.WITHDRAW):
            external[step.field("asset")] -= step.field("amount")
        assert_conserved(history.pool, external)


def uncollected_sides(pool: Pool) -> tuple[int, int]:
    total = pool.total
    left = int(pool.claim.sum() + total[Total.INSURANCE_CLAIM])
    right = int(pool.due.sum() + pool.cost.sum() + total[Total.ROUNDING])
    return left, right + int(total[Total.SETTLED_CASH])


@over_histories(30)
def test_p17_claims_equal_what_is_still_to_come_after_every_command(spec, seed):
    history = History(spec, seed)
    for step in history.take(300):
        claims, sources = uncollected_sides(history.pool)
        assert claims == sources, f"{spec.name} seed {seed}: {step.row[0]}"
        if step.is_accepted(Kind.SETTLE, Kind.EXPIRE, Kind.END_POOL):
            assert history.pool.cost.sum() == 0
            assert history.pool.total[Total.ROUNDING] == 0


@over_histories(30)
def test_p17_a_flat_account_keeps_its_principal_whatever_happens_to_others(spec, seed):
    history = History(spec, seed)
    before = copied(history.pool)
    for step in history.take(300):
        pool = history.pool
        if step.is_accepted(Kind.SETTLE, Kind.EXPIRE, Kind.LIQUIDATE):
            flat = ~before.size.any(axis=1) & (before.due == 0)
            flat[BACKSTOP] = False
            if step.kind == Kind.LIQUIDATE:
                flat[step.field("account")] = False
            assert (pool.balance[flat] >= before.balance[flat]).all()
            assert (pool.debt_shares[flat] == before.debt_shares[flat]).all()
            assert (pool.supply_shares[flat] == before.supply_shares[flat]).all()
            assert not pool.due[flat].any()
        before = copied(pool)


@over_histories(20)
def test_p17_a_liquidation_touches_two_accounts_only(spec, seed):
    history = History(spec, seed)
    before = copied(history.pool)
    for step in history.take(300):
        pool = history.pool
        if step.is_accepted(Kind.LIQUIDATE):
            others = np.ones(len(pool.owner), dtype=bool)
            others[[BACKSTOP, step.field("account")]] = False
            for name in ("balance", "size", "cost", "funding_paid", "due", "claim"):
                then, now = getattr(before, name), getattr(pool, name)
                assert (then[others] == now[others]).all(), name
        before = copied(pool)


def funding_to_pay(pool: Pool) -> int:
    """Funding of all positions since each last paid, less what was paid and not yet shared."""
    owed = 0
    for i in range(len(pool.mark_price)):
        for a in range(len(pool.owner)):
            index, paid = pool.funding_index[i], pool.funding_paid[a, i]
            owed += funding_due(pool.size[a, i], index, paid, pool.value_divisor[0])
    return owed - int(pool.total[Total.ROUNDING])


@over_histories(20, "plain", "mixed", "coarse")
def test_p21_funding_sums_to_zero_up_to_rounding_that_insurance_gets(spec, seed):
    history = History(spec, seed)
    payments = 0  # roundings since the last settlement, at most one unit each
    for step in history.take(300):
        pool, room = history.pool, history.pool.size.size
        payments = 0 if step.is_accepted(Kind.SETTLE, Kind.EXPIRE) else payments + room
        assert 0 <= funding_to_pay(pool) <= payments + room
        claim = int(pool.total[Total.INSURANCE_CLAIM])
        if not step.is_accepted(Kind.SETTLE):
            continue
        again = copied(pool)
        assert do(again, Kind.SETTLE) == Status.OK
        assert int(again.total[Total.INSURANCE_CLAIM]) <= claim


@over_histories(20)
def test_p21_raising_initial_margin_liquidates_nobody(spec, seed):
    history = History(spec, seed)
    for _ in history.take(250):
        pass
    pool, strict = history.pool, copied(history.pool)
    strict.tier_initial_rate[:] = 10**6
    strict.factor[Level.INITIAL] = 10**7
    strict.haircut[Level.INITIAL, 1:] = 950_000
    strict.open_interest_lower[:] = 0
    strict.open_interest_upper[:] = 1
    for a in range(1, len(pool.owner)):
        for level in (Level.TARGET, Level.MAINTENANCE, Level.CLOSEOUT):
            assert excess(strict, a, level) == excess(pool, a, level)
        asked = do(copied(pool), Kind.LIQUIDATE, account=a)
        assert do(copied(strict), Kind.LIQUIDATE, account=a) == asked
