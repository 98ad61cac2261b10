"""Options of an account: sensitivities, curves and scenarios, by revaluation and by nothing less."""

import math

import pytest
from tests.service.live import live
from tests.venue.scene import ALICE, BOB, CREATOR
from tests.venue.test_option_pools import MARKET, NEAR, SPEC, publish

from ringfence import Venue
from ringfence.pricing import black76
from ringfence.risk import structure
from ringfence.units import SECOND_NS, YEAR_SECONDS
from ringfence.venue import commands as c
from ringfence.venue.clock import ManualClock

START_NS = NEAR - 30 * 86_400 * SECOND_NS


class Stage:
    """Alice has sold a straddle to Bob and holds 1 ETH as collateral; the venue is open."""

    def __init__(self) -> None:
        self.venue = Venue.open(clock=ManualClock(START_NS))
        for asset, decimals in (("USDC", 6), ("ETH", 8)):
            self.venue.list_asset(asset, decimals)
        self.venue.create_pool(SPEC, CREATOR)
        for owner in (ALICE, BOB):
            self.venue.receive(owner, "USDC", "100000")
            self.venue.receive(owner, "ETH", "10")
            self.do(c.OpenAccount(pool="scenario", owner=owner))
            self.do(c.Deposit(pool="scenario", owner=owner, asset="USDC", amount="3000"))
        self.do(c.Deposit(pool="scenario", owner=ALICE, asset="ETH", amount="1"))
        publish(self.venue, 1000)
        self.venue.value("scenario", MARKET)
        self.sell("ETH-1000-C")
        self.sell("ETH-1000-P")

    def sell(self, instrument: str) -> None:
        price = self.venue.pool("scenario").marks[instrument]
        names = {"pool": "scenario", "owner": ALICE, "other": BOB, "instrument": instrument}
        self.do(c.Trade(**names, size="-5", price=price))

    def do(self, command: c.AnyCommand) -> None:
        assert self.venue.execute(command).ok, command


class Markets:
    """A player that has nothing left to play, and knows a market."""

    is_over = True

    def wait_ns(self, _now_ns: int) -> None:
        return None

    def play(self) -> None:
        raise AssertionError("there is nothing to play")

    def market(self):
        return MARKET


@pytest.fixture(scope="module")
def priced():
    with live(scene=Stage(), player=Markets()) as served:
        yield served


@pytest.fixture(scope="module")
def unpriced():
    with live(scene=Stage()) as served:
        yield served


OF_ALICE = f"/v1/accounts/scenario/{ALICE}/1"


def years() -> float:
    return (NEAR - START_NS) / SECOND_NS / YEAR_SECONDS


def test_greeks_are_those_of_black76_times_the_size(priced):
    found = priced.get(f"{OF_ALICE}/greeks")
    for leg, is_call in zip(found["legs"], (True, False), strict=True):
        exact = black76.greeks(1000.0, 1000.0, years(), 0.7, is_call)
        wanted = {
            "delta": -5 * exact.delta,
            "gamma": -5 * exact.gamma,
            "vega": -5 * exact.vega,
            "theta": -5 * exact.theta / 365,
            "rho": -5 * exact.rho,
        }
        assert leg["size"] == "-5"
        assert float(leg["volatility"]) == pytest.approx(0.7)
        for name, value in wanted.items():
            assert float(leg["greeks"][name]) == pytest.approx(float(value), abs=1e-9), name
    (total,) = found["totals"]
    assert total["collateral"] == {
        "delta": "1",
        "gamma": "0",
        "vega": "0",
        "theta": "0",
        "rho": "0",
    }
    for name in ("delta", "gamma", "vega", "theta", "rho"):
        legs = sum(float(leg["greeks"][name]) for leg in found["legs"])
        together = float(total["legs"][name]) + float(total["collateral"][name])
        assert float(total["legs"][name]) == pytest.approx(legs, abs=1e-9)
        assert float(total["together"][name]) == pytest.approx(together, abs=1e-9)
    assert found["unknown"] == {}


def straddle(spot: float, time: float, volatility: float = 0.7) -> float:
    """What five straddles of strike 1000 are worth."""
    legs = (black76.price(spot, 1000.0, time, volatility, is_call) for is_call in (True, False))
    return 5 * float(sum(legs))


def test_the_curve_revalues_every_leg(priced):
    curve = priced.get(f"{OF_ALICE}/curve", points=11, span="0.5")
    account = priced.get(OF_ALICE)
    assert curve["points"][5]["equity"] == account["equity"]
    assert curve["points"][5]["excess"] == account["excess"]["maintenance"]
    now = float(account["equity"])
    haircut = _haircut(priced)
    for point in curve["points"]:
        spot = float(point["price"])
        wanted = now - straddle(spot, years()) + straddle(1000, years())
        wanted += (1 - haircut) * (spot - 1000)
        assert float(point["equity"]) == pytest.approx(wanted, abs=0.2), point["move"]


def _haircut(priced) -> float:
    (coin,) = priced.get("/v1/pools/scenario")["collateral"]
    return float(coin["haircut"]["maintenance"])


