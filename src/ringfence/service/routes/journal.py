"""The journal: entries, liquidations, receipts, and its verification."""

import asyncio
from typing import Annotated, Any, Literal

from litestar import get, post
from litestar.params import FromQuery, PathParameter, QueryParameter

from ringfence.journal.entry import GENESIS, Entry
from ringfence.service.desk import Desk
from ringfence.service.ledger import feed_price
from ringfence.service.problems import ProblemError, documented
from ringfence.service.routes.common import (
    ADDRESS,
    TIME_MS_MAX,
    Cursor,
    Limit,
    TheDesk,
    number_in,
)
from ringfence.service.schema import (
    EntryPage,
    Liquidation,
    LiquidationPage,
    Price,
    ReceiptInFull,
    Verification,
)
from ringfence.venue import entries

SCANNED_MAX = 5_000  # entries looked at for one page
PRICES_WITHIN = 20_000  # entries before a receipt among which its prices are sought
CHUNK = 256

Seq = Annotated[int, PathParameter(description="Number of an entry.", ge=1, le=TIME_MS_MAX)]
OnlyPool = Annotated[str | None, QueryParameter(description="Only of this pool.", max_length=256)]


@get("/v1/liquidations", sync_to_thread=False, responses=documented(404))
def liquidations(
    desk: TheDesk,
    pool: OnlyPool = None,
    owner: Annotated[str | None, QueryParameter(pattern=ADDRESS, max_length=42)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> LiquidationPage:
    """Steps of the waterfall, newest first; the last 10,000."""
    identity = None if pool is None else desk.frame(pool).facts.id
    address = None if owner is None else owner.lower()
    newest = desk.ledger.steps_total
    start = number_in(cursor, newest)
    found: list[Liquidation] = []
    following = None
    for place, item in zip(range(newest, 0, -1), reversed(desk.ledger.liquidations), strict=False):
        is_wanted = identity in {None, item.pool} and address in {None, item.owner}
        if place > start or not is_wanted:
            continue
        if len(found) == limit:
            following = str(place)
            break
        found.append(item)
    return LiquidationPage(found, following)


def _page(
    desk: Desk, kind: str | None, pool: bytes | None, start: int, limit: int
) -> tuple[list[Entry], int]:
    """Walk back from an entry; return what was found and the entry to go on with, or 0."""
    journal = desk.writer.venue.journal
    found: list[Entry] = []
    high, lowest = start, max(start - SCANNED_MAX, 0)
    while high > lowest and len(found) < limit:
        low = max(high - CHUNK, lowest)
        for entry in reversed(list(journal.entries(low + 1, high + 1, pool, kind))):
            if len(found) == limit:
                return found, entry.seq
            found.append(entry)
        high = low
    return found, high


@get("/v1/journal", responses=documented(404))
async def journal(
    desk: TheDesk,
    kind: FromQuery[Literal["venue", "pool", "prices", "digest", "signed"] | None] = None,
    pool: OnlyPool = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> EntryPage:
    """Entries, newest first. A page looks back over 5,000 entries at most, so it may be short."""
    identity = None if pool is None else bytes.fromhex(desk.frame(pool).facts.id)
    newest = desk.snapshot.seq
    start = min(number_in(cursor, newest), newest)
    found, high = await asyncio.to_thread(_page, desk, kind, identity, start, limit)
    items = [desk.ledger.in_short(entry) for entry in found]
    return EntryPage(items, str(high) if high else None)


def _entry(desk: Desk, seq: int) -> tuple[Entry, str]:
    """Return an entry, and the head before it."""
    found = list(desk.writer.venue.journal.entries(max(seq - 1, 1), seq + 1))
    previous = found[0].head if len(found) > 1 else GENESIS
    return found[-1], previous.hex()


def _check_seq(desk: Desk, seq: int) -> None:
    if seq > desk.snapshot.seq:
        detail = f"entry {seq} is not written yet; the last one is {desk.snapshot.seq}"
        raise ProblemError("entry_unknown", detail)


@get("/v1/journal/{seq:int}", responses=documented(404))
async def entry_in_full(desk: TheDesk, seq: Seq) -> dict[str, Any]:
    """One entry in full."""
    _check_seq(desk, seq)
    found, _ = await asyncio.to_thread(_entry, desk, seq)
    return desk.ledger.in_full(found)


def _prices_before(desk: Desk, seq: int, feeds: set[str]) -> list[Price]:
    """The newest price of each feed before an entry."""
    journal, found = desk.writer.venue.journal, dict[str, Price]()
    high, lowest = seq, max(seq - PRICES_WITHIN, 0)
    while high > lowest and feeds - found.keys():
        low = max(high - CHUNK, lowest)
        for entry in reversed(list(journal.entries(low + 1, high + 1, None, entries.PRICES))):
            for price in entries.decode_prices(entry.body).prices:
                if price.feed in feeds and price.feed not in found:
                    found[price.feed] = feed_price(price, entry.seq)
        high = low
    return [found[feed] for feed in sorted(found)]


@get("/v1/receipts/{seq:int}", responses=documented(404))
async def receipt_in_full(desk: TheDesk, seq: Seq) -> ReceiptInFull:
    """An entry with the prices and the parameters' version that it rested on."""
    _check_seq(desk, seq)
    found, previous = await asyncio.to_thread(_entry, desk, seq)
    spec = desk.ledger.decoder.spec(found.pool)
    feeds = set() if spec is None else {u.name for u in spec.underlyings}
    prices = await asyncio.to_thread(_prices_before, desk, seq, feeds)
    full = desk.ledger.in_full(found)
    versions = [event.get("version") for event in full.get("events", ())]
    known = [version for version in versions if version is not None]
    return ReceiptInFull(full, previous, prices, known[-1] if known else None)


@get("/v1/journal/verify", sync_to_thread=False, responses=documented())
def verification(desk: TheDesk) -> Verification:
    """How far the verification is, or its report."""
    return desk.verifier.state()


@post("/v1/journal/verify", status_code=202, sync_to_thread=False, responses=documented(409, 415))
def verify(desk: TheDesk) -> Verification:
    """Begin a verification of the whole journal, beside the running venue."""
    return desk.verifier.begin(desk.snapshot.seq, bytes.fromhex(desk.snapshot.head))


HANDLERS = [liquidations, journal, entry_in_full, receipt_in_full, verification, verify]
