"""The stream: a snapshot, then deltas that make of it what a new snapshot says."""

import json

import pytest
from tests.service.live import ALICE, sink

from ringfence.service import stream as s


class Socket:
    """A test's end of the stream, which merges as the manual says."""

    def __init__(self, socket) -> None:
        self.socket, self.tables, self.items, self.seq = socket, {}, {}, {}
        self.hello = self.receive()

    def receive(self):
        message = self.socket.receive_json(timeout=30)
        key, data = message.get("key"), message.get("data")
        if message["type"] == "snapshot":
            self.seq[key] = message["seq"]
            if "items" in data:
                self.items[key] = list(data["items"])
            else:
                self.tables[key] = data
        elif message["type"] == "delta":
            assert message["seq"] == self.seq[key] + 1, "a delta is missing"
            self.seq[key] = message["seq"]
            if "add" in data:
                self.items[key] += data["add"]
            else:
                table = self.tables[key]
                for row, fields in data["set"].items():
                    table.setdefault(row, {}).update(fields)
                for row in data["gone"]:
                    del table[row]
        return message

    def ask(self, **fields):
        """Send a message and take everything up to its answer."""
        self.socket.send_json(fields)
        while True:
            message = self.receive()
            if message["type"] in {"subscribed", "unsubscribed", "error", "pong"}:
                return message

    def subscribe(self, channel, **fields):
        answer = self.ask(op="subscribe", id=channel, channel=channel, **fields)
        if answer["type"] == "subscribed" and not answer["resumed"]:
            while self.receive()["type"] != "snapshot":
                pass
        return answer


def opened(live):
    return live.client.websocket_connect("/v1/stream")


CHANNELS = {
    "prices": {},
    "pools": {},
    "stats": {},
    "at_risk": {"below": "2"},
    "pool": {"pool": "alpha"},
    "accounts": {"pool": "alpha"},
    "account": {"pool": "alpha", "owner": ALICE, "number": 1},
}


def test_deltas_make_of_a_snapshot_what_the_next_snapshot_says(fresh):
    with opened(fresh) as raw:
        viewer = Socket(raw)
        assert viewer.hello["run"] == fresh.desk.run
        keys = {name: viewer.subscribe(name, **more)["key"] for name, more in CHANNELS.items()}
        fresh.do(lambda: fresh.scene.trade("3"))
        for price in ("1950", "1900", "2100"):
            fresh.publish(ETH=price)
        fresh.publish(BTC="41000")
        viewer.ask(op="ping")
        for name, key in keys.items():
            if name not in {"stats", "account"}:
                topic = fresh.desk.hub.topics[key]
                shown = json.loads(topic.snapshot(0))["data"]
                assert viewer.tables[key] == shown, name
                assert viewer.seq[key] == topic.seq
        assert viewer.tables["prices"]["ETH"]["index_price"] == "2100"
        assert viewer.tables["prices"]["BTC"]["index_price"] == "41000"


def test_feeds_bring_each_event_once(fresh):
    with opened(fresh) as raw:
        viewer = Socket(raw)
        viewer.subscribe("liquidations")
        viewer.subscribe("journal")
        sink(fresh)
        viewer.ask(op="ping")
        assert viewer.items["liquidations"] == fresh.get("/v1/liquidations")["items"][::-1]
        seqs = [item["seq"] for item in viewer.items["journal"]]
        assert seqs == list(range(seqs[0], fresh.desk.snapshot.seq + 1))


def test_whoever_resumes_gets_what_he_missed_and_nothing_else(fresh):
    with opened(fresh) as raw:
        first = Socket(raw)
        first.subscribe("prices")
    fresh.publish(ETH="2001")
    fresh.publish(ETH="2002")
    with opened(fresh) as raw:
        again = Socket(raw)
        again.tables, again.seq = first.tables, first.seq
        resume = {"run": first.hello["run"], "seq": first.seq["prices"]}
        assert again.subscribe("prices", resume=resume)["resumed"]
        again.ask(op="ping")
        assert again.tables["prices"]["ETH"]["index_price"] == "2002"