def test_at_expiry_a_straddle_is_worth_what_it_pays(priced):
    payoff = priced.get(f"{OF_ALICE}/curve", points=11, span="0.5")["at_expiry"]
    assert payoff["expiry_ms"] == NEAR // 10**6
    top = max(payoff["points"], key=lambda point: float(point["equity"]))
    assert top["move"] == "0"
    for point in payoff["points"]:
        spot = float(point["price"])
        wanted = (
            float(top["equity"]) - 5 * abs(spot - 1000) + (1 - _haircut(priced)) * (spot - 1000)
        )
        assert float(point["equity"]) == pytest.approx(wanted, abs=0.2)


def test_inside_of_the_settlement_window_what_is_still_open_pays():
    stage = Stage()
    for left_seconds in (1800, 900):  # half of the window has passed, all of it at 1000
        stage.venue.clock.set(NEAR - left_seconds * SECOND_NS)
        publish(stage.venue, 1000)
    with live(scene=stage, player=Markets()) as served:
        payoff = served.get(f"{OF_ALICE}/curve", points=11, span="0.5")["at_expiry"]
        top = max(float(point["equity"]) for point in payoff["points"])
        for point in payoff["points"]:
            spot = float(point["price"])
            settled = 0.5 * 1000 + 0.5 * spot
            wanted = top - 5 * abs(settled - 1000) + (1 - _haircut(served)) * (spot - 1000)
            assert float(point["equity"]) == pytest.approx(wanted, abs=0.2), point["move"]


def test_scenarios_move_volatility_as_well_as_the_price(priced):
    found = priced.get(f"{OF_ALICE}/scenarios", points=5, span="0.2", volatility="0.5")
    assert found["has_volatility"]
    assert [row["volatility"] for row in found["rows"]] == ["0.5", "0", "-0.5"]
    up, same, down = ([float(p["equity"]) for p in row["points"]] for row in found["rows"])
    for k, point in enumerate(found["rows"][0]["points"]):
        spot = float(point["price"])
        for equity, volatility in ((up[k], 1.05), (down[k], 0.35)):
            change = straddle(spot, years(), volatility) - straddle(spot, years())
            assert equity - same[k] == pytest.approx(-change, abs=0.2)


def test_the_prices_at_which_a_structure_falls_are_those_of_the_venue(priced):
    (found,) = priced.get(f"{OF_ALICE}/structures")["structures"]
    (exact,) = priced.writer.venue.account("scenario", ALICE, market=MARKET).structures
    for side in ("liquidation_price_lower", "liquidation_price_upper", "bankruptcy_price_upper"):
        assert math.isclose(float(found[side]), float(getattr(exact, side)), rel_tol=1e-5), side


def test_no_price_is_looked_at_twice(priced, monkeypatch):
    looks, look = [], structure.at_market

    def noted(spec, pool, u, coin, *more):
        looks.append(coin.spot)
        return look(spec, pool, u, coin, *more)

    monkeypatch.setattr(structure, "at_market", noted)
    priced.writer.venue.account("scenario", ALICE, market=MARKET)
    assert len(looks) == len(set(looks)) > 10


def test_whoever_moves_prices_in_a_what_if_gets_options_valued_anew(priced):
    body = {
        "pool": "scenario",
        "commands": [{"type": "warn", "owner": ALICE}],
        "prices": {"ETH": "1200"},
    }
    (standing,) = priced.post("/v1/simulate", body)["accounts"]
    marks = {p["instrument"]: float(p["mark_price"]) for p in standing["after"]["positions"]}
    for name, is_call in (("ETH-1000-C", True), ("ETH-1000-P", False)):
        wanted = float(black76.price(1200.0, 1000.0, years(), 0.7, is_call))
        assert marks[name] == pytest.approx(wanted, abs=0.02)


def test_without_a_market_what_needs_one_is_null_and_says_why(unpriced):
    greeks = unpriced.get(f"{OF_ALICE}/greeks")
    assert greeks["legs"][0]["greeks"]["vega"] is None
    assert greeks["totals"][0]["together"]["delta"] is None
    assert greeks["totals"][0]["collateral"]["delta"] == "1"
    curve = unpriced.get(f"{OF_ALICE}/curve")
    assert (curve["points"], curve["at_expiry"]) == ([], None)
    reasons = {
        greeks["unknown"]["delta"],
        curve["unknown"]["points"],
        unpriced.get(f"{OF_ALICE}/scenarios")["unknown"]["rows"],
        unpriced.get(f"{OF_ALICE}/structures")["unknown"]["structures"],
    }
    (reason,) = reasons
    assert "volatility surface" in reason
    body = {"pool": "scenario", "commands": [], "prices": {"ETH": "1200"}}
    assert reason in unpriced.post("/v1/simulate", body, 400)["detail"]


def test_an_account_without_options_needs_no_market():
    with live() as served:
        scenarios = served.get(f"/v1/accounts/alpha/{BOB}/1/scenarios", points=3)
        assert not scenarios["has_volatility"]
        assert [row["volatility"] for row in scenarios["rows"]] == ["0"]
        assert (
            scenarios["rows"][0]["points"][1]["equity"]
            == served.get(f"/v1/accounts/alpha/{BOB}/1")["equity"]
        )
        (total,) = (
            t
            for t in served.get(f"/v1/accounts/alpha/{BOB}/1/greeks")["totals"]
            if t["underlying"] == "ETH"
        )
        assert total["legs"] | {"delta": ""} == {
            "delta": "",
            "gamma": "0",
            "vega": "0",
            "theta": "0",
            "rho": "0",
        }
