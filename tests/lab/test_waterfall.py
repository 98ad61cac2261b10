"""The book of the waterfall: every step counted, and nothing that does not add up goes unsaid."""

import numpy as np
import pytest

from ringfence.core.command import EVENT, Happening
from ringfence.core.log import recorded
from ringfence.core.pool import CASH, Total
from ringfence.lab.bench import waterfall as bench
from ringfence.lab.bench.plain_waterfall import cuts
from ringfence.lab.bench.pools import applied, price_rows
from ringfence.lab.crash import Crash
from ringfence.lab.population import PopulationPlan
from ringfence.lab.summary import summarise
from ringfence.lab.waterfall import STEPS, Book, Paid, total_of
from ringfence.oracle.sources.replay import PriceFile
from ringfence.venue.liquidator import Liquidator, liquidations


def events(*rows):
    found = np.zeros(len(rows), dtype=EVENT)
    for k, fields in enumerate(rows):
        for name, value in fields.items():
            found[name][k] = value
    return found


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """A crash with a gap and what comes after, through twenty pools of people with much leverage."""
    path = tmp_path_factory.mktemp("prices") / "fall.csv"
    lines = ["ts,bid,ask"]
    for k in range(125):
        price = 2000 * (1 - 0.4 * (min(k, 89) / 89) ** 2) * (0.9 if k >= 60 else 1)
        minute = f"2021-01-11T{4 + k // 60:02d}:{k % 60:02d}:00Z"
        lines.append(f"{minute},{price - 0.5:.2f},{price + 0.5:.2f}")
    path.write_text("\n".join(lines) + "\n")
    plan = PopulationPlan(pools=20, accounts=200, leverage=20, seed=3)
    crash = Crash(PriceFile.open(path, "ETH"), ["ETH"], plan, ":memory:")
    crash.set_up()
    for _ in crash.play():
        pass
    crash.finish()
    yield crash
    crash.venue.close()


def test_a_crash_goes_down_every_step_and_adds_up_to_the_unit(ended):
    paid = ended.paid()
    done = (paid.auctioned, paid.raised, paid.notional, paid.debt, paid.insurance)
    assert all(done)
    assert paid.deleveraged > 0
    assert paid.shortfall > 0
    assert (paid.halts, paid.bond) == (1, 1_000 * 10**6)
    assert min(paid.added, paid.reduced) > 0
    assert ended.problems() == []
    assert ended.counts.are_wallets_unchanged
    assert ended.counts.are_others_unchanged


def test_the_summary_says_how_far_each_pool_went_and_who_bore_what(ended):
    summary = summarise(ended)
    assert summary.adds_up
    assert summary.steps.deepest == "final settlement"
    assert len({pool.steps.deepest for pool in summary.by_pool}) >= 3
    borne = {who: float(amount) for who, amount in summary.steps.borne.items()}
    insured = borne["insurance fund"] + borne["creator's bond"]
    assert insured == pytest.approx(float(summary.insurance_used), abs=1e-6)
    assert borne["claims and lenders"] == float(summary.shortfall)
    assert 0 < borne["creator's bond"] <= 1000
    assert borne["accounts"] > 0


def test_a_halted_pool_is_settled_for_good_and_what_is_left_is_on_record(ended):
    (k,) = (k for k, book in enumerate(ended.books) if book.paid.halts)
    pool, paid = ended.stage.records[k].pool, ended.books[k].paid
    assert paid.ends == 1
    assert pool.total[Total.ENDED_AT] - pool.total[Total.HALTED_AT] >= 3600 * 10**9
    assert not pool.size.any()
    assert not pool.step.any()
    assert paid.final > 0
    assert int(pool.claim.sum()) <= paid.unpaid
    left, paid.unpaid = paid.unpaid, -1
    (problem,) = ended.problems()
    paid.unpaid = left
    assert "claims after the end" in problem


def test_signed_orders_act_in_a_run_and_move_no_wallet_beyond_their_budgets(ended):
    orders = ended.population.orders
    signed = sum(order.budget for order in orders)
    assert 0 < ended.paid().added <= signed
    assert {order.may_reduce for order in orders} == {True, False}
    reduced = {(k, a) for k, book in enumerate(ended.books) for a in book.reduced}
    may = {(o.pool, ended.stage.account(o.pool, o.owner, o.number)) for o in orders if o.may_reduce}
    assert reduced <= may
    assert reduced


def test_a_sum_that_is_off_by_one_unit_is_said_with_the_name_of_its_pool(ended):
    book = ended.books[0]
    book.paid.insurance += 1
    (problem,) = ended.problems()
    book.paid.insurance -= 1
    assert problem.startswith(f"{ended.stage.records[0].spec.name}: insurance paid: the events")


