"""The engine's waterfall on published numbers of others' auctions, fees, deleveraging, losses.

Where our rule is theirs, the engine gives their number. Where it is not, the same case shows
what ours does instead; docs/waterfall.md says why.
"""

import numpy as np
import pytest
from tests.vectors.published import FOLDER, load

from ringfence.core.auction import WHOLE, keep_factor, offer_of
from ringfence.core.backstop import disposable_lots
from ringfence.core.creation import create_pool
from ringfence.core.deleveraging import deleverage
from ringfence.core.health import equity
from ringfence.core.liquidation import closing, lots_to_close
from ringfence.core.log import DELEVERAGED_MAX, empty_log
from ringfence.core.losses import record_shortfall
from ringfence.core.pool import BACKSTOP, CASH, Level, Rule, Step, Total
from ringfence.core.settlement import draw_insurance, pay_claims
from ringfence.core.spec import InstrumentSpec, PoolSpec, Tier, UnderlyingSpec
from ringfence.core.status import Status
from ringfence.core.terms import Terms, terms_for
from ringfence.core.waterfill import cuts
from ringfence.lab.rules import auctions, drift
from ringfence.units import PPM, PRICE_UNIT, SECOND_NS, UNIT

QUOTE = 10**6
NOW_NS = 1_700_000_000 * SECOND_NS
ALICE, BOB = 1, 2


def of_kind(group, kind, by="kind"):
    if not FOLDER.exists():
        pytest.skip("published cases are missing (set RINGFENCE_SHARED to their folder)")
    return [case for case in load(group) if case[by] == kind]


def pool_of(accounts=2, *, tick="0.000001", lot="0.00000001", price=1.0, maintenance=0.2):
    """A pool of one perpetual at a price, its accounts empty, all rules open."""
    spec = PoolSpec(
        name="published",
        settlement="USDC",
        cash_cap="1000000000",
        underlyings=(UnderlyingSpec("COIN", "1000000", (Tier("0", "0.9", "0.2"),)),),
        instruments=(InstrumentSpec("COIN-PERP", "COIN", "0.001", "0.01", "4000", "4000"),),
    )
    pool = create_pool(spec, owner=0, now_ns=NOW_NS, accounts=accounts + 1)
    pool.total[Total.ACCOUNTS] = accounts + 1
    pool.total[Total.NOW_NS] = pool.publish_time[0] = NOW_NS
    pool.mark_price[0] = pool.index_price[0] = round(price * PRICE_UNIT)
    pool.lot[0], pool.tick[0] = round(float(lot) * UNIT), round(float(tick) * PRICE_UNIT)
    pool.tier_maintenance_rate[0, 0] = round(maintenance * PPM)
    pool.factor[Level.TARGET, 0] = pool.factor[Level.CLOSEOUT, 0] = PPM
    pool.rule[Rule.INSURANCE_DRAW] = pool.rule[Rule.INSURANCE_DRAW_DAY] = PPM
    pool.rule[Rule.BONUS_MIN] = pool.rule[Rule.BONUS_MAX] = 0
    pool.rule[Rule.LIQUIDATION_FEE] = pool.rule[Rule.DUST] = 0
    return pool


# Auctions


def in_auction(worth, excess, raised, keep):
    """Alice in auction, by these dollars; the price falls no further than the keep factor."""
    pool = pool_of()
    pool.balance[ALICE, CASH] = round(worth * QUOTE)
    pool.size[ALICE, 0] = round((worth - excess) / 0.2 * UNIT)
    pool.cost[ALICE, 0] = pool.size[ALICE, 0] * QUOTE // UNIT
    pool.auction_raised[ALICE] = round(raised * QUOTE)
    pool.step[ALICE] = Step.AUCTION
    pool.step_since[ALICE] = NOW_NS
    pool.rule[Rule.AUCTION_START] = pool.rule[Rule.AUCTION_FLOOR] = round(keep * PPM)
    pool.rule[Rule.AUCTION_NS] = SECOND_NS
    return pool


