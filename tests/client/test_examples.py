"""The examples run against a served venue, and do what they say."""

import os
import subprocess
import sys

import pytest
from tests.architecture.test_tidy import ROOT
from tests.client.serving import served
from tests.venue.scene import ALICE
from tests.venue.test_waterfall import OFFERED, scene_with

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def live():
    with served() as venue:
        yield venue


def run(name: str, url: str, rounds: int) -> list[str]:
    """Lines that an example prints."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / name)]
    told = subprocess.run(
        [*command, "--url", url, "--rounds", str(rounds), "--pause", "0.01"],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert told.stderr == ""
    return told.stdout.splitlines()


def test_the_trader_trades_with_a_session_key(live):
    lines = run("trader.py", live.url, 3)
    assert [line.split(" at ")[0] for line in lines] == [
        "1 ETH-PERP",
        "-1 ETH-PERP",
        "1 ETH-PERP",
    ]
    assert all(": ok, entry" in line for line in lines)


def test_the_market_maker_quotes_and_is_taken(live):
    lines = run("market_maker.py", live.url, 2)
    assert lines[0] == "matched 0.5 at 2002: ok"
    assert "holds -0.5" in lines[1]
    assert lines[2] == "matched -0.5 at 1998: ok"
    assert "holds 0," in lines[3]


def test_the_keeper_watches_and_asks(live):
    lines = run("keeper.py", live.url, 2)
    assert len(lines) == 2
    assert all("below 1.05" in line for line in lines)


def test_the_keeper_bids_with_its_session_key_where_there_is_an_auction():
    with served(scene_with(OFFERED)) as venue:
        venue.publish(ETH="1050")
        lines = run("keeper.py", venue.url, 1)
        assert lines[0].endswith("0 due")
        assert lines[1].startswith("bid in alpha: ok, entry ")
        assert "for a bonus of 0." in lines[1]
        assert venue.writer.venue.account("alpha", ALICE).waterfall.step == "none"
        assert venue.writer.venue.verify() == []


def test_every_example_is_tested_here():
    programs = {path.name for path in EXAMPLES.glob("*.py")} - {"common.py"}
    text = (ROOT / "tests" / "client" / "test_examples.py").read_text()
    assert all(f'"{name}"' in text for name in programs)
