"""The command `doctor`: whether this machine can run the engine, and what to do if not."""

import importlib
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ringfence.cli.exits import FINDING, OK
from ringfence.cli.output import Json, print_json, table
from ringfence.cli.packages import FAIL, Check, dependencies, python

HERE, DATA = Path(), Path("data")


def doctor(
    *,
    folder: Annotated[Path, Parameter(help="Where journals are to lie.")] = HERE,
    data: Annotated[Path, Parameter(help="Where price files are to lie.")] = DATA,
    json: Json = False,
) -> int:
    """Check that this machine can run the engine; exit code 1 where something fails."""
    checks = [python(), *dependencies()]
    if all(check.status != FAIL for check in checks):
        # Only now, because it cannot even be loaded where a package is missing.
        engine = importlib.import_module("ringfence.cli.checks")
        checks += engine.machine_checks(folder, data)
    is_fit = all(check.status != FAIL for check in checks)
    if json:
        print_json({"ok": is_fit, "checks": checks})
    else:
        _show(checks)
    return OK if is_fit else FINDING


def _show(checks: list[Check]) -> None:
    rows = [(check.status, check.name, check.found, check.fix or "") for check in checks]
    table(("", "check", "found", "what to do"), rows)
