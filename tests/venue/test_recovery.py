"""A venue starts on an undamaged history only, and takes in nothing that it cannot journal."""

import sqlite3
from importlib.resources import files

import pytest

from ringfence import Venue
from ringfence.core.spec import parse_spec
from ringfence.venue.audit import audit
from ringfence.venue.clock import ManualClock
from ringfence.venue.encoding import CommandError
from ringfence.venue.fanout import FeedPrice
from ringfence.venue.recovery import ReplayError
from ringfence.venue.state import RefusedError

CREATOR = "0x" + "c" * 40
SPEC = parse_spec(files("ringfence.cli").joinpath("pool.toml").read_text())


def started(path=":memory:"):
    venue = Venue.open(path, clock=ManualClock(10**18))
    venue.list_asset("USDC", 6)
    venue.list_asset("ETH", 8)
    return venue


def test_a_change_before_the_newest_checkpoint_keeps_the_venue_from_starting(tmp_path):
    path = tmp_path / "venue.journal"
    with started(path) as venue:
        venue.receive(CREATOR, "USDC", "10")
        venue.checkpoint()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE entry SET time_ns = time_ns + 1 WHERE seq = 2")
    connection.close()
    with pytest.raises(ReplayError, match="entry 2"):
        Venue.open(path)


def test_a_venue_starts_from_any_checkpoint_that_is_kept_and_verifies_without_the_others(tmp_path):
    path = tmp_path / "venue.journal"
    with started(path) as venue:
        for amount in ("10", "20", "30", "40"):
            venue.receive(CREATOR, "USDC", amount)
            venue.checkpoint()
        digest = venue.state.digest()
    for left in (2, 1, 0):
        with sqlite3.connect(path) as connection:
            kept = connection.execute("SELECT seq FROM checkpoint ORDER BY seq").fetchall()
            assert len(kept) == left
            connection.execute("DELETE FROM checkpoint WHERE seq = ?", kept[-1] if kept else (0,))
        connection.close()
        assert audit(path).problems == []
        with Venue.open(path) as again:
            assert again.state.digest() == digest
            assert again.verify() == []


def test_a_failed_start_leaves_the_journal_free_for_others(tmp_path):
    path = tmp_path / "venue.journal"
    with started(path) as venue:
        venue.journal.append(1, "unheard", b"", b"")
    for _ in range(2):
        with pytest.raises(ReplayError, match="unheard"):
            Venue.open(path)


@pytest.mark.parametrize(
    "command",
    [
        lambda venue: venue.list_asset("\ud800", 6),
        lambda venue: venue.list_asset("A" * 2**21, 6),
        lambda venue: venue.set_prices([FeedPrice("ETH", 2**70, 1, 1)]),
    ],
)
def test_what_cannot_be_journaled_is_refused_and_the_venue_goes_on(command):
    venue = started()
    before = venue.state.digest(), venue.journal.head
    with pytest.raises(CommandError, match=r"cannot be written|too many"):
        command(venue)
    assert (venue.state.digest(), venue.journal.head) == before
    assert venue.receive(CREATOR, "USDC", "1").ok


def test_decimals_of_an_asset_have_a_limit():
    with pytest.raises(RefusedError, match="decimals 19"):
        started().list_asset("WIDE", 19)


def test_a_name_that_several_pools_carry_stands_for_the_oldest():
    venue = started()
    first = venue.create_pool(SPEC, CREATOR)
    venue.create_pool(SPEC, "0x" + "d" * 40)
    assert venue.pool(SPEC.name).id == first


def test_a_spec_is_held_against_the_newest_price_that_a_pool_has_accepted():
    venue = started()
    venue.set_prices([FeedPrice("ETH", 7, 7, 10**18)])  # nobody lists it, so nobody accepts it
    venue.create_pool(SPEC, CREATOR)
    venue.set_prices([FeedPrice("ETH", 10**6, 10**6, 10**18)])
    with pytest.raises(ValueError, match="price_max"):
        venue.create_pool(SPEC, "0x" + "d" * 40)
