"""The venue: one sequencer, one journal, many pools that know nothing of each other.

Every command is stamped, applied, journaled and committed before anybody hears of it.
Several commands may share one commit (`with venue.group()`), and are acknowledged together.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from ringfence.core.command import Rows
from ringfence.core.reading import SpecError
from ringfence.core.spec import PoolSpec
from ringfence.core.status import Status
from ringfence.journal.errors import JournalHaltedError
from ringfence.journal.sqlite import Journal
from ringfence.risk.scenarios import CoinMarket, valuation_rows
from ringfence.signing.typed import Domain
from ringfence.venue import entries
from ringfence.venue.clock import Clock, SystemClock
from ringfence.venue.commands import AnyCommand
from ringfence.venue.consent.book import Found
from ringfence.venue.consent.evidence import SignedReceipt
from ringfence.venue.consent.executing import execute
from ringfence.venue.consent.messages import Signed
from ringfence.venue.consent.unsigned import check_batch, check_command
from ringfence.venue.encoding import address_bytes, check_encodable
from ringfence.venue.engine import Engine
from ringfence.venue.fanout import FeedPrice
from ringfence.venue.liquidator import Liquidator
from ringfence.venue.lookup import (
    asset_amount,
    encoder_of,
    opened_account,
    owner_number,
    pool_named,
)
from ringfence.venue.pool_views import PoolView, pool_view
from ringfence.venue.receipts import BatchReceipt, Receipt, event_view, once_committed
from ringfence.venue.recovery import recovered
from ringfence.venue.replay import Mismatch, replay
from ringfence.venue.sequencer import with_clock
from ringfence.venue.simulation import Simulation, WhatIf, simulate
from ringfence.venue.standing import QuoteView, quote_view
from ringfence.venue.state import (
    CreatePool,
    PoolRecord,
    Receive,
    RefusedError,
    RegisterAsset,
    RegisterOwner,
    Send,
    State,
    VenueCommand,
)
from ringfence.venue.views import AccountView, account_view


class Venue(Engine):
    """The running whole; `Venue.open` makes one."""

    def __init__(self, journal: Journal, state: State, clock: Clock) -> None:
        self.journal = journal
        self.state = state
        self.clock = clock
        self._time_ns = 0
        self._grouped = False
        self._is_halted = False
        self._liquidators: dict[bytes, Liquidator] = {}
        self._next_expiry: dict[bytes, int] = {}

    @classmethod
    def open(cls, url: str | Path = ":memory:", *, clock: Clock | None = None) -> "Venue":
        """Open a venue on its journal, creating it when missing.

        Args:
            url: ":memory:" for a venue that is forgotten, else the path of a SQLite file.
            clock: Where the time comes from; the machine's clock by default.

        Raises:
            ReplayError: The journal does not do what it says it did.
            JournalError: It is broken, cut off, or in use.
        """
        journal = Journal.open(url)
        try:
            state = recovered(journal)
        except BaseException:
            journal.close()
            raise
        venue = cls(journal, state, clock or SystemClock())
        venue._time_ns = max((entry.time_ns for entry in journal.tail(1)), default=0)
        return venue

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    @property
    def time_ns(self) -> int:
        """Time of the newest entry, and of what a simulation would see."""
        return self._time_ns

    def close(self) -> None:
        """Commit what is buffered, unless the venue is halted, and close the journal."""
        try:
            if not self._is_halted:
                self.journal.commit()
        finally:
            self.journal.close()

    # Registries and the venue's edge

    def list_asset(self, name: str, decimals: int) -> None:
        """List an asset, unless it is listed with these decimals already."""
        number = self.state.asset_number(name)
        if number is not None and self.state.assets[number].decimals == decimals:
            return
        self._run(RegisterAsset(name, decimals))

    def register(self, owner: str) -> int:
        """Return the registry number of an address, giving it one when it is new."""
        address = address_bytes(owner)
        number = self.state.owner_number(address)
        if number is None:
            self._run(RegisterOwner(address))
            number = len(self.state.owners) - 1
        return number

    def receive(self, owner: str, asset: str, amount: str) -> Receipt:
        """Book money that came into the venue for an owner: outside to wallet."""
        asset_number, units = asset_amount(self.state, asset, amount)
        return self._run(Receive(self.register(owner), asset_number, units))

    def send(self, owner: str, asset: str, amount: str) -> Receipt:
        """Let money of an owner leave the venue: wallet to outside."""
        asset_number, units = asset_amount(self.state, asset, amount)
        return self._run(Send(self.register(owner), asset_number, units))

    def create_pool(self, spec: PoolSpec, creator: str) -> str:
        """Create a pool from a spec and return its id in hex.

        Raises:
            SpecError: It cannot be safe; carries every problem.
            RefusedError: It exists, or names an asset that is not listed.
        """
        number = self.register(creator)
        command = CreatePool(spec, number, self._stamp())
        before = set(self.state.pools)
        self._run(command)
        (identity,) = set(self.state.pools) - before
        return identity.hex()

    def wallet(self, owner: str) -> dict[str, int]:
        """Money in an owner's wallet, in smallest units of each asset."""
        number = owner_number(self.state, owner)
        return {
            asset.name: int(self.state.wallets.amount[number, v])
            for v, asset in enumerate(self.state.assets)
        }

    # Commands of pools

    def execute(self, command: AnyCommand) -> Receipt:
        """Apply one command of a pool; the receipt says OK or the first rule it breaks.

        Raises:
            CommandError: The command names something unknown or a number that cannot be.
        """
        record = self.record(command.pool)
        batch = self.execute_many(record.id.hex(), encoder_of(self.state, record).row(command))
        status = Status(int(batch.statuses[0]))
        events = tuple(event_view(record.spec, event) for event in batch.events)
        return Receipt(
            status == Status.OK, status.name.lower(), batch.seq, batch.head, batch.time_ns, events
        )

    def execute_many(self, pool: str, batch: Rows) -> BatchReceipt:
        """Apply a batch of rows to one pool; the sequencer stamps them.

        Raises:
            CommandError: There is no such pool, or one entry cannot hold the batch.
        """
        return self._apply_many(pool, batch, commit=True)

    def submit_many(self, pool: str, batch: Rows) -> Future[BatchReceipt]:
        """Apply a batch of rows; the receipt comes in the future, once they are on disk.

        The next batch can be applied meanwhile. Errors are those of execute_many.
        """
        receipt = self._apply_many(pool, batch, commit=False)
        return once_committed(receipt, self.journal.commit_async())

    def _apply_many(self, pool: str, batch: Rows, *, commit: bool) -> BatchReceipt:
        record = self.record(pool)
        time_ns = self._stamp()
        stamped = with_clock(record.pool, batch, time_ns)
        extra = len(stamped) - len(batch)
        check_batch(self.state.book, record.pool, stamped)
        with self._journaling(commit=commit):
            outcome = self.state.apply_rows(record, stamped)
            body = entries.encode_batch(stamped, outcome)
            entry = self.journal.append(time_ns, entries.POOL, record.id, body)
        self._follow(record, stamped)
        return BatchReceipt(
            outcome.statuses[extra:], outcome.events, entry.seq, entry.head.hex(), time_ns
        )

    def found(self, domain: Domain, admin: str, *, requires_consent: bool = False) -> Receipt:
        """Bind signatures to this venue for ever, and name its first admin's key."""
        return self._run(Found(domain, address_bytes(admin), requires_consent))

    def execute_signed(self, signed: Signed) -> SignedReceipt:
        """Apply a command that brings the consent of all whom it needs; see `consent.executing`.

        Raises:
            ConsentError, CommandError, SpecError: It is not taken, and nothing has changed.
        """
        return execute(
            self.state, self.journal, signed, self._stamp(), self._journaling, self._follow
        )

    def publish(self, prices: Sequence[FeedPrice]) -> dict[str, BatchReceipt]:
        """Give prices to every pool, settle what is over, and liquidate whom they bring too low.

        Returns the receipts of the liquidations, by pool id in hex; none for a calm tick.
        """
        with self.group():
            self.set_prices(prices)
            for identity in self.state.pools:
                self.expire_due(identity.hex())
            return self.liquidate_unhealthy()

    def set_prices(self, prices: Sequence[FeedPrice]) -> None:
        """Give prices to every pool that lists their feeds."""
        time_ns = self._stamp()
        check_encodable(prices)
        with self._journaling():
            outcomes = self.state.apply_prices(prices, time_ns)
            body = entries.encode_prices(prices, outcomes)
            self.journal.append(time_ns, entries.PRICES, b"", body)

    def value(self, pool: str, market: Mapping[str, CoinMarket]) -> BatchReceipt:
        """Mark a pool's options and renew its risk arrays at a market of its underlyings.

        Raises:
            ValueError: The market gives no price, or the grid is not that of the spec.
        """
        record = self.record(pool)
        now_ns = self._stamp()
        return self.execute_many(pool, valuation_rows(record.spec, record.pool, market, now_ns))

    # Views and simulations

    def account(
        self,
        pool: str,
        owner: str,
        *,
        number: int = 1,
        volatility: float | None = None,
        market: Mapping[str, CoinMarket] | None = None,
    ) -> AccountView:
        """Return an owner's standing in a pool; of options it tells more at a market.

        Raises:
            CommandError: There is no such pool, owner or account.
        """
        record = self.record(pool)
        index = opened_account(self.state, record, owner, number)
        return account_view(record, record.pool, index, owner, volatility=volatility, market=market)

    def quote(self, pool: str, owner: str, *, number: int = 1, share: str = "1") -> QuoteView:
        """Return what a bid for at most a share of an account would get now."""
        record = self.record(pool)
        index = opened_account(self.state, record, owner, number)
        return quote_view(record.spec, record.pool, index, share)

    def pool(self, pool: str) -> PoolView:
        """Return a pool as a whole."""
        record = self.record(pool)
        return pool_view(record, "0x" + self.state.owners[record.creator].hex())

    def simulate(
        self,
        pool: str,
        commands: Sequence[AnyCommand],
        *,
        market: Mapping[str, CoinMarket] | None = None,
    ) -> Simulation:
        """Apply commands to a copy of a pool; no byte of the venue changes."""
        asked = WhatIf(commands, self._stamp(), market)
        return simulate(self.state, self.record(pool), asked)

    # The journal

    @contextmanager
    def group(self) -> Iterator[None]:
        """Commit everything done inside together, at the end; receipts count from there."""
        if self._grouped:
            yield
            return
        self._grouped = True
        try:
            yield
        finally:
            self._grouped = False
            if not self._is_halted:
                with self._journaling():
                    pass

    def record_digest(self) -> bytes:
        """Journal the digest of the whole state, which a replay must reach."""
        digest = self.state.digest()
        with self._journaling():
            self.journal.append(self._stamp(), entries.DIGEST, b"", digest)
        return digest

    def checkpoint(self) -> bytes:
        """Journal the digest and keep the state beside it, so that opening is fast."""
        digest = self.record_digest()
        self.journal.commit()
        self.journal.write_checkpoint(self.journal.seq, b"", self.state.dump(), digest)
        return digest

    def verify(self) -> list[Mismatch]:
        """Replay the whole journal from nothing; return every difference, and the last state's."""
        state = State()
        problems = list(replay(state, self.journal.entries(1)))
        if state.digest() != self.state.digest():
            problems.append(
                Mismatch(self.journal.seq, "state_differs", "replay reaches another state")
            )
        return problems

    def record(self, pool: str) -> PoolRecord:
        """Return what the venue knows of a pool, by its id in hex or by its name.

        Raises:
            CommandError: There is none. A name that several carry stands for the oldest.
        """
        return pool_named(self.state, pool)

    # Sequencing

    def _follow(self, record: PoolRecord, stamped: Rows) -> None:
        """Let the pool's ladder, once it is in use, know what was done."""
        if record.id in self._liquidators:
            self._liquidators[record.id].follow(record.pool, stamped)

    def _stamp(self) -> int:
        """Time of the next entry: the clock's, but never before the last one's."""
        self._time_ns = max(self._time_ns, self.clock.now_ns())
        return self._time_ns

    def _run(self, command: VenueCommand) -> Receipt:
        """Apply and journal a command of the venue itself, refusals too."""
        time_ns = self._stamp()
        check_command(self.state.book, command)
        refusal: RefusedError | SpecError | None = None
        with self._journaling():
            try:
                self.state.apply(command)
            except (RefusedError, SpecError) as error:
                refusal = error
            body = entries.encode_venue(command, "ok" if refusal is None else str(refusal))
            entry = self.journal.append(time_ns, entries.VENUE, b"", body)
        if refusal is not None:
            raise refusal
        return Receipt(ok=True, status="ok", seq=entry.seq, head=entry.head.hex(), time_ns=time_ns)

    @contextmanager
    def _journaling(self, *, commit: bool = True) -> Iterator[None]:
        """Bring what is done inside to disk, unless a group will do so at its end.

        Memory that ran ahead of the journal is good for nothing: whatever keeps an entry from
        being journaled halts the venue, and opening it again begins where the journal ends.
        """
        if self._is_halted:
            raise JournalHaltedError("the venue is halted: an entry was lost; open it again")
        self._is_halted = True
        yield
        if commit and not self._grouped:
            self.journal.commit()
        self._is_halted = False
