"""Every command, executed once by its name, with the figures it leaves; and simulated."""

import pytest
from tests.venue.scene import ALICE, BOB, START_NS, Scene

from ringfence.units import DAY_NS, HOUR_NS
from ringfence.venue import commands as c
from ringfence.venue.commands import AnyCommand

OF_ALICE = {"pool": "alpha", "owner": ALICE}
WITH_BOB = {**OF_ALICE, "other": BOB}
CHANGE = {"pool": "alpha", "parameter": "dust", "value": 10**6, "start_ns": START_NS + 3 * DAY_NS}


def story(scene: Scene) -> dict[type, AnyCommand]:
    """One command of each kind, in an order in which each is accepted."""
    now = scene.clock.now_ns()
    commands = (
        c.OpenAccount(**OF_ALICE, number=2),
        c.Deposit(**OF_ALICE, asset="ETH", amount="5"),
        c.Withdraw(**OF_ALICE, asset="ETH", amount="1"),
        c.Exchange(**WITH_BOB, asset="ETH", amount="0.5", price="1999.5"),
        c.FundInsurance(**OF_ALICE, amount="100"),
        c.Supply(**OF_ALICE, amount="50"),
        c.Redeem(**OF_ALICE, shares="20000000"),
        c.Borrow(**OF_ALICE, amount="500"),
        c.Repay(**OF_ALICE, amount="200"),
        c.Trade(**WITH_BOB, instrument="ETH-DEC", size="-1", price="2000"),
        c.OpenPosition(
            **WITH_BOB, instrument="BTC-PERP", size="0.1", price="40000", asset="USDC", amount="70"
        ),
        c.AccrueFunding(pool="alpha", instrument="ETH-PERP", rate="0.001"),
        c.SetIndexPrice(pool="alpha", underlying="ETH", price="1990", publish_time_ns=now),
        c.SetMarkPrice(pool="alpha", instrument="ETH-PERP", price="1990"),
        c.Settle(pool="alpha"),
        c.SupplyBackstop(**OF_ALICE, amount="20"),
        c.RedeemBackstop(**OF_ALICE, shares="5000000"),
        c.FundBond(**OF_ALICE, amount="7"),
        c.Protect(**OF_ALICE, budget="10", may_reduce=True),
        c.AnnounceChange(**CHANGE),
        c.CancelChange(pool="alpha", change=0),
    )
    return {type(command): command for command in commands}


# These need an account below maintenance, or an expired future: told one by one.
RARE = (
    *(c.Liquidate, c.Expire, c.Bid, c.Deleverage, c.BuyFromBackstop, c.BuyCollateral),
    *(c.ReleaseBond, c.TopUp, c.Reduce, c.Warn, c.EndPool),
)
KINDS = [kind for kind in AnyCommand.__args__ if kind not in RARE]


def prepared(until: type | None = None) -> Scene:
    """A scene in which the story was told up to a command."""
    scene = Scene.set_up().traded()
    scene.tick()
    for kind, command in story(scene).items():
        if kind is until:
            return scene
        scene.must(command)
    return scene


def figures(scene: Scene) -> dict[str, object]:
    view = scene.venue.account("alpha", ALICE)
    pool = scene.venue.pool("alpha")
    return {
        "USDC": view.balances["USDC"],
        "ETH": view.balances["ETH"],
        "debt": view.debt,
        "supply_shares": view.supply_shares,
        "positions": {p.instrument: p.size for p in view.positions},
        "insurance_fund": pool.insurance_fund,
    }


def test_the_story_leaves_the_figures_of_plain_arithmetic():
    scene = prepared()
    found = figures(scene)
    # 1000 deposited, 999.75 from the exchange, 100 + 50 given and lent, 20 redeemed,
    # 500 borrowed, 200 repaid, 70 with the position; then 2 of funding and 10 of loss on the
    # long are settled; 20 to the backstop, of which 5 come back;
    # 7 for the bond.
    assert found["USDC"] == "2205.75"
    assert found["ETH"] == "3.5"
    assert found["debt"] == "300"
    assert found["supply_shares"] == "30000000"
    assert found["positions"] == {"ETH-PERP": "1", "ETH-DEC": "-1", "BTC-PERP": "0.1"}
    assert found["insurance_fund"] == "100"
    assert scene.venue.wallet(ALICE) == {"USDC": 98_930 * 10**6, "ETH": 4 * 10**8}
    assert scene.venue.verify() == []


def test_every_kind_has_a_place_in_the_story():
    assert set(story(Scene.set_up())) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_receipt_tells_where_it_stands_in_the_journal(kind):
    scene = prepared(until=kind)
    seq = scene.venue.journal.seq
    receipt = scene.venue.execute(story(scene)[kind])
    assert (receipt.ok, receipt.status, receipt.seq) == (True, "ok", seq + 1)
    assert receipt.head == scene.venue.journal.head.hex()
    assert receipt.time_ns == scene.clock.now_ns()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_simulation_changes_nothing_and_agrees_with_doing_it(kind):
    scene = prepared(until=kind)
    command = story(scene)[kind]
    digest, seq = scene.venue.state.digest(), scene.venue.journal.seq
    simulated = scene.venue.simulate("alpha", [command])
    assert scene.venue.state.digest() == digest
    assert scene.venue.journal.seq == seq
    receipt = scene.venue.execute(command)
    assert simulated.statuses == (receipt.status,)
    assert simulated.events == receipt.events
    for standing in simulated.accounts:
        after = standing.after
        assert after == scene.venue.account("alpha", after.owner, number=after.number)


