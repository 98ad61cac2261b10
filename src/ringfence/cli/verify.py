"""The command `verify`: an audit of a journal that changes nothing."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from ringfence.cli.exits import FINDING, OK, fail
from ringfence.cli.opening import Journal, content_of, existing, head_of
from ringfence.cli.output import Json, print_json, progress, say, table
from ringfence.journal.verify import PROBLEMS_MAX
from ringfence.signing.receipts import Attestation
from ringfence.signing.typed import ADDRESS
from ringfence.venue.audit import Report, audit
from ringfence.venue.consent.held import receipt_problems


def verify(
    journal: Journal,
    *,
    head: Annotated[str | None, Parameter(help="Hash of the last entry, from a receipt.")] = None,
    receipts: Annotated[
        Path | None, Parameter(help="JSON file of receipts that the journal has to agree with.")
    ] = None,
    signer: Annotated[
        str | None, Parameter(help="Address that has to have signed the receipts.")
    ] = None,
    json: Json = False,
) -> int:
    """Check a journal: its chain, its anchor and its replay; exit code 1 where it is not ok."""
    expected = None if head is None else head_of(head)
    path, held = existing(journal), _receipts(receipts, signer)
    with progress("verifying") as advance:
        report = audit(path, expected, advance)
    if held:
        problems = [*report.problems, *receipt_problems(path, held, signer)][:PROBLEMS_MAX]
        report = Report(not problems, report.entries, report.head, problems)
    if json:
        print_json(report)
    else:
        say(f"{'ok' if report.ok else 'NOT OK'}: {report.entries} entries, head {report.head}")
        if report.problems:
            found = [(p.seq, p.code, p.message) for p in report.problems]
            table(("entry", "problem", "what it means"), found)
    return OK if report.ok else FINDING


def _receipts(path: Path | None, signer: str | None) -> list[Attestation]:
    """Receipts of a file that holds one or a list."""
    if signer is not None and path is None:
        fail("--signer says who has to have signed --receipts; give their file, too")
    if signer is not None and ADDRESS.fullmatch(signer) is None:
        fail(f"--signer is {signer!r}; write an address, 0x and 40 hex digits")
    if path is None:
        return []
    try:
        found = msgspec.json.decode(content_of(path), type=Attestation | list[Attestation])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        fail(f"{path} holds no receipts as POST /v1/commands answers them: {error}")
    return found if isinstance(found, list) else [found]
