"""Recovery: from a journal back to the state of the venue that wrote it."""

from ringfence.journal.sqlite import Journal
from ringfence.venue.replay import apply_entry
from ringfence.venue.state import State


class ReplayError(RuntimeError):
    """The journal is damaged, or does not replay to what it recorded; the venue does not start."""


def recovered(journal: Journal) -> State:
    """Return the state at the end of a journal, from its newest checkpoint on.

    The chain is verified from the first entry, checkpoint or not: nothing is written behind a
    history that was changed.

    Raises:
        ReplayError: An entry is not what was written, or replays to something else.
    """
    report = journal.verify()
    if not report.ok:
        first = report.problems[0]
        raise ReplayError(f"entry {first.seq}: {first.message}; `ringfence verify` shows all")
    state, start = State(), 1
    checkpoint = journal.latest_checkpoint(b"")
    if checkpoint is not None:
        state, start = State.load(checkpoint.state), checkpoint.seq + 1
    for entry in journal.entries(start):
        problem = apply_entry(state, entry)
        if problem is not None:
            raise ReplayError(f"entry {entry.seq}: {problem[1]}")
    return state
