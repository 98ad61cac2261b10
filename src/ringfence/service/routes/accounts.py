"""Owners and their accounts."""

import asyncio
from decimal import Decimal
from typing import Annotated

import numpy as np
from litestar import get
from litestar.params import QueryParameter

from ringfence.service.accounts import in_full
from ringfence.service.ccxt import CcxtPosition, positions_of
from ringfence.service.curves import Asked, Curve, Scenarios, curve_of, scenarios_of
from ringfence.service.desk import Desk
from ringfence.service.frames import Frame
from ringfence.service.greeks import AccountGreeks, Structures, greeks_of, structures_of
from ringfence.service.problems import ProblemError, documented
from ringfence.service.routes.common import (
    ADDRESS,
    TIME_MS_MAX,
    Address,
    FromMs,
    Number,
    PoolName,
    TheDesk,
    ToMs,
    underlying_of,
)
from ringfence.service.schema import Account, History, Owner
from ringfence.service.summaries import row
from ringfence.units import MS_NS, PPM
from ringfence.venue.receipts import decimal
from ringfence.venue.state import PoolRecord

ACCOUNTS_MAX = 100  # of one owner, in full, in one answer

SPAN = r"^0\.(0[1-9]|[1-9][0-9]?)$"


@get("/v1/owners/{owner:str}", sync_to_thread=False, responses=documented(404))
def owner_in_full(desk: TheDesk, owner: Address) -> Owner:
    """Money of an owner outside of pools, and a row of each account."""
    number = desk.owner_number(owner)
    snapshot, wallets = desk.snapshot, desk.writer.venue.state.wallets.amount
    rows = [
        row(frame, a, snapshot.owners)
        for frame in snapshot.frames.values()
        for a in np.flatnonzero(frame.owner == number).tolist()
    ]
    wallet = {
        asset: decimal(int(wallets[number, v]), 10**decimals)
        for v, (asset, decimals) in enumerate(snapshot.assets)
    }
    return Owner("0x" + snapshot.owners[number].hex(), wallet, rows)


@get("/v1/accounts/{pool:str}/{owner:str}/{number:int}", responses=documented(404))
async def account(desk: TheDesk, pool: PoolName, owner: Address, number: Number) -> Account:
    """An account in full."""
    _, a, record = await _looked_at(desk, pool, owner, number)
    return in_full(record, a, owner.lower(), desk.snapshot.seq)