def derive_cases():
    """Worth, excess, cash raised, discount factor, largest share and price of the rest."""
    for case in of_kind("auctions_adl", "derive-dutch-unit"):
        i, stated = case["inputs"], case["expected"]
        account = auctions.Account(i["mark_to_market"], i["maintenance_margin"], i["reserved_cash"])
        # Where only the cash paid is stated, share and price are the rule's, tested elsewhere.
        yield case, account, stated.get("max_proportion"), stated.get("bid_price"), 1e-3
    for case in of_kind("auctions_adl", "derive-dutch-auction"):
        i, stated = case["inputs"], case["expected"]
        account = auctions.Account(stated["PreMtM"], stated["PreMM"], i["reserved_cash_before"])
        yield case, account, stated["PreFMax"], None, 1e-5


def test_the_largest_slice_and_its_price_are_those_of_derive():
    compared = 0
    for case, account, share, price, tolerance in derive_cases():
        i = case["inputs"]
        terms = i["auction"]
        schedule = auctions.Schedule(
            terms["starting_mtm"],
            terms["fast_cutoff"],
            terms["fast_length"],
            terms["slow_length"],
            terms["buffer"],
        )
        keep = auctions.discount(schedule, i["seconds_since_start"])
        missing = auctions.buffered_margin(account, schedule.buffer)
        pool = in_auction(account.mark_to_market, missing, account.reserved_cash, keep)
        offer = offer_of(pool, ALICE)
        if share is not None:
            assert offer.largest / WHOLE == pytest.approx(share, abs=tolerance), case["id"]
            compared += 1
        if price is not None:
            assert offer.price / QUOTE == pytest.approx(price, abs=1e-3), case["id"]
            compared += 1
    assert compared >= 12


def test_the_price_falls_on_the_straight_line_of_maker():
    cases = of_kind("auctions_adl", "maker-abacus-linear")
    pool = in_auction(1, -1, 0, 1.0)
    pool.rule[Rule.AUCTION_START], pool.rule[Rule.AUCTION_FLOOR] = PPM, 0
    for case in cases:
        i = case["inputs"]
        pool.rule[Rule.AUCTION_NS] = i["tau_seconds"] * SECOND_NS
        pool.total[Total.NOW_NS] = NOW_NS + i["elapsed"] * SECOND_NS
        published = int(case["expected"]["price_ray"]) / int(i["top_ray"])
        assert keep_factor(pool, ALICE) / PPM == pytest.approx(published, abs=1e-6), case["id"]
    assert len(cases) >= 8


# What a liquidation costs, and what insurance gets or pays


def dydx_account(i, price):
    """Alice as in a case of dYdX with one market; sizes of 1e-8, micro-dollars."""
    pool = pool_of(price=price, maintenance=0.1)
    pool.size[ALICE, 0] = i["positions"][0]["base_quantums"]
    pool.cost[ALICE, 0] = -i["usdc_quote_quantums"]
    return pool


def whole_position_cases(kind):
    """Cases that close the whole of an only position, with the size that closes."""
    for case in of_kind("dydx_margin_liquidation", kind):
        i = case["inputs"]
        side = -1 if not i.get("is_buy") else 1
        delta = i.get("delta_base_quantums", side * i.get("fill_base_quantums", 0))
        if len(i["positions"]) == 1 and delta == -i["positions"][0]["base_quantums"]:
            yield case, i


