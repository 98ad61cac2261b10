"""P13, P14: power may fail at any write; what was acknowledged is there, or the start fails.

The same harness must see what a weaker setting loses, or it would prove nothing.
"""

import random
from collections import Counter

import pytest
from tests.journal.powercut import PATH, LockedFile, PowerCutDisk, random_body

from ringfence.journal import bodies, folding, schema
from ringfence.journal.errors import (
    AnchorError,
    BrokenChainError,
    HeadMismatchError,
    HistoryMissingError,
    JournalError,
    JournalHaltedError,
)
from ringfence.journal.sqlite import Journal

POOL = b"p" * 32
JUDGEMENTS = (AnchorError, BrokenChainError, HeadMismatchError, HistoryMissingError)


@pytest.fixture(autouse=True)
def short_log(monkeypatch):
    """Every part of the journal is used: the log starts again, large bodies lie outside."""
    monkeypatch.setattr(folding, "PAGES_MAX", 12)
    monkeypatch.setattr(bodies, "OUTSIDE_MIN", 30_000)


def run(disk, seed, acknowledged):
    """Append and commit until the disk fails: what is acknowledged by then, and if it halted."""
    rng = random.Random(seed)
    try:
        journal = Journal.open(PATH, disk=disk)
    except (JournalError, OSError) as error:
        if isinstance(error, JUDGEMENTS) or not disk.has_failed:
            raise
        return acknowledged, False
    found = list(journal.entries())
    assert found[: len(acknowledged)] == acknowledged
    acknowledged = found
    try:
        for _ in range(40):
            batch = [
                journal.append(rng.randrange(2**40), "pool", POOL, random_body(rng))
                for _ in range(rng.randint(1, 4))
            ]
            if rng.random() < 0.3:
                assert journal.commit_async().result() == batch[-1].head
            else:
                journal.commit()
            acknowledged = acknowledged + batch
            if rng.random() < 0.1:
                journal.write_checkpoint(journal.seq, POOL, random_body(rng), b"d" * 32)
    except JournalHaltedError:
        with pytest.raises(JournalHaltedError, match="takes no more entries"):
            journal.append(0, "pool", POOL, b"")
        with pytest.raises(JournalHaltedError, match="takes no more entries"):
            journal.commit()
        return acknowledged, True
    finally:
        journal.close()
    return acknowledged, False


def plan_fault(disk, rng, fault="cut"):
    """Somewhere from the first operation on, often in the set-up or the recovery."""
    disk.fault = fault
    disk.fault_at = disk.operations + rng.choice((rng.randint(1, 60), rng.randint(1, 900)))
    disk.fault_operations = rng.choice((1, 1, 3, 50))


def recover(disk, acknowledged):
    """Open what the cut left and compare; tell how many entries nobody had acknowledged."""
    with Journal.open(PATH, disk=disk) as journal:
        report = journal.verify()
        if not report.ok:
            raise BrokenChainError(0, f"recovered with {report.problems}")
        found = list(journal.entries())
        assert found[: len(acknowledged)] == acknowledged
        for entry in found:
            assert entry.seq <= journal.seq
        journal.append(1, "venue", b"", b"the next one")
        journal.commit()
        assert journal.tail(1)[0].seq == len(found) + 1
    return len(found) - len(acknowledged)


def cut_and_recover(seed, fault="cut"):
    """A life of up to three starts, each ended by a fault and a power cut."""
    rng, disk, acknowledged, halts = random.Random(seed), PowerCutDisk(), [], 0
    for generation in range(rng.randint(1, 3)):
        plan_fault(disk, rng, fault)
        acknowledged, was_halted = run(disk, 10 * seed + generation, acknowledged)
        halts += was_halted
        disk = disk.image(rng)
    unacknowledged = recover(disk, acknowledged)
    return Counter(halts=halts, acknowledged=len(acknowledged), unacknowledged=unacknowledged)


def test_p13_no_acknowledged_entry_is_lost_in_a_power_cut():
    seen = sum((cut_and_recover(seed) for seed in range(220)), Counter())
    assert seen["halts"] >= 200
    assert seen["acknowledged"] >= 4_000
    assert seen["unacknowledged"] >= 20


@pytest.mark.parametrize("fault", ["full", "io", "sync"])
def test_p13_a_failed_write_halts_and_loses_nothing_acknowledged(fault):
    seen = sum((cut_and_recover(seed, fault) for seed in range(60)), Counter())
    assert seen["halts"] >= 20
    assert seen["acknowledged"] >= 1_000


def cut_among_checkpoints(seed):
    """Checkpoints one after the other until the power fails; how many were removed by then."""
    rng, disk, kept = random.Random(seed), PowerCutDisk(), []
    plan_fault(disk, rng)
    try:
        with Journal.open(PATH, disk=disk) as journal:
            for _ in range(200):
                journal.append(1, "pool", POOL, random_body(rng))
                journal.commit()
                journal.write_checkpoint(journal.seq, POOL, random_body(rng), b"d" * 32)
                kept.append(journal.seq)
    except (JournalError, OSError):
        assert disk.has_failed
    with Journal.open(PATH, disk=disk.image(rng)) as journal:
        assert journal.verify().ok
        assert len(list(journal.entries())) == journal.seq >= len(kept)
        newest = journal.latest_checkpoint(POOL)
        if len(kept) > 1:
            assert newest.seq >= kept[-1]
            assert journal.latest_checkpoint(POOL, newest.seq - 1).seq >= kept[-2]
            assert journal.latest_checkpoint(POOL, newest.seq - 2) is None
    return max(0, len(kept) - 2)


def test_p13_a_power_cut_leaves_the_last_two_checkpoints_and_every_entry():
    assert sum(cut_among_checkpoints(seed) for seed in range(60)) >= 250


@pytest.mark.parametrize("synchronous", [0, 1])
def test_p14_the_harness_sees_what_a_weaker_setting_loses(monkeypatch, synchronous):
    monkeypatch.setitem(schema.SETTINGS, "synchronous", synchronous)
    lost = 0
    for seed in range(60):
        try:
            cut_and_recover(seed)
        except JournalError:
            lost += 1
    assert lost >= 10


def test_p14_the_harness_sees_bodies_that_were_told_of_before_they_were_there(monkeypatch):
    sync = LockedFile.sync
    monkeypatch.setattr(
        LockedFile, "sync", lambda file: None if file.name.endswith(".bodies") else sync(file)
    )
    lost = 0
    for seed in range(60):
        try:
            cut_and_recover(seed)
        except JournalError:
            lost += 1
    assert lost >= 10


def test_p14_the_harness_sees_a_disk_that_lies_about_the_anchor(monkeypatch):
    """With neither sync the loss would be silent; the comparison with the receipts finds it."""
    monkeypatch.setitem(schema.SETTINGS, "synchronous", 0)
    monkeypatch.setattr("tests.journal.powercut.LockedFile.sync", lambda _self: None)
    silent = 0
    for seed in range(60):
        try:
            cut_and_recover(seed)
        except JournalError:
            continue
        except AssertionError:
            silent += 1
    assert silent >= 1
