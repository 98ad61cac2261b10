"""How many examples a property test runs: few by default, more by RINGFENCE_EXAMPLES.

RINGFENCE_EXAMPLES multiplies the number of examples; interpreted runs take a twentieth.
Seeds are what Hypothesis draws, and a failure prints the blob that brings its seed back. Under CI
they are always the same ones, as Hypothesis has it, so that a change is judged by what it changes;
RINGFENCE_SEED repeats a run elsewhere.
"""

import os
from collections.abc import Callable
from typing import Any

import numba
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.properties.pools import SPECS

IS_INTERPRETED = bool(numba.config.DISABLE_JIT)  # type: ignore[attr-defined]
FACTOR = float(os.environ.get("RINGFENCE_EXAMPLES", "1")) * (0.05 if IS_INTERPRETED else 1)

_ANY_SEED = 0 if "CI" in os.environ else int.from_bytes(os.urandom(4), "big")
BASE_SEED = int(os.environ.get("RINGFENCE_SEED", str(_ANY_SEED)))

# A seed has no structure, so there is nothing to shrink or to aim at.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


def examples(count: int) -> int:
    """So many examples, times the factor of this run."""
    return max(round(count * FACTOR), 1)


def over_histories(count: int, *names: str) -> Callable[[Any], Any]:
    """Run a test over seeds and specs; names limit the specs."""
    specs = [SPECS[name] for name in names or SPECS]

    def decorate(test: Any) -> Any:
        drawn = given(spec=st.sampled_from(specs), seed=st.integers(0, 2**32 - 1))
        return settings(
            max_examples=examples(count),
            deadline=None,
            print_blob=True,
            phases=PHASES,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )(drawn(test))

    return decorate
