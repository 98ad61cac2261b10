"""The command `bench`: figures of the engine beside baselines taken in the same run."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated

import msgspec
from cyclopts import Parameter

from ringfence.cli.exits import FINDING, OK, fail
from ringfence.cli.output import Json, print_json, progress, table
from ringfence.lab import bench as suites
from ringfence.lab.bench.measure import Result, shown

Run = Callable[..., Iterable[Result]]


class Results(msgspec.Struct, frozen=True):
    """Answer to `bench`."""

    results: list[Result]


def bench(
    name: Annotated[str | None, Parameter(help="Only this suite; all of them by default.")] = None,
    *,
    quick: Annotated[bool, Parameter(negative=(), help="Smaller work, rougher figures.")] = False,
    json: Json = False,
) -> int:
    """Measure the engine against baselines; exit code 1 where a goal is not met."""
    found = runs()
    if name is not None and name not in found:
        fail(f"there is no suite {name!r}; there are: {', '.join(found)}")
    chosen = found if name is None else {name: found[name]}
    results = list(_measured(chosen, quick=quick))
    if json:
        print_json(Results(results))
    else:
        _show(results)
    return FINDING if any(result.met is False for result in results) else OK


def runs() -> dict[str, Run]:
    """Return the suites by name: every module of the lab's bench that can be run."""
    modules = (
        importlib.import_module(f"{suites.__name__}.{info.name}")
        for info in pkgutil.iter_modules(suites.__path__)
    )
    return {
        module.__name__.rpartition(".")[2]: module.run
        for module in modules
        if inspect.isfunction(getattr(module, "run", None))
    }


def _measured(chosen: dict[str, Run], *, quick: bool) -> Iterator[Result]:
    for name, run in chosen.items():
        with progress(f"measuring {name}") as advance:
            for done, result in enumerate(run(quick=quick), 1):
                advance(done, None)
                yield result


def _show(results: list[Result]) -> None:
    columns = ("figure", "value", "unit", "against", "ratio", "goal", "met")
    rows = [
        (
            r.name,
            shown(r.value),
            r.unit,
            r.baseline,
            None if r.ratio is None else shown(r.ratio),
            r.goal,
            r.met,
        )
        for r in results
    ]
    table(columns, rows)
