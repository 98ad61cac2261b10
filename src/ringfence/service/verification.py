"""A verification of the journal beside the running venue: what `ringfence verify` does.

A journal on disk is audited as it lies there, by a process of its own, so that the venue goes
on: chain, checkpoints, anchor, replay, signatures and money. One in memory has no file, and so
neither an anchor nor anything else that could differ from it; its entries are replayed in a
thread, a few at a time.
"""

import contextlib
import multiprocessing
import os
import threading
import time
from collections import Counter
from multiprocessing.connection import Connection
from typing import Any

from ringfence.journal.errors import JournalError, Problem
from ringfence.journal.sqlite import Journal
from ringfence.service.problems import ProblemError
from ringfence.service.schema import Finding, Report, Verification
from ringfence.venue.audit import audit, broken_rules, crossing, examined
from ringfence.venue.state import State

PROBLEMS_MAX = 100
BREATH_EVERY, BREATH_SECONDS = 16, 0.002  # entries between two pauses
TOLD_EVERY = 64  # entries between two words of progress
NICE = 10
IN_MEMORY = ":memory:"
NO_FILE = "the journal is in memory; `serve --journal PATH` keeps one that has it"
OF_A_FILE = ("file", "anchor", "checkpoints")


def _audited(path: str, told: Connection) -> None:
    """Audit a journal and tell of it; runs in a process of its own."""
    with contextlib.suppress(OSError):  # politeness that a system may not allow
        os.nice(NICE)

    def note(done: int, total: int) -> None:
        if done % TOLD_EVERY == 0 or done == total:
            told.send((done, total))

    told.send(audit(path, progress=note))


class Verifier:
    """At most one verification at a time."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        in_memory = journal.path == IN_MEMORY
        self._unknown = dict.fromkeys(OF_A_FILE, NO_FILE) if in_memory else {}
        self._state = Verification("idle", 0, 0, None, self._unknown)
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
        self._note(0, seq)
        run = self._run_file if self._journal.path != IN_MEMORY else self._run_memory
        self._thread = threading.Thread(target=run, args=(seq, head), daemon=True)
        self._thread.start()
        return self._state

    def end(self) -> None:
        """Break off what is running."""
        self._is_ending = True
        if self._thread is not None:
            self._thread.join()

    def _note(self, done: int, entries: int) -> None:
        self._state = Verification("running", entries, done, None, self._unknown)

    def _finish(self, entries: int, head: str, problems: list[Problem]) -> None:
        found = [Finding(p.seq, p.code, p.message) for p in problems[:PROBLEMS_MAX]]
        report = Report(not problems, entries, head, found)
        self._state = Verification("done", entries, self._state.done, report, self._unknown)

    # A journal on disk

    def _run_file(self, seq: int, head: bytes) -> None:
        """Audit the file in another process, and see that it holds what was shown here."""
        context = multiprocessing.get_context("spawn")
        heard, told = context.Pipe(duplex=False)
        process = context.Process(target=_audited, args=(self._journal.path, told), daemon=True)
        process.start()
        told.close()
        found: Any = None
        try:
            while not self._is_ending and (process.is_alive() or heard.poll()):
                if not heard.poll(0.1):
                    continue
                found = heard.recv()
                if isinstance(found, tuple):
                    self._note(*found)
        except EOFError:
            pass  # it ended, and has said all that it had to say
        process.terminate()
        process.join()
        heard.close()
        if found is None or isinstance(found, tuple):
            message = "the process that audits the journal ended before it was done"
            self._finish(seq, head.hex(), [Problem(None, "not_replayed", message)])
            return
        problems = [*found.problems, *self._differences(seq, head)]
        self._finish(found.entries, found.head, problems)

    def _differences(self, seq: int, head: bytes) -> list[Problem]:
        """What differs between the file and the entry that a snapshot showed."""
        reached = b""
        try:
            for entry in self._journal.entries(max(seq, 1), seq + 1):
                reached = entry.head
        except JournalError as error:
            return [Problem(seq, "not_replayed", str(error))]
        return _head_problems(seq, head, reached)

    # A journal in memory

    def _run_memory(self, seq: int, head: bytes) -> None:
        self._finish(seq, head.hex(), self._problems(seq, head))

    def _problems(self, seq: int, head: bytes) -> list[Problem]:
        found: list[Problem] = []
        state, crossed, reached = State(), Counter[int](), b""
        try:
            for entry in self._journal.entries(1, seq + 1):
                found += examined(state, entry)
                crossed.update(crossing(entry))
                reached = entry.head
                if entry.seq % BREATH_EVERY == 0:
                    self._note(entry.seq, seq)
                    time.sleep(BREATH_SECONDS)
                if self._is_ending or len(found) > PROBLEMS_MAX:
                    return found
        except JournalError as error:
            return [*found, Problem(None, "not_replayed", str(error))]
        except Exception as error:  # noqa: BLE001 - whatever an entry does is a finding
            message = f"it cannot be applied: {type(error).__name__}: {error}"
            return [*found, Problem(None, "replay_failed", message)]
        found += _head_problems(seq, head, reached)
        found += [Problem(seq, "invariant_broken", rule) for rule in broken_rules(state, crossed)]
        self._note(seq, seq)
        return found


def _head_problems(seq: int, head: bytes, reached: bytes) -> list[Problem]:
    if not seq or reached == head:
        return []
    return [Problem(seq, "head_mismatch", f"the chain ends with {reached.hex()}")]
