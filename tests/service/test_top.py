"""`ringfence top` shows what the stream says, and says why it cannot."""

import io
import json
import threading
from contextlib import contextmanager
from importlib import import_module

import pytest
from rich.console import Console
from tests.service.live import HOSTS, live, sink
from tests.venue.test_waterfall import OFFERED, scene_with
from uvicorn import Config, Server

from ringfence.cli import main
from ringfence.cli.top import Screen
from ringfence.service.app import build
from ringfence.service.serving import address_of, bound

top = import_module("ringfence.cli.top")  # the package has a command of that name


@contextmanager
def over_a_socket(served):
    """Speak for a venue that is served already over a real socket, too."""
    listener = bound("127.0.0.1", 0)
    app = build(served.desk, HOSTS)
    server = Server(Config(app, lifespan="off", log_config=None, ws="websockets-sansio"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield address_of(listener)
    server.should_exit = True
    thread.join(30)


@pytest.fixture(scope="module")
def url():
    """Where a venue is served over a real socket."""
    with live() as served:
        sink(served)
        with over_a_socket(served) as address:
            yield address


def test_it_shows_everything_once_where_there_is_no_terminal(url, capsys):
    assert main(["top", url]) == 0
    shown = capsys.readouterr().out
    for word in ("ETH 1,800", "alpha", "Pools, worst first", "Last liquidations", "ETH-PERP"):
        assert word in shown


def test_figures_are_grouped_and_cut_and_a_slice_is_a_share():
    assert top.cut("1088977.239") == "1,088,977.23"
    assert top.cut("-0.005") == "-0.00"
    assert top.cut(None) is None
    assert top.grouped("31294.925") == "31,294.925"
    assert top.share_of("0.6475") == "64.75 %"
    slice_sold = {"event": "slice_sold", "name": None, "size": "0.412", "price": "0.6475"}
    assert top.moved(slice_sold) == ("account", "41.20 %", "64.75 %")
    assert top.moved(slice_sold | {"event": "auction_started"})[1] is None


@pytest.mark.parametrize("height", [24, 40, 60])
def test_what_is_drawn_has_room_in_the_terminal(url, height, monkeypatch):
    drawn = []
    monkeypatch.setattr(top, "_show_once", lambda screen, **_: drawn.append(screen.render(height)))
    assert main(["top", url, "--once"]) == 0
    console = Console(file=io.StringIO(), width=200)
    assert len(console.render_lines(drawn[0], pad=False)) <= height
    console.print(drawn[0])
    assert ("Last liquidations" in console.file.getvalue()) == (height > 24)


def test_it_gives_the_streams_tables_as_json(url, capsys):
    assert main(["top", url, "--json"]) == 0
    tables = json.loads(capsys.readouterr().out)
    assert set(tables) == {"stats", "prices", "pools", "at_risk:1.10", "auctions", "liquidations"}
    assert tables["prices"]["ETH"]["index_price"] == "1800"


@pytest.mark.parametrize(
    ("address", "message"),
    [("http://127.0.0.1:1", "is `ringfence serve` running"), ("nonsense", "write it as http")],
)
def test_it_says_why_there_is_nothing_to_see(address, message, capsys):
    assert main(["top", address]) == 2
    assert message in capsys.readouterr().err


def test_live_auctions_have_a_table_of_their_own(capsys):
    with live(scene=scene_with(OFFERED)) as served, over_a_socket(served) as address:
        served.publish(ETH="1050")
        assert main(["top", address]) == 0
    shown = capsys.readouterr().out
    assert "Live auctions" in shown
    assert "auctions 1" in shown


def test_deltas_change_the_tables_as_the_manual_says():
    screen = Screen("u", 5)
    table = {"a": {"x": 1, "y": 2}, "b": {"x": 3}}
    screen.take({"type": "snapshot", "key": "pools", "data": table})
    change = {"set": {"a": {"y": 5}, "c": {"x": 7}}, "gone": ["b"]}
    screen.take({"type": "delta", "key": "pools", "data": change})
    assert screen.tables["pools"] == {"a": {"x": 1, "y": 5}, "c": {"x": 7}}
    screen.take({"type": "snapshot", "key": "liquidations", "data": {"items": [{"seq": 1}]}})
    screen.take({"type": "delta", "key": "liquidations", "data": {"add": [{"seq": 2}]}})
    assert [item["seq"] for item in screen.tape] == [1, 2]
