"""The one thread that owns the venue: it plays prices, runs commands, and takes snapshots.

    submit   a command in the queue; refused at once when the queue is full
    look     a copy of one pool, made between two batches
    publish  a snapshot for everybody, at most four times a second, or sooner when somebody who
             was answered waits to see what became of it

Commands that wait share one commit, and nobody hears of theirs before it is done. A reader
never keeps the writer waiting.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Protocol

from ringfence.core.pool import copied
from ringfence.journal.entry import Entry
from ringfence.journal.errors import JournalHaltedError
from ringfence.service.frames import Camera, Counters, Snapshot
from ringfence.service.revaluing import Markets
from ringfence.units import SECOND_NS
from ringfence.venue.receipts import Receipt
from ringfence.venue.state import PoolRecord
from ringfence.venue.venue import Venue

QUEUE_MAX = 1024  # commands that wait
REDUCING_MAX = 256  # and those more that can only reduce risk
BATCH_MAX = 256  # commands in one commit
PUBLISH_EVERY_NS = SECOND_NS // 4
HURRIED_EVERY_NS = SECOND_NS // 20
KEPT_TURNS = 20  # a pool that was looked at is copied with so many snapshots more

Job = Callable[[Venue], Any]


class BusyError(Exception):
    """The queue is full; nothing was done."""


class StoppingError(Exception):
    """The service is about to end, or has halted."""


class Player(Protocol):
    """Something that plays prices through the venue."""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to play."""
        ...

    def wait_ns(self, now_ns: int) -> int | None:
        """Real time until the next tick; None when there is none."""
        ...

    def play(self) -> None:
        """Play the next tick."""
        ...

    def market(self) -> Markets:
        """Return the market of every underlying with options that it values, now."""
        ...


