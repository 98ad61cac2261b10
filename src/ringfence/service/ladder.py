"""The liquidation ladder of one underlying, in buckets of its price."""

from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from ringfence.columns import Column
from ringfence.core.pool import Pool, Total
from ringfence.risk.rungs import rungs
from ringfence.risk.survey import survey
from ringfence.risk.thresholds import NOTHING, SEVERAL
from ringfence.units import MS_NS, PRICE_UNIT
from ringfence.venue.receipts import decimal
from ringfence.venue.state import PoolRecord

LOWEST, HIGHEST = 1, 3  # halves of the price: buckets lie between


class Load(msgspec.Struct, frozen=True):
    """Accounts, and what they hold or owe in the settlement asset."""

    accounts: int
    notional: str


class Bucket(msgspec.Struct, frozen=True):
    """Who is liquidated when the price gets here."""

    lower: str
    upper: str
    down: Load
    up: Load


class Sides(msgspec.Struct, frozen=True):
    """Both directions."""

    down: Load
    up: Load


class Ladder(msgspec.Struct, frozen=True):
    """Who is liquidated at which price, all other prices unchanged."""

    pool: str
    underlying: str
    price: str | None
    time_ms: int
    buckets: list[Bucket]
    beyond: Sides
    several: Load
    unknown: dict[str, str]


def directions(pool: Pool, u: int, on: Column) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Accounts that a fall of underlying u liquidates, and those that a rise does."""
    instruments = np.flatnonzero(pool.instrument_underlying == u)
    assets = np.flatnonzero(pool.asset_underlying == u)
    falls = np.concatenate((2 * instruments, 2 * len(pool.mark_price) + assets))
    return np.isin(on, falls), np.isin(on, 2 * instruments + 1)


def ladder_of(record: PoolRecord, u: int, count: int) -> Ladder:
    """Return the ladder of an underlying in so many buckets."""
    pool, spec = record.pool, record.spec
    on, reached = rungs(pool)
    found = survey(pool)
    load = np.where(found.notional > 0, found.notional, found.debt)
    down, up = directions(pool, u, on)
    price = int(pool.index_price[u])
    quote = 10**spec.settlement_decimals
    edges = [price * LOWEST // 2 + price * k // count for k in range(count + 1)]
    assert not edges or edges[-1] <= price * HIGHEST // 2

    def load_of(chosen: NDArray[np.bool_]) -> Load:
        return Load(int(chosen.sum()), decimal(int(load[chosen].sum()), quote))

    buckets = []
    for low, high in pairwise(edges):
        here = (reached >= low) & (reached < high)
        shown = decimal(low, PRICE_UNIT), decimal(high, PRICE_UNIT)
        buckets.append(Bucket(*shown, load_of(down & here), load_of(up & here)))
    inside = (reached >= edges[0]) & (reached < edges[-1])
    is_priced = price > 0
    return Ladder(
        pool=record.id.hex(),
        underlying=spec.underlyings[u].name,
        price=decimal(price, PRICE_UNIT) if is_priced else None,
        time_ms=int(pool.total[Total.NOW_NS]) // MS_NS,
        buckets=buckets if is_priced else [],
        beyond=Sides(load_of(down & ~inside), load_of(up & ~inside)),
        several=load_of(on == SEVERAL),
        unknown={} if is_priced else {"price": "the underlying has no price yet"},
    )


assert NOTHING < 0 > SEVERAL
