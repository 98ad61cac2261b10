"""The writer: a bounded queue, answers after the commit, and an end that loses nothing."""

import threading

import pytest
from tests.venue.scene import ALICE, Scene, c

from ringfence.journal.errors import JournalHaltedError
from ringfence.service import writer as w


@pytest.fixture
def scene():
    scene = Scene.set_up()
    yield scene
    scene.venue.close()


@pytest.fixture
def writer(scene):
    writer = w.Writer(scene.venue)
    yield writer
    writer.stop()


def held(writer: w.Writer) -> threading.Event:
    """Keep a started writer busy until the event is set."""
    release, begun = threading.Event(), threading.Event()

    def hold(_venue):
        begun.set()
        release.wait(30)

    writer.submit(hold)
    assert begun.wait(30)
    return release


def test_an_answer_comes_when_its_entry_is_on_disk(scene, writer):
    writer.start()
    deposit = c.Deposit(pool="alpha", owner=ALICE, asset="USDC", amount="5")
    receipt = writer.submit(lambda venue: venue.execute(deposit)).result(timeout=30)
    assert receipt.ok
    assert receipt.seq <= scene.venue.journal.seq


def test_commands_that_wait_share_one_commit(scene, writer):
    commits = []
    writer.start()
    scene.venue.journal.on_commit = commits.append
    release = held(writer)
    deposit = c.Deposit(pool="alpha", owner=ALICE, asset="USDC", amount="1")
    futures = [writer.submit(lambda venue: venue.execute(deposit)) for _ in range(20)]
    release.set()
    assert all(future.result(timeout=30).ok for future in futures)
    assert [len(commit) for commit in commits] == [20]


def test_one_command_that_fails_does_not_fail_its_neighbours(writer):
    writer.start()
    release = held(writer)
    bad = writer.submit(lambda venue: venue.pool("gamma"))
    good = writer.submit(lambda venue: venue.pool("alpha").name)
    release.set()
    assert good.result(timeout=30) == "alpha"
    with pytest.raises(ValueError, match="gamma"):
        bad.result(timeout=30)


def test_a_full_queue_refuses_at_once_and_still_takes_what_reduces_risk(writer):
    writer.start()
    release = held(writer)
    order = []
    for _ in range(w.QUEUE_MAX):
        writer.submit(lambda _venue: order.append("other"))
    with pytest.raises(w.BusyError):
        writer.submit(lambda _venue: None)
    reducing = [
        writer.submit(lambda _venue: order.append("reducing"), reduces_risk=True)
        for _ in range(w.REDUCING_MAX)
    ]
    with pytest.raises(w.BusyError):
        writer.submit(lambda _venue: None, reduces_risk=True)
    release.set()
    for future in reducing:
        future.result(timeout=30)
    assert order[: w.REDUCING_MAX] == ["reducing"] * w.REDUCING_MAX


def test_stopping_does_what_was_taken_and_takes_nothing_more(scene, writer):
    writer.start()
    release = held(writer)
    deposit = c.Deposit(pool="alpha", owner=ALICE, asset="USDC", amount="1")
    taken = [writer.submit(lambda venue: venue.execute(deposit)) for _ in range(300)]
    stopping = threading.Thread(target=writer.stop)
    stopping.start()
    while writer.is_running:
        pass
    with pytest.raises(w.StoppingError):
        writer.submit(lambda _venue: None)
    release.set()
    stopping.join(30)
    seqs = [future.result(timeout=30).seq for future in taken]
    assert seqs == list(range(seqs[0], seqs[0] + 300))
    assert scene.venue.journal.seq == seqs[-1]


def test_a_halted_journal_answers_everybody_and_ends_the_writer(writer):
    writer.start()
    release = held(writer)

    def break_it(_venue):
        raise JournalHaltedError("the disk is full")

    futures = [writer.submit(break_it), writer.submit(lambda _venue: None)]
    release.set()
    for future in futures:
        with pytest.raises(JournalHaltedError, match="disk"):
            future.result(timeout=30)
    writer._thread.join(30)
    assert writer.halted == "the disk is full"
    with pytest.raises(w.StoppingError, match="disk"):
        writer.submit(lambda _venue: None)


def test_a_look_is_a_copy_that_nobody_else_changes(scene, writer):
    writer.start()
    record = scene.venue.record("alpha")
    copy = writer.look(record.id).result(timeout=30)
    before = copy.digest()
    deposit = c.Deposit(pool="alpha", owner=ALICE, asset="USDC", amount="5")
    writer.submit(lambda venue: venue.execute(deposit)).result(timeout=30)
    assert copy.digest() == before
    assert record.digest() != before


def test_snapshots_hold_every_entry_once(scene, writer):
    seen, all_there = [], threading.Event()

    def publish(snapshot):
        seen.extend(entry.seq for entry in snapshot.entries)
        if seen and seen[-1] >= first + 50:
            all_there.set()

    first = scene.venue.journal.seq
    writer.on_publish = publish
    writer.start()
    deposit = c.Deposit(pool="alpha", owner=ALICE, asset="USDC", amount="1")
    for _ in range(50):
        writer.submit(lambda venue: venue.execute(deposit)).result(timeout=30)
    assert all_there.wait(30)
    assert seen == list(range(first + 1, first + 51))
