"""What the views say is what the venue says, and what they cannot say is a problem with a code."""

import json
from decimal import Decimal

import msgspec
import pytest
from tests.service.live import ALICE, BOB, c

STRANGER = "0x" + "05" * 20


def walked(quiet, path, **query):
    """Every item of a paged list, and how many pages it took."""
    items, cursor, pages = [], None, 0
    while True:
        page = quiet.get(path, limit=1, **({"cursor": cursor} if cursor else {}), **query)
        items += page["items"]
        pages += 1
        cursor = page["next"]
        if cursor is None:
            return items, pages


def test_the_venue_counts_what_is_there(quiet):
    venue = quiet.get("/v1/venue")
    assert venue["pools"] == 2
    assert venue["owners"] == 3
    assert venue["seq"] == quiet.writer.venue.journal.seq
    assert venue["head"] == quiet.writer.venue.journal.head.hex()
    assert venue["domain"]["chain_id"] == 31_337
    assert {a["asset"] for a in venue["assets"]} == {"USDC", "ETH"}
    assert venue["stats"]["liquidations"] >= 1


def test_the_header_tells_which_entry_an_answer_contains(quiet):
    answer = quiet.client.get("/v1/venue")
    assert int(answer.headers["ringfence-seq"]) == answer.json()["seq"]


@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_a_pool_is_found_by_name_and_by_id_with_the_venues_own_figures(quiet, name):
    shown = quiet.get(f"/v1/pools/{name}")
    assert quiet.get(f"/v1/pools/{shown['id']}") == shown
    view = quiet.writer.venue.pool(name)
    for field in ("insurance_fund", "settled_cash", "dues", "total_debt", "marks", "deposited"):
        assert shown[field] == getattr(view, field), field
    assert shown["time_ms"] == view.time_ns // 10**6
    assert shown["accounts"] == view.accounts


def test_an_account_is_the_venues_own_view_with_times_in_ms(quiet):
    shown = quiet.get(f"/v1/accounts/alpha/{BOB}/1")
    view = json.loads(msgspec.json.encode(quiet.writer.venue.account("alpha", BOB)))
    assert view.pop("structures") == []  # they take a market, and have a view of their own
    assert shown.pop("pool_name") == "alpha"
    assert shown.pop("seq") == quiet.desk.snapshot.seq
    assert shown.pop("time_ms") == view.pop("time_ns") // 10**6
    for moment in ("since", "ends"):
        assert (
            shown["waterfall"].pop(f"{moment}_ms") is view["waterfall"].pop(f"{moment}_ns") is None
        )
    assert shown == view


def test_rows_come_worst_first_and_pages_leave_nobody_out(quiet):
    rows, pages = walked(quiet, "/v1/pools/alpha/accounts")
    assert pages == 2
    assert {row["owner"] for row in rows} == {ALICE, BOB}
    health = [float(row["health_factor"] or "inf") for row in rows]
    assert health == sorted(health)


def test_a_row_says_what_the_full_account_says(quiet):
    for row in quiet.get("/v1/pools/beta/accounts")["items"]:
        full = quiet.get(f"/v1/accounts/beta/{row['owner']}/{row['number']}")
        for field in ("health_factor", "equity", "debt"):
            assert row[field] == full[field], field
        assert row["excess"] == full["excess"]["maintenance"]
        assert row["requirement"] == full["requirement"]["maintenance"]
        assert all((row[f] is None) <= (f in row["unknown"]) for f in ("health_factor", "leverage"))


def test_pools_are_paged_and_ordered(quiet):
    assert [p["name"] for p in walked(quiet, "/v1/pools")[0]] == ["alpha", "beta"]
    assert [p["name"] for p in quiet.get("/v1/pools", order="name")["items"]] == ["alpha", "beta"]
    worst = [p["worst_health"] for p in quiet.get("/v1/pools", order="worst")["items"]]
    assert worst == sorted(worst, key=lambda h: float(h or "inf"))


def test_an_owner_has_a_wallet_and_accounts(quiet):
    owner = quiet.get(f"/v1/owners/{ALICE}")
    assert Decimal(owner["wallet"]["USDC"]) * 10**6 == quiet.writer.venue.wallet(ALICE)["USDC"]
    assert {row["pool_name"] for row in owner["accounts"]} == {"alpha", "beta"}


def test_the_ladder_holds_every_leg_once(quiet):
    ladder = quiet.get("/v1/pools/beta/ladder", underlying="ETH", buckets=20)
    found = [b["down"]["accounts"] for b in ladder["buckets"]]
    assert sum(found) + ladder["beyond"]["down"]["accounts"] + ladder["several"]["accounts"] == 1
    assert len(ladder["buckets"]) == 20
    assert ladder["buckets"][0]["upper"] == ladder["buckets"][1]["lower"]


