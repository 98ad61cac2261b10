"""The waterfall as the venue drives it, tick by tick, and as owners and keepers see it."""

from pathlib import Path

import msgspec
import pytest
from tests.venue.scene import ALICE, ALPHA, BOB, CREATOR, Scene

from ringfence.core.command import Happening
from ringfence.core.invariants import broken_invariants
from ringfence.core.spec import RulesSpec
from ringfence.units import SECOND_NS
from ringfence.venue import commands as c
from ringfence.venue.receipts import BatchReceipt, event_view
from ringfence.venue.venue import Venue

NAMES = {"pool": "alpha", "owner": ALICE}
OFFERED = RulesSpec(auction_seconds=600, dust="0", liquidation_fee="0", rate_slope1="0")
BARE = RulesSpec(backstop_limit="0", dust="0", liquidation_fee="0", rate_slope1="0")


def happened(receipt: BatchReceipt) -> list[str]:
    """What the events of a receipt tell of, in their order."""
    return [Happening(int(event["kind"])).name.lower() for event in receipt.events]


def scene_with(rules: RulesSpec, path: str | Path = ":memory:") -> Scene:
    """Alice is long 1 ETH at 2,000 with 1,000 of margin; Bob is short it."""
    scene = Scene(path)
    venue = scene.venue
    venue.list_asset("USDC", 6)
    venue.list_asset("ETH", 8)
    venue.create_pool(msgspec.structs.replace(ALPHA, rules=rules), CREATOR)
    for owner in (ALICE, BOB):
        venue.receive(owner, "USDC", "100000")
        venue.receive(owner, "ETH", "10")
        scene.must(c.OpenAccount(pool="alpha", owner=owner))
    scene.publish(ETH="2000", BTC="40000")
    scene.deposit(BOB, "40000")
    scene.deposit(ALICE, "1000")
    scene.trade("1")
    return scene


def test_an_auction_begins_with_the_tick_and_its_price_falls_with_the_clock():
    scene = scene_with(OFFERED)
    (receipt,) = scene.publish(ETH="1050").values()  # equity 50, maintenance 52.5
    assert happened(receipt) == ["auction_started", "account_warned"]
    assert scene.publish(ETH="1050") == {}, "a running auction is left alone"
    quote = scene.venue.quote("alpha", ALICE)
    assert (quote.is_open, quote.why_not) == (True, None)
    assert (quote.price_share, quote.sizes) == ("0.9797", {"ETH-PERP": "0.21"})
    step = scene.venue.account("alpha", ALICE).waterfall
    assert (step.step, step.next) == ("auction", "the backstop takes over")
    assert step.why == "2.5 USDC below maintenance"
    assert step.ends_ns == step.since_ns + 600 * SECOND_NS
    scene.tick(300)
    scene.publish(ETH="1050")
    assert scene.venue.quote("alpha", ALICE).price_share < quote.price_share


def test_a_bid_gets_what_the_quote_said():
    scene = scene_with(OFFERED)
    scene.publish(ETH="1050")
    quote = scene.venue.quote("alpha", ALICE)
    bid = c.Bid(pool="alpha", owner=BOB, other=ALICE, bonus=quote.bonus)
    simulated = scene.venue.simulate("alpha", [bid])
    (event,) = scene.must(bid).events
    assert (event,) == simulated.events
    assert (event.event, event.bidder, event.size) == ("slice_sold", 2, quote.share)
    assert (event.value, event.bonus) == (quote.price, quote.bonus)
    assert scene.venue.account("alpha", ALICE).waterfall.step == "none"
    assert scene.venue.quote("alpha", ALICE).why_not == "it is not under auction"
    assert scene.venue.verify() == []


def test_a_price_that_recovers_ends_the_auction_and_one_that_falls_hands_over():
    scene = scene_with(OFFERED)
    scene.publish(ETH="1050")
    scene.publish(ETH="1100")
    assert scene.venue.account("alpha", ALICE).waterfall.step == "none"
    scene.publish(ETH="1050")
    assert scene.venue.pool("alpha").auctioned == "1050"
    scene.publish(ETH="1020")  # equity 20 is below closeout, 3.3 % of 1,020
    view = scene.venue.account("alpha", ALICE)
    assert (view.waterfall.step, scene.venue.pool("alpha").auctioned) == ("none", "0")
    assert scene.venue.pool("alpha").waiting == 0


