"""Commands, and what would come of them."""

import asyncio
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import JSONBody, QueryParameter

from ringfence.core.creation import create_pool
from ringfence.core.reading import SpecError
from ringfence.core.spec import PoolSpec, pool_id
from ringfence.service import auth
from ringfence.service.desk import Desk
from ringfence.service.frames import Snapshot
from ringfence.service.ledger import in_ms
from ringfence.service.problems import ProblemError, documented
from ringfence.service.routes.common import ADDRESS, TheDesk
from ringfence.service.schema import Receipt, Received, Simulation
from ringfence.service.whatif import what_if, with_prices
from ringfence.signing.receipts import attest
from ringfence.units import MS_NS
from ringfence.venue import commands as c
from ringfence.venue.consent.evidence import decode_signed, receipt_of
from ringfence.venue.consent.messages import GrantReader, Signed
from ringfence.venue.encoding import address_bytes
from ringfence.venue.state import asset_problems, scale_problems
from ringfence.venue.venue import Venue

COMMANDS_MAX = 100  # in one simulation
ZERO = bytes(20)

# What can only make its account, and with it the pool, safer.
REDUCING = (
    *(c.Deposit, c.Repay, c.Supply, c.FundInsurance, c.FundBond, c.SupplyBackstop, c.Protect),
    *(c.Liquidate, c.Deleverage, c.Bid, c.TopUp, c.Reduce, c.Settle),
)


