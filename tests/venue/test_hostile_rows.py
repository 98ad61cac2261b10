"""Raw rows with any numbers at all: no crash, no byte out of place, the same answer anywhere."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.properties.profile import IS_INTERPRETED, examples
from tests.venue.hostile import EXTREMES, check, hostile_rows
from tests.venue.scene import Scene

import ringfence
from ringfence.core.command import COMMAND, Kind, rows
from ringfence.core.status import Status

ROOT = Path(__file__).parent.parent.parent
SOURCE = Path(ringfence.__file__).parent.parent


@pytest.mark.parametrize("seed", range(examples(4)))
def test_hostile_rows_are_refused_or_applied_whole(seed):
    _, taken, count = check(seed, 5_000)
    assert 0 < int(taken) < int(count) // 4


def elsewhere(*arguments, **environment):
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    inherited |= {"PYTHONPATH": os.pathsep.join((str(SOURCE), str(ROOT)))} | environment
    command = [sys.executable, "-W", "error", "-m", "tests.venue.hostile", *map(str, arguments)]
    done = subprocess.run(command, env=inherited, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout.split()


@pytest.mark.skipif(IS_INTERPRETED, reason="compares this compiled process with an interpreted one")
def test_plain_integers_answer_hostile_rows_the_same():
    """Nothing wraps: what 64 bits cannot hold would be an error there."""
    assert elsewhere(7, 500, 600, NUMBA_DISABLE_JIT="1") == check(7, 500, 600)


@pytest.mark.skipif(IS_INTERPRETED, reason="bounds are checked anyway")
def test_hostile_rows_stay_within_bounds():
    assert elsewhere(8, 3_000, NUMBA_BOUNDSCHECK="1") == check(8, 3_000)


def test_every_kind_and_every_field_is_tried_with_every_extreme():
    batch = hostile_rows(0, 0)
    for name in COMMAND.names:
        if name not in {"kind", "time_ns"}:
            assert set(EXTREMES) <= set(batch[name].tolist())
    assert set(Kind) <= set(batch["kind"].tolist())


@pytest.mark.parametrize("owner", [-1, 3, 2**31, 2**63 - 1, -(2**63)])
def test_an_account_of_an_owner_that_is_not_registered_is_refused(owner):
    scene = Scene.set_up()
    assert len(scene.venue.state.owners) == 3
    digest = scene.venue.record("alpha").digest()
    row = rows(1)
    row["kind"], row["other"], row["amount"] = Kind.OPEN_ACCOUNT, owner, 1
    assert scene.venue.execute_many("alpha", row).statuses.tolist() == [
        Status.OWNER_IS_NOT_REGISTERED
    ]
    assert scene.venue.record("alpha").digest() == digest


def test_the_time_in_a_row_is_the_sequencers_not_the_clients():
    scene = Scene.set_up()
    row = rows(1)
    row["kind"], row["time_ns"] = Kind.ADVANCE_CLOCK, 2**63 - 1
    receipt = scene.venue.execute_many("alpha", row)
    assert receipt.statuses.tolist() == [Status.OK]
    assert scene.venue.pool("alpha").time_ns == receipt.time_ns == scene.clock.now_ns()


def test_an_empty_batch_is_an_entry_without_rows():
    scene = Scene.set_up()
    seq = scene.venue.journal.seq
    receipt = scene.venue.execute_many("alpha", np.zeros(0, dtype=COMMAND))
    assert (receipt.seq, len(receipt.statuses), len(receipt.events)) == (seq + 1, 0, 0)
    assert scene.venue.verify() == []