@pytest.mark.parametrize("resume", [{"run": "other", "seq": 1}, {"run": None}, {"seq": "x"}, {}])
def test_whoever_cannot_resume_gets_a_snapshot(fresh, resume):
    with opened(fresh) as raw:
        viewer = Socket(raw)
        assert not viewer.subscribe("prices", resume=resume)["resumed"]
        assert viewer.tables["prices"]["ETH"]["index_price"] == "2000"


def test_who_unsubscribes_hears_no_more(fresh):
    with opened(fresh) as raw:
        viewer = Socket(raw)
        viewer.subscribe("prices")
        assert viewer.ask(op="unsubscribe", id="u", key="prices")["type"] == "unsubscribed"
        fresh.publish(ETH="2001")
        assert viewer.ask(op="ping", id="p")["id"] == "p"
        assert viewer.tables["prices"]["ETH"]["index_price"] == "2000"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("nonsense", "malformed"),
        ("[]", "malformed"),
        ('{"op": "dance", "id": "x"}', "malformed"),
        ('{"op": "subscribe", "id": "x", "channel": "gossip"}', "malformed"),
        ('{"op": "subscribe", "id": "x", "channel": "pool"}', "malformed"),
        ('{"op": "subscribe", "id": "x", "channel": "pool", "pool": "gamma"}', "pool_unknown"),
        ('{"op": "subscribe", "id": "x", "channel": "prices", "color": "red"}', "malformed"),
        ('{"op": "subscribe", "id": "x", "channel": "at_risk", "below": "3"}', "malformed"),
        ('{"op": "subscribe", "id": "x", "channel": "account", "pool": "alpha"}', "malformed"),
        ('{"op": "unsubscribe", "id": "x", "key": "prices"}', "malformed"),
        ("[" * 10_000, "malformed"),
    ],
)
def test_a_wrong_message_is_answered_and_the_connection_stays(fresh, message, code):
    with opened(fresh) as raw:
        viewer = Socket(raw)
        raw.send_text(message)
        answer = viewer.receive()
        assert (answer["type"], answer["code"]) == ("error", code)
        assert viewer.ask(op="ping", id="p")["type"] == "pong"


def test_a_slow_viewer_is_dropped_and_the_others_go_on():
    slow, quick = s.Viewer(), s.Viewer()
    topic = s.Topic("k", 0, is_feed=True)
    topic.viewers |= {slow, quick}
    for number in range(s.MESSAGES_MAX + 1):
        topic.update([number], 0)
        quick._waiting.clear()
    assert slow.is_too_slow
    assert not slow._waiting, "what he will never read is let go"
    assert not quick.is_too_slow


def test_a_viewer_with_too_many_bytes_waiting_is_dropped():
    viewer = s.Viewer()
    for _ in range(9):
        viewer.offer("x" * 2**20)
    assert viewer.is_too_slow


def test_a_topic_that_nobody_watches_ends_and_its_numbers_never_return():
    hub = s.Hub("r")
    number = iter(range(10_000))
    topic = hub.open("k", lambda: {"": {"n": next(number)}})
    for turn in range(1, s.TURNS_KEPT + 5):
        hub.update(0, turn)
    assert not hub.is_watched("k")
    assert hub.open("k", dict).seq >= topic.seq


def test_only_what_changed_is_in_a_delta():
    before = {"a": {"x": 1, "y": 2}, "b": {"x": 1}}
    now = {"a": {"x": 1, "y": 3}, "c": {"x": 5}}
    assert s.table_delta(before, now) == {"set": {"a": {"y": 3}, "c": {"x": 5}}, "gone": ["b"]}
    assert s.table_delta(now, now) is None


def test_too_many_messages_a_minute_end_the_connection(fresh, monkeypatch):
    from litestar.exceptions import WebSocketDisconnect

    from ringfence.service import socket as module

    monkeypatch.setattr(module, "ASKED_A_MINUTE_MAX", 3)
    with opened(fresh) as raw:
        viewer = Socket(raw)
        for _ in range(3):
            viewer.ask(op="ping")
        raw.send_json({"op": "ping"})
        assert viewer.receive() == {"type": "bye", "code": "limit"}
        with pytest.raises(WebSocketDisconnect):
            raw.receive_json(timeout=30)