class Preview(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A spec to look at."""

    spec: dict[str, Any]
    creator: Annotated[str, msgspec.Meta(pattern=ADDRESS)] | None = None


class Previewed(msgspec.Struct, frozen=True):
    """What would become of a spec."""

    ok: bool
    id: str | None
    problems: list[str]
    spec: PoolSpec | None


class Thirsty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to give money."""

    owner: Annotated[str, msgspec.Meta(pattern=ADDRESS)]


class WhatIf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Commands to try on a copy of a pool."""

    pool: Annotated[str, msgspec.Meta(max_length=256)]
    commands: Annotated[list[dict[str, Any]], msgspec.Meta(max_length=COMMANDS_MAX)] = []
    ignore_wallets: bool = False
    prices: dict[str, str] = {}


@post("/v1/commands", status_code=200, responses=documented(401, 403, 404, 409, 413, 415, 422))
async def command(desk: TheDesk, data: JSONBody[Signed]) -> Receipt:
    """Execute a signed command; answered when it is on disk."""
    domain = desk.writer.venue.state.book.domain
    if domain is None:
        raise ProblemError("not_allowed", "this venue takes no signed commands")
    is_safe = is_reducing(data)
    async with desk.admission.slot(reduces_risk=is_safe):
        auth.check(data, domain)
        desk.limits.take_command(data.authorisations[0].signer, reduces_risk=is_safe)
        future = desk.writer.submit(lambda venue: venue.execute_signed(data), reduces_risk=is_safe)
        # Whoever hangs up does not take back what is queued.
        receipt = await asyncio.shield(asyncio.wrap_future(future))
    return on_the_wire(desk, data, receipt)


@post("/v1/faucet", status_code=200, responses=documented(403, 409, 413, 415))
async def faucet(desk: TheDesk, data: JSONBody[Thirsty]) -> Received:
    """Give an owner money of a replay, once; a venue with real money has no faucet."""
    gifts = desk.source.faucet
    if not gifts:
        raise ProblemError("not_allowed", "only a replay gives money away")
    owner = data.owner.lower()

    def give(venue: Venue) -> int:
        if owner in desk.given:
            raise ProblemError("refused", f"{owner} has been given money before")
        for asset, amount in gifts.items():
            venue.receive(owner, asset, amount)
        desk.given.add(owner)
        return venue.time_ns

    time_ns = await asyncio.shield(asyncio.wrap_future(desk.writer.submit(give)))
    return Received(owner, gifts, time_ns // MS_NS)


def is_reducing(signed: Signed) -> bool:
    """Whether a command can only reduce risk."""
    return isinstance(signed.command, REDUCING)


def on_the_wire(desk: Desk, signed: Signed, receipt: auth.SignedReceipt) -> Receipt:
    """Return a receipt with times in ms, signed, and the secret of a read-only key it made."""
    domain = desk.writer.venue.state.book.domain
    assert domain is not None, "a signed command is signed for a domain"
    time_ms = receipt.time_ns // MS_NS
    attested = attest(desk.receipt_key, domain, receipt.seq, receipt.head, time_ms)
    secret = None
    # Signed commands stand in the journal for everybody, so a repeated one proves nothing.
    if isinstance(signed.command, GrantReader) and receipt.created and not receipt.repeated:
        secret = auth.secret_of(desk.secret, bytes.fromhex(receipt.created)).hex()
    events: list[dict[str, Any]] = [in_ms(msgspec.to_builtins(e)) for e in receipt.events]
    return Receipt(
        ok=receipt.ok,
        status=receipt.status,
        seq=receipt.seq,
        head=receipt.head,
        time_ms=time_ms,
        signer=attested.signer,
        signature=attested.signature,
        events=tuple(events),
        reason=receipt.reason,
        created=receipt.created,
        secret=secret,
        client_id=receipt.client_id,
        repeated=receipt.repeated,
    )


@post("/v1/simulate", status_code=200, responses=documented(404, 413, 415))
async def simulate(desk: TheDesk, data: JSONBody[WhatIf]) -> Simulation:
    """Try commands on a copy of a pool; nothing is journaled, and nobody need sign."""
    frame = desk.frame(data.pool)
    try:
        complete = [{"pool": frame.facts.id, **command} for command in data.commands]
        wanted = msgspec.convert(complete, list[c.AnyCommand])
    except msgspec.ValidationError as error:
        raise ProblemError("command_unreadable", str(error)) from None
    if {command.pool for command in wanted} - {frame.facts.id, frame.facts.name}:
        raise ProblemError("command_unreadable", "a command is of another pool; leave `pool` out")
    record = with_prices(await desk.look(frame), data.prices, desk.snapshot.markets)
    return what_if(
        desk.writer.venue.state,
        record,
        wanted,
        max(desk.snapshot.time_ns, int(record.pool.total[0])),
        ignore_wallets=data.ignore_wallets,
        seq=desk.snapshot.seq,
    )


@post("/v1/pools/preview", status_code=200, sync_to_thread=False, responses=documented(413, 415))
def preview(desk: TheDesk, data: JSONBody[Preview]) -> Previewed:
    """Check a spec, also against what the venue lists, and show the pool that it would make."""
    try:
        spec = msgspec.convert(data.spec, PoolSpec)
        create_pool(spec, owner=0, now_ns=0, accounts=1)
    except msgspec.ValidationError as error:
        return Previewed(ok=False, id=None, problems=[str(error)], spec=None)
    except SpecError as error:
        return Previewed(ok=False, id=None, problems=error.problems, spec=spec)
    creator = ZERO if data.creator is None else address_bytes(data.creator)
    identity = pool_id(spec, creator).hex()
    problems = _problems_here(desk.snapshot, spec, identity)
    shown = None if problems else identity
    return Previewed(ok=not problems, id=shown, problems=problems, spec=spec)


def _problems_here(snapshot: Snapshot, spec: PoolSpec, identity: str) -> list[str]:
    """What keeps a pool that is safe out of this venue."""
    exists = [f"pool {identity} exists; change its name or salt"]
    prices = {
        name: price
        for frame in snapshot.frames.values()
        for name, price in zip(frame.facts.underlyings, frame.column("index_price"), strict=True)
        if price
    }
    problems = exists if identity in snapshot.frames else []
    return [*problems, *asset_problems(spec, dict(snapshot.assets)), *scale_problems(spec, prices)]


@get("/v1/receipts", sync_to_thread=False, responses=documented(404))
def receipt_by_id(
    desk: TheDesk,
    signer: Annotated[str, QueryParameter(pattern=ADDRESS, max_length=42)],
    client_id: Annotated[str, QueryParameter(min_length=1, max_length=64)],
) -> Receipt:
    """The receipt that a command got, by its signer and client id; the last 64 of each signer."""
    venue = desk.writer.venue
    for spent in reversed(venue.state.book.spent.get(address_bytes(signer), [])):
        if spent.client_id == client_id and spent.seq <= desk.snapshot.seq:
            (entry,) = venue.journal.entries(spent.seq, spent.seq + 1)
            receipt = receipt_of(venue.state, entry, repeated=True)
            return on_the_wire(desk, decode_signed(entry.body).signed, receipt)
    detail = f"{signer} has no command {client_id!r} among its last ones"
    raise ProblemError("receipt_unknown", detail)


HANDLERS = [command, faucet, simulate, preview, receipt_by_id]