def test_the_queue_is_seen_before_and_the_receipt_after_a_deleveraging():
    scene = scene_with(BARE)
    (place,) = scene.venue.account("alpha", BOB).deleveraging
    assert (place.instrument, place.before, place.count, place.lights) == ("ETH-PERP", 0, 1, 5)
    assert (place.leverage, place.distance) == ("0.05", "0")
    (receipt,) = scene.publish(ETH="900").values()  # Alice lacks 100
    assert receipt.accepted == 2, "a liquidation, and the deleveraging behind it"
    assert scene.venue.pool("alpha").waiting == 0
    assert scene.venue.account("alpha", ALICE).positions == ()
    bob = scene.venue.account("alpha", BOB)
    assert (bob.positions, bob.claim) == ((), "1000")
    scene.must(c.Settle(pool="alpha"))
    assert scene.venue.account("alpha", BOB).balances["USDC"] == "41000"
    assert scene.venue.verify() == []


def test_who_waits_for_a_usable_price_is_seen_and_withdrawals_wait_with_him():
    scene = scene_with(BARE)
    scene.tick()
    price = msgspec.structs.replace(scene.price("ETH", "1050"), confidence=40 * 10**9)
    scene.venue.publish([price])  # uncertain: liquidation and deleveraging may use it
    assert scene.venue.pool("alpha").waiting == 0
    scene = scene_with(BARE)
    scene.tick()
    scene.venue.set_prices([scene.price("ETH", "1050")])
    scene.tick(400)  # stale: liquidation may use it, deleveraging may not
    scene.venue.publish([])
    view = scene.venue.account("alpha", ALICE).waterfall
    assert (view.step, view.next) == ("deleveraging", "it is closed against the other side")
    assert scene.venue.pool("alpha").waiting == 1
    withdraw = c.Withdraw(pool="alpha", owner=BOB, asset="USDC", amount="1")
    assert scene.venue.execute(withdraw).status == "waterfall_is_running"
    scene.publish(ETH="1050")
    assert scene.venue.pool("alpha").waiting == 0
    assert scene.venue.execute(withdraw).ok


def test_the_backstop_sells_what_it_took_to_anybody():
    scene = scene_with(RulesSpec(dust="0", rate_slope1="0"))
    scene.publish(ETH="1050")
    held = scene.venue.record("alpha").pool.size[0, 0]
    assert held > 0
    buy = c.BuyFromBackstop(pool="alpha", owner=BOB, instrument="ETH-PERP", size="0.01")
    assert scene.venue.execute(buy).ok
    assert scene.venue.execute(buy).status == "exceeds_disposal"


def test_collateral_of_the_backstop_is_for_sale_too():
    scene = scene_with(RulesSpec(dust="0", rate_slope1="0"))
    scene.must(c.OpenAccount(pool="alpha", owner=ALICE, number=2))
    scene.must(c.Deposit(pool="alpha", owner=ALICE, number=2, asset="ETH", amount="1"))
    scene.must(c.Supply(pool="alpha", owner=BOB, amount="5000"))
    scene.must(c.Borrow(pool="alpha", owner=ALICE, number=2, amount="1500"))
    scene.must(c.Withdraw(pool="alpha", owner=ALICE, number=2, asset="USDC", amount="1500"))
    scene.publish(ETH="1760")
    buy = c.BuyCollateral(pool="alpha", owner=BOB, asset="ETH", amount="0.01")
    assert scene.must(buy).ok
    assert scene.venue.account("alpha", BOB).balances["ETH"] == "0.01"


def test_deleveraging_can_be_asked_for_by_anybody():
    scene = scene_with(BARE)
    ask = c.Deleverage(pool="alpha", instrument="ETH-PERP")
    assert scene.venue.execute(ask).status == "nothing_to_deleverage"
    scene.tick()
    scene.venue.set_prices([scene.price("ETH", "1050")])
    scene.must(c.Liquidate(**NAMES))
    receipt = scene.must(ask)
    assert [event.event for event in receipt.events] == [
        "winner_deleveraged",
        "position_deleveraged",
    ]
    assert broken_invariants(scene.venue.record("alpha").pool) == []


def test_a_quote_of_an_account_that_is_not_there_is_refused():
    scene = scene_with(BARE)
    with pytest.raises(ValueError, match="has no account 7"):
        scene.venue.quote("alpha", ALICE, number=7)
    assert scene.venue.quote("alpha", ALICE, share="0.5").is_open is False


