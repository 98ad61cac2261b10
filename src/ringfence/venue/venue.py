"""The venue: one sequencer, one journal, many pools that know nothing of each other.

Every command is stamped, applied, journaled and committed before anybody hears of it.
Several commands may share one commit (`with venue.group()`), and are acknowledged together.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from ringfence.columns import Column
from ringfence.core.command import Rows
from ringfence.core.reading import SpecError, scaled
from ringfence.core.spec import PoolSpec
from ringfence.core.status import Status
from ringfence.journal.errors import JournalHaltedError
from ringfence.journal.sqlite import Journal
from ringfence.risk.scenarios import CoinMarket, valuation_rows
from ringfence.venue import entries
from ringfence.venue.clock import Clock, SystemClock
from ringfence.venue.commands import AnyCommand
from ringfence.venue.encoding import CommandError, Encoder, address_bytes, check_encodable
from ringfence.venue.fanout import FeedPrice
from ringfence.venue.liquidator import LIQUIDATIONS_MAX, Liquidator, liquidations
from ringfence.venue.receipts import BatchReceipt, Receipt, event_view, merged
from ringfence.venue.recovery import recovered
from ringfence.venue.replay import Mismatch, replay
from ringfence.venue.sequencer import with_clock
from ringfence.venue.simulation import Simulation, WhatIf, simulate
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
    events_at_most,
)
from ringfence.venue.views import AccountView, PoolView, account_view, pool_view


class Venue:
    """The running whole; `Venue.open` makes one."""

    def __init__(self, journal: Journal, state: State, clock: Clock) -> None:
        self.journal = journal
        self.state = state
        self.clock = clock
        self._time_ns = 0
        self._grouped = False
        self._is_halted = False
        self._liquidators: dict[bytes, Liquidator] = {}
        self._hex: dict[str, PoolRecord] = {}

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
        number, asset_number, units = self._edge(owner, asset, amount)
        return self._run(Receive(number, asset_number, units))

    def send(self, owner: str, asset: str, amount: str) -> Receipt:
        """Let money of an owner leave the venue: wallet to outside."""
        number, asset_number, units = self._edge(owner, asset, amount)
        return self._run(Send(number, asset_number, units))

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
        number = self._owner_number(owner)
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
        batch = self.execute_many(record.id.hex(), self._encoder(record).row(command))
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
        record = self.record(pool)
        time_ns = self._stamp()
        stamped = with_clock(record.pool, batch, time_ns)
        extra = len(stamped) - len(batch)
        if not entries.fits(stamped, events_at_most(record.pool, stamped)):
            raise CommandError(f"{len(batch)} rows and their events exceed one entry; split them")
        with self._journaling():
            outcome = self.state.apply_rows(record, stamped)
            body = entries.encode_batch(stamped, outcome)
            entry = self.journal.append(time_ns, entries.POOL, record.id, body)
        if record.id in self._liquidators:
            self._liquidators[record.id].follow(record.pool, stamped)
        return BatchReceipt(
            outcome.statuses[extra:], outcome.events, entry.seq, entry.head.hex(), time_ns
        )

    def publish(self, prices: Sequence[FeedPrice]) -> dict[str, BatchReceipt]:
        """Give prices to every pool, and liquidate at once whom they bring below maintenance.

        Returns the receipts of the liquidations, by pool id in hex; none for a calm tick.
        """
        with self.group():
            self.set_prices(prices)
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

    def liquidate_unhealthy(self) -> dict[str, BatchReceipt]:
        """Liquidate every account below maintenance, pool by pool, in order of number."""
        receipts = {}
        for record in self.state.pools.values():
            pool = record.id.hex()
            accounts = self.unhealthy(pool)
            if len(accounts):
                receipts[pool] = self.liquidate(pool, accounts)
        return receipts

    def liquidate(self, pool: str, accounts: Column) -> BatchReceipt:
        """Liquidate some accounts of a pool; the core refuses those that are healthy."""
        starts = range(0, max(len(accounts), 1), LIQUIDATIONS_MAX)
        parts = (accounts[start : start + LIQUIDATIONS_MAX] for start in starts)
        return merged([self.execute_many(pool, liquidations(part)) for part in parts])

    def unhealthy(self, pool: str) -> Column:
        """Accounts of a pool below maintenance now, found by its ladder."""
        record = self.record(pool)
        liquidator = self._liquidators.get(record.id)
        if liquidator is None:
            liquidator = self._liquidators[record.id] = Liquidator(record.pool)
        return liquidator.unhealthy(record.pool)

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
        a = self.account_index(record, owner, number)
        if a < 0:
            raise CommandError(f"owner {owner} has no account {number} in {record.spec.name}")
        return account_view(record, record.pool, a, owner, volatility=volatility, market=market)

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
        return simulate(self.state, self.record(pool), self._encoder, asked)

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

    # Looking things up

    @property
    def _by_hex(self) -> dict[str, PoolRecord]:
        """Pools by id in hex; made anew when one was created."""
        if len(self._hex) != len(self.state.pools):
            self._hex = {record.id.hex(): record for record in self.state.pools.values()}
        return self._hex

    def record(self, pool: str) -> PoolRecord:
        """Return what the venue knows of a pool, by its id in hex or by its name.

        Raises:
            CommandError: There is none. A name that several carry stands for the oldest.
        """
        by_id = self._by_hex.get(pool)
        if by_id is not None:
            return by_id
        for record in self.state.pools.values():
            if record.spec.name == pool:
                return record
        raise CommandError(f"no pool named {pool!r}; give the id that `pool list` shows")

    def account_index(self, record: PoolRecord, owner: str, number: int) -> int:
        """Index of an owner's account in a pool; -1 when it was never opened."""
        return record.accounts.get((self._owner_number(owner), number), -1)

    def _encoder(self, record: PoolRecord) -> Encoder:
        return Encoder(
            record.spec,
            lambda owner, number: self.account_index(record, owner, number),
            self._owner_number,
        )

    def _owner_number(self, owner: str) -> int:
        number = self.state.owner_number(address_bytes(owner))
        if number is None:
            raise CommandError(f"owner {owner} is not registered in this venue")
        return number

    def _edge(self, owner: str, asset: str, amount: str) -> tuple[int, int, int]:
        number = self.state.asset_number(asset)
        if number is None:
            raise CommandError(f"asset {asset!r} is not listed in this venue")
        try:
            units = scaled(amount, 10 ** self.state.assets[number].decimals)
        except ValueError as error:
            raise CommandError(f"amount: {error}") from None
        return self.register(owner), number, units

    # Sequencing

    def _stamp(self) -> int:
        """Time of the next entry: the clock's, but never before the last one's."""
        self._time_ns = max(self._time_ns, self.clock.now_ns())
        return self._time_ns

    def _run(self, command: VenueCommand) -> Receipt:
        """Apply and journal a command of the venue itself, refusals too."""
        time_ns = self._stamp()
        check_encodable(command)
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
    def _journaling(self) -> Iterator[None]:
        """Bring what is done inside to disk, unless a group will do so at its end.

        Memory that ran ahead of the journal is good for nothing: whatever keeps an entry from
        being journaled halts the venue, and opening it again begins where the journal ends.
        """
        if self._is_halted:
            raise JournalHaltedError("the venue is halted: an entry was lost; open it again")
        self._is_halted = True
        yield
        if not self._grouped:
            self.journal.commit()
        self._is_halted = False
