"""Auctions, the queue and the state of the waterfall, as the service tells of them."""

import pytest
from tests.service.live import ALICE, BOB, c, live
from tests.service.test_stream import Socket
from tests.venue.scene import CREATOR
from tests.venue.test_waterfall import BARE, OFFERED, scene_with

from ringfence.core.ranking import rank
from ringfence.venue.receipts import decimal


@pytest.fixture
def auctioned():
    """Alice is under auction."""
    with live(scene=scene_with(OFFERED)) as served:
        served.publish(ETH="1050")
        yield served


def test_an_auction_says_what_a_bid_gets_now_and_when_it_ends(auctioned):
    (auction,) = auctioned.get("/v1/auctions")["items"]
    quote = auctioned.writer.venue.quote("alpha", ALICE)
    for field in ("share", "price", "bonus", "sizes", "balances", "price_share", "is_open"):
        assert auction[field] == getattr(quote, field), field
    assert (auction["owner"], auction["number"], auction["pool_name"]) == (ALICE, 1, "alpha")
    assert (auction["discount"], auction["started_notional"]) == ("0.02", "1050")
    assert (auction["turn"], auction["turns"], auction["resets_ms"]) == (1, 1, None)
    assert auction["ends_ms"] == auction["started_ms"] + 600_000 == quote.ends_ns // 10**6
    assert (auction["excess"], auction["next"]) == ("-2.5", "the backstop takes over")
    assert auctioned.get("/v1/auctions", pool="alpha")["total"] == 1


def test_what_a_bid_raised_and_left_is_told_until_the_auction_ends(auctioned):
    bid = c.Bid(pool="alpha", owner=BOB, other=ALICE, share="0.01")
    auctioned.do(lambda: auctioned.scene.must(bid))
    (auction,) = auctioned.get("/v1/auctions")["items"]
    (sold,) = (s for s in auctioned.get("/v1/liquidations")["items"] if s["event"] == "slice_sold")
    assert auction["raised"] == sold["value"]
    assert auction["notional_left"] == "1039.5"
    assert sold["bidder"] == 2
    auctioned.publish(ETH="1100")
    assert auctioned.get("/v1/auctions") == {"items": [], "next": None, "total": 0}


def test_the_pool_and_its_rows_say_that_an_auction_runs(auctioned):
    pool = auctioned.get("/v1/pools/alpha")
    state, view = pool["waterfall"], auctioned.writer.venue.pool("alpha")
    for field in ("backstop_capital", "backstop_shares", "auctioned", "insurance_drawn", "bond"):
        assert state[field] == getattr(view, field), field
    assert state["coverage"] == view.coverage
    assert (pool["auctions"], state["auctions"], state["below"]) == (1, 1, 1)
    assert (pool["halted_ms"], pool["unknown"]["halted_ms"]) == (None, "the pool is not halted")
    steps = {r["owner"]: r["step"] for r in auctioned.get("/v1/pools/alpha/accounts")["items"]}
    assert steps == {ALICE: "auction", BOB: "none"}
    stats = auctioned.get("/v1/venue")["stats"]
    assert (stats["auctions"], stats["waiting"], stats["halted"]) == (1, 0, 0)


def test_the_stream_sends_auctions_as_a_table_that_goes_empty(auctioned):
    with auctioned.client.websocket_connect("/v1/stream") as socket:
        viewer = Socket(socket)
        viewer.subscribe("auctions")
        (shown,) = viewer.tables["auctions"].values()
        assert shown == auctioned.get("/v1/auctions")["items"][0]
        viewer.subscribe("auctions", pool="alpha")
        (key,) = viewer.tables.keys() - {"auctions"}
        assert viewer.tables[key] == viewer.tables["auctions"]
        auctioned.publish(ETH="1100")
        while any(viewer.tables.values()):
            viewer.receive()


def test_the_queue_is_in_the_order_of_the_core():
    scene = scene_with(BARE)
    scene.must(c.OpenAccount(pool="alpha", owner=CREATOR))
    scene.venue.receive(CREATOR, "USDC", "5000")
    scene.deposit(CREATOR, "700")
    names = {"pool": "alpha", "instrument": "ETH-PERP", "price": "2000"}
    scene.must(c.Trade(owner=CREATOR, other=BOB, size="0.5", **names))
    with live(scene=scene) as served:
        queue = served.get("/v1/pools/alpha/queue")
        pool = served.writer.venue.record("alpha").pool
        by_side = [(p["side"], p["before"]) for p in queue["places"]]
        assert by_side == [("long", 0), ("long", 1), ("short", 0)]
        assert queue["instrument"] == "ETH-PERP"
        for place in queue["places"]:
            exact = rank(pool, place["account"], 0)
            shown = place["before"], place["count"], place["distance"], place["leverage"]
            distance, leverage = decimal(exact.distance, 10**6), decimal(exact.leverage, 10**6)
            assert shown == (exact.before, exact.side, distance, leverage)
        with served.client.websocket_connect("/v1/stream") as socket:
            viewer = Socket(socket)
            viewer.subscribe("queue", pool="alpha")
            (rows,) = viewer.tables.values()
            assert list(rows.values()) == queue["places"]


def test_whoever_waits_for_deleveraging_is_told_of_and_so_is_what_closes_him():
    with live(scene=scene_with(BARE)) as served:
        served.publish(ETH="1020")
        events = [s["event"] for s in served.get("/v1/liquidations")["items"]]
        assert {"deleveraging_awaited", "position_deleveraged", "winner_deleveraged"} <= {*events}
        assert served.get("/v1/pools/alpha")["liquidations"] == sum(
            event in {"position_deleveraged", "winner_deleveraged"} for event in events
        )


@pytest.mark.parametrize("name", ["NOTHING", ""])
def test_an_instrument_that_the_pool_does_not_list_is_a_problem(auctioned, name):
    problem = auctioned.get("/v1/pools/alpha/queue", 404, instrument=name)
    assert problem["code"] == "instrument_unknown"
    with auctioned.client.websocket_connect("/v1/stream") as socket:
        answer = Socket(socket).subscribe("queue", pool="alpha", instrument=name)
        assert answer["code"] == "instrument_unknown"
