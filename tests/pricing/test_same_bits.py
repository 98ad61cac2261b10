"""The same bits from every compiler, instruction set, thread count, and from plain Python."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from llvmlite import binding
from tests.pricing import digest

from ringfence.pricing import black76
from ringfence.pricing.broadcast import SLICE

# Changes only when a formula changes, which the changelog then says under Risk.
PINNED = "cc5e53cc7e22d123439c7480b9b2e3038bc5c4fc04f1f081c51e0bc6d0030c99"

PINNED_MORE = "73f47da428749eadf5acfe48ea550a934108f3445f795bd12968979c49af1252"

CALL = True
PROCESSORS = {"generic": "sse2", "haswell": "avx2", "skylake-avx512": "avx512f"}


def digest_elsewhere(**environment):
    """Digest from a fresh process with some environment variables set."""
    command = [sys.executable, "-m", "tests.pricing.digest"]
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run(
        command,
        env={**os.environ, **environment},
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.strip()


def test_digests_are_the_pinned_ones():
    assert digest.digest(digest.results()) == PINNED
    assert digest.digest(digest.more_results()) == PINNED_MORE


def test_plain_python_gives_the_same_bits():
    assert digest_elsewhere(NUMBA_DISABLE_JIT="1") == PINNED


@pytest.mark.parametrize("processor", PROCESSORS)
def test_every_instruction_set_gives_the_same_bits(processor):
    if not binding.get_host_cpu_features().get(PROCESSORS[processor], False):
        pytest.skip(f"this machine has no {PROCESSORS[processor]}")
    assert digest_elsewhere(NUMBA_CPU_NAME=processor) == PINNED


def test_threads_and_slices_change_no_bit():
    count = 3 * SLICE + 17
    strike = 50.0 + 100.0 * digest.fractions(count, seed=2)
    whole = black76.evaluate(100.0, strike, 0.5, 0.8, CALL, threads=2)
    for a, b in zip(whole, black76.evaluate(100.0, strike, 0.5, 0.8, CALL), strict=True):
        assert np.array_equal(a, b)
    for i in (0, SLICE - 1, SLICE, count - 1):
        alone = black76.evaluate(100.0, strike[i], 0.5, 0.8, CALL)
        assert tuple(column[i] for column in whole) == alone
