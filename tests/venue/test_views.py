"""What an account and a pool show, against figures worked out by hand."""

import pytest
from tests.venue.scene import ALICE, ALPHA, BOB, CREATOR, Scene

from ringfence.core.health import equity, excess
from ringfence.core.pool import Level
from ringfence.core.reading import scaled
from ringfence.risk.shocks import with_mark
from ringfence.units import PRICE_UNIT
from ringfence.venue import commands as c


@pytest.fixture
def scene():
    return Scene.set_up().traded()


def test_a_perpetual_by_hand(scene):
    """1,000 USDC behind a long of 1 ETH at 2,000; tiers ask 10 % and 5 %."""
    view = scene.venue.account("alpha", ALICE)
    assert (view.equity, view.collateral_value, view.uncollected_result) == ("1000", "1000", "0")
    required = view.requirement
    assert (required.initial, required.target) == ("200", "120")
    assert (required.maintenance, required.closeout) == ("100", "66")
    assert (view.excess.initial, view.excess.maintenance) == ("800", "900")
    assert view.free_margin == "800"
    assert (view.health_factor, view.margin_ratio, view.leverage) == ("10", "0.1", "2")
    (position,) = view.positions
    assert (position.size, position.cost, position.notional) == ("1", "2000", "2000")
    assert (position.entry_price, position.mark_price) == ("2000", "2000")
    # 1000 + (p - 2000) = 0.05 p, so p = 1000 / 0.95 = 1052.63157894...; in millionths of a
    # dollar the value rounds down and the margin up, so the first healthy price is a bit higher.
    assert position.liquidation_price_lower == "1052.631579"
    assert position.liquidation_price_upper is None
    assert position.bankruptcy_price_lower == "1000"
    assert view.shock_down[:7] == "-0.4736"
    assert (view.shock_up, view.unknown["shock_up"]) == (
        None,
        "no price up to the pool's price_max reaches it",
    )


def test_a_perpetual_after_its_mark_moved(scene):
    scene.publish(ETH="2200")
    view = scene.venue.account("alpha", ALICE)
    assert (view.uncollected_result, view.equity) == ("200", "1200")
    assert view.requirement.maintenance == "110"
    # Profit not collected counts half for initial margin: 1000 + 100 - 220.
    assert view.free_margin == "880"
    assert view.positions[0].unrealized_pnl == "200"
    short = scene.venue.account("alpha", BOB).positions[0]
    assert (short.size, short.cost, short.unrealized_pnl) == ("-1", "-2000", "-200")
    assert short.entry_price == "2000"


def test_a_borrower_by_hand(scene):
    """2 ETH at 2,000 less 15 % against a debt of 1,000, whose cash has left the pool."""
    scene.must(c.Withdraw(pool="beta", owner=ALICE, asset="USDC", amount="1000"))
    view = scene.venue.account("beta", ALICE)
    assert view.balances == {"USDC": "0", "ETH": "2"}
    assert (view.collateral_value, view.debt, view.equity) == ("3400", "1000", "2400")
    assert (view.excess.initial, view.excess.maintenance) == ("2200", "2400")
    assert view.health_factor == "3.4"
    assert (view.leverage, view.margin_ratio) == ("0", "0")
    assert view.positions == ()
    # 3400 (1 + s) = 1000
    assert view.shock_down[:9] == "-0.705882"
    assert view.distance == view.shock_down.removeprefix("-")


def test_an_account_without_obligations_says_why_figures_are_unknown(scene):
    view = scene.venue.account("beta", BOB)
    assert view.health_factor is None
    assert view.unknown["health_factor"] == "the account owes nothing and holds no position"
    assert view.distance is None
    assert "price_max" in view.unknown["distance"]
    scene.must(c.OpenAccount(pool="beta", owner=BOB, number=2))
    empty = scene.venue.account("beta", BOB, number=2)
    assert (empty.margin_ratio, empty.leverage) == (None, None)
    assert empty.unknown["leverage"] == "equity is not positive"


