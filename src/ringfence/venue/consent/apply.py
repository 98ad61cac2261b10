"""Applying a signed command: every check before the first write, live and in a replay alike.

    expiry      the venue's time is not beyond it, and it is at most a day ahead (orders: thirty)
    nonce       not spent, not too old, not from the future
    authority   each signer may consent, and every consent that is needed is there
    order       both sides of a match are within what their owners signed
    cap         the notional of a session key stays within what its owner granted

Whether a signature is one is checked before (`ringfence.service.auth`), and again by the audit
of a journal; here the authorisations say who signed.
"""

from dataclasses import dataclass, field
from typing import cast

from ringfence.core.command import Kind, Rows, rows
from ringfence.core.creation import create_pool
from ringfence.core.log import room_for
from ringfence.core.reading import SpecError
from ringfence.core.status import Status
from ringfence.signing.typed import TypedDataError
from ringfence.units import MS_NS, PRICE_UNIT, UNIT
from ringfence.venue import commands as c
from ringfence.venue import entries
from ringfence.venue.consent import messages as m
from ringfence.venue.consent.authority import Identity, authorise_all, identify
from ringfence.venue.consent.book import DAY_MS, EXPIRY_DAYS_MAX
from ringfence.venue.consent.keys import (
    KeyCommand,
    apply_key_command,
    cap_units,
    check_key_command,
)
from ringfence.venue.consent.matching import Side, matched, sides
from ringfence.venue.consent.problem import ConsentError
from ringfence.venue.encoding import CommandError
from ringfence.venue.lookup import asset_amount, encoder_of, pool_of
from ringfence.venue.sequencer import with_clock
from ringfence.venue.state import (
    CreatePool,
    Outcome,
    PoolRecord,
    Receive,
    RefusedError,
    RegisterAsset,
    RegisterOwner,
    Send,
    State,
    VenueCommand,
)

VENUE_COMMANDS = (m.Register, m.Receive, m.Send, m.ListAsset, m.CreatePool)


@dataclass
class Prepared:
    """A signed command that passed every check, ready to be applied."""

    signed: m.Signed
    time_ns: int
    signers: list[Identity]
    digest: bytes  # that the first signer signed
    record: PoolRecord | None = None
    rows: Rows = field(default_factory=lambda: rows(0))
    venue_command: VenueCommand | None = None
    fills: list[tuple[Side, int]] = field(default_factory=list)
    notional: int = 0  # quote units
    capped: list[Identity] = field(default_factory=list)  # session keys that it counts for

    @property
    def now_ms(self) -> int:
        """The time in whole ms."""
        return self.time_ns // MS_NS

    @property
    def pool(self) -> bytes:
        """Id of the pool that the command is of; nothing for one of the venue."""
        return b"" if self.record is None else self.record.id

    def spend(self, state: State, seq: int) -> None:
        """Note that its nonces are spent, by this entry of the journal."""
        for authorisation, signer in zip(self.signed.authorisations, self.signers, strict=True):
            nonce, client_id = int(authorisation.nonce), self.signed.client_id
            state.book.spend(signer.address, nonce, seq, client_id)


@dataclass(frozen=True)
class Applied:
    """What came of a signed command, as it is journaled, and what it did to a pool."""

    inner: bytes
    outcome: Outcome | None = None


def prepare(state: State, signed: m.Signed, time_ns: int) -> Prepared:
    """Check a signed command against a state, which stays as it is.

    Raises:
        ConsentError: A consent is missing; the command is not journaled.
        CommandError: It cannot be read, so it is not journaled either.
        SpecError: It would create a pool that cannot be safe.
    """
    if state.book.domain is None:
        raise ConsentError("not_allowed", "this venue takes no signed commands; found it first")
    separator = state.book.domain.separator()
    now_ms = time_ns // MS_NS
    try:
        digests = [digest for _, digest in m.signatures(signed, separator)]
    except TypedDataError as error:
        raise CommandError(str(error)) from None
    signers = [_signer(state, a, now_ms) for a in signed.authorisations]
    if len({signer.address for signer in signers}) < len(signers):
        raise ConsentError("not_allowed", "the same key signed twice; each signer signs once")
    problem = authorise_all(signers, signed.command, state)
    if problem is not None:
        raise ConsentError(problem.code, problem.message)
    prepared = Prepared(signed, time_ns, signers, digests[0])
    _prepare_command(state, prepared, separator)
    _check_caps(state, prepared)
    return prepared


def _signer(state: State, by: m.Authorisation, now_ms: int) -> Identity:
    """Identity of a signer whose nonce and expiry are good."""
    try:
        address = bytes.fromhex(by.signer.removeprefix("0x"))
    except ValueError:
        address = b""
    if len(address) != 20 or not by.signer.startswith("0x"):
        raise CommandError(f"signer {by.signer!r} is not an address; write 0x and 40 hex digits")
    if now_ms > by.expires_ms:
        raise ConsentError(
            "authorisation_expired", f"it expired at {by.expires_ms} ms; it is {now_ms} ms"
        )
    if by.expires_ms > now_ms + EXPIRY_DAYS_MAX * DAY_MS:
        raise ConsentError(
            "authorisation_expired",
            f"expires_ms {by.expires_ms} is more than {EXPIRY_DAYS_MAX} day ahead of {now_ms} ms",
        )
    fault = state.book.nonce_fault(address, int(by.nonce), now_ms)
    if fault is not None:
        raise ConsentError(*fault)
    return identify(state, address, now_ms)


