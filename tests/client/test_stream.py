"""The stream's tables stay what the service has: by deltas, resumed, and after a gap."""

import asyncio
import contextlib

import pytest
from tests.client.serving import served
from tests.venue.scene import ALICE

from ringfence.client import Client, StreamError, Table, subscription, watch


@pytest.fixture(scope="module")
def live():
    with served() as venue:
        yield venue


async def first(tables, wanted):
    """The first table that is as wanted."""
    async with asyncio.timeout(60):
        async for table in tables:
            if wanted(table):
                return table
    raise AssertionError("the stream ended")


def test_tables_follow_the_venue(live):
    async def story() -> None:
        wanted = [subscription("prices"), subscription("account", pool="alpha", owner=ALICE)]
        async with contextlib.aclosing(watch(live.url, *wanted)) as tables:
            table = await first(tables, lambda t: "ETH" in t.rows)
            assert float(table.rows["ETH"]["index_price"]) == 2000
            await asyncio.to_thread(live.publish, ETH="2010")
            changed = await first(
                tables, lambda t: t is table and float(t.rows["ETH"]["index_price"]) == 2010
            )
            assert changed.time_ms > 0
            assert "publish_time_ms" in changed.rows["ETH"]  # fields that stayed are still there

    asyncio.run(story())


def test_a_feed_tells_what_is_new(live):
    async def story() -> None:
        async with contextlib.aclosing(watch(live.url, subscription("journal"))) as tables:
            table = await first(tables, lambda _table: True)
            newest = table.items[-1]["seq"]
            await asyncio.to_thread(live.publish, ETH="2011")
            table = await first(tables, lambda t: bool(t.added))
            assert table.added[0]["seq"] == newest + 1
            assert table.items[-1] == table.added[-1]

    asyncio.run(story())


def test_a_refused_subscription_is_an_error(live):
    async def story() -> None:
        async for _ in watch(live.url, subscription("nothing")):
            raise AssertionError("there is no such channel")

    with pytest.raises(StreamError) as error:
        asyncio.run(asyncio.wait_for(story(), 60))
    assert error.value.code == "malformed"


def test_a_lost_connection_is_resumed(live, monkeypatch):
    """Each connection ends after its first table; what is seen has no gap."""
    from ringfence.client import stream

    followed, requests = stream._followed, []

    async def broken(socket, tables):
        requests.append([table.request(0, table.run).get("resume") for table in tables])
        async for table in followed(socket, tables):
            yield table
            raise OSError("the cable was pulled")

    monkeypatch.setattr(stream, "_followed", broken)
    monkeypatch.setattr(stream, "BACKOFF_SECONDS", 0.01)

    async def story() -> list[int]:
        seen = []
        async with contextlib.aclosing(watch(live.url, subscription("prices"))) as tables:
            async for table in tables:
                seen.append(table.seq)
                if len(seen) == 3:
                    return seen
                await asyncio.to_thread(live.publish, ETH=str(2020 + len(seen)))
        raise AssertionError("the stream ended")

    seen = asyncio.run(asyncio.wait_for(story(), 60))
    assert seen == [seen[0], seen[0] + 1, seen[0] + 2]
    assert requests[0] == [None]
    assert requests[1][0]["seq"] == seen[0]


def message(kind: str, seq: int, **data: object) -> dict:
    return {"type": kind, "seq": seq, "time_ms": 1, "data": data}


def test_a_table_merges_and_notices_a_gap():
    table = Table(subscription("pools"))
    assert table.take(message("snapshot", 5, a={"x": 1, "y": 2}, b={"x": 3}))
    assert table.take(message("delta", 6, set={"a": {"x": 9}, "c": {"x": 4}}, gone=["b", "z"]))
    assert table.rows == {"a": {"x": 9, "y": 2}, "c": {"x": 4}}
    assert table.request(0, "run")["op"] == "subscribe"
    assert table.request(0, "run")["resume"] == {"run": "run", "seq": 6}
    assert "resume" not in table.request(0, "another run")
    assert not table.take(message("delta", 8, set={}))
    assert "resume" not in table.request(0, "another run")  # a snapshot mends it


def test_the_stream_and_the_views_agree(live):
    async def story() -> dict:
        async with contextlib.aclosing(watch(live.url, subscription("pools"))) as tables:
            return (await first(tables, lambda t: len(t.rows) == 2)).rows

    rows = asyncio.run(story())
    with Client(live.url) as client:
        assert {pool.id: pool.name for pool in client.pools().items} == {
            key: row["name"] for key, row in rows.items()
        }
