"""The ring-fence: everything one pool knows, as int64 columns.

A kernel takes one Pool and has no name for another; that is the isolation. Account 0 is the
pool's backstop. Asset 0 is the settlement asset, called cash: its balance is in quote units
and it has neither price nor haircut.

The settlement identity, after every command, with sums over all accounts:

    sum(claim) + insurance claim = sum(due) + settled cash + sum(cost) + rounding
"""

from enum import IntEnum, unique
from typing import Any

import numpy as np

from ringfence.columns import Column, Columns

BACKSTOP = 0  # the account that takes over what is liquidated
CASH = 0  # the settlement asset among the collateral assets


@unique
class Level(IntEnum):
    """Strictness of a margin check; each level demands at least what the next one does."""

    INITIAL = 0
    TARGET = 1
    MAINTENANCE = 2
    CLOSEOUT = 3


@unique
class Step(IntEnum):
    """How far down the waterfall an account is; numbered as in the documentation."""

    NONE = 0
    AUCTION = 4  # slices of it are offered
    DELEVERAGING = 7  # it waits to be closed against the other side


@unique
class MarginModel(IntEnum):
    """How a pool demands margin; fixed at its creation."""

    BRACKETS = 0  # tiered rates on the net notional; no options
    STANDARD = 1  # rules per option, at most the largest loss of an expiry
    SCENARIO = 2  # the worst of a grid of revaluations
    COLLATERALISED = 3  # every position posts its largest loss


@unique
class Total(IntEnum):
    """Rows of the column `total`."""

    NOW_NS = 0  # the pool's clock
    ACCOUNTS = 1  # accounts opened, the backstop included
    VERSION = 2  # of the parameters, one up with each change that becomes active
    SETTLED_CASH = 3  # collected losses on their way to claims
    INSURANCE_FUND = 4
    INSURANCE_CLAIM = 5  # what dues still owe to the insurance fund
    ROUNDING = 6  # funding realised by some and not yet by others; zero after a settlement
    SHORTFALL = 7  # losses that nobody paid, since creation
    INSURANCE_PAID = 8  # paid by the insurance fund, since creation
    LENDER_CASH = 9  # lent to the pool and not drawn
    SUPPLY_SHARES = 10
    DEBT_SHARES = 11
    RESERVE = 12  # the insurance fund's part of interest, still with the lenders
    BORROW_INDEX = 13  # quote units of debt per BASE shares
    ACCRUED_UNTIL = 14  # seconds since 1970
    BACKSTOP_SHARES = 15  # of those who supplied capital to the backstop
    BACKSTOP_TAKEN = 16  # notional taken over by the backstop in this epoch
    INSURANCE_DRAWN = 17  # paid by the insurance fund on this day
    AUCTIONED = 18  # notional of the accounts that are being auctioned, as they began
    WAITING = 19  # accounts that wait for deleveraging; withdrawals wait with them
    INSURANCE_TARGET = 20  # what the fund should hold, measured at the last settlement
    BOND = 21  # of the creator; the first money that is lost when the pool halts
    HALTED_AT = 22  # ns; 0 while the pool is not halted
    ENDED_AT = 23  # ns of the first final settlement; 0 before it


@unique
class Rule(IntEnum):
    """Rows of the column `rule`: numbers of the whole pool that may be adjusted."""

    RATE_BASE = 0  # ppm a year
    RATE_SLOPE1 = 1  # ppm a year from nothing to the kink
    RATE_SLOPE2 = 2  # ppm a year from the kink to full utilisation
    RATE_KINK = 3  # ppm of utilisation
    RESERVE_FACTOR = 4  # ppm of interest that goes to the insurance fund
    SUPPLY_CAP = 5  # quote units
    BORROW_CAP = 6  # quote units
    PROFIT_WEIGHT = 7  # ppm of uncollected profit that counts as initial margin
    BONUS_MIN = 8  # ppm, liquidation bonus at health factor 1
    BONUS_MAX = 9  # ppm, at health factor BONUS_HEALTH and below
    BONUS_HEALTH = 10  # ppm
    LIQUIDATION_FEE = 11  # ppm of the liquidated value, to the insurance fund
    DUST = 12  # quote units: a position left smaller than this is closed whole
    INSURANCE_DRAW = 13  # ppm of the insurance fund that one event may draw
    CONFIDENCE_MAX = 14  # ppm of the price; wider is uncertain
    STALE_NS = 15  # age at which a price is stale
    LONG_STALE_NS = 16  # age at which it counts as an outage
    GRACE_NS = 17  # time to add collateral after an outage
    CHANGE_DELAY_NS = 18  # notice before a change starts
    RAMP_NS = 19  # shortest ramp of a change that touches requirements
    BACKSTOP_LIMIT = 20  # quote units of notional that the backstop may take over in an epoch
    BACKSTOP_RESERVE = 21  # ppm of its notional that its equity must cover; 0: it takes anything
    EPOCH_NS = 22  # of the backstop's limit
    INSURANCE_DRAW_DAY = 23  # ppm of the insurance fund that one day may draw
    DISPOSAL = 24  # ppm of a holding of the backstop that may be sold at a time
    DISPOSAL_NS = 25  # time between two such sales
    AUCTION_START = 26  # ppm of a slice's worth that its buyer pays at first
    AUCTION_FLOOR = 27  # ppm, at the end
    AUCTION_NS = 28  # from start to floor; 0: no auctions
    AUCTION_RESETS = 29  # times that an auction begins anew before the backstop is asked
    AUCTION_CAP = 30  # quote units of notional in auctions at the same time
    INSURANCE_SHARE = 31  # ppm of trading fees for the insurance fund, the rest for the backstop
    STRESS = 32  # ppm by which all prices move in the shocks behind the fund's target
    HALT_LOSS = 33  # quote units of losses that nobody paid, at which the pool halts
    HALT_NS = 34  # notice between the halt and the final settlement


