"""What the commands that read a journal share: opening it, and saying why it cannot be."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ringfence.cli.exits import fail
from ringfence.cli.output import progress
from ringfence.core.reading import SpecError
from ringfence.journal.errors import JournalError
from ringfence.venue.encoding import CommandError
from ringfence.venue.recovery import ReplayError
from ringfence.venue.snapshot import snapshot
from ringfence.venue.state import RefusedError
from ringfence.venue.venue import Venue

Journal = Annotated[Path, Parameter(help="File of the journal; it may be open in a running venue.")]


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the engine refuses into a message and exit code 2."""
    try:
        yield
    except ReplayError as error:
        fail(f"{error}; `ringfence verify` tells more")
    except (CommandError, JournalError, RefusedError, SpecError) as error:
        fail(str(error))


def venue_of(journal: Path) -> Venue:
    """Return the venue that a journal describes, in memory; a bar shows how far it is."""
    path = existing(journal)
    with refusals(), progress("reading the journal") as advance:
        return snapshot(path, advance)


def existing(path: Path) -> Path:
    """Return the path of a file that is there."""
    if not path.is_file():
        fail(f"there is no file {path}; give the path of one that exists")
    return path


def content_of(path: Path) -> bytes:
    """Return what is in a file."""
    try:
        return existing(path).read_bytes()
    except OSError as error:
        fail(f"{path} cannot be read: {error}")


def head_of(text: str) -> bytes:
    """Return a head written in hex, as receipts and reports show it."""
    try:
        head = bytes.fromhex(text)
    except ValueError:
        head = b""
    if len(head) != 32:
        fail(f"head {text!r} is not one; write the 64 hex digits that a receipt shows")
    return head
