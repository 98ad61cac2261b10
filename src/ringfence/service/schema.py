"""What goes over the wire, as docs/reference/http.md describes it.

Amounts are decimal strings, times milliseconds, unknown is null.
"""

from typing import Any

import msgspec

from ringfence.service.waterfall_schema import PoolWaterfall, Waterfall
from ringfence.signing.typed import Domain
from ringfence.venue.option_views import WorstScenario
from ringfence.venue.simulation import Difference
from ringfence.venue.standing import RankView
from ringfence.venue.views import Margins, PositionView


class Asset(msgspec.Struct, frozen=True):
    """An asset that the venue lists."""

    asset: str
    decimals: int


class Source(msgspec.Struct, frozen=True):
    """Where prices come from."""

    kind: str  # replay or none
    state: str  # playing, ended or none
    description: str
    speed: str
    faucet: dict[str, str] = {}  # money that `POST /v1/faucet` gives, by asset; none: it does not
    start_ms: int | None = None
    end_ms: int | None = None


class Stats(msgspec.Struct, frozen=True):
    """The venue in figures; money in the settlement assets, added up one to one."""

    seq: int
    head: str
    time_ms: int
    source_state: str
    ticks: int
    entries_per_second: str
    commands: int
    refused: int
    liquidations: int
    accounts: int
    active: int
    at_risk: int
    auctions: int
    waiting: int
    halted: int
    equity: str
    open_interest_value: str
    total_debt: str
    insurance_fund: str
    shortfall: str
    tick_ms: str
    queue: int
    viewers: int
    histogram: tuple[int, ...]


class VenueAnswer(msgspec.Struct, frozen=True):
    """The whole venue."""

    run: str
    seq: int
    head: str
    time_ms: int
    pools: int
    accounts: int
    owners: int
    assets: tuple[Asset, ...]
    source: Source
    domain: Domain | None  # what signatures are bound to; null: none are taken
    receipt_signer: str  # address of the key that signs receipts
    stats: Stats


class PoolSummary(msgspec.Struct, frozen=True):
    """A pool as lists and cards show it."""

    id: str
    name: str
    kind: str
    settlement: str
    version: int
    time_ms: int
    accounts: int
    active: int
    prices: dict[str, str | None]
    validity: dict[str, str]
    marks: dict[str, str | None]
    open_interest: dict[str, str]
    open_interest_value: str
    equity: str
    requirement: str
    total_debt: str
    utilisation: str
    insurance_fund: str
    insurance_coverage: str | None
    shortfall: str
    unpaid_claims: str
    worst_health: str | None
    worst_account: int | None
    at_risk: int
    liquidations: int
    auctions: int
    waiting: int
    halted_ms: int | None
    histogram: tuple[int, ...]
    unknown: dict[str, str]


class AccountRow(msgspec.Struct, frozen=True):
    """An account as tables show it."""

    # The step of the waterfall that it is in: none, auction, deleveraging or loss_shared.
    step: str

    pool: str
    pool_name: str
    account: int
    owner: str
    number: int
    health_factor: str | None
    equity: str
    excess: str
    requirement: str
    notional: str
    debt: str
    leverage: str | None
    positions: dict[str, str]
    balances: dict[str, str]
    unknown: dict[str, str]


class Funding(msgspec.Struct, frozen=True):
    """Funding of an instrument."""

    index: str  # settlement currency per contract, cumulated
    rate_max: str


class Pool(PoolSummary, frozen=True):
    """A pool in full."""

    creator: str
    assets: tuple[str, ...]
    deposited: dict[str, str]
    settled_cash: str
    dues: str
    insurance_paid: str
    lender_assets: str
    borrow_rate: str
    funding: dict[str, Funding]
    underlyings: list[dict[str, Any]]
    instruments: list[dict[str, Any]]
    collateral: list[dict[str, Any]]
    backstop: AccountRow
    waterfall: PoolWaterfall


class PoolPage(msgspec.Struct, frozen=True):
    """Some pools."""

    items: list[PoolSummary]
    next: str | None
    total: int


class AccountPage(msgspec.Struct, frozen=True):
    """Some accounts."""

    items: list[AccountRow]
    next: str | None
    total: int


