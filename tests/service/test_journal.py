"""The journal over HTTP: entries as they are on disk, receipts with their prices, verification."""

import time
from decimal import Decimal

import apsw
from tests.service.live import ALICE, live


def pages(quiet, **query):
    items, cursor = [], None
    while True:
        page = quiet.get("/v1/journal", limit=7, **({"cursor": cursor} if cursor else {}), **query)
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


def test_pages_walk_the_whole_journal_newest_first(quiet):
    items = pages(quiet)
    assert [item["seq"] for item in items] == list(range(quiet.desk.snapshot.seq, 0, -1))
    for item, entry in zip(reversed(items), quiet.writer.venue.journal.entries(), strict=True):
        assert item["head"] == entry.head.hex()
        assert item["time_ns"] == str(entry.time_ns)


def test_a_filter_keeps_what_it_says(quiet):
    assert {item["kind"] for item in pages(quiet, kind="prices")} == {"prices"}
    of_beta = pages(quiet, pool="beta")
    assert {item["pool_name"] for item in of_beta} == {"beta"}
    both = [i for i in pages(quiet, kind="pool") if i["pool_name"] == "beta"]
    assert [i["seq"] for i in both] == [i["seq"] for i in of_beta if i["kind"] == "pool"]


def test_an_entry_in_full_says_what_its_page_says(quiet):
    newest = quiet.get("/v1/journal", limit=1)["items"][0]
    full = quiet.get(f"/v1/journal/{newest['seq']}")
    assert full["head"] == newest["head"]
    assert full["kind"] == newest["kind"]


def test_a_liquidation_can_be_followed_to_its_prices(quiet):
    (first, *_) = quiet.get("/v1/liquidations", owner=ALICE)["items"]
    assert first["pool_name"] == "alpha"
    assert Decimal(first["excess_before"]) < 0
    receipt = quiet.get(f"/v1/receipts/{first['seq']}")
    assert any(e["event"] == first["event"] for e in receipt["entry"]["events"])
    by_feed = {price["feed"]: price for price in receipt["prices"]}
    assert by_feed["ETH"]["index_price"] == "1800"
    assert by_feed["ETH"]["publish_time_ms"] == first["publish_time_ms"]
    assert by_feed["BTC"]["seq"] < by_feed["ETH"]["seq"] < first["seq"]
    assert quiet.get(f"/v1/journal/{first['seq'] - 1}")["head"] == receipt["previous_head"]


def test_liquidations_are_paged_and_filtered(quiet):
    everything = quiet.get("/v1/liquidations")["items"]
    assert [item["seq"] for item in everything] == sorted(
        (item["seq"] for item in everything), reverse=True
    )
    assert quiet.get("/v1/liquidations", pool="beta")["items"] == []
    one = quiet.get("/v1/liquidations", limit=1)
    assert one["items"] == everything[:1]
    assert (one["next"] is None) == (len(everything) == 1)


def test_a_verification_beside_the_running_venue_finds_nothing_wrong(fresh):
    assert fresh.get("/v1/journal/verify")["state"] == "idle"
    begun = fresh.post("/v1/journal/verify", None, status=202)
    assert begun["entries"] == fresh.desk.snapshot.seq
    deadline = time.monotonic() + 60
    while fresh.get("/v1/journal/verify")["state"] != "done":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    report = fresh.get("/v1/journal/verify")["report"]
    assert report["ok"], report
    assert report["entries"] == begun["entries"]


def verified(served):
    served.post("/v1/journal/verify", None, status=202)
    deadline = time.monotonic() + 300
    while served.get("/v1/journal/verify")["state"] != "done":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return served.get("/v1/journal/verify")


def test_a_journal_in_memory_says_what_cannot_be_checked(fresh):
    found = verified(fresh)
    assert found["report"]["ok"]
    assert set(found["unknown"]) == {"file", "anchor", "checkpoints"}


def test_a_journal_on_disk_is_audited_with_its_checkpoints_and_anchor(tmp_path):
    path = tmp_path / "venue.journal"
    with live(path) as served:
        served.do(served.writer.venue.checkpoint)
        served.publish(ETH="2001")
        found = verified(served)
        assert (found["report"]["ok"], found["unknown"]) == (True, {})
        assert found["report"]["entries"] == served.desk.snapshot.seq
        with apsw.Connection(str(path)) as other:
            other.execute("UPDATE checkpoint SET digest = zeroblob(32)")
        problems = verified(served)["report"]["problems"]
        assert {problem["code"] for problem in problems} == {
            "checkpoint_changed",
            "checkpoint_differs",
        }


def test_only_one_verification_runs_at_a_time(fresh):
    running = fresh.desk.verifier.state().__class__("running", 9, 1, None, {})
    fresh.desk.verifier._state = running
    problem = fresh.post("/v1/journal/verify", None, status=409)
    assert problem["code"] == "verification_running"


def test_the_journals_liquidations_are_known_after_a_new_start(tmp_path):
    from tests.service.live import live, sink

    path = tmp_path / "venue.journal"
    with live(path) as first:
        sink(first)
        before = first.get("/v1/liquidations")["items"]
    from ringfence.service.desk import Desk
    from ringfence.service.schema import Source
    from ringfence.service.writer import Writer
    from ringfence.venue.venue import Venue

    with Venue.open(path) as venue:
        desk = Desk(Writer(venue), Source("none", "none", "", "1"))
        desk.ledger.follow(venue.journal.entries(), is_old=True)
        assert [item.seq for item in desk.ledger.liquidations] == [i["seq"] for i in before[::-1]]
        assert desk.ledger.prices["ETH"].index_price == "1800"
