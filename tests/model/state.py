"""The state of one pool in plain Python: dataclasses, lists and unbounded integers.

Written from the rules, not from the kernels: it is the second opinion that the engine is
compared with after every command. Names follow the glossary; the shape is its own.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

from ringfence.core.bounds import HARD_BOUNDS, parameter_named
from ringfence.core.pool import Rule
from ringfence.core.spec import InstrumentSpec, Levels, PoolSpec, UnderlyingSpec

MILLION = 10**6
CASH = 0
INITIAL, TARGET, MAINTENANCE, CLOSEOUT = range(4)
OPEN, WITHDRAW, LIQUIDATE, DELEVERAGE, SETTLE, FUNDING = range(6)
HAIRCUT, DEPOSIT_CAP, FACTOR, HEDGE_RATE = 64, 65, 66, 67
INTEREST_LOWER, INTEREST_UPPER, POSITION_CAP, INTEREST_CAP = 68, 69, 70, 71
BAND, TAKER_FEE, MAKER_FEE, FUNDING_MAX = 72, 73, 74, 75

IN_QUOTE = ("supply_cap", "borrow_cap", "dust", "backstop_limit", "auction_cap", "halt_loss")
AUCTION, DELEVERAGING = 4, 7  # steps

# Rows: actions; columns: fresh, uncertain, stale, long stale, divergent, non-positive.
DEFAULT_TABLE = ["100000", "100000", "111000", "110000", "110000", "110000"]
MODELS = ["brackets", "standard", "scenario", "collateralised"]
KINDS = ["single", "lower", "loss", "size", "partner"]
STANDARD_RATES = [
    *("option_rate_max", "option_rate_min", "call_rate", "put_rate", "put_value_rate"),
    *("offset_scale", "unpaired_initial", "unpaired_maintenance"),
]
ACTIONS = ["open", "withdraw", "liquidate", "deleverage", "settle", "funding"]


def down(x: int, y: int, d: int) -> int:
    """x * y / d towards minus infinity."""
    return x * y // d


def up(x: int, y: int, d: int) -> int:
    """x * y / d towards plus infinity."""
    return -((-x * y) // d)


def exact(text: str, scale: int) -> int:
    """A decimal string in units of 1 / scale."""
    value = Decimal(text) * scale
    assert value == int(value), text
    return int(value)


@dataclass
class Position:
    size: int = 0
    cost: int = 0
    funding_paid: int = 0


@dataclass
class Account:
    owner: int
    number: int
    balances: list[int]
    positions: list[Position]
    due: int = 0
    uncovered: int = 0
    claim: int = 0
    debt_shares: int = 0
    supply_shares: int = 0
    backstop_shares: int = 0
    step: int = 0
    step_since: int = 0
    auction_raised: int = 0
    auction_notional: int = 0
    warned: int = 0
    protect_budget: int = 0
    protect_reduce: int = 0

    def copy(self) -> Self:
        """A copy to try something on."""
        twin = type(self)(self.owner, self.number, list(self.balances), [])
        twin.positions = [Position(p.size, p.cost, p.funding_paid) for p in self.positions]
        twin.due, twin.claim = self.due, self.claim
        twin.uncovered = self.uncovered
        twin.debt_shares, twin.supply_shares = self.debt_shares, self.supply_shares
        twin.step, twin.step_since = self.step, self.step_since
        twin.backstop_shares = self.backstop_shares
        twin.protect_budget, twin.protect_reduce = self.protect_budget, self.protect_reduce
        twin.auction_raised, twin.auction_notional = self.auction_raised, self.auction_notional
        return twin


@dataclass
class Tier:
    floor: int
    initial: int
    maintenance: int
    deduction: int = 0


@dataclass
class Underlying:
    price_max: int
    tiers: list[Tier]
    factor: list[int]
    hedge_rate: int
    interest_lower: int
    interest_upper: int
    instruments: list[int]
    price: int = 0
    confidence: int = 0
    published: int = 0
    flag: int = 0
    grace_until: int = 0
    taken: int = 0  # when the pool took the price over
    option_rate: list[int] = field(default_factory=lambda: [0] * 4)
    linear_rate: list[int] = field(default_factory=lambda: [0] * 4)


@dataclass
class Asset:
    underlying: int
    haircut: list[int]
    cap: int
    disposed_at: int = 0
    offsetting: bool = False


@dataclass
class Instrument:
    underlying: int
    expiry: int
    lot: int
    tick: int
    position_cap: int
    interest_cap: int
    band: int
    taker_fee: int
    maker_fee: int
    funding_max: int
    expired: bool = False
    mark: int = 0
    funding: int = 0
    disposed_at: int = 0
    window: int = 0
    stood: list[tuple[int, int]] = field(default_factory=list)  # prices in the window, and ms
    side: int = 0
    strike: int = 0
    valued: int = 0
    array: list[int] = field(default_factory=list)
    upcoming: list[int] = field(default_factory=list)
    filled: int = 0


@dataclass
class Change:
    parameter: int
    index: int
    old: int
    new: int
    start: int
    ramp: int
    active: bool = False


@dataclass
class State:
    divisor: int
    now: int
    room: int
    rules: list[int]
    assets: list[Asset]
    underlyings: list[Underlying]
    instruments: list[Instrument]
    bounds: dict[int, tuple[int, int]]
    allowed: list[list[bool]]
    accounts: list[Account] = field(default_factory=list)
    changes: list[Change | None] = field(default_factory=lambda: [None] * 16)
    version: int = 1
    settled_cash: int = 0
    insurance: int = 0
    insurance_claim: int = 0
    rounding: int = 0
    shortfall: int = 0
    insurance_paid: int = 0
    lender_cash: int = 0
    supply_shares: int = 0
    debt_shares: int = 0
    reserve: int = 0
    borrow_index: int = 10**12
    accrued_until: int = 0
    taken: int = 0  # by the backstop in this epoch
    drawn: int = 0  # from insurance on this day
    model: int = 0
    standard: list[int] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    moves: list[int] = field(default_factory=list)
    target: int = 0  # of insurance
    bond: int = 0
    halted_at: int = 0
    ended_at: int = 0

    def open_account(self, owner: int, number: int) -> Account:
        """Add an empty account."""
        balances = [0] * len(self.assets)
        account = Account(owner, number, balances, [Position() for _ in self.instruments])
        self.accounts.append(account)
        return account

    def value(self, size: int, price: int) -> int:
        """Quote units of a size at a price, rounded down."""
        return size * price // self.divisor

    def open_interest(self, i: int) -> int:
        """Sum of the long sizes of an instrument: counted, never carried along."""
        return sum(max(a.positions[i].size, 0) for a in self.accounts)

    def waiting(self) -> int:
        """Accounts that wait for deleveraging: counted."""
        return sum(a.step == DELEVERAGING for a in self.accounts)

    def auctioned(self) -> int:
        """Notional in auctions, as they began: counted."""
        return sum(a.auction_notional for a in self.accounts)

    def deposited(self, c: int) -> int:
        """Sum of the balances of an asset: counted as well."""
        return sum(a.balances[c] for a in self.accounts)

    def copy(self) -> Self:
        """A world apart."""
        return deepcopy(self)


def _levels(levels: Levels) -> list[int]:
    texts = (levels.initial, levels.target, levels.maintenance, levels.closeout)
    return [exact(t, MILLION) for t in texts]


def _underlying(spec: UnderlyingSpec, members: list[int], quote: int) -> Underlying:
    tiers: list[Tier] = []
    carried = 0  # exact deduction in millionths of a quote unit
    for t in spec.tiers:
        tier = Tier(exact(t.floor, quote), exact(t.initial, MILLION), exact(t.maintenance, MILLION))
        if tiers:
            carried += tier.floor * (tier.maintenance - tiers[-1].maintenance)
        tier.deduction = carried // MILLION
        tiers.append(tier)
    return Underlying(
        price_max=exact(spec.price_max, 10**9),
        tiers=tiers,
        factor=_levels(spec.factor),
        hedge_rate=exact(spec.hedge_rate, MILLION),
        interest_lower=exact(spec.open_interest_lower, quote),
        interest_upper=exact(spec.open_interest_upper, quote),
        instruments=members,
        option_rate=_levels(spec.option_rate),
        linear_rate=_levels(spec.linear_rate),
    )


def _instrument(spec: InstrumentSpec, underlying: int, slots: int) -> Instrument:
    return Instrument(
        underlying=underlying,
        expiry=spec.expiry_ns,
        lot=exact(spec.lot, 10**8),
        tick=exact(spec.tick, 10**9),
        position_cap=exact(spec.position_cap, 10**8),
        interest_cap=exact(spec.open_interest_cap, 10**8),
        band=exact(spec.price_band, MILLION),
        taker_fee=exact(spec.taker_fee, MILLION),
        maker_fee=exact(spec.maker_fee, MILLION),
        funding_max=exact(spec.funding_rate_max, 10**9),
        side={"": 0, "call": 1, "put": -1}[spec.option],
        strike=exact(spec.strike, 10**9),
        window=spec.settlement_window_seconds * 10**9,
        array=[0] * slots,
        upcoming=[0] * slots,
    )


def _rules(spec: PoolSpec, quote: int) -> list[int]:
    rules = []
    for rule in Rule:
        name = rule.name.lower()
        if name.endswith("_ns"):
            rules.append(getattr(spec.rules, name.replace("_ns", "_seconds")) * 10**9)
        else:
            scale = quote if name in IN_QUOTE else MILLION
            scale = 1 if name == "auction_resets" else scale
            rules.append(exact(str(getattr(spec.rules, name)), scale))
    return rules


def _bounds(spec: PoolSpec, quote: int) -> dict[int, tuple[int, int]]:
    bounds = {int(p): pair for p, pair in HARD_BOUNDS.items()}
    for name, (low, high) in spec.bounds.items():
        scale = MILLION
        if name.endswith("_ns"):
            scale = 10**9
        elif name == "auction_resets":
            scale = 1
        elif name in IN_QUOTE or "interest_" in name:
            scale = quote
        elif name.endswith("_cap"):
            scale = 10**8
        if name == "open_interest_cap":
            scale = 10**8
        if name == "funding_rate_max":
            scale = 10**9
        number = parameter_named(name)
        assert number is not None, name
        bounds[number] = exact(low, scale), exact(high, scale)
    return bounds


def state_from(spec: PoolSpec, *, owner: int, now_ns: int, accounts: int) -> State:
    """The state that creating a pool from the spec gives."""
    quote, margin = 10**spec.settlement_decimals, spec.margin
    slots = len(margin.scenarios) + 1 if margin.model == "scenario" else 0
    names = [u.name for u in spec.underlyings]
    members = [names.index(i.underlying) for i in spec.instruments]
    table = dict(zip(ACTIONS, ([c == "1" for c in row] for row in DEFAULT_TABLE), strict=True))
    table |= {name: [bool(x) for x in row] for name, row in spec.allowed.items()}
    state = State(
        divisor=10 ** (17 - spec.settlement_decimals),
        now=now_ns,
        room=accounts,
        rules=_rules(spec, quote),
        assets=[Asset(-1, [0] * 4, exact(spec.cash_cap, quote))],
        underlyings=[
            _underlying(s, [i for i, v in enumerate(members) if v == u], quote)
            for u, s in enumerate(spec.underlyings)
        ],
        instruments=[
            _instrument(s, u, slots) for s, u in zip(spec.instruments, members, strict=True)
        ],
        bounds=_bounds(spec, quote),
        allowed=[table[name] for name in ACTIONS],
        accrued_until=now_ns // 10**9,
        model=MODELS.index(margin.model),
        kinds=[KINDS.index(row.kind) for row in margin.scenarios],
        moves=[exact(row.move, 10**9) for row in margin.scenarios],
    )
    if margin.model == "standard":
        rates = (getattr(margin.standard, name) for name in STANDARD_RATES)
        state.standard = [exact(rate, MILLION) for rate in rates]
    for c in spec.collateral:
        cap = exact(c.deposit_cap, 10**8)
        haircut = _levels(c.haircut)
        state.assets.append(
            Asset(names.index(c.underlying), haircut, cap, offsetting=c.is_offsetting)
        )
    state.open_account(owner, 0)
    return state
