"""The engine is the model: every status and every number, after every command."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.model.pool import ModelPool, columns, differences, fixed_columns, moving_columns
from tests.properties.histories import History, history_rows
from tests.properties.pools import ROOM, SPECS, START_NS, new_pool
from tests.properties.profile import BASE_SEED, IS_INTERPRETED, examples, over_histories
from tests.properties.running import replayed

import ringfence
from ringfence.core.pool import pool_bytes

SOURCE = Path(ringfence.__file__).parent.parent
HERE = Path(__file__).parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def model_of(spec):
    return ModelPool.create(spec, owner=1, now_ns=START_NS, accounts=ROOM)


@pytest.mark.parametrize("name", SPECS)
def test_a_new_pool_holds_the_numbers_of_its_spec(name):
    assert differences(columns(model_of(SPECS[name]).state), new_pool(SPECS[name])) == []


@over_histories(60)
def test_the_engine_equals_plain_integers_after_every_command(spec, seed):
    history, model = History(spec, seed), model_of(spec)
    for number, step in enumerate(history.take(400)):
        where = f"{spec.name} seed {seed} command {number}: {step.row[0]}"
        assert model.apply(step.row[0]) == step.status, where
        assert differences(moving_columns(model.state), history.pool) == [], where
    assert differences(fixed_columns(model.state), history.pool) == []


@over_histories(8)
def test_a_batch_equals_its_commands_one_by_one(spec, seed):
    history, pool = History(spec, seed), new_pool(spec)
    steps = list(history.take(300))
    statuses = replayed(pool, np.concatenate([step.row for step in steps]))
    assert statuses.tolist() == [int(step.status) for step in steps]
    assert pool_bytes(pool) == pool_bytes(history.pool)


def digest_in(python, name, path, *, interpreted):
    """Digest of the pool after the rows of a file, computed by another process."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    environment |= {"PYTHONPATH": os.pathsep.join((str(SOURCE), str(HERE.parent.parent)))}
    if interpreted:
        environment["NUMBA_DISABLE_JIT"] = "1"
    command = [python, "-W", "error", "-m", "tests.properties.digest", name, str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def digest_here(spec, commands):
    pool = new_pool(spec)
    statuses = replayed(pool, commands)
    state = hashlib.sha256(pool_bytes(pool)).hexdigest()
    return [state, hashlib.sha256(statuses.astype("<i8").tobytes()).hexdigest()]


@pytest.mark.skipif(IS_INTERPRETED, reason="compares this compiled process with an interpreted one")
@pytest.mark.parametrize("name", SPECS)
def test_interpreted_bytes_equal_compiled_bytes(name, tmp_path):
    commands = history_rows(SPECS[name], BASE_SEED, 1000 * examples(1))
    path = tmp_path / "commands.npy"
    np.save(path, commands)
    there = digest_in(sys.executable, name, path, interpreted=True)
    assert there == digest_here(SPECS[name], commands), f"RINGFENCE_SEED={BASE_SEED}"


@pytest.mark.parametrize("name", ["mixed", "scenario"])
@pytest.mark.parametrize("version", PYTHONS)
def test_every_python_gives_the_same_bytes(version, name, tmp_path):
    python = shutil.which(f"python{version}")
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        pytest.skip(f"Python {version} is this one")
    if python is None:
        pytest.skip(f"Python {version} is not installed")
    has_numba = [python, "-c", "import numba, numpy, msgspec"]
    if subprocess.run(has_numba, capture_output=True, check=False).returncode:
        pytest.skip(f"Python {version} has no numba, numpy and msgspec")
    commands = history_rows(SPECS[name], 7, 1500)
    path = tmp_path / "commands.npy"
    np.save(path, commands)
    there = digest_in(python, name, path, interpreted=True)
    assert there == digest_here(SPECS[name], commands)