def _prepare_command(state: State, prepared: Prepared, separator: bytes) -> None:
    command = prepared.signed.command
    match command:
        case m.Match():
            maker, taker = sides(state, command, separator, prepared.now_ms)
            trade, size = matched(state, command, maker, taker)
            _prepare_rows(state, prepared, trade)
            prepared.fills = [(maker, size), (taker, size)]
            prepared.capped = [maker.signer, taker.signer]
        case c.Command():
            _prepare_rows(state, prepared, command)
            prepared.capped = prepared.signers
        case m.Register() | m.Receive() | m.Send() | m.ListAsset() | m.CreatePool():
            prepared.venue_command = _venue_command(state, command, prepared.time_ns)
        case _:
            check_key_command(state, command, prepared.now_ms)


def _prepare_rows(state: State, prepared: Prepared, command: c.AnyCommand) -> None:
    record = pool_of(state, command.pool)
    if record is None:
        raise CommandError(f"there is no pool with the id {command.pool!r}; give 64 hex digits")
    batch = encoder_of(state, record).row(command)
    prepared.record = record
    prepared.rows = with_clock(record.pool, batch, prepared.time_ns)
    prepared.notional = notional_of(record, batch)
    if not entries.fits(prepared.rows, room_for(record.pool, prepared.rows)):
        raise CommandError("what this may set off exceeds one entry of the journal")


def notional_of(record: PoolRecord, row: Rows) -> int:
    """What a row moves, in quote units, rounded up: of a trade its notional, of a loan its amount.

    What a session key may spend is counted in it; a row that moves nothing to others counts zero.
    """
    kind, size, price = int(row["kind"][0]), int(row["size"][0]), int(row["price"][0])
    amount = int(row["amount"][0])
    if kind == Kind.BORROW:
        return abs(amount)
    if kind == Kind.EXCHANGE:
        size = amount
    elif kind not in {Kind.TRADE, Kind.OPEN_POSITION}:
        return 0
    quote = 10**record.spec.settlement_decimals
    return -(-abs(size) * abs(price) * quote // (UNIT * PRICE_UNIT))


def _venue_command(state: State, command: m.OwnCommand, time_ns: int) -> VenueCommand:
    """A command of the venue's edge, as the state applies it."""
    match command:
        case m.ListAsset(asset=asset, decimals=decimals):
            return RegisterAsset(asset, decimals)
        case m.Register(owner=owner):
            return RegisterOwner(bytes.fromhex(owner[2:]))
        case m.Receive(owner=owner) | m.Send(owner=owner):
            number = state.owner_number(bytes.fromhex(owner[2:]))
            if number is None:
                raise CommandError(f"owner {owner} is not registered; its wallet signs a register")
            make = Receive if isinstance(command, m.Receive) else Send
            return make(number, *asset_amount(state, command.asset, command.amount))
        case m.CreatePool(owner=owner, spec=spec):
            creator = state.owner_number(bytes.fromhex(owner[2:]))
            assert creator is not None, "authorised, so registered"
            create_pool(spec, owner=creator, now_ns=time_ns)  # raises for what cannot be safe
            return CreatePool(spec, creator, time_ns)
    raise AssertionError(command)


def _check_caps(state: State, prepared: Prepared) -> None:
    """Refuse what exceeds the notional that a session key was granted in the pool."""
    record, notional = prepared.record, prepared.notional
    prepared.capped = [signer for signer in prepared.capped if signer.grant is not None]
    if record is None or notional == 0:
        prepared.capped = []
    for signer in prepared.capped:
        assert signer.grant is not None
        assert record is not None
        cap = cap_units(signer.grant.notional_max, record.spec.settlement_decimals)
        left = cap - state.book.used_of(signer.address, record.id)
        # A key that signed both sides counts twice.
        if notional * prepared.capped.count(signer) > left:
            raise ConsentError(
                "cap_exceeded",
                f"{signer}; the notional, {notional} quote units, exceeds the {left} that are left",
            )


def apply_prepared(state: State, prepared: Prepared) -> Applied:
    """Apply a command that `prepare` let through to the same state; its nonces are left to spend."""
    command = prepared.signed.command
    if prepared.record is not None:
        return _apply_rows(state, prepared, prepared.record)
    if prepared.venue_command is None:
        apply_key_command(state, cast(KeyCommand, command), prepared.now_ms, prepared.digest)
        created = prepared.digest if isinstance(command, m.GrantReader) else b""
        return Applied(b"ok" + created)
    try:
        state.apply(prepared.venue_command)
        outcome = "ok"
    except (RefusedError, SpecError) as error:
        outcome = str(error)
    return Applied(entries.encode_venue(prepared.venue_command, outcome))


def _apply_rows(state: State, prepared: Prepared, record: PoolRecord) -> Applied:
    outcome = state.apply_rows(record, prepared.rows)
    if outcome.statuses[-1] == Status.OK:
        for side, size in prepared.fills:
            state.book.fill(side.name, size, side.expires_ms, prepared.now_ms)
        for signer in prepared.capped:
            state.book.use(signer.address, record.id, prepared.notional)
    return Applied(entries.encode_batch(prepared.rows, outcome), outcome)