class Writer:
    """Owns a venue; every method may be called from any thread."""

    def __init__(self, venue: Venue, player: Player | None = None) -> None:
        self.venue = venue
        self.player = player
        self.on_publish: Callable[[Snapshot], None] = lambda _snapshot: None
        self.halted: str | None = None
        self._camera = Camera()
        self._entries: list[Entry] = []
        self._queues: tuple[deque[Any], deque[Any]] = (deque(), deque())  # reducing, other
        self._looks: deque[tuple[bytes, Future[PoolRecord]]] = deque()
        self._wanted: dict[bytes, int] = {}  # pool: turn up to which it is copied
        self._copies: dict[bytes, PoolRecord] = {}
        self._wake = threading.Condition()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._turn = 0
        self._published_ns = 0
        self._is_stale = False  # whether something happened since the last snapshot
        self._is_hurried = False  # whether somebody waits for the next one
        self.answered_seq = 0  # newest entry that the answer to a command may have told of
        self._counters = Counters()
        self.snapshot = self._taken()

    # From any thread

    def start(self) -> None:
        """Begin; from now on the venue belongs to the writer's thread."""
        self.venue.journal.on_commit = self._entries.extend
        self._thread.start()

    def stop(self) -> None:
        """Run what is queued, take nothing more, and end the thread; the venue stays open."""
        with self._wake:
            self._is_stopping = True
            self._wake.notify()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def is_running(self) -> bool:
        """Whether commands are taken."""
        return self._thread.is_alive() and not self._is_stopping and self.halted is None

    @property
    def waiting(self) -> int:
        """Commands in the queue."""
        return sum(len(queue) for queue in self._queues)

    def submit(self, job: Job, *, reduces_risk: bool = False) -> Future[Any]:
        """Queue a command; the future has what it returned, once that is on disk.

        Raises:
            BusyError: The queue is full.
            StoppingError: The service takes no more commands.
        """
        future = _promised()
        with self._wake:
            if not self.is_running:
                raise StoppingError(self.halted or "the service is stopping")
            own, other = self._queues
            if reduces_risk and len(own) < REDUCING_MAX:
                own.append((job, future))
            elif len(other) < QUEUE_MAX:
                other.append((job, future))
            else:
                raise BusyError(f"{len(other)} commands are waiting")
            self._wake.notify()
        return future

    def look(self, pool: bytes) -> Future[PoolRecord]:
        """Return a copy of a pool as it was at the last snapshot, or is now."""
        future = _promised()
        with self._wake:
            kept = self._copies.get(pool)
            self._wanted[pool] = self._turn + KEPT_TURNS
            if kept is not None:
                future.set_result(kept)
            elif not self._thread.is_alive():
                future.set_exception(StoppingError("the service is stopping"))
            else:
                self._looks.append((pool, future))
                self._wake.notify()
        return future

    def hurry(self) -> None:
        """Have the next snapshot taken soon, since somebody waits for it."""
        with self._wake:
            self._is_hurried = True
            self._wake.notify()

    # In the writer's thread

    def _run(self) -> None:
        try:
            while self._turn_once():
                pass
        except JournalHaltedError as error:
            self.halted = str(error)
        except BaseException as error:
            self.halted = f"the writer broke: {type(error).__name__}: {error}"
            raise
        finally:
            self._refuse_the_rest()

    def _turn_once(self) -> bool:
        """Do what there is to do, then wait for more; False when it is time to end."""
        jobs, looks = self._take()
        if jobs:
            self._run_jobs(jobs)
        for pool, future in looks:
            future.set_result(self._copy(pool))
        player = self.player
        if player is not None and player.wait_ns(time.monotonic_ns()) == 0:
            self._tick(player)
        if self._is_stale and self._until_publishing_ns(time.monotonic_ns()) == 0:
            self._publish()
        with self._wake:
            if self.waiting or self._looks:
                return True
            if self._is_stopping:
                break_off = True
            else:
                self._wake.wait(self._pause_seconds())
                break_off = False
        if break_off:
            self._publish()
        return not break_off

    def _take(self) -> tuple[list[Any], list[Any]]:
        with self._wake:
            jobs: list[Any] = []
            for queue in self._queues:
                while queue and len(jobs) < BATCH_MAX:
                    jobs.append(queue.popleft())
            looks, self._looks = list(self._looks), deque()
        return jobs, looks

    def _pause_seconds(self) -> float | None:
        """How long nothing is due; None: until somebody wakes the writer."""
        now_ns, waits = time.monotonic_ns(), []
        if self.player is not None:
            waits.append(self.player.wait_ns(now_ns))
        if self._is_stale:
            waits.append(self._until_publishing_ns(now_ns))
        known = [wait for wait in waits if wait is not None]
        return min(known) / SECOND_NS if known else None

    def _until_publishing_ns(self, now_ns: int) -> int:
        every_ns = HURRIED_EVERY_NS if self._is_hurried else PUBLISH_EVERY_NS
        return max(self._published_ns + every_ns - now_ns, 0)

    def _run_jobs(self, jobs: list[tuple[Job, Future[Any]]]) -> None:
        """Run commands under one commit, and tell each what became of it after that."""
        answers: list[tuple[Future[Any], Any, Exception | None]] = []
        refused = 0
        try:
            with self.venue.group():
                for job, future in jobs:
                    try:
                        result, error = job(self.venue), None
                    except JournalHaltedError:
                        raise
                    except Exception as caught:  # noqa: BLE001 - whoever asked is told
                        result, error = None, caught
                    refused += error is not None or (isinstance(result, Receipt) and not result.ok)
                    answers.append((future, result, error))
        except JournalHaltedError as halted:
            for _, future in jobs:
                future.set_exception(halted)
            raise
        self._is_stale, self.answered_seq = True, self.venue.journal.seq
        for future, result, error in answers:
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
        counters = self._counters
        self._counters = counters._replace(
            commands=counters.commands + len(jobs), refused=counters.refused + refused
        )

    def _tick(self, player: Player) -> None:
        started = time.perf_counter_ns()
        player.play()
        counters = self._counters
        spent = time.perf_counter_ns() - started
        self._counters = counters._replace(ticks=counters.ticks + 1, tick_ns=spent)
        self._is_stale = True

    def _copy(self, pool: bytes) -> PoolRecord:
        kept = self._copies.get(pool)
        if kept is None:
            record = self.venue.state.pools[pool]
            kept = replace(record, pool=copied(record.pool))
            with self._wake:
                self._copies[pool] = kept
        return kept

    def _publish(self) -> None:
        with self._wake:
            self._copies, self._is_hurried = {}, False
            self._wanted = {pool: t for pool, t in self._wanted.items() if t > self._turn}
        for pool in self._wanted:
            self._copy(pool)
        self.snapshot = self._taken()
        self._published_ns, self._is_stale = time.monotonic_ns(), False
        self.on_publish(self.snapshot)

    def _taken(self) -> Snapshot:
        venue, self._turn = self.venue, self._turn + 1
        entries = tuple(self._entries)
        self._entries.clear()
        self._counters = self._counters._replace(busy_ns=time.thread_time_ns())
        player = self.player
        return Snapshot(
            turn=self._turn,
            seq=venue.journal.seq,
            head=venue.journal.head.hex(),
            time_ns=venue.time_ns,
            frames=self._camera.frames(venue),
            copies=dict(self._copies),
            markets={} if player is None else player.market(),
            entries=entries,
            owners=venue.state.owners,
            assets=tuple((asset.name, asset.decimals) for asset in venue.state.assets),
            counters=self._counters,
            queue=self.waiting,
            source_state="none" if player is None else "ended" if player.is_over else "playing",
        )

    def _refuse_the_rest(self) -> None:
        with self._wake:
            self._is_stopping = True
            left = [item for queue in self._queues for item in queue] + list(self._looks)
            for queue in (*self._queues, self._looks):
                queue.clear()
        for _, future in left:
            future.set_exception(StoppingError(self.halted or "the service is stopping"))


def _promised() -> Future[Any]:
    """Return a future that whoever waits for it cannot cancel: what is queued is done."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future