class Pool(Columns):
    """One pool.

    Axes: a account, c collateral asset, u underlying, i instrument, t tier, s scenario.
    """

    MATRICES = (
        "balance",
        "size",
        "cost",
        "funding_paid",
        "haircut",
        "factor",
        "tier_floor",
        "tier_initial_rate",
        "tier_maintenance_rate",
        "tier_deduction",
        "option_rate",
        "linear_rate",
        "risk_array",
        "risk_array_next",
        "allowed",
        "change",
    )

    # Accounts
    owner: Column  # [a] registry number of the owner
    number: Column  # [a] the owner's number for the account
    balance: Column  # [a, c] 1e-8 coin; cash in quote units
    size: Column  # [a, i] 1e-8 contract, long > 0
    cost: Column  # [a, i] quote units paid for the position
    funding_paid: Column  # [a, i] funding index up to which the position has paid
    due: Column  # [a] quote units: realised loss that cash could not cover
    uncovered: Column  # [a] quote units of the due that is recorded as a shortfall already
    claim: Column  # [a] quote units: realised profit not yet collected from losers
    debt_shares: Column  # [a] shares of the pool's debt
    supply_shares: Column  # [a] shares of the lenders
    backstop_shares: Column  # [a] shares of the backstop's capital
    step: Column  # [a] Step of the waterfall the account is in
    step_since: Column  # [a] ns; 0 where it is in none
    auction_raised: Column  # [a] quote units its auction has brought so far
    auction_notional: Column  # [a] quote units counted in AUCTIONED
    warned: Column  # [a] levels that the account was last told it is below
    protect_budget: Column  # [a] quote units of the wallet that the owner lets be added
    protect_reduce: Column  # [a] 1: the owner lets positions be reduced below target
    # Collateral assets
    asset_underlying: Column  # [c] whose index price values it; -1 for cash
    haircut: Column  # [level, c] ppm
    deposit_cap: Column  # [c] 1e-8 coin, quote units for cash
    deposited: Column  # [c] sum of the balances
    asset_disposed_at: Column  # [c] ns: the backstop's last sale of it
    is_offsetting: Column  # [c] 1: it moves in the scenarios of its underlying
    # Underlyings
    index_price: Column  # [u] 1e-9 settlement currency per coin; 0 before the first
    index_since: Column  # [u] ns: time of the pool at which it took the price over
    confidence: Column  # [u] half-width of the price, in price units
    publish_time: Column  # [u] ns
    price_flag: Column  # [u] Flag set by the oracle
    grace_until: Column  # [u] ns
    price_max: Column  # [u] price units
    factor: Column  # [level, u] ppm applied to the bracket requirement
    hedge_rate: Column  # [u] ppm of the notional hedged by another leg
    open_interest_lower: Column  # [u] quote units: initial margin starts to rise here
    open_interest_upper: Column  # [u] quote units: and is full notional here
    tier_floor: Column  # [u, t] quote units of net notional
    tier_initial_rate: Column  # [u, t] ppm
    tier_maintenance_rate: Column  # [u, t] ppm
    tier_deduction: Column  # [u, t] quote units
    option_rate: Column  # [level, u] ppm of the index price, per option net short
    linear_rate: Column  # [level, u] ppm of the notional of perpetuals and futures
    first_instrument: Column  # [u + 1] instruments of u are first[u] .. first[u + 1] - 1
    # Instruments
    instrument_underlying: Column  # [i]
    expiry: Column  # [i] ns; 0 for a perpetual
    expired: Column  # [i] 1 once settled
    window_ns: Column  # [i] before expiry, over which the index price is averaged
    average_high: Column  # [i] upper bits of the prices in the window, times ms
    average_low: Column  # [i] their lower 30 bits, times ms
    average_ms: Column  # [i] ms of the window that count so far, but for the current price
    option_side: Column  # [i] 1 call, -1 put, 0 perpetual or future
    strike: Column  # [i] price units; 0 where it is no option
    valued_at: Column  # [i] ns: time of the last option mark or whole risk array; 0 before
    risk_array: Column  # [i, slot] quote units per lot: delta, then profit in each scenario
    risk_array_next: Column  # [i, slot] the one being written
    risk_slots: Column  # [i] slots of it that are written
    lot: Column  # [i] 1e-8 contract
    tick: Column  # [i] price units; lot times tick is a whole number of quote units
    mark_price: Column  # [i] price units; 0 before the first
    open_interest: Column  # [i] 1e-8 contract, sum of long sizes
    funding_index: Column  # [i] price units per contract, cumulated
    position_cap: Column  # [i] 1e-8 contract, of one account
    open_interest_cap: Column  # [i] 1e-8 contract
    price_band: Column  # [i] ppm a trade may be away from the mark price
    taker_fee: Column  # [i] ppm of the notional, to the insurance fund
    maker_fee: Column  # [i] ppm
    funding_rate_max: Column  # [i] 1e-9 of the mark price per accrual
    disposed_at: Column  # [i] ns: the backstop's last sale of it
    # The whole pool
    margin_model: Column  # [1] MarginModel
    standard_rate: Column  # [StandardRate] ppm; empty in other models
    scenario_kind: Column  # [s] ScenarioKind
    scenario_move: Column  # [s] 1e-9 of spot, as far as it counts
    value_divisor: Column  # [1] size units times price units in one quote unit
    total: Column  # [Total]
    rule: Column  # [Rule]
    allowed: Column  # [action, validity] 1: the action may use such a price
    bound_min: Column  # [Parameter]
    bound_max: Column  # [Parameter]
    change: Column  # [pending change, ChangeField]


