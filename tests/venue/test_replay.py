"""P7: the state is a fold of the journal, from anywhere, in any process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.properties.profile import IS_INTERPRETED, examples
from tests.venue.worlds import journaled, report

import ringfence
from ringfence.venue.clock import ManualClock
from ringfence.venue.venue import Venue

ROOT = Path(__file__).parent.parent.parent
SOURCE = Path(ringfence.__file__).parent.parent
PYTHONS = ("3.12", "3.13", "3.14")


def pool_digests(state):
    return {identity: record.digest() for identity, record in state.pools.items()}


@pytest.mark.parametrize("seed", range(examples(12)))
def test_a_replay_reaches_the_live_state_and_the_worlds_p7(seed, tmp_path):
    def digest_now_and_then(venue, number):
        if number % 25 == 24:
            venue.record_digest()

    world, venue = journaled(tmp_path / "journal", seed, 60, digest_now_and_then)
    live = venue.state.digest()
    assert venue.verify() == []
    assert pool_digests(venue.state) == pool_digests(world.state)
    assert venue.state.wallets_digest() == world.state.wallets_digest()
    venue.close()
    assert report(tmp_path / "journal") == [live.hex(), live.hex()]


@pytest.mark.parametrize("seed", range(examples(12)))
def test_a_checkpoint_and_the_tail_behind_it_reach_the_live_state_p7(seed, tmp_path):
    def checkpoint_in_the_middle(venue, number):
        if number == 50 + seed:
            venue.checkpoint()

    _, venue = journaled(tmp_path / "journal", seed, 80, checkpoint_in_the_middle)
    live, seq = venue.state.digest(), venue.journal.seq
    checkpoint = venue.journal.latest_checkpoint(b"")
    assert checkpoint is not None
    assert 0 < checkpoint.seq < seq
    venue.close()
    with Venue.open(tmp_path / "journal", clock=ManualClock(0)) as again:
        assert again.state.digest() == live
        assert again.journal.seq == seq
        assert again.verify() == []


def test_a_venue_opened_again_goes_on_as_if_it_had_never_stopped(tmp_path):
    straight = journaled(Path(":memory:"), 3, 60)[1]

    def opened_again(venue, number):
        if number % 20 != 19:
            return None
        if number % 40 == 19:
            venue.checkpoint()
        venue.close()
        return Venue.open(tmp_path / "broken", clock=venue.clock)

    broken = journaled(tmp_path / "broken", 3, 60, opened_again)[1]
    assert broken.state.digest() == straight.state.digest()
    assert broken.verify() == []


def test_a_venue_in_memory_and_one_on_disk_write_the_same_journal(tmp_path):
    on_disk, in_memory = (
        journaled(path, 5, 40)[1] for path in (tmp_path / "journal", Path(":memory:"))
    )
    assert on_disk.journal.head == in_memory.journal.head
    assert on_disk.state.digest() == in_memory.state.digest()


def elsewhere(python, path, **environment):
    """Report on a journal by another process."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    inherited |= {"PYTHONPATH": os.pathsep.join((str(SOURCE), str(ROOT)))} | environment
    command = [python, "-W", "error", "-m", "tests.venue.worlds", str(path)]
    done = subprocess.run(command, env=inherited, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """A short journal and its digest."""
    path = tmp_path_factory.mktemp("short") / "journal"
    venue = journaled(path, 8, 30)[1]
    venue.close()
    return path, venue.state.digest().hex()


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_a_fresh_process_with_other_hashes_reaches_the_same_state_p7(short, seed):
    path, digest = short
    assert elsewhere(sys.executable, path, PYTHONHASHSEED=seed) == [digest, digest]


@pytest.mark.skipif(IS_INTERPRETED, reason="compares this compiled process with an interpreted one")
def test_an_interpreted_process_reaches_the_same_state_p7(short):
    path, digest = short
    assert elsewhere(sys.executable, path, NUMBA_DISABLE_JIT="1") == [digest, digest]


@pytest.mark.parametrize("version", PYTHONS)
def test_another_python_reaches_the_same_state_p7(short, version):
    python = shutil.which(f"python{version}")
    if python is None or sys.version_info[:2] == tuple(map(int, version.split("."))):
        pytest.skip(f"Python {version} is not installed, or is this one")
    imports = "import apsw, hypothesis, msgspec, numba"
    if subprocess.run([python, "-c", imports], capture_output=True, check=False).returncode:
        pytest.skip(f"Python {version} lacks one of: {imports}")
    path, digest = short
    assert elsewhere(python, path, NUMBA_DISABLE_JIT="1") == [digest, digest]