@get(
    "/v1/accounts/{pool:str}/{owner:str}/{number:int}/history",
    sync_to_thread=False,
    responses=documented(404),
)
def account_history(
    desk: TheDesk,
    pool: PoolName,
    owner: Address,
    number: Number,
    from_ms: FromMs = 0,
    to_ms: ToMs = TIME_MS_MAX,
) -> History:
    """Health and equity of an account over time."""
    frame = desk.frame(pool)
    a = desk.account(frame, owner, number)
    found = desk.histories.of[frame.facts.id]
    quote = 10**frame.facts.spec.settlement_decimals
    return History(found.every_ns // MS_NS, found.of_account(a, quote, from_ms, to_ms))


@get("/v1/accounts/{pool:str}/{owner:str}/{number:int}/curve", responses=documented(404))
async def curve(
    desk: TheDesk,
    pool: PoolName,
    owner: Address,
    number: Number,
    underlying: Annotated[str | None, QueryParameter(max_length=256)] = None,
    points: Annotated[int, QueryParameter(ge=11, le=201)] = 81,
    span: Annotated[str, QueryParameter(description="0.01 to 0.99.", pattern=SPAN)] = "0.5",
) -> Curve:
    """Equity and health of an account over moves of one price, all else unchanged."""
    frame, a, record = await _looked_at(desk, pool, owner, number)
    asked = Asked(owner.lower(), number, a, underlying_of(frame, underlying), _ppm(span), points)
    return await asyncio.to_thread(curve_of, record, asked, desk.snapshot.markets)


@get("/v1/accounts/{pool:str}/{owner:str}/{number:int}/scenarios", responses=documented(404))
async def scenarios(
    desk: TheDesk,
    pool: PoolName,
    owner: Address,
    number: Number,
    underlying: Annotated[str | None, QueryParameter(max_length=256)] = None,
    points: Annotated[int, QueryParameter(ge=3, le=41)] = 13,
    span: Annotated[str, QueryParameter(description="0.01 to 0.99.", pattern=SPAN)] = "0.3",
    volatility: Annotated[str, QueryParameter(description="0.01 to 0.99.", pattern=SPAN)] = "0.25",
) -> Scenarios:
    """Equity and health of an account over moves of one price and changes of its volatility."""
    frame, a, record = await _looked_at(desk, pool, owner, number)
    asked = Asked(owner.lower(), number, a, underlying_of(frame, underlying), _ppm(span), points)
    markets = desk.snapshot.markets
    return await asyncio.to_thread(scenarios_of, record, asked, _ppm(volatility), markets)


@get("/v1/accounts/{pool:str}/{owner:str}/{number:int}/greeks", responses=documented(404))
async def greeks(desk: TheDesk, pool: PoolName, owner: Address, number: Number) -> AccountGreeks:
    """Sensitivities of an account's legs and of its collateral."""
    _, a, record = await _looked_at(desk, pool, owner, number)
    return await asyncio.to_thread(greeks_of, record, a, owner.lower(), desk.snapshot.markets)


@get("/v1/accounts/{pool:str}/{owner:str}/{number:int}/structures", responses=documented(404))
async def structures(desk: TheDesk, pool: PoolName, owner: Address, number: Number) -> Structures:
    """Prices at which an account with options is liquidated and worth nothing, all revalued."""
    _, a, record = await _looked_at(desk, pool, owner, number)
    return await asyncio.to_thread(structures_of, record, a, owner.lower(), desk.snapshot.markets)


async def _looked_at(
    desk: Desk, pool: str, owner: str, number: int
) -> tuple[Frame, int, PoolRecord]:
    """The frame of a pool, the index of an account in it, and a copy of the pool.

    Raises:
        ProblemError: There is no such pool or account, or the writer is too busy for a copy.
    """
    frame = desk.frame(pool)
    a = desk.account(frame, owner, number)
    return frame, a, await desk.look(frame)


def _ppm(share: str) -> int:
    return int(Decimal(share) * PPM)


@get("/v1/positions", responses=documented(404))
async def positions(
    desk: TheDesk, owner: Annotated[str, QueryParameter(pattern=ADDRESS, max_length=42)]
) -> list[CcxtPosition]:
    """Positions of an owner in ccxt's unified structure."""
    found: list[CcxtPosition] = []
    for pool, numbers in _standings(desk, owner).items():
        frame = desk.frame(pool)
        record = await desk.look(frame)
        for a in numbers:
            full = in_full(record, a, owner.lower(), desk.snapshot.seq)
            found += positions_of(full, frame.facts.spec)
    return found


def _standings(desk: Desk, owner: str) -> dict[str, list[int]]:
    """Accounts of an owner that hold a position, by pool."""
    number = desk.owner_number(owner)
    found: dict[str, list[int]] = {}
    for pool, frame in desk.snapshot.frames.items():
        holds = (frame.owner == number) & (frame.size != 0).any(axis=1)
        if holds.any():
            found[pool] = np.flatnonzero(holds).tolist()
    if sum(map(len, found.values())) > ACCOUNTS_MAX:
        detail = f"{owner} has positions in more than {ACCOUNTS_MAX} accounts; ask for each"
        raise ProblemError("malformed", detail)
    return found


HANDLERS = [
    owner_in_full,
    account,
    account_history,
    curve,
    scenarios,
    greeks,
    structures,
    positions,
]
