"""The venue and its pools, as the last snapshot shows them."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import get
from litestar.params import FromQuery, QueryParameter

from ringfence.service.channels import instrument_of, pool_now, threshold, worst_first
from ringfence.service.ladder import Ladder, ladder_of
from ringfence.service.parameters import Parameters, parameters_of
from ringfence.service.problems import documented
from ringfence.service.routes.common import (
    TIME_MS_MAX,
    Cursor,
    FromMs,
    Limit,
    PoolName,
    TheDesk,
    ToMs,
    page,
    underlying_of,
)
from ringfence.service.schema import (
    AccountPage,
    Asset,
    History,
    Pool,
    PoolPage,
    PoolSummary,
    VenueAnswer,
)
from ringfence.service.summaries import at_risk, row
from ringfence.service.waterfall_rows import auctions_of, queue
from ringfence.service.waterfall_schema import AuctionPage, Queue
from ringfence.units import MS_NS

AT_RISK_MAX = 10_000
BELOW = r"^(1(\.[0-9]{1,2})?|2(\.0{1,2})?)$"


@get("/v1/venue", sync_to_thread=False, responses=documented())
def venue(desk: TheDesk) -> VenueAnswer:
    """The whole venue."""
    snapshot, stats = desk.snapshot, desk.stats()
    return VenueAnswer(
        run=desk.run,
        seq=snapshot.seq,
        head=snapshot.head,
        time_ms=snapshot.time_ns // MS_NS,
        pools=len(snapshot.frames),
        accounts=stats.accounts,
        owners=len(snapshot.owners),
        assets=tuple(Asset(name, decimals) for name, decimals in snapshot.assets),
        source=msgspec.structs.replace(desk.source, state=snapshot.source_state),
        domain=desk.writer.venue.state.book.domain,
        receipt_signer=desk.receipt_key.owner,
        stats=stats,
    )


def _by_health(summary: dict[str, Any]) -> tuple[bool, float]:
    worst = summary["worst_health"]
    return worst is None, float(worst or 0)


@get("/v1/pools", sync_to_thread=False, responses=documented())
def pools(
    desk: TheDesk,
    limit: Limit = 50,
    cursor: Cursor = None,
    order: FromQuery[Literal["age", "worst", "name"]] = "age",
) -> PoolPage:
    """Pools, oldest first, or by their worst account or their name."""
    found = list(desk.fields().values())
    if order == "name":
        found.sort(key=lambda summary: str(summary["name"]))
    elif order == "worst":
        found.sort(key=_by_health)
    some, following = page(found, limit, cursor)
    return PoolPage([PoolSummary(**fields) for fields in some], following, len(found))


@get("/v1/pools/{pool:str}", sync_to_thread=False, responses=documented(404))
def pool_in_full(desk: TheDesk, pool: PoolName) -> Pool:
    """A pool in full."""
    return pool_now(desk, desk.frame(pool))


@get("/v1/pools/{pool:str}/spec", sync_to_thread=False, responses=documented(404))
def spec(desk: TheDesk, pool: PoolName) -> dict[str, Any]:
    """The spec that a pool was created from."""
    found: dict[str, Any] = msgspec.to_builtins(desk.frame(pool).facts.spec)
    return found


@get("/v1/pools/{pool:str}/accounts", sync_to_thread=False, responses=documented(404))
def accounts(
    desk: TheDesk, pool: PoolName, limit: Limit = 50, cursor: Cursor = None
) -> AccountPage:
    """Accounts of a pool, worst health first; the backstop is not among them."""
    frame = desk.frame(pool)
    found = worst_first(frame)
    some, following = page(found, limit, cursor)
    rows = [row(frame, a, desk.snapshot.owners) for a in some]
    return AccountPage(rows, following, len(found))


@get("/v1/pools/{pool:str}/ladder", responses=documented(404))
async def ladder(
    desk: TheDesk,
    pool: PoolName,
    underlying: Annotated[str | None, QueryParameter(max_length=256)] = None,
    buckets: Annotated[int, QueryParameter(ge=10, le=200)] = 60,
) -> Ladder:
    """Who is liquidated at which price of an underlying; the first one unless named."""
    frame = desk.frame(pool)
    u = underlying_of(frame, underlying)
    return ladder_of(await desk.look(frame), u, buckets)


@get("/v1/pools/{pool:str}/parameters", responses=documented(404))
async def parameters(desk: TheDesk, pool: PoolName) -> Parameters:
    """Every parameter with its bounds, changes under way, and what was changed before."""
    frame = desk.frame(pool)
    record = await desk.look(frame)
    return parameters_of(record, desk.ledger.changes.get(frame.facts.id, []))


@get("/v1/pools/{pool:str}/history", sync_to_thread=False, responses=documented(404))
def history(
    desk: TheDesk, pool: PoolName, from_ms: FromMs = 0, to_ms: ToMs = TIME_MS_MAX
) -> History:
    """Health, prices and money of a pool over time."""
    found = desk.histories.of[desk.frame(pool).facts.id]
    return History(found.every_ns // MS_NS, found.between(from_ms, to_ms))


@get("/v1/at-risk", sync_to_thread=False, responses=documented(404))
def accounts_at_risk(
    desk: TheDesk,
    below: Annotated[
        str, QueryParameter(description="1 to 2 in steps of 0.01.", pattern=BELOW)
    ] = "1.1",
    pool: Annotated[str | None, QueryParameter(max_length=256)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AccountPage:
    """Accounts below a health factor, in all pools or one, worst first."""
    frames = list(desk.snapshot.frames.values()) if pool is None else [desk.frame(pool)]
    found = at_risk(frames, threshold(below), AT_RISK_MAX)
    some, following = page(found, limit, cursor)
    rows = [row(frame, a, desk.snapshot.owners) for frame, a in some]
    return AccountPage(rows, following, len(found))


@get("/v1/auctions", sync_to_thread=False, responses=documented(404))
def auctions(
    desk: TheDesk,
    pool: Annotated[str | None, QueryParameter(max_length=256)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AuctionPage:
    """Accounts under auction, in all pools or one, the oldest auction first."""
    frames = list(desk.snapshot.frames.values()) if pool is None else [desk.frame(pool)]
    found = auctions_of(frames, desk.snapshot.owners)
    some, following = page(found, limit, cursor)
    return AuctionPage(list(some), following, len(found))


@get("/v1/pools/{pool:str}/queue", sync_to_thread=False, responses=documented(404))
def deleveraging_queue(
    desk: TheDesk,
    pool: PoolName,
    instrument: Annotated[str | None, QueryParameter(max_length=256)] = None,
) -> Queue:
    """Who is cut first when an instrument is deleveraged; the first one unless named."""
    frame = desk.frame(pool)
    return queue(frame, instrument_of(frame, instrument), desk.snapshot.owners)


HANDLERS = [
    venue,
    pools,
    pool_in_full,
    spec,
    accounts,
    ladder,
    parameters,
    history,
    accounts_at_risk,
    auctions,
    deleveraging_queue,
]