def test_a_signed_budget_is_added_by_the_engine_before_anything_is_forced():
    scene = scene_with(RulesSpec(dust="0", rate_slope1="0"))
    scene.must(c.Protect(**NAMES, budget="30"))
    wallet = scene.venue.wallet(ALICE)["USDC"]
    (receipt,) = scene.publish(ETH="1055").values()  # equity 55, target 63.3
    assert happened(receipt) == ["budget_added", "account_warned"]
    view = scene.venue.account("alpha", ALICE)
    assert (view.excess.target, view.protect_budget) == ("0", "21.7")
    assert scene.venue.wallet(ALICE)["USDC"] == wallet - 8_300_000
    assert scene.venue.verify() == []


def test_a_signed_reduction_is_made_by_the_engine_above_maintenance():
    scene = scene_with(RulesSpec(dust="0", rate_slope1="0"))
    scene.must(c.Protect(**NAMES, budget="0", may_reduce=True))
    (receipt,) = scene.publish(ETH="1055").values()
    assert happened(receipt) == ["position_reduced", "account_warned"]
    view = scene.venue.account("alpha", ALICE)
    assert view.positions[0].size < "1"
    assert view.excess.target[0] != "-"
    assert view.may_reduce
    assert scene.publish(ETH="1055") == {}


def test_nothing_is_forced_above_maintenance_without_a_signature():
    scene = scene_with(RulesSpec(dust="0", rate_slope1="0"))
    (receipt,) = scene.publish(ETH="1055").values()
    assert happened(receipt) == ["account_warned"]
    assert scene.venue.account("alpha", ALICE).positions[0].size == "1"


def test_every_account_is_warned_of_the_levels_it_falls_below():
    scene = scene_with(RulesSpec(dust="0", rate_slope1="0"))
    assert scene.venue.warn("alpha") == []
    scene.tick()
    scene.venue.set_prices([scene.price("ETH", "1055")])
    (receipt,) = scene.venue.warn("alpha")
    assert receipt.accepted == 1
    warn = c.Warn(**NAMES)
    assert scene.venue.execute(warn).status == "nothing_to_warn_of"
    scene.tick()
    scene.venue.set_prices([scene.price("ETH", "1050")])
    (event,) = scene.must(warn).events
    assert (event.event, event.name) == ("account_warned", "below maintenance")
    assert scene.venue.execute(c.Reduce(**NAMES)).status == "nothing_to_protect"
    assert scene.venue.execute(c.TopUp(**NAMES, amount="1")).status == "exceeds_budget"


def test_a_pool_that_lost_what_it_may_halts_and_ends():
    scene = scene_with(RulesSpec(dust="0", rate_slope1="0", halt_loss="50", halt_seconds=3600))
    venue = scene.venue
    venue.receive(CREATOR, "USDC", "100")
    scene.must(c.OpenAccount(pool="alpha", owner=CREATOR))
    scene.must(c.Deposit(pool="alpha", owner=CREATOR, asset="USDC", amount="100"))
    scene.must(c.FundBond(pool="alpha", owner=CREATOR, amount="40"))
    release = c.ReleaseBond(pool="alpha", owner=CREATOR, amount="40")
    assert venue.execute(release).status == "bond_is_locked"
    assert venue.execute(c.EndPool(pool="alpha")).status == "pool_is_not_halted"
    (receipt,) = scene.publish(ETH="900").values()  # 100 are lost
    view = venue.pool("alpha")
    assert (view.bond, view.insurance_fund, view.shortfall) == ("0", "40", "100")
    assert view.halted_ns == receipt.time_ns
    assert venue.execute(c.EndPool(pool="alpha")).status == "halt_is_not_over"
    scene.tick(3600)
    assert venue.publish([]) == {}, "its clock has not come that far"
    assert venue.pool("alpha").ended_ns is None
    (receipt,) = scene.publish(ETH="900").values()
    covered, ended = (event_view(venue.record("alpha").spec, e) for e in receipt.events)
    assert (covered.event, covered.insurance, covered.value) == ("claims_covered", "40", "40")
    assert (ended.event, ended.value, ended.shortfall) == ("pool_ended", "1040", "60")
    assert venue.pool("alpha").ended_ns == receipt.time_ns
    assert venue.account("alpha", BOB).balances["USDC"] == "41040"
    assert scene.publish(ETH="900") == {}, "it ends once"
    assert venue.execute(c.EndPool(pool="alpha")).ok, "anybody may ask again"
    assert venue.verify() == []


