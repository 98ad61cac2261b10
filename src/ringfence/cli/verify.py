"""The command `verify`: an audit of a journal that changes nothing."""

from typing import Annotated

from cyclopts import Parameter

from ringfence.cli.exits import FINDING, OK
from ringfence.cli.opening import Journal, existing, head_of
from ringfence.cli.output import Json, print_json, progress, say, table
from ringfence.venue.audit import audit


def verify(
    journal: Journal,
    *,
    head: Annotated[str | None, Parameter(help="Hash of the last entry, from a receipt.")] = None,
    json: Json = False,
) -> int:
    """Check a journal: its chain, its anchor and its replay; exit code 1 where it is not ok."""
    expected = None if head is None else head_of(head)
    path = existing(journal)
    with progress("verifying") as advance:
        report = audit(path, expected, advance)
    if json:
        print_json(report)
    else:
        say(f"{'ok' if report.ok else 'NOT OK'}: {report.entries} entries, head {report.head}")
        if report.problems:
            found = [(p.seq, p.code, p.message) for p in report.problems]
            table(("entry", "problem", "what it means"), found)
    return OK if report.ok else FINDING
