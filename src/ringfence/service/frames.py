"""Snapshots: what readers see of the venue between two batches, never while one runs.

A frame holds the figures of one pool that everybody watches. Whoever wants to know more of a
pool looks at a copy of it, which the writer makes when it is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ringfence.columns import Column
from ringfence.core.backstop import full_capital
from ringfence.core.health import open_interest_value
from ringfence.core.lending import borrow_rate, lender_assets, total_debt, utilisation
from ringfence.core.pool import Total, account_count
from ringfence.core.spec import PoolSpec
from ringfence.core.validity import Validity, validity
from ringfence.journal.entry import Entry
from ringfence.risk.survey import Survey, survey
from ringfence.service.revaluing import Markets
from ringfence.service.waterfall import Offered, offers_of, steps_of
from ringfence.venue.state import PoolRecord, State
from ringfence.venue.venue import Venue


@dataclass(frozen=True)
class Facts:
    """What never changes of a pool."""

    id: str
    name: str
    spec: PoolSpec
    creator: str

    @property
    def kind(self) -> str:
        """What it is for."""
        if any(instrument.option for instrument in self.spec.instruments):
            return "options"
        return "derivatives" if self.spec.instruments else "lending"


class Frame(NamedTuple):
    """One pool at one moment; quote units and price units, as in its columns."""

    facts: Facts
    time_ns: int
    total: list[int]  # [Total]
    rule: list[int]  # [Rule]
    value_divisor: int
    index_price: list[int]
    validity: list[Validity]
    mark_price: list[int]
    open_interest: list[int]
    deposited: list[int]
    funding_index: list[int]
    funding_rate_max: list[int]
    open_interest_value: int
    total_debt: int
    lender_assets: int
    utilisation: int
    borrow_rate: int
    unpaid_claims: int
    dues: int
    backstop_capital: int
    survey: Survey
    steps: Column  # [a] as of waterfall.steps_of
    offers: tuple[Offered, ...]
    size: Column  # [a, i]
    balance: Column  # [a, c]
    owner: Column  # [a]
    number: Column  # [a]


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


def frame_of(facts: Facts, record: PoolRecord) -> Frame:
    """Return the figures of a pool now."""
    pool = record.pool
    count = account_count(pool)
    underlyings = range(len(pool.index_price))
    steps = steps_of(pool)
    is_owed = bool(pool.total[Total.DEBT_SHARES])  # most pools lend nothing
    return Frame(
        facts=facts,
        time_ns=int(pool.total[Total.NOW_NS]),
        total=pool.total.tolist(),
        rule=pool.rule.tolist(),
        value_divisor=int(pool.value_divisor[0]),
        index_price=pool.index_price.tolist(),
        validity=[Validity(validity(pool, u)) for u in underlyings],
        mark_price=pool.mark_price.tolist(),
        open_interest=pool.open_interest.tolist(),
        deposited=pool.deposited.tolist(),
        funding_index=pool.funding_index.tolist(),
        funding_rate_max=pool.funding_rate_max.tolist(),
        open_interest_value=sum(
            int(open_interest_value(pool, u)) for u in underlyings if len(pool.mark_price)
        ),
        total_debt=int(total_debt(pool)) if is_owed else 0,
        lender_assets=int(lender_assets(pool)),
        utilisation=int(utilisation(pool)) if is_owed else 0,
        borrow_rate=int(borrow_rate(pool)),
        unpaid_claims=int(pool.claim[:count].sum()),
        dues=int(pool.due[:count].sum()),
        backstop_capital=int(full_capital(pool)),
        survey=survey(pool),
        steps=steps,
        offers=offers_of(facts.spec, pool, steps),
        size=pool.size[:count].copy(),
        balance=pool.balance[:count].copy(),
        # Written once, when an account is opened, so these need no copy.
        owner=pool.owner[:count],
        number=pool.number[:count],
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