def test_a_simulated_refusal_agrees_too_and_earlier_commands_count():
    scene = Scene.set_up().traded()
    withdraw = c.Withdraw(**OF_ALICE, asset="USDC", amount="900")
    deposit = c.Deposit(**OF_ALICE, asset="ETH", amount="5")
    found = scene.venue.simulate("alpha", [withdraw, deposit, withdraw])
    assert found.statuses == ("initial_margin_too_low", "ok", "ok")
    (standing,) = found.accounts
    assert standing.difference.equity == "7600"  # 5 ETH at 2000 less 15 %, and 900 less
    assert standing.before == scene.venue.account("alpha", ALICE)
    assert scene.venue.execute(withdraw).status == "initial_margin_too_low"


def test_a_simulated_deposit_needs_the_wallet_but_takes_nothing_from_it():
    scene = Scene.set_up()
    wallet = scene.venue.wallet(ALICE)
    both = [c.Deposit(**OF_ALICE, asset="USDC", amount=a) for a in ("60000", "60000")]
    assert scene.venue.simulate("alpha", both).statuses == ("ok", "exceeds_wallet")
    assert scene.venue.wallet(ALICE) == wallet


def test_a_liquidation_by_hand_is_refused_while_healthy():
    scene = Scene.set_up().traded()
    assert scene.venue.execute(c.Liquidate(**OF_ALICE)).status == "account_is_healthy"


def test_a_liquidation_by_hand_gives_a_receipt_with_its_reasons():
    scene = Scene.set_up().traded()
    scene.tick()
    scene.venue.set_prices([scene.price("ETH", "1050")])
    (simulated,) = scene.venue.simulate("alpha", [c.Liquidate(**OF_ALICE)]).events
    (event,) = scene.must(c.Liquidate(**OF_ALICE)).events
    assert event == simulated
    assert (event.event, event.name, event.price) == ("position_liquidated", "ETH-PERP", "1050")
    # The loss of 950 was collected first: equity 50, requirement 52.5.
    assert (event.equity, event.excess_before) == ("50", "-2.5")
    assert event.publish_time_ns == scene.clock.now_ns()
    assert scene.venue.account("alpha", ALICE).excess.target[0] != "-"


def test_an_expiry_closes_every_position_in_the_future():
    scene = Scene.set_up().traded()
    scene.trade("0.5", "ETH-DEC")
    expire = c.Expire(pool="alpha", instrument="ETH-DEC")
    assert scene.venue.execute(expire).status == "instrument_has_not_expired"
    scene.tick(DAY_NS // 10**9)
    assert scene.venue.execute(expire).status == "price_is_not_usable"
    scene.venue.set_prices([scene.price("ETH", "2100")])
    (event,) = scene.must(expire).events
    assert (event.event, event.name) == ("instrument_expired", "ETH-DEC")
    assert (event.price, event.value) == ("2100", "1050")
    view = scene.venue.account("alpha", ALICE)
    assert [p.instrument for p in view.positions] == ["ETH-PERP"]
    assert view.claim == "150"
    assert scene.venue.execute(expire).status == "instrument_has_expired"


def test_the_venue_settles_by_itself_what_is_over():
    scene = Scene.set_up().traded()
    scene.trade("0.5", "ETH-DEC")
    scene.tick(DAY_NS // 10**9)
    seq = scene.venue.journal.seq
    scene.publish(BTC="40000")  # nothing tells what ETH is worth now
    assert scene.venue.journal.seq == seq + 1
    assert len(scene.venue.account("alpha", ALICE).positions) == 2
    scene.publish(ETH="2100")
    assert len(scene.venue.account("alpha", ALICE).positions) == 1
    assert scene.venue.record("beta").pool.expired.tolist() == [0, 1, 0]
    seq = scene.venue.journal.seq
    scene.publish(ETH="2100")
    assert scene.venue.journal.seq == seq + 1


def test_a_change_of_parameters_waits_for_its_delay():
    scene = Scene.set_up()
    soon = c.AnnounceChange(**CHANGE | {"start_ns": scene.clock.now_ns() + HOUR_NS})
    assert scene.venue.execute(soon).status == "change_is_too_soon"
    scene.must(c.AnnounceChange(**CHANGE))
    scene.clock.set(START_NS + 4 * DAY_NS)
    events = scene.must(c.Settle(pool="alpha")).events
    assert [event.event for event in events] == ["change_activated"]
    assert scene.venue.pool("alpha").version == 2