def test_after_the_end_the_engine_takes_coins_for_a_due_once_the_price_has_settled():
    scene = scene_with(RulesSpec(dust="0", rate_slope1="0", halt_loss="50", halt_seconds=3600))
    venue = scene.venue
    venue.receive(CREATOR, "ETH", "2")
    scene.must(c.OpenAccount(pool="alpha", owner=CREATOR))
    scene.must(c.Deposit(pool="alpha", owner=CREATOR, asset="ETH", amount="2"))
    deal = {"other": BOB, "instrument": "ETH-PERP", "size": "0.1", "price": "2000"}
    scene.must(c.Trade(pool="alpha", owner=CREATOR, **deal))
    scene.publish(ETH="900")  # 100 are lost; the creator owes 110 and has 1,800 in coins
    scene.tick(3600)
    (receipt,) = scene.publish(ETH="900").values()
    assert happened(receipt)[-1] == "pool_ended"
    debtor = venue.account("alpha", CREATOR)
    assert (debtor.due, debtor.balances["ETH"]) == ("110", "2")
    assert debtor.waterfall.next == "its coins go for its due, since the pool has ended"
    (receipt,) = scene.publish(ETH="900").values()
    assert (receipt.accepted, happened(receipt)) == (0, []), "the price was silent for an hour"
    scene.tick(300)
    (receipt,) = scene.publish(ETH="900").values()
    assert happened(receipt) == ["collateral_liquidated"]
    debtor = venue.account("alpha", CREATOR)
    assert (debtor.due, debtor.balances["ETH"]) == ("0", "1.87753333")
    assert debtor.waterfall.next == "nothing, while the account stays at maintenance"
    assert scene.publish(ETH="900") == {}
    assert venue.verify() == []


def told(scene: Scene, owner: str = ALICE) -> int:
    """Levels that an owner was last told the account is below."""
    pool = scene.venue.record("alpha").pool
    return int(pool.warned[1 if owner == ALICE else 2])


def test_the_engine_warns_by_itself_of_each_level_below_target_and_of_the_way_back():
    scene = scene_with(RulesSpec(dust="0", rate_slope1="0"))
    found = []
    for price in ("1100", "1055", "1054", "1058", "1070", "1200"):
        receipts = scene.publish(ETH=price)
        found.append((told(scene), len(receipts)))
    # 1100: below initial only, which a settlement tells; equity 70 is above the target of 1070.
    assert found == [(0, 0), (2, 1), (2, 0), (2, 0), (1, 1), (1, 0)]
    scene.must(c.Settle(pool="alpha"))
    (receipt,) = scene.publish(ETH="1200").values()
    assert happened(receipt) == ["account_warned"]
    assert (told(scene), told(scene, BOB)) == (0, 0)
    assert scene.publish(ETH="1200") == {}


def test_a_settlement_has_the_engine_tell_who_is_below_initial():
    scene = scene_with(RulesSpec(dust="0", rate_slope1="0"))
    assert scene.publish(ETH="1100") == {}  # equity 100 for 110
    scene.must(c.Settle(pool="alpha"))
    (receipt,) = scene.publish(ETH="1100").values()
    assert happened(receipt) == ["account_warned"]
    assert told(scene) == 1


def test_an_account_that_no_single_price_moves_is_looked_at_once_a_minute():
    scene = scene_with(RulesSpec(dust="0", rate_slope1="0"))
    scene.must(c.Deposit(pool="alpha", owner=ALICE, asset="ETH", amount="0.01"))
    scene.publish(ETH="2000")
    assert scene.publish(ETH="1048") == {}  # 48 + 8.80 for 62.88 at target
    scene.tick(60)
    (receipt,) = scene.publish(ETH="1048").values()
    assert happened(receipt) == ["account_warned"]
    assert told(scene) == 2


def test_who_was_warned_before_is_known_when_the_venue_is_opened_again(tmp_path):
    scene = scene_with(RulesSpec(dust="0", rate_slope1="0"), tmp_path / "venue.journal")
    scene.publish(ETH="1055")
    scene.venue.close()
    with Venue.open(tmp_path / "venue.journal", clock=scene.clock) as venue:
        scene.venue = venue
        assert scene.publish(ETH="1055") == {}
        (receipt,) = scene.publish(ETH="1300").values()
        assert happened(receipt) == ["account_warned"]
        assert told(scene) == 0
        assert venue.verify() == []