# Columns with an account axis; they grow, the others never do.
ACCOUNT_COLUMNS = (
    "owner",
    "number",
    "balance",
    "size",
    "cost",
    "funding_paid",
    "due",
    "uncovered",
    "claim",
    "debt_shares",
    "supply_shares",
    "backstop_shares",
    "step",
    "step_since",
    "auction_raised",
    "auction_notional",
    "warned",
    "protect_budget",
    "protect_reduce",
)

_OF_ACCOUNTS = frozenset(ACCOUNT_COLUMNS)
_CANONICAL = np.dtype("<i8")


def account_count(pool: Pool) -> int:
    """Accounts opened in the pool, the backstop included."""
    return int(pool.total[Total.ACCOUNTS])


def capacity(pool: Pool) -> int:
    """Accounts the columns have room for."""
    return len(pool.owner)


def grown(pool: Pool, accounts: int) -> Pool:
    """Return the pool with room for at least this many accounts; between batches only."""
    if accounts <= capacity(pool):
        return pool
    room = max(accounts, 2 * capacity(pool))
    wider = {}
    for name in ACCOUNT_COLUMNS:
        old = getattr(pool, name)
        wider[name] = np.zeros((room, *old.shape[1:]), dtype=np.int64)
        wider[name][: len(old)] = old
    return pool.replaced(**wider)


def copied(pool: Pool) -> Pool:
    """Return a copy that shares no byte with the pool; for simulations and tests."""
    return Pool(**{name: column.copy() for name, column in pool.items()})


def pool_bytes(pool: Pool) -> bytes:
    """Canonical bytes of the state: every column, little-endian, spare capacity left out."""
    count = account_count(pool)
    used: list[Any] = [c[:count] if name in _OF_ACCOUNTS else c for name, c in pool.items()]
    return b"".join(used if _CANONICAL.isnative else [c.astype(_CANONICAL) for c in used])


def with_bytes(pool: Pool, state: bytes) -> Pool:
    """Return a pool of the same shape with the state that pool_bytes gave.

    Raises:
        ValueError: The bytes do not fit a pool of this shape.
    """
    words = np.frombuffer(state, dtype="<i8").astype(np.int64)
    per_account = sum(int(np.prod(getattr(pool, n).shape[1:])) for n in ACCOUNT_COLUMNS)
    fixed = sum(c.size for n, c in pool.items() if n not in ACCOUNT_COLUMNS)
    count, rest = divmod(words.size - fixed, per_account)
    if rest or count < 1:
        raise ValueError(f"{len(state)} bytes are not a state of this pool")
    columns, start = {}, 0
    for name, column in pool.items():
        shape = (count, *column.shape[1:]) if name in ACCOUNT_COLUMNS else column.shape
        stop = start + int(np.prod(shape))
        columns[name] = words[start:stop].reshape(shape).copy()
        start = stop
    return Pool(**columns)
