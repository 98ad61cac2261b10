"""Snapshots: what readers see of the venue between two batches, never while one runs.

A frame holds the figures of one pool that everybody watches. Whoever wants to know more of a
pool looks at a copy of it, which the writer makes when it is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ringfence.columns import Column
from ringfence.core.pool import Total
from ringfence.core.spec import PoolSpec
from ringfence.core.validity import Validity
from ringfence.journal.entry import Entry
from ringfence.risk.measure import Measure, figure_places, measured
from ringfence.risk.survey import Survey
from ringfence.service.revaluing import Markets
from ringfence.service.waterfall import Offered, offers_of, steps_of
from ringfence.units import UNIT
from ringfence.venue.state import PoolRecord, State
from ringfence.venue.venue import Venue


@dataclass(frozen=True)
class Facts:
    """What never changes of a pool."""

    id: str
    name: str
    spec: PoolSpec
    creator: str

    @cached_property
    def quote(self) -> int:
        """Smallest units in one of the settlement asset."""
        return int(10**self.spec.settlement_decimals)

    @cached_property
    def underlyings(self) -> list[str]:
        """Their names."""
        return [underlying.name for underlying in self.spec.underlyings]

    @cached_property
    def instruments(self) -> list[str]:
        """Their names."""
        return [instrument.name for instrument in self.spec.instruments]

    @cached_property
    def assets(self) -> list[tuple[str, int]]:
        """Names of the collateral assets, cash first, and smallest units in one of each."""
        scales = [self.quote, *([UNIT] * len(self.spec.collateral))]
        return list(zip(self.spec.assets(), scales, strict=True))

    @cached_property
    def places(self) -> dict[str, slice]:
        """Where the columns of the pool are among its figures."""
        return figure_places(len(self.underlyings), len(self.instruments), len(self.assets))

    @cached_property
    def kind(self) -> str:
        """What it is for."""
        if any(instrument.option for instrument in self.spec.instruments):
            return "options"
        return "derivatives" if self.spec.instruments else "lending"


class Frame(NamedTuple):
    """One pool at one moment; quote units and price units, as in its columns."""

    facts: Facts
    figures: list[int]  # as of risk.measure: Total, Measure, and so on
    rows: Column  # [field of a survey, a]
    steps: Column  # [a] as of waterfall.steps_of
    offers: tuple[Offered, ...]
    size: Column  # [a, i]
    balance: Column  # [a, c]
    owner: Column  # [a]
    number: Column  # [a]
    value_divisor: int

    @property
    def time_ns(self) -> int:
        """The pool's clock."""
        return self.figures[_NOW_NS]

    @property
    def survey(self) -> Survey:
        """What every account is worth, needs and owes."""
        return Survey(*self.rows)

    def column(self, name: str) -> list[int]:
        """A column of the pool, one of `figure_places`."""
        return self.figures[self.facts.places[name]]


CLASSES = [one.name.lower() for one in Validity]


def owner_of(frame: Frame, a: int, owners: list[bytes]) -> str:
    """Address of the owner of an account."""
    return "0x" + owners[int(frame.owner[a])].hex()


class Counters(NamedTuple):
    """What the writer has done since it began."""

    ticks: int = 0
    commands: int = 0
    refused: int = 0
    tick_ns: int = 0  # the last one took
    busy_ns: int = 0  # of its thread, altogether


@dataclass(frozen=True)
class Snapshot:
    """The whole venue after the entry `seq`."""

    turn: int  # goes up by one with each snapshot
    seq: int
    head: str
    time_ns: int
    frames: Mapping[str, Frame]  # by pool id
    copies: Mapping[bytes, PoolRecord]  # of the pools that somebody looks at
    markets: Markets  # of the options whose prices are played
    entries: tuple[Entry, ...]  # committed since the snapshot before
    owners: list[bytes]  # by registry number; only ever grows
    assets: tuple[tuple[str, int], ...]  # name and decimals
    counters: Counters
    queue: int  # commands that wait
    source_state: str  # none, playing or ended


# Plain integers and one column, for these are looked at for every pool in every snapshot.
_IN_STEPS, _LOSS_SHARED, _NOW_NS = map(int, (Measure.IN_STEPS, Measure.LOSS_SHARED, Total.NOW_NS))


def frame_of(facts: Facts, record: PoolRecord) -> Frame:
    """Return the figures of a pool now."""
    pool = record.pool
    rows, figures = measured(pool)
    count = rows.shape[1]
    has_steps = figures[_IN_STEPS] or figures[_LOSS_SHARED]
    steps = steps_of(pool) if has_steps else np.zeros(count, dtype=np.int64)
    return Frame(
        facts=facts,
        figures=figures,
        rows=rows,
        steps=steps,
        offers=offers_of(facts.spec, pool, steps) if figures[_IN_STEPS] else (),
        size=pool.size[:count].copy(),
        balance=pool.balance[:count].copy(),
        # Written once, when an account is opened, so these need no copy.
        owner=pool.owner[:count],
        number=pool.number[:count],
        value_divisor=int(pool.value_divisor[0]),
    )


class Camera:
    """Takes frames of all pools, and knows what never changes of each."""

    def __init__(self) -> None:
        self._facts: dict[bytes, Facts] = {}

    def facts(self, state: State, record: PoolRecord) -> Facts:
        """Return what never changes of a pool."""
        found = self._facts.get(record.id)
        if found is None:
            creator = "0x" + state.owners[record.creator].hex()
            found = Facts(record.id.hex(), record.spec.name, record.spec, creator)
            self._facts[record.id] = found
        return found

    def frames(self, venue: Venue) -> dict[str, Frame]:
        """Return a frame of every pool, oldest first."""
        state = venue.state
        found = (frame_of(self.facts(state, r), r) for r in state.pools.values())
        return {frame.facts.id: frame for frame in found}
