"""Options of one history: drawn first, so that every seed is a different kind of trouble."""

from dataclasses import dataclass
from random import Random

from ringfence.core.command import Kind

OWNER_KINDS = {
    Kind.OPEN_ACCOUNT: 1,
    Kind.DEPOSIT: 5,
    Kind.WITHDRAW: 6,
    Kind.EXCHANGE: 4,
    Kind.FUND_INSURANCE: 2,
    Kind.SUPPLY: 4,
    Kind.REDEEM: 3,
    Kind.BORROW: 8,
    Kind.REPAY: 4,
    Kind.TRADE: 24,
    Kind.OPEN_POSITION: 6,
    Kind.EXPIRE: 1,
    Kind.SETTLE: 1,
    Kind.LIQUIDATE: 3,
    Kind.DELEVERAGE: 3,
    Kind.BID: 6,
    Kind.SUPPLY_BACKSTOP: 3,
    Kind.REDEEM_BACKSTOP: 2,
    Kind.BUY_FROM_BACKSTOP: 5,
    Kind.BUY_COLLATERAL: 3,
    Kind.FUND_BOND: 1,
    Kind.RELEASE_BOND: 1,
    Kind.PROTECT: 3,
    Kind.TOP_UP: 3,
    Kind.REDUCE: 3,
    Kind.WARN: 3,
    Kind.END_POOL: 1,
    Kind.ANNOUNCE_CHANGE: 4,
    Kind.CANCEL_CHANGE: 1,
}
# Step of a price per tick in ppm: spread, drift, and chance and size of a jump.
PROCESSES = {
    "calm": (800, 0, 0.0, 0),
    "pinned": (0, 0, 0.0, 0),
    "wild": (15_000, 0, 0.05, 100_000),
    "crash": (6_000, -9_000, 0.06, -180_000),
    "rally": (6_000, 9_000, 0.06, 180_000),
    "collapse": (3_000, -2_000, 0.08, -500_000),
}


@dataclass(frozen=True)
class Options:
    """What one history is made of; chances are per tick or per command."""

    weights: dict[Kind, int]
    process: str
    accounts: int
    commands_per_tick: int
    tick_seconds: int
    leverage: int  # position notional over cash, about
    edge: float  # chance that an amount is the last accepted one, give or take a unit
    fall: float  # chance that a mark moves to where an account falls
    odd: float  # chance that one field of a command is an extreme number
    outage: float  # chance that an oracle falls silent
    delay_seconds: int  # by which prices are published late
    basis_ppm: int  # mark away from index
    leap: float  # chance that the clock leaps by hours
    keeper: float  # chance that the unhealthy are liquidated in a tick
    settler: float  # chance that a tick settles


def draw_options(rng: Random) -> Options:
    """Draw a swarm member: weights are skewed and some kinds are missing altogether."""
    weights = {k: int(w * 10 * rng.random() ** 2) + 1 for k, w in OWNER_KINDS.items()}
    for kind in rng.sample(list(weights), rng.choice((0, 0, 2, 4))):
        weights[kind] = 0
    return Options(
        weights=weights,
        process=rng.choice(list(PROCESSES)),
        accounts=rng.choice((2, 3, 5, 9)),
        commands_per_tick=rng.choice((2, 6, 12, 20)),
        tick_seconds=rng.choice((0, 1, 20, 120, 400, 900)),
        leverage=rng.choice((2, 8, 16, 40)),
        edge=rng.choice((0.0, 0.03, 0.15)),
        fall=rng.choice((0.0, 0.2, 0.6)),
        odd=rng.choice((0.0, 0.01, 0.05)),
        outage=rng.choice((0.0, 0.02, 0.08)),
        delay_seconds=rng.choice((0, 0, 0, 2, 280, 320)),
        basis_ppm=rng.choice((0, 2_000, 30_000)),
        leap=rng.choice((0.0, 0.02, 0.1)),
        keeper=rng.choice((0.1, 0.6, 1.0)),
        settler=rng.choice((0.02, 0.1, 0.5)),
    )