def test_what_insurance_gets_or_pays_is_what_it_is_at_dydx_for_a_fill_at_the_mark():
    compared = 0
    for case, i in whole_position_cases("dydx-insurance-fund"):
        # A price of 1e-6 dollars per 1e-8 coin is a hundred dollars a coin.
        pool = dydx_account(i, i["subticks"] / 10**8 * 100)
        pool.rule[Rule.LIQUIDATION_FEE] = i["max_liquidation_fee_ppm"]
        pool.total[Total.INSURANCE_FUND] = before = 10**12
        size = int(pool.size[ALICE, 0])
        worth, value = equity(pool, ALICE), abs(size * int(pool.mark_price[0]) // 10**11)
        change = closing(pool, 0, size, terms_for(pool, worth, value, PPM))
        published = case["expected"]["insurance_fund_delta_quote_quantums"]
        if worth < 0:
            pool.size[ALICE, 0], pool.cost[ALICE, 0], pool.due[ALICE] = 0, 0, -worth
            record_shortfall(pool, ALICE, empty_log(1))
            assert pool.total[Total.INSURANCE_FUND] - before == published, case["id"]
            assert change.liability == 0
        else:
            # The cap is kept in ppm of the value and rounds down.
            assert 0 <= published - change.liability <= value // PPM, case["id"]
        compared += 1
    assert compared >= 10


def test_nobody_is_sold_below_the_bankruptcy_price_of_dydx():
    compared = 0
    for case, i in whole_position_cases("dydx-bankruptcy-price"):
        if "error" in case["expected"]:
            continue
        pool = dydx_account(i, i["positions"][0]["quote_quantums_per_base_quantum"] * 100)
        for r in (Rule.BONUS_MIN, Rule.BONUS_MAX, Rule.LIQUIDATION_FEE):
            pool.rule[r] = 50_000  # as dear as any pool may be
        size, worth = int(pool.size[ALICE, 0]), equity(pool, ALICE)
        value = abs(size * int(pool.mark_price[0]) // 10**11)
        change = closing(pool, 0, size, terms_for(pool, worth, value, PPM))
        received = -change.cost - change.liability
        published = case["expected"]["bankruptcy_price_quote_quantums"]
        if worth >= 0:
            assert received >= published, case["id"]
        else:
            # Without equity it is closed at the mark, for nothing.
            assert abs(received) == value
            assert published - received == -worth, case["id"]
        compared += 1
    assert compared >= 4


def test_the_part_that_closes_is_that_of_drift():
    compared = 0
    for case in of_kind("drift_margin_liquidation", "isolated_liquidation"):
        i = case["inputs"]
        left = case["expected"].get("user_base")
        if left is None:
            continue
        ratio = i["maintenance_ratio"] + i["buffer_ratio"]
        price = i["oracle_price"] / drift.PRICE
        pool = pool_of(price=price, lot="0.01", maintenance=i["maintenance_ratio"] / 10_000)
        pool.factor[Level.TARGET, 0] = round(ratio / i["maintenance_ratio"] * PPM)
        pool.size[ALICE, 0] = i["base"] // 10
        pool.cost[ALICE, 0] = -i["quote"]
        pool.balance[ALICE, CASH] = i["isolated_collateral"]
        size = abs(i["base"])
        value = size * i["oracle_price"] // drift.BASE
        worth = i["isolated_collateral"] + i["quote"] + (value if i["base"] > 0 else -value)
        fee = drift.insurance_fee_of_position(
            value * ratio // 10_000 - worth,
            size,
            ratio,
            i["liquidator_fee"],
            i["oracle_price"],
            drift.PRICE,
            i["max_if_fee"],
        )
        # Drift's fees may exceed the equity. Ours may not, which closes no less.
        terms = Terms(i["liquidator_fee"], fee)
        lots = lots_to_close(pool, ALICE, 0, terms)
        assert (size - lots * 10_000_000) == abs(left), case["id"]
        compared += 1
    assert compared >= 4


# Deleveraging


def test_the_published_levels_of_water_filling_are_the_engines():
    cases = of_kind("derivatives_rest", "adl_waterfill", by="category")
    for case in cases:
        winners = case["inputs"]["winners"]
        found = cuts(
            np.array([w["notional"] for w in winners]),
            np.array([w["equity"] for w in winners]),
            case["inputs"]["reduce_total"],
        )
        assert found.tolist() == case["expected"]["reductions"], case["id"]
    assert cases


def deleveraged(i):
    """Loser and winner of a case of dYdX under our rule: equities before and after."""
    pool = pool_of(price=i["prices"]["BTC"], maintenance=i["maintenance_margin"], lot="0.001")
    pool.rule[Rule.DUST] = 10**15  # so that all of a position closes, as in the cases
    for a, name in ((ALICE, "liquidated"), (BOB, "offsetting")):
        pool.size[a, 0] = i[name]["positions"]["BTC"]
        pool.cost[a, 0] = -i[name]["usdc"]
    pool.open_interest[0] = abs(pool.size[ALICE, 0])
    pool.step[ALICE] = Step.DELEVERAGING
    pool.total[Total.WAITING] = 1
    before = equity(pool, ALICE), equity(pool, BOB)
    status = deleverage(pool, 0, 0, empty_log(DELEVERAGED_MAX))
    return status, before, (equity(pool, ALICE), equity(pool, BOB)), pool


def whole_deleveraging_cases():
    for case in of_kind("dydx_deleveraging", "deleverage_at_bankruptcy"):
        i = case["inputs"]
        sizes = [i[name]["positions"] for name in ("liquidated", "offsetting")]
        is_single = all(set(s) == {"BTC"} for s in sizes)
        if is_single and abs(sizes[0]["BTC"]) == abs(sizes[1]["BTC"]) == i["delta_base_quantums"]:
            yield case, i


def test_a_bankrupt_loser_is_closed_at_the_price_of_dydx_and_a_solvent_one_keeps_the_rest():
    compared = 0
    for case, i in whole_deleveraging_cases():
        status, (owned, other), (loser, winner), pool = deleveraged(i)
        assert status == Status.OK, case["id"]
        assert pool.size[ALICE, 0] == pool.size[BOB, 0] == 0
        if "error" in case["expected"]:
            # Both are bankrupt. dYdX refuses; we close, and nobody pays for the other.
            assert (loser, winner) == (owned, other)
            continue
        published = case["expected"]["offsetting"]["usdc"]
        # dYdX hands the equity of a solvent loser to whoever is closed against him.
        assert published - winner == max(owned, 0), case["id"]
        assert loser == max(owned, 0), case["id"]
        compared += 1
    assert compared >= 6


# Losses that are shared


def test_winners_share_a_loss_within_a_unit_of_the_exact_share_of_vega():
    cases = of_kind("derivatives_rest", "loss_socialisation", by="category")
    for case in cases:
        i, gains = case["inputs"], list(case["inputs"]["winners_mtm_gain"].values())
        pool = pool_of(accounts=len(gains))
        pool.total[Total.INSURANCE_FUND] = i["insurance_pool"]
        paid = draw_insurance(pool, i["shortfall"])
        assert pool.total[Total.INSURANCE_FUND] == case["expected"]["insurance_left"], case["id"]
        pool.claim[1 : 1 + len(gains)] = gains
        pool.total[Total.SETTLED_CASH] = sum(gains) - i["shortfall"] + paid
        pay_claims(pool)
        unpaid = pool.claim[1 : 1 + len(gains)].tolist()
        exact = [case["expected"]["exact_share"][name] for name in i["winners_mtm_gain"]]
        assert sum(unpaid) == i["shortfall"] - paid
        assert all(abs(u - e) < 1 for u, e in zip(unpaid, exact, strict=True)), case["id"]
    assert len(cases) >= 3


def test_the_backstop_sells_in_the_halves_of_vega():
    cases = of_kind("derivatives_rest", "liquidation_disposal", by="category")
    for case in cases:
        i, sizes = case["inputs"], case["expected"]["trade_sizes"]
        pool = pool_of(lot="1", price=i["mark"], tick="1")
        pool.rule[Rule.DISPOSAL] = round(i["disposal_fraction"] * PPM)
        # Vega sells what is at most so large whole; we do where less than half of it is left.
        pool.rule[Rule.DUST] = i["full_disposal_size"] * i["mark"] * QUOTE // 2
        # Our pace has no cap by the order book, of which a pool has none: from there on.
        left, sold = i["position"] - sizes[0], []
        while left:
            pool.size[BACKSTOP, 0] = left * UNIT
            sold.append(disposable_lots(pool, 0))
            left -= sold[-1]
        assert sold == sizes[1:], case["id"]
    assert cases
