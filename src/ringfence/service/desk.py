"""What the event loop knows: the newest snapshot, what the journal told, and who watches.

Everything here runs in the event loop's thread; snapshots come in from the writer's.
"""

import asyncio
import secrets
import time
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from ringfence.service.admission import Admission
from ringfence.service.frames import Frame, Snapshot
from ringfence.service.history import Histories
from ringfence.service.ledger import Ledger
from ringfence.service.limits import Limits
from ringfence.service.metrics import Metrics
from ringfence.service.problems import ProblemError
from ringfence.service.schema import Source, Stats
from ringfence.service.stream import Hub
from ringfence.service.summaries import Pace, Summaries, stats
from ringfence.service.verification import Verifier
from ringfence.service.writer import StoppingError, Writer
from ringfence.signing.keys import SigningKey
from ringfence.units import MS_NS
from ringfence.venue.decoding import Decoder
from ringfence.venue.encoding import CommandError, address_bytes
from ringfence.venue.state import PoolRecord

BACKLOG = 20_000  # entries of the journal looked through at the start
PATIENCE_SECONDS = 10  # for a copy of a pool


class Connections(Protocol):
    """Whoever is connected to the stream."""

    dropped: int

    async def end(self) -> None:
        """Say good-bye to everybody."""
        ...


class Desk:
    """The state that routes and the stream share."""

    def __init__(
        self,
        writer: Writer,
        source: Source,
        secret: bytes | None = None,
        receipt_key: SigningKey | None = None,
    ) -> None:
        self.run = secrets.token_hex(4)
        self.writer = writer
        self.source = source
        self.snapshot: Snapshot = writer.snapshot
        self.ledger = Ledger(Decoder.of_state(writer.venue.state))
        self.histories = Histories()
        self.hub = Hub(self.run)
        self.verifier = Verifier(writer.venue.journal)
        self.limits = Limits(time.monotonic)
        self.secret = secret or secrets.token_bytes(32)  # of read-only keys
        self.receipt_key = receipt_key or SigningKey.generate()
        self.metrics = Metrics(self.stats, lambda: 0)
        self.admission = Admission()
        self.given: set[str] = set()  # owners whom the faucet has given money
        self._connections: Connections | None = None
        self._has_ended = False
        self.new_liquidations: list[Any] = []
        self._pace, self.pace = Pace(), "0.0"
        self._pending: list[Snapshot] = []
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []  # and for which entry
        self._fields: dict[str, dict[str, Any]] = {}
        self._summaries = Summaries()

    def attach(self, connections: Connections) -> None:
        """Learn of the connections that are to be told when the service ends."""
        self._connections = connections
        self.metrics = Metrics(self.stats, lambda: connections.dropped)

    def begin(self) -> None:
        """Start the writer, and hear of its snapshots in this thread's event loop."""
        loop = asyncio.get_running_loop()

        def publish(snapshot: Snapshot) -> None:
            self._pending.append(snapshot)
            loop.call_soon_threadsafe(self._receive)

        journal = self.writer.venue.journal
        self.ledger.follow(journal.entries(max(1, journal.seq + 1 - BACKLOG)), is_old=True)
        self.writer.on_publish = publish
        self.writer.start()
        self._refresh()

    async def end(self) -> None:
        """Let the writer finish what is queued, send the last deltas, and say good-bye; once."""
        if self._has_ended:
            return
        self._has_ended = True
        await asyncio.to_thread(self.writer.stop)
        self._receive()
        if self._connections is not None:
            await self._connections.end()
        await asyncio.to_thread(self.verifier.end)

    def _receive(self) -> None:
        """Take in what the writer has published; several snapshots become one."""
        pending, self._pending = self._pending, []
        if not pending:
            return
        entries = tuple(entry for snapshot in pending for entry in snapshot.entries)
        self.snapshot = replace(pending[-1], entries=entries)
        self.new_liquidations = self.ledger.follow(entries)
        self._refresh()
        for seq, future in self._waiting:
            if seq <= self.snapshot.seq and not future.done():
                future.set_result(None)
        self._waiting = [(seq, future) for seq, future in self._waiting if not future.done()]

    def _refresh(self) -> None:
        snapshot = self.snapshot
        self._fields = {}
        self.pace = self._pace.note(time.monotonic_ns(), snapshot.seq)
        due = [
            pool
            for pool in snapshot.frames
            if pool not in self.histories.of or self.histories.of[pool].is_due(snapshot.time_ns)
        ]
        if due:
            self.histories.note(snapshot, self.fields())
        self.hub.update(snapshot.time_ns // MS_NS, snapshot.turn)

    # What routes ask for

    async def catch_up(self) -> None:
        """Wait until the snapshot contains every command that was answered before.

        Raises:
            ProblemError: The writer is too busy to take one.
        """
        seq = self.writer.answered_seq
        if seq <= self.snapshot.seq or not self.writer.is_running:
            return
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((seq, reached))
        self.writer.hurry()
        try:
            await asyncio.wait_for(reached, PATIENCE_SECONDS)
        except TimeoutError:
            detail = f"no snapshot with entry {seq} within {PATIENCE_SECONDS} s; try again"
            raise ProblemError("busy", detail, retry_after_ms=1000) from None

    def fields(self) -> dict[str, dict[str, Any]]:
        """Summaries of all pools, worked out once a snapshot."""
        if not self._fields:
            of = self.ledger.liquidations_of
            frames = self.snapshot.frames
            self._fields = {pool: self._summaries.of(f, of[pool]) for pool, f in frames.items()}
        return self._fields

    def stats(self) -> Stats:
        """The venue in figures."""
        total = self.ledger.liquidations_total
        return stats(self.snapshot, self.pace, total, len(self.hub.viewers))

    def frame(self, pool: str) -> Frame:
        """Return the frame of a pool, by its id or its name.

        Raises:
            ProblemError: There is none.
        """
        found = self.snapshot.frames.get(pool)
        if found is not None:
            return found
        for frame in self.snapshot.frames.values():
            if frame.facts.name == pool:
                return frame
        detail = f"no pool named {pool!r}; give the id or name of one that `/v1/pools` lists"
        raise ProblemError("pool_unknown", detail)

    def owner_number(self, owner: str) -> int:
        """Return the registry number of an owner.

        Raises:
            ProblemError: It is no address, or nobody's.
        """
        try:
            address = address_bytes(owner)
        except CommandError as error:
            raise ProblemError("malformed", str(error)) from None
        number = self.writer.venue.state.owner_number(address)
        if number is None:
            raise ProblemError("owner_unknown", f"{owner} has never had anything in this venue")
        return number

    def account(self, frame: Frame, owner: str, number: int) -> int:
        """Return the index of an account in a pool.

        Raises:
            ProblemError: There is none.
        """
        wanted = self.owner_number(owner)
        found = np.flatnonzero((frame.owner == wanted) & (frame.number == number))
        if len(found):
            return int(found[0])
        raise ProblemError(
            "account_unknown", f"{owner} has no account {number} in {frame.facts.name}"
        )

    async def look(self, frame: Frame) -> PoolRecord:
        """Return a copy of a pool, as of the last snapshot or newer.

        Raises:
            ProblemError: The writer is too busy to make one.
        """
        future = self.writer.look(bytes.fromhex(frame.facts.id))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), PATIENCE_SECONDS)
        except TimeoutError:
            detail = f"no copy of {frame.facts.name} within {PATIENCE_SECONDS} s; try again"
            raise ProblemError("busy", detail, retry_after_ms=1000) from None
        except StoppingError as error:
            raise ProblemError("stopping", str(error)) from None