def test_money_that_nobody_deposited_is_said(ended):
    ended.stage.held[0][CASH] -= 1
    problems = ended.problems()
    ended.stage.held[0][CASH] += 1
    assert len(problems) == 1
    assert ended.problems() == []


def test_a_deleveraging_adds_up_and_one_lot_less_does_not():
    pool = bench.burst_pool(400)
    held = int(pool.deposited[CASH] + pool.total[Total.SETTLED_CASH])
    held += int(pool.total[Total.INSURANCE_FUND])
    applied("crash", pool, price_rows(bench.BURST_PRICE, 2))
    book = Book()
    book.note(recorded(bench.logged("", pool, liquidations(Liquidator(pool).unhealthy(pool)))))
    batch = bench.command_rows(bench.Kind.DELEVERAGE, 1)
    done = recorded(bench.logged("", pool, batch))
    book.note(done)
    assert list(book.problems(pool, [held])) == []
    assert book.paid.given_up > 0
    assert book.paid.deepest() == "deleveraging"
    without_last = Book()
    without_last.note(done[done["kind"] == Happening.WINNER_DELEVERAGED])
    assert any("size that losers gave" in p for p in without_last.problems(pool, [held]))


def test_every_kind_of_event_is_counted_where_it_belongs():
    book = Book()
    book.note(
        events(
            {"kind": Happening.AUCTION_STARTED, "account": 3, "value": 1000},
            {
                "kind": Happening.SLICE_SOLD,
                "account": 3,
                "size": 4 * 10**8,
                "value": 70,
                "bonus": 5,
            },
            {"kind": Happening.SLICE_SOLD, "account": 3, "size": 10**9, "value": 90, "bonus": 6},
            {"kind": Happening.POSITION_LIQUIDATED, "account": 4, "value": 500, "fee": 2},
            {"kind": Happening.COLLATERAL_LIQUIDATED, "account": 5, "value": 40},
            {"kind": Happening.SHORTFALL_RECORDED, "account": 5, "insurance": 8, "shortfall": 9},
            {"kind": Happening.DUE_COVERED, "value": 11, "shortfall": 100},
            {"kind": Happening.CLAIMS_PAID, "value": 12, "shortfall": 100},
            {"kind": Happening.BUDGET_ADDED, "account": 6, "value": 13},
            {"kind": Happening.POSITION_REDUCED, "account": 6, "value": 30, "bonus": 1},
            {"kind": Happening.POOL_HALTED, "value": 50},
            {"kind": Happening.CLAIMS_COVERED, "insurance": 60, "value": 7, "shortfall": 2},
            {"kind": Happening.POOL_ENDED, "value": 80, "shortfall": 15},
            {"kind": Happening.CLAIMS_PAID, "value": 4, "shortfall": 11},
        )
    )
    expected = Paid(
        steps=4,
        auctions=1,
        auctioned=1000,
        raised=160,
        notional=500,
        debt=40,
        bonus=12,
        fee=2,
        insurance=79,
        shortfall=9 + 2 - 7,
        added=13,
        reduced=30,
        halts=1,
        bond=50,
        bond_used=50,
        ends=1,
        final=80,
        unpaid=11,
    )
    assert book.paid == expected
    assert book.accounts == {3, 4, 5}
    assert book.reduced == {6}
    assert list(book.paid.borne().values()) == [14, 29, 0, 4, 50]
    assert total_of([book, book]).insurance == 2 * 79
    assert Paid().deepest() == STEPS[0]


def test_the_plain_twin_ends_a_burst_in_the_engines_state():
    assert bench.plain_rate(400) > 0


def test_the_plain_cuts_are_those_of_the_published_case():
    assert cuts([1000, 600, 300], [100, 100, 100], 500) == [450, 50, 0]
    assert cuts([10, 10], [0, 0], 5) == [2, 3]
    assert cuts([10, 10], [5, 5], 20) == [10, 10]


@pytest.mark.parametrize(
    ("done", "message"),
    [
        (bench.Burst(40, 40, 32, 5, 4), "losers gave 5, winners took 4"),
        (bench.Burst(0, 0, 0, 0, 0), "somebody is still below maintenance"),
    ],
)
def test_a_burst_that_is_not_exact_is_not_reported(done, message):
    pool = bench.burst_pool(400)
    held = int(pool.deposited[CASH])
    applied("crash", pool, price_rows(bench.BURST_PRICE, 2))
    with pytest.raises(bench.WorkError, match=message):
        bench.demand_exact(pool, done, held)


def test_the_burst_reports_closes_a_second_against_its_goal_and_plain_python():
    results = list(bench.run(quick=True))
    assert [r.name.split(",")[0] for r in results] == ["burst"] * 3
    assert results[0].goal == ">= 25,000 losers closed/s"
    assert all(r.value > 0 for r in results)
