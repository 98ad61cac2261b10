"""A venue as its journal describes it, for looking and asking what if.

It is a copy in memory at the time of the last entry: whatever is done to it is forgotten, and
the journal may go on meanwhile.
"""

from pathlib import Path

from ringfence.journal.sqlite import Journal
from ringfence.venue.archive import Archive, open_archive
from ringfence.venue.audit import Progress
from ringfence.venue.clock import ManualClock
from ringfence.venue.recovery import ReplayError
from ringfence.venue.replay import replay
from ringfence.venue.state import State
from ringfence.venue.venue import Venue


def snapshot(path: str | Path, progress: Progress | None = None) -> Venue:
    """Return the venue that a journal describes.

    Raises:
        JournalError: It is no journal, or not the one that its anchor vouches for.
        ReplayError: It does not do what it says it did.
    """
    with open_archive(Path(path)) as archive:
        state, time_ns = _folded(archive, progress)
    return Venue(Journal.open(":memory:"), state, ManualClock(time_ns))


def _folded(archive: Archive, progress: Progress | None) -> tuple[State, int]:
    """Return the state after the last entry, and its time."""
    state, start, time_ns = State(), 1, 0
    checkpoint = archive.checkpoint()
    if checkpoint is not None:
        state, start = State.load(checkpoint.state), checkpoint.seq + 1
        time_ns = max(e.time_ns for e in archive.entries(checkpoint.seq, start))
    for entry in archive.entries(start):
        for mismatch in replay(state, (entry,)):
            raise ReplayError(f"entry {entry.seq}: {mismatch.message}")
        time_ns = max(time_ns, entry.time_ns)
        if progress is not None:
            progress(entry.seq, archive.seq)
    return state, time_ns