def test_a_borrower_is_reached_in_the_bucket_that_holds_his_liquidation_price(fresh):
    drawn = c.Borrow(pool="beta", owner=ALICE, amount="1500")
    taken = c.Withdraw(pool="beta", owner=ALICE, asset="USDC", amount="2500")
    fresh.do(lambda: [fresh.scene.must(command) for command in (drawn, taken)])
    ladder = fresh.get("/v1/pools/beta/ladder", underlying="ETH", buckets=200)
    full = fresh.get(f"/v1/accounts/beta/{ALICE}/1")
    price = Decimal(ladder["price"]) * (1 + Decimal(full["shock_down"]))
    (at,) = [b for b in ladder["buckets"] if b["down"]["accounts"]]
    assert Decimal(at["lower"]) <= price <= Decimal(at["upper"])
    assert at["down"]["notional"] == full["debt"]


def test_parameters_have_their_bounds_and_what_they_are_of(quiet):
    shown = quiet.get("/v1/pools/alpha/parameters")
    by_name = {(p["parameter"], p["index"]): p for p in shown["parameters"]}
    haircut = by_name["haircut", 5]
    assert haircut["of"] == "maintenance ETH"
    assert haircut["value"] == 150_000
    assert all(p["min"] <= p["value"] <= p["max"] for p in shown["parameters"])
    assert shown["pending"] == []


def test_history_spans_the_time_since_the_start(quiet):
    points = quiet.get("/v1/pools/alpha/history")["points"]
    assert points
    assert points[-1]["prices"]["ETH"] is not None
    later = quiet.get("/v1/pools/alpha/history", from_ms=points[-1]["time_ms"] + 1)
    assert later["points"] == []
    of_account = quiet.get(f"/v1/accounts/alpha/{ALICE}/1/history")["points"]
    assert [p["time_ms"] for p in of_account] == [p["time_ms"] for p in points]


def test_the_curve_passes_through_the_account_as_it_is(quiet):
    curve = quiet.get(f"/v1/accounts/alpha/{BOB}/1/curve", underlying="ETH", points=11)
    full = quiet.get(f"/v1/accounts/alpha/{BOB}/1")
    middle = curve["points"][5]
    assert middle["move"] == "0"
    assert middle["equity"] == full["equity"]
    assert middle["excess"] == full["excess"]["maintenance"]


def test_positions_come_in_ccxts_shape(quiet):
    (position,) = quiet.get("/v1/positions", owner=BOB)
    full = quiet.get(f"/v1/accounts/alpha/{BOB}/1")["positions"][0]
    assert position["symbol"] == "ETH/USDC:USDC"
    assert position["side"] == "short"
    assert position["contracts"] == full["size"].removeprefix("-")
    assert position["liquidationPrice"] == full["liquidation_price_upper"]
    assert position["marginMode"] == "isolated"
    assert position["info"] == full


def test_who_is_at_risk_is_whoever_is_below(quiet):
    everybody = [*quiet.get("/v1/pools/alpha/accounts")["items"]]
    everybody += quiet.get("/v1/pools/beta/accounts")["items"]
    for below in ("1", "1.5", "2"):
        wanted = {
            (r["pool"], r["account"])
            for r in everybody
            if r["health_factor"] and Decimal(r["health_factor"]) < Decimal(below)
        }
        shown = quiet.get("/v1/at-risk", below=below)["items"]
        assert {(r["pool"], r["account"]) for r in shown} == wanted


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/pools/gamma", 404, "pool_unknown"),
        ("/v1/pools?limit=0", 400, "malformed"),
        ("/v1/pools?limit=501", 400, "malformed"),
        ("/v1/pools?cursor=-1", 400, "malformed"),
        ("/v1/pools?order=size", 400, "malformed"),
        ("/v1/owners/0x12", 400, "malformed"),
        (f"/v1/owners/{STRANGER}", 404, "owner_unknown"),
        (f"/v1/accounts/alpha/{ALICE}/2", 404, "account_unknown"),
        (f"/v1/accounts/alpha/{STRANGER}/1", 404, "owner_unknown"),
        (f"/v1/accounts/alpha/{ALICE}/1/curve?span=1", 400, "malformed"),
        (f"/v1/accounts/alpha/{ALICE}/1/curve?underlying=DOGE", 404, "underlying_unknown"),
        ("/v1/pools/alpha/ladder?underlying=DOGE", 404, "underlying_unknown"),
        ("/v1/at-risk?below=0.99", 400, "malformed"),
        ("/v1/at-risk?below=1.005", 400, "malformed"),
        ("/v1/at-risk?below=NaN", 400, "malformed"),
        ("/v1/journal/100000000", 404, "entry_unknown"),
        ("/v1/journal/0", 400, "malformed"),
        ("/v1/receipts/100000000", 404, "entry_unknown"),
        (f"/v1/receipts?signer={ALICE}&client_id=none", 404, "receipt_unknown"),
        ("/v1/nothing", 404, "not_found"),
    ],
)
def test_what_is_not_there_is_a_problem_with_a_code(quiet, path, status, code):
    answer = quiet.client.get(path)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["detail"]
