"""A verification of the journal beside the running venue: chain, replay and digests.

It replays from nothing in a thread of its own, reads a few entries at a time, and yields
between them, so that the writer goes on. What `ringfence verify` checks of the file itself
(anchor, checkpoints, structure) takes the file.
"""

import threading
import time
from collections import Counter

from ringfence.journal.errors import JournalError, Problem
from ringfence.journal.sqlite import Journal
from ringfence.service.problems import ProblemError
from ringfence.service.schema import Finding, Report, Verification
from ringfence.venue.audit import broken_rules, crossing, examined
from ringfence.venue.state import State

PROBLEMS_MAX = 100
BREATH_EVERY, BREATH_SECONDS = 16, 0.002  # entries between two pauses


class Verifier:
    """At most one verification at a time."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._state = Verification("idle", 0, 0, None)
        self._thread: threading.Thread | None = None
        self._is_ending = False

    def state(self) -> Verification:
        """How far it is."""
        return self._state

    def begin(self, seq: int, head: bytes) -> Verification:
        """Begin one, of the entries up to one of a snapshot.

        Raises:
            ProblemError: One is running.
        """
        if self._state.state == "running":
            detail = f"{self._state.done} of {self._state.entries} entries are done; wait for it"
            raise ProblemError("verification_running", detail)
        self._state = Verification("running", seq, 0, None)
        self._thread = threading.Thread(target=self._run, args=(seq, head), daemon=True)
        self._thread.start()
        return self._state

    def end(self) -> None:
        """Break off what is running."""
        self._is_ending = True
        if self._thread is not None:
            self._thread.join()

    def _run(self, seq: int, head: bytes) -> None:
        problems = self._problems(seq, head)
        found = [Finding(p.seq, p.code, p.message) for p in problems[:PROBLEMS_MAX]]
        report = Report(not problems, seq, head.hex(), found)
        self._state = Verification("done", seq, self._state.done, report)

    def _problems(self, seq: int, head: bytes) -> list[Problem]:
        found: list[Problem] = []
        state, crossed, reached = State(), Counter[int](), b""
        try:
            for entry in self._journal.entries(1, seq + 1):
                found += examined(state, entry)
                crossed.update(crossing(entry))
                reached = entry.head
                if entry.seq % BREATH_EVERY == 0:
                    self._state = Verification("running", seq, entry.seq, None)
                    time.sleep(BREATH_SECONDS)
                if self._is_ending or len(found) > PROBLEMS_MAX:
                    return found
        except JournalError as error:
            return [*found, Problem(None, "not_replayed", str(error))]
        except Exception as error:  # noqa: BLE001 - whatever an entry does is a finding
            message = f"it cannot be applied: {type(error).__name__}: {error}"
            return [*found, Problem(None, "replay_failed", message)]
        if seq and reached != head:
            found.append(Problem(seq, "head_mismatch", f"the chain ends with {reached.hex()}"))
        found += [Problem(seq, "invariant_broken", rule) for rule in broken_rules(state, crossed)]
        self._state = Verification("running", seq, seq, None)
        return found
