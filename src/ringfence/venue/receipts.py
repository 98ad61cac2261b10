"""Receipts: what came of a command, where it stands in the journal, and what it set off."""

from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from ringfence.columns import Column
from ringfence.core.auction import WHOLE
from ringfence.core.bounds import parameter_name
from ringfence.core.command import Happening
from ringfence.core.pool import Level, Step
from ringfence.core.spec import PoolSpec
from ringfence.core.status import Status
from ringfence.units import PPM, PRICE_UNIT, UNIT


def decimal(value: int, scale: int) -> str:
    """Return an exact decimal string of an integer in units of one over a power of ten."""
    digits = _digits_of(scale)
    text = str(abs(value)).zfill(digits + 1)
    whole, part = text[: len(text) - digits], text[len(text) - digits :].rstrip("0")
    if value < 0:
        whole = "-" + whole
    return f"{whole}.{part}" if part else whole


@cache
def _digits_of(scale: int) -> int:
    return len(str(scale)) - 1


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened, with what the decision rested on."""

    event: str
    account: int | None = None
    name: str | None = None  # instrument, asset, parameter or step
    bidder: int | None = None
    size: str | None = None
    price: str | None = None
    value: str | None = None
    bonus: str | None = None
    fee: str | None = None
    insurance: str | None = None
    shortfall: str | None = None
    equity: str | None = None
    excess_before: str | None = None
    excess_after: str | None = None
    health_before: str | None = None
    health_after: str | None = None
    publish_time_ns: int | None = None
    version: int | None = None
    scenario: int | None = None  # row of the grid in which the account lost most


class Receipt(msgspec.Struct, frozen=True):
    """Answer to one command: it is on disk when you hold this."""

    ok: bool
    status: str
    seq: int
    head: str
    time_ns: int
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class BatchReceipt:
    """Answer to a batch: one status a row, raw events, place in the journal."""

    statuses: Column
    events: NDArray[np.void]
    seq: int
    head: str
    time_ns: int

    @property
    def accepted(self) -> int:
        """Rows that were applied."""
        return int(np.count_nonzero(self.statuses == Status.OK))


def merged(parts: list[BatchReceipt]) -> BatchReceipt:
    """Return one receipt for batches that followed each other, at the place of the last."""
    if len(parts) == 1:
        return parts[0]
    return replace(
        parts[-1],
        statuses=np.concatenate([part.statuses for part in parts]),
        events=np.concatenate([part.events for part in parts]),
    )


_OF_POOL = (
    Happening.CLAIMS_PAID,
    Happening.DUE_COVERED,
    Happening.POOL_HALTED,
    Happening.POOL_ENDED,
    Happening.CLAIMS_COVERED,
)
_OF_INSTRUMENT = (
    Happening.POSITION_LIQUIDATED,
    Happening.POSITION_REDUCED,
    Happening.DELEVERAGING_AWAITED,
    Happening.POSITION_DELEVERAGED,
    Happening.WINNER_DELEVERAGED,
    Happening.INSTRUMENT_EXPIRED,
)
_OF_AUCTION = (Happening.AUCTION_STARTED, Happening.SLICE_SOLD)


def event_view(spec: PoolSpec, event: np.void) -> Event:
    """Return a raw event in names and decimals."""
    kind = Happening(int(event["kind"]))
    quote = 10**spec.settlement_decimals
    version = int(event["version"])
    if kind == Happening.CHANGE_ACTIVATED:
        name = parameter_name(int(event["account"]))
        return Event(kind.name.lower(), name=name, value=str(int(event["value"])), version=version)
    view = Event(
        kind.name.lower(),
        value=decimal(int(event["value"]), quote),
        bonus=decimal(int(event["bonus"]), quote),
        fee=decimal(int(event["fee"]), quote),
        insurance=decimal(int(event["insurance"]), quote),
        shortfall=decimal(int(event["shortfall"]), quote),
    )
    if kind in _OF_POOL:
        return view
    if kind == Happening.INSTRUMENT_EXPIRED:
        price = decimal(int(event["price"]), PRICE_UNIT)
        return msgspec.structs.replace(
            view, name=_name(spec, kind, int(event["index"])), price=price
        )
    # Of an auction, the size is a share of the account and the price one of its worth.
    is_auction = kind in _OF_AUCTION
    return msgspec.structs.replace(
        view,
        account=int(event["account"]),
        name=_name(spec, kind, int(event["index"])),
        bidder=int(event["index"]) if kind == Happening.SLICE_SOLD else None,
        size=decimal(int(event["size"]), WHOLE if is_auction else UNIT),
        price=decimal(int(event["price"]), PPM if is_auction else PRICE_UNIT),
        equity=decimal(int(event["equity"]), quote),
        excess_before=decimal(int(event["excess_before"]), quote),
        excess_after=decimal(int(event["excess_after"]), quote),
        health_before=decimal(int(event["health_before"]), PPM),
        health_after=decimal(int(event["health_after"]), PPM),
        publish_time_ns=int(event["publish_time_ns"]),
        version=version,
        scenario=None if int(event["scenario"]) < 0 else int(event["scenario"]),
    )


def _name(spec: PoolSpec, kind: Happening, index: int) -> str | None:
    """Name of the instrument or asset an event is about."""
    if kind in _OF_INSTRUMENT:
        return spec.instruments[index].name
    if kind in (Happening.COLLATERAL_LIQUIDATED, Happening.BUDGET_ADDED):
        return spec.assets()[index]
    if kind == Happening.STEP_ENDED:
        return Step(index).name.lower()
    if kind == Happening.ACCOUNT_WARNED:
        return f"below {Level(index - 1).name.lower()}" if index else "at or above initial"
    return None


def once_committed(receipt: BatchReceipt, committed: Future[bytes]) -> Future[BatchReceipt]:
    """Return a receipt that comes when its commit is done, or fails as it fails."""
    acknowledged: Future[BatchReceipt] = Future()

    def acknowledge(done: Future[bytes]) -> None:
        error = done.exception()
        if error is None:
            acknowledged.set_result(receipt)
        else:
            acknowledged.set_exception(error)

    committed.add_done_callback(acknowledge)
    return acknowledged
