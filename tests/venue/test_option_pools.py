"""A pool with options in a venue: valued from a market, viewed, replayed."""

import msgspec
import pytest
from tests.option_pools import NEAR, SCENARIO
from tests.story_pool import START_NS
from tests.venue.scene import ALICE, BOB, CREATOR

from ringfence import Venue
from ringfence.risk.scenarios import CoinMarket, FlatSurface, scenario_margin
from ringfence.units import PRICE_UNIT
from ringfence.venue import commands as c
from ringfence.venue.clock import ManualClock
from ringfence.venue.fanout import FeedPrice
from ringfence.venue.replay import replay
from ringfence.venue.state import State

SPEC = msgspec.structs.replace(
    SCENARIO, margin=scenario_margin("span16"), instruments=SCENARIO.instruments[:5]
)
MARKET = {"ETH": CoinMarket(1000.0, FlatSurface(0.7))}


def publish(venue: Venue, price: int) -> None:
    now = venue.clock.now_ns()
    venue.publish([FeedPrice("ETH", price * PRICE_UNIT, price * PRICE_UNIT, now)])


@pytest.fixture
def venue():
    clock = ManualClock(START_NS)
    with Venue.open(clock=clock) as venue:
        venue.list_asset("USDC", 6)
        venue.list_asset("ETH", 8)
        for owner in (ALICE, BOB):
            venue.receive(owner, "USDC", "100000")
            venue.receive(owner, "ETH", "10")
        venue.create_pool(SPEC, CREATOR)
        for owner in (ALICE, BOB):
            venue.execute(c.OpenAccount(pool="scenario", owner=owner))
            venue.execute(c.Deposit(pool="scenario", owner=owner, asset="USDC", amount="1000"))
        publish(venue, 1000)
        receipt = venue.value("scenario", MARKET)
        assert receipt.accepted == len(receipt.statuses)
        yield venue


def trade(venue: Venue, size: str, instrument: str, price: str) -> None:
    order = c.Trade(
        pool="scenario", owner=ALICE, other=BOB, instrument=instrument, size=size, price=price
    )
    assert venue.execute(order).status == "ok"


def test_a_tick_moves_perpetuals_and_leaves_options_to_their_valuation(venue):
    before = venue.pool("scenario").marks
    publish_later(venue, 1010)
    after = venue.pool("scenario").marks
    assert after["ETH-PERP"] == "1010"
    assert after["ETH-1000-C"] == before["ETH-1000-C"]
    venue.value("scenario", {"ETH": MARKET["ETH"]._replace(spot=1010.0)})
    assert float(venue.pool("scenario").marks["ETH-1000-C"]) > float(before["ETH-1000-C"])


def publish_later(venue: Venue, price: int) -> None:
    venue.clock.set(venue.clock.now_ns() + 10**9)
    publish(venue, price)


def test_a_view_tells_terms_and_the_worst_scenario(venue):
    mark = venue.pool("scenario").marks["ETH-1000-C"]
    trade(venue, "-1", "ETH-1000-C", mark)
    view = venue.account("scenario", ALICE)
    (position,) = view.positions
    assert (position.option, position.strike, position.expiry_ns) == ("call", "1000", NEAR)
    (worst,) = view.worst_scenarios
    assert float(worst.move) > 0
    assert float(worst.delta) < 0
    assert float(worst.loss) <= float(view.requirement.initial)
    assert view.unknown["shock_up"].startswith("options have to be revalued")
    assert view.structures == ()


def test_a_structure_may_fall_on_either_side(venue):
    marks = venue.pool("scenario").marks
    trade(venue, "-5", "ETH-1000-C", marks["ETH-1000-C"])
    trade(venue, "-5", "ETH-1000-P", marks["ETH-1000-P"])
    (found,) = venue.account("scenario", ALICE, market=MARKET).structures
    lower, upper = float(found.liquidation_price_lower), float(found.liquidation_price_upper)
    assert 700 < lower < 1000 < upper < 1300
    assert float(found.bankruptcy_price_lower) < lower
    assert upper < float(found.bankruptcy_price_upper)
    publish_later(venue, round(upper) + 2)
    market = {"ETH": MARKET["ETH"]._replace(spot=round(upper) + 2.0)}
    venue.value("scenario", market)
    assert venue.unhealthy("scenario").tolist() == [1]
    (receipt,) = venue.liquidate_unhealthy().values()
    assert receipt.events["scenario"].min() >= 0


def test_a_replay_reaches_the_same_digest(venue):
    trade(venue, "-1", "ETH-1000-C", venue.pool("scenario").marks["ETH-1000-C"])
    state = State()
    assert list(replay(state, venue.journal.entries(1))) == []
    assert state.digest() == venue.state.digest()