def test_an_account_below_maintenance_says_so(scene):
    scene.tick()
    scene.venue.set_prices([scene.price("ETH", "1010")])
    view = scene.venue.account("alpha", ALICE)
    assert view.excess.maintenance == "-40.5"
    assert view.shock_down is None
    assert view.unknown["shock_down"] == "the account is below maintenance now"
    assert view.positions[0].liquidation_price_lower is None


def test_a_distance_in_deviations_needs_a_volatility(scene):
    assert scene.venue.account("alpha", ALICE).distance_deviations is None
    view = scene.venue.account("alpha", ALICE, volatility=365**0.5 / 10)
    # A daily deviation of 10 %, and 47.4 % to go.
    assert view.distance_deviations == "4.737"


@pytest.fixture
def hedged(scene):
    """Long 1 ETH-PERP, short 3 ETH-DEC, short 0.01 BTC-PERP, against 1,000 USDC."""
    scene.trade("-3", "ETH-DEC")
    scene.trade("-0.01", "BTC-PERP")
    return scene


def test_several_legs_by_hand(hedged):
    view = hedged.venue.account("alpha", ALICE)
    # ETH: net 4,000 at 5 %, and 2,000 hedged at 1 %; BTC: 400 at 5 %.
    assert view.requirement.maintenance == "240"
    assert view.requirement.initial == "460"
    assert (view.equity, view.leverage) == ("1000", "8.4")
    assert [p.instrument for p in view.positions] == ["ETH-PERP", "ETH-DEC", "BTC-PERP"]


def ends(position):
    lower, upper = position.liquidation_price_lower, position.liquidation_price_upper
    return [(lower, -1), (upper, 1)]


def test_a_liquidation_price_is_the_last_healthy_price_unit_on_either_side(hedged):
    record = hedged.venue.record("alpha")
    a = record.accounts[hedged.venue.register(ALICE), 1]
    found = set()
    for i, position in enumerate(hedged.venue.account("alpha", ALICE).positions):
        for text, beyond in ends(position):
            if text is None:
                continue
            found.add((position.instrument, beyond))
            price = scaled(text, PRICE_UNIT)
            assert excess(with_mark(record.pool, i, price), a, Level.MAINTENANCE) >= 0
            assert excess(with_mark(record.pool, i, price + beyond), a, Level.MAINTENANCE) < 0
    # The hedged account can be liquidated on both sides.
    assert found == {("ETH-PERP", -1), ("ETH-DEC", 1), ("BTC-PERP", 1)}


def test_a_bankruptcy_price_is_the_last_with_equity(hedged):
    record = hedged.venue.record("alpha")
    a = record.accounts[hedged.venue.register(ALICE), 1]
    position = hedged.venue.account("alpha", ALICE).positions[1]
    price = scaled(position.bankruptcy_price_upper, PRICE_UNIT)
    assert equity(with_mark(record.pool, 1, price), a) >= 0
    assert equity(with_mark(record.pool, 1, price + 1), a) < 0


def test_a_pool_by_hand(scene):
    view = scene.venue.pool("beta")
    assert (view.name, view.creator, view.accounts) == ("beta", CREATOR, 3)
    assert (view.settlement, view.assets) == ("USDC", ("USDC", "ETH"))
    # 40,000 of Bob less 10,000 lent, and 1,000 borrowed.
    assert view.deposited == {"USDC": "31000", "ETH": "2"}
    assert (view.lender_assets, view.total_debt, view.utilisation) == ("10000", "1000", "0.1")
    assert view.prices == {"ETH": "2000", "BTC": "40000"}
    assert view.validity == {"ETH": "fresh", "BTC": "fresh"}
    assert view.marks["ETH-PERP"] == "2000"
    assert scene.venue.pool("alpha").open_interest == {
        "ETH-PERP": "1",
        "ETH-DEC": "0",
        "BTC-PERP": "0",
    }


def test_a_pool_without_prices_shows_null(tmp_path):
    scene = Scene(tmp_path / "journal")
    scene.venue.list_asset("USDC", 6)
    scene.venue.list_asset("ETH", 8)
    scene.venue.create_pool(ALPHA, CREATOR)
    view = scene.venue.pool("alpha")
    assert view.prices == {"ETH": None, "BTC": None}
    assert view.validity["ETH"] == "non_positive"
    assert view.marks["BTC-PERP"] is None
