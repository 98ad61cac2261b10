"""Memory never runs ahead of the disk: what is not journaled is not acknowledged."""

import itertools

import numpy as np
import pytest
from tests.venue.scene import ALICE, BOB, Scene

from ringfence.core.command import Kind, rows
from ringfence.core.status import Status
from ringfence.journal.entry import BODY_BYTES_MAX
from ringfence.journal.errors import JournalHaltedError
from ringfence.venue import commands as c
from ringfence.venue.encoding import CommandError
from ringfence.venue.venue import Venue

DEPOSIT = c.Deposit(pool="alpha", owner=ALICE, asset="USDC", amount="5")


def fail(*_arguments):
    raise JournalHaltedError("the disk is full")


def interrupt(*_arguments):
    raise KeyboardInterrupt


def deposits():
    """Two deposits of five dollars by Alice, and one by an account that does not exist."""
    batch = rows(3)
    batch["kind"], batch["amount"], batch["account"] = Kind.DEPOSIT, 5_000_000, (1, 1, 99)
    return batch


NEW = itertools.count(1)  # addresses that nobody has
WRITES = {
    "execute": lambda scene: scene.venue.execute(DEPOSIT),
    "receive": lambda scene: scene.venue.receive(ALICE, "USDC", "1"),
    "register": lambda scene: scene.venue.register(f"0x{next(NEW):040x}"),
    "publish": lambda scene: scene.publish(ETH="1900"),
    "digest": lambda scene: scene.venue.record_digest(),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    ("step", "error", "raised"),
    [
        ("append", fail, JournalHaltedError),
        ("commit", fail, JournalHaltedError),
        ("append", interrupt, KeyboardInterrupt),
        ("commit", interrupt, KeyboardInterrupt),
    ],
)
def test_a_venue_whose_journal_fails_takes_nothing_more(monkeypatch, write, step, error, raised):
    scene = Scene.set_up()
    with monkeypatch.context() as patch:
        patch.setattr(scene.venue.journal, step, error)
        with pytest.raises(raised):
            WRITES[write](scene)
    state = scene.venue.state.digest()
    seq = scene.venue.journal.seq
    for other in WRITES.values():
        with pytest.raises(JournalHaltedError, match="open it again"):
            other(scene)
    assert scene.venue.state.digest() == state
    assert scene.venue.journal.seq == seq
    scene.venue.close()


def test_opening_again_after_a_halt_begins_where_the_journal_ends(monkeypatch, tmp_path):
    scene = Scene.set_up(tmp_path / "journal")
    before = scene.venue.state.digest()
    with monkeypatch.context() as patch:
        patch.setattr(scene.venue.journal, "commit", fail)
        with pytest.raises(JournalHaltedError):
            scene.venue.execute(DEPOSIT)
    assert scene.venue.state.digest() != before, "the deposit is in memory only"
    scene.venue.close()
    with Venue.open(tmp_path / "journal", clock=scene.clock) as venue:
        assert venue.state.digest() == before
        assert venue.execute(DEPOSIT).ok


def test_a_group_that_cannot_commit_halts_and_acknowledges_nothing(monkeypatch):
    scene = Scene.set_up()
    seq = scene.venue.journal.seq
    monkeypatch.setattr(scene.venue.journal, "commit", fail)

    def deposit_in_a_group() -> None:
        with scene.venue.group():
            assert scene.venue.execute(DEPOSIT).ok
            assert scene.venue.journal.seq == seq

    with pytest.raises(JournalHaltedError):
        deposit_in_a_group()
    with pytest.raises(JournalHaltedError):
        scene.venue.execute(DEPOSIT)


def test_an_error_in_a_group_comes_out_as_it_is_and_what_was_done_is_kept():
    scene = Scene.set_up()

    def deposit_and_err_in_a_group() -> None:
        with scene.venue.group():
            scene.venue.execute(DEPOSIT)
            scene.venue.execute(c.Deposit(pool="alpha", owner=BOB, asset="DOGE", amount="1"))

    with pytest.raises(CommandError, match="DOGE"):
        deposit_and_err_in_a_group()
    assert scene.venue.account("alpha", ALICE).balances["USDC"] == "5"
    assert scene.venue.verify() == []


def test_submitted_batches_are_acknowledged_in_order_once_they_are_on_disk(tmp_path):
    scene = Scene.set_up(tmp_path / "venue.journal")
    futures = [scene.venue.submit_many("alpha", deposits()) for _ in range(20)]
    receipts = [future.result() for future in futures]
    entries = list(scene.venue.journal.entries(receipts[0].seq))
    assert [(r.seq, r.head) for r in receipts] == [(e.seq, e.head.hex()) for e in entries]
    assert {tuple(r.statuses.tolist()) for r in receipts} == {
        (Status.OK, Status.OK, Status.ACCOUNT_DOES_NOT_EXIST)
    }
    assert scene.venue.verify() == []
    scene.venue.close()


def test_a_submitted_batch_that_is_not_written_is_not_acknowledged(monkeypatch, tmp_path):
    scene = Scene.set_up(tmp_path / "venue.journal")
    seq = scene.venue.journal.seq
    monkeypatch.setattr(scene.venue.journal._anchor, "write", fail)
    with pytest.raises(JournalHaltedError, match="the disk is full"):
        scene.venue.submit_many("alpha", deposits()).result()
    with pytest.raises(JournalHaltedError, match="open it again"):
        scene.venue.execute(DEPOSIT)
    assert scene.venue.journal.seq == seq


def test_an_interrupt_in_a_group_is_not_hidden_by_the_halt(monkeypatch):
    scene = Scene.set_up()
    monkeypatch.setattr(scene.venue.journal, "append", interrupt)
    with pytest.raises(KeyboardInterrupt), scene.venue.group():
        scene.venue.execute(DEPOSIT)


def test_a_group_within_a_group_commits_with_the_outer_one():
    scene = Scene.set_up()
    seq = scene.venue.journal.seq
    with scene.venue.group():
        with scene.venue.group():
            scene.venue.execute(DEPOSIT)
        assert scene.venue.journal.seq == seq
    assert scene.venue.journal.seq == seq + 1


def test_a_batch_that_no_entry_can_hold_is_refused_before_it_is_applied():
    scene = Scene.set_up()
    before = scene.venue.state.digest()
    batch = rows(BODY_BYTES_MAX // rows(1).itemsize)
    batch["kind"] = Kind.DEPOSIT
    with pytest.raises(CommandError, match="split them"):
        scene.venue.execute_many("alpha", batch)
    liquidations = rows(20_000)
    liquidations["kind"] = Kind.LIQUIDATE
    with pytest.raises(CommandError, match="20000 rows and their events exceed one entry"):
        scene.venue.execute_many("alpha", liquidations)
    assert scene.venue.state.digest() == before
    assert scene.venue.execute(DEPOSIT).ok


def test_many_liquidations_are_split_into_entries_and_answered_in_one_receipt():
    scene = Scene.set_up()
    accounts = np.arange(2_500, dtype=np.int64)
    seq = scene.venue.journal.seq
    receipt = scene.venue.liquidate("alpha", accounts)
    assert len(receipt.statuses) == 2_500
    assert (receipt.seq, receipt.head) == (seq + 3, scene.venue.journal.head.hex())
    assert receipt.accepted == 0