class Account(msgspec.Struct, frozen=True):
    """An owner's standing in one pool."""

    pool: str
    pool_name: str
    owner: str
    number: int
    account: int
    seq: int
    time_ms: int
    balances: dict[str, str]
    positions: tuple[PositionView, ...]
    debt: str
    due: str
    claim: str
    supply_shares: str
    collateral_value: str
    uncollected_result: str
    equity: str
    requirement: Margins
    excess: Margins
    free_margin: str
    health_factor: str | None
    margin_ratio: str | None
    leverage: str | None
    shock_down: str | None
    shock_up: str | None
    distance: str | None
    distance_deviations: str | None
    unknown: dict[str, str]
    backstop_shares: str
    protect_budget: str
    may_reduce: bool
    waterfall: Waterfall
    deleveraging: tuple[RankView, ...]
    worst_scenarios: tuple[WorstScenario, ...]


class Owner(msgspec.Struct, frozen=True):
    """An owner: money outside of pools, and accounts in them."""

    owner: str
    wallet: dict[str, str]
    accounts: list[AccountRow]


class Price(msgspec.Struct, frozen=True):
    """The newest price of a feed."""

    feed: str
    index_price: str
    mark_price: str
    publish_time_ms: int
    confidence: str
    flag: str
    sources: tuple[str, ...]
    seq: int


class Liquidation(msgspec.Struct, frozen=True):
    """One step of a liquidation."""

    seq: int
    row: int
    time_ms: int
    pool: str
    pool_name: str
    event: str
    account: int | None
    owner: str | None
    number: int | None
    name: str | None
    bidder: int | None
    size: str | None
    price: str | None
    value: str | None
    bonus: str | None
    fee: str | None
    insurance: str | None
    shortfall: str | None
    equity: str | None
    excess_before: str | None
    excess_after: str | None
    health_before: str | None
    health_after: str | None
    publish_time_ms: int | None
    version: int | None
    scenario: int | None


class LiquidationPage(msgspec.Struct, frozen=True):
    """Some liquidations, newest first."""

    items: list[Liquidation]
    next: str | None


class EntryPage(msgspec.Struct, frozen=True):
    """Some journal entries, newest first."""

    items: list[dict[str, Any]]
    next: str | None


class ReceiptInFull(msgspec.Struct, frozen=True):
    """An entry with what it rested on."""

    entry: dict[str, Any]
    previous_head: str
    prices: list[Price]
    version: int | None


class Receipt(msgspec.Struct, frozen=True):
    """Answer to a command; it is on disk."""

    ok: bool
    status: str
    seq: int
    head: str
    time_ms: int
    signer: str  # address of the key that vouches for seq, head and time
    signature: str
    events: tuple[dict[str, Any], ...] = ()
    reason: str | None = None  # why the venue itself refused
    created: str | None = None  # id of the pool or the read-only key that was made
    secret: str | None = None  # of the read-only key
    client_id: str | None = None
    repeated: bool = False


class Received(msgspec.Struct, frozen=True):
    """Money that an owner was given."""

    owner: str
    wallet: dict[str, str]
    time_ms: int


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong with a journal."""

    seq: int | None
    code: str
    message: str


class Report(msgspec.Struct, frozen=True):
    """What a verification found."""

    ok: bool
    entries: int
    head: str
    problems: list[Finding]


class Verification(msgspec.Struct, frozen=True):
    """How far a verification is."""

    state: str  # idle, running or done
    entries: int
    done: int
    report: Report | None
    unknown: dict[str, str]  # what is not checked, and why


class Standing(msgspec.Struct, frozen=True):
    """An account before and after a simulation."""

    before: Account | None
    after: Account
    difference: Difference | None


class Simulation(msgspec.Struct, frozen=True):
    """What commands would do."""

    statuses: tuple[str, ...]
    events: tuple[dict[str, Any], ...]
    accounts: tuple[Standing, ...]


class History(msgspec.Struct, frozen=True):
    """Points over time, oldest first."""

    every_ms: int
    points: list[dict[str, Any]]


class SessionKey(msgspec.Struct, frozen=True):
    """A session key that was not revoked."""

    key: str
    scopes: tuple[str, ...]
    pools: tuple[str, ...]  # ids; none: every pool
    notional_max: str
    used: dict[str, str]  # notional by pool, in its settlement asset
    until_ms: int
    is_expired: bool


class ReadOnlyKey(msgspec.Struct, frozen=True):
    """A read-only key that was not revoked."""

    key: str
    until_ms: int
    is_expired: bool


class OwnerKeys(msgspec.Struct, frozen=True):
    """An owner's keys, and the highest nonce that each of them, and the wallet, has used."""

    owner: str
    time_ms: int
    session_keys: list[SessionKey]
    read_only_keys: list[ReadOnlyKey]
    nonces: dict[str, str]
