"""The pool that a story starts from, and the words of its commands."""

from ringfence.core.command import Kind
from ringfence.core.spec import (
    CollateralSpec,
    InstrumentSpec,
    Levels,
    PoolSpec,
    Tier,
    UnderlyingSpec,
)
from ringfence.units import DAY_NS, SECOND_NS

START_NS = 1_700_000_000 * SECOND_NS
HAIRCUT = Levels("0.2", "0.16", "0.15", "0.1")

SPEC = PoolSpec(
    name="story",
    settlement="USDC",
    collateral=(
        CollateralSpec("ETH", "ETH", HAIRCUT, "1000"),
        CollateralSpec("BTC", "BTC", HAIRCUT, "100"),
    ),
    underlyings=(
        UnderlyingSpec("ETH", "100000", (Tier("0", "0.1", "0.05"), Tier("1000000", "0.2", "0.1"))),
        UnderlyingSpec("BTC", "1000000", (Tier("0", "0.1", "0.05"),)),
    ),
    instruments=(
        InstrumentSpec("ETH-PERP", "ETH", "0.001", "0.01", "1000", "4000"),
        InstrumentSpec("ETH-DEC", "ETH", "0.001", "0.01", "1000", "4000", START_NS + 30 * DAY_NS),
        InstrumentSpec("BTC-PERP", "BTC", "0.001", "0.1", "100", "400"),
    ),
)

COMMANDS = {
    "deposit": (Kind.DEPOSIT, "account amount asset"),
    "withdraw": (Kind.WITHDRAW, "account amount asset"),
    "exchange": (Kind.EXCHANGE, "account other amount asset @ price"),
    "fund_insurance": (Kind.FUND_INSURANCE, "account cash"),
    "supply_backstop": (Kind.SUPPLY_BACKSTOP, "account cash"),
    "redeem_backstop": (Kind.REDEEM_BACKSTOP, "account cash"),
    "buy_from_backstop": (Kind.BUY_FROM_BACKSTOP, "account size instrument"),
    "buy_collateral": (Kind.BUY_COLLATERAL, "account amount asset"),
    "supply": (Kind.SUPPLY, "account cash"),
    "redeem": (Kind.REDEEM, "account cash"),
    "borrow": (Kind.BORROW, "account cash"),
    "repay": (Kind.REPAY, "account cash"),
    "trade": (Kind.TRADE, "account other size instrument @ price"),
    "open_position": (
        Kind.OPEN_POSITION,
        "account other size instrument @ price with amount asset",
    ),
    "expire": (Kind.EXPIRE, "instrument"),
    "mark": (Kind.SET_MARK_PRICE, "instrument price"),
    "funding": (Kind.ACCRUE_FUNDING, "instrument rate"),
    "risk": (Kind.SET_RISK_ARRAY, ""),
    "settle": (Kind.SETTLE, ""),
    "liquidate": (Kind.LIQUIDATE, "account"),
    "fund_bond": (Kind.FUND_BOND, "account cash"),
    "release_bond": (Kind.RELEASE_BOND, "account cash"),
    "protect": (Kind.PROTECT, "account cash reduces"),
    "top_up": (Kind.TOP_UP, "account amount asset"),
    "reduce": (Kind.REDUCE, "account"),
    "warn": (Kind.WARN, "account"),
    "end_pool": (Kind.END_POOL, ""),
    "deleverage": (Kind.DELEVERAGE, "instrument at_most"),
    "bid": (Kind.BID, "account other share bonus"),
    "open_account": (Kind.OPEN_ACCOUNT, "owner number"),
    "cancel": (Kind.CANCEL_CHANGE, "change"),
    "command": ("kind", ""),
    "price": (Kind.SET_INDEX_PRICE, ""),
    "announce": (Kind.ANNOUNCE_CHANGE, ""),
    "clock": (Kind.ADVANCE_CLOCK, ""),
}
