"""The bench of the core: commands, ticks, durability and memory, all in one run."""

from collections.abc import Iterator

from ringfence.lab.bench.commands import measured_commands
from ringfence.lab.bench.durable import measured_durable
from ringfence.lab.bench.measure import Progress, Result
from ringfence.lab.bench.memory import measured_memory
from ringfence.lab.bench.ticks import measured_ticks


def run(*, quick: bool = False, progress: Progress | None = None) -> Iterator[Result]:
    """Yield each figure as it is measured; `quick` for seconds of rough ones.

    Raises:
        WorkError: A contender did not do the work it was timed for.
    """
    # Memory first: what others leave behind in the process would be reused unseen.
    yield from measured_memory(quick=quick)
    yield from measured_commands(quick=quick)
    yield from measured_durable(quick=quick)
    yield from measured_ticks(quick=quick, progress=progress or _silent)


def _silent(_message: str) -> None:
    """Tell nobody."""
