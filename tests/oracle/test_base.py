"""A scripted source delays, repeats, reorders and fails exactly as it is told."""

import pytest

from ringfence.oracle.index import Feed, Index, IndexRules, Quote, Verdict
from ringfence.oracle.sources.base import (
    Arrival,
    Connection,
    Message,
    Outage,
    ScriptedSource,
    Source,
    gather,
)


def arrival(arrive_ns, sequence, price, *, source="a", symbol="ETH", publish_ns=None):
    published = arrive_ns if publish_ns is None else publish_ns
    return Arrival(arrive_ns, Message(symbol, sequence, Quote(source, price, 0, published)))


def test_a_poll_returns_what_arrived_since_the_last_one():
    source: Source = ScriptedSource("a", [arrival(20, 2, 101), arrival(10, 1, 100)])
    assert source.symbols == ("ETH",)
    assert source.status().connection is Connection.CONNECTING
    assert source.poll(9) == []
    assert [m.quote.price for m in source.poll(20)] == [100, 101]
    assert source.poll(30) == []
    assert source.status().last_arrival_ns == 20


def test_an_outage_loses_what_was_said_meanwhile_and_the_gap_is_counted():
    script = [arrival(10 * k, k, 100 + k) for k in range(1, 7)]
    source = ScriptedSource("a", script, [Outage(20, 40)])
    assert [m.sequence for m in source.poll(25)] == [1]
    assert source.status().connection is Connection.RECONNECTING
    assert [m.sequence for m in source.poll(60)] == [4, 5, 6]
    status = source.status()
    assert (status.connection, status.reconnects, status.missed) == (Connection.LIVE, 1, 2)


def test_a_script_speaks_for_one_source():
    with pytest.raises(ValueError, match="quotes of"):
        ScriptedSource("b", [arrival(1, 1, 100)])


def test_gathering_tells_what_each_feed_said():
    feed = Feed(IndexRules(sources=("a", "b"), stale_after_ns=100))
    sources = [
        ScriptedSource("a", [arrival(10, 1, 1000), arrival(11, 1, 1000, publish_ns=10)]),
        ScriptedSource(
            "b",
            [
                arrival(10, 1, 1004, source="b"),
                arrival(10, 1, 50, source="b", symbol="DOGE"),
                arrival(12, 2, 0, source="b"),
            ],
        ),
    ]
    said = gather(sources, {"ETH": feed}, 12)
    assert [verdict for _, verdict in said] == [
        Verdict.OK,
        Verdict.PUBLISH_TIME_MUST_INCREASE,
        Verdict.OK,
        Verdict.PRICE_MUST_BE_POSITIVE,
    ]
    found = feed.index(12)
    assert isinstance(found, Index)
    assert found.price == 1002
