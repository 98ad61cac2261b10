"""The four kinds of pools that a lab venue is made of, as specs with stated numbers.

    majors    perpetuals at exchange-style tiers, cash and coin as collateral, auctions
    fast      the same at a hundred times leverage and half a percent of maintenance; what its
              small backstop cannot take is deleveraged at once
    lending   coins as collateral, cash lent at a kinked rate, no instruments, auctions
    tail      one perpetual on a thin market: slow feed, steep tiers, slow auctions, little
              insurance, a backstop that takes ten times its capital and then deleverages

Sources: leverage tiers are of the shape of Binance's USDT-margined ETH table (2026); haircuts,
rates and bonuses are the defaults of docs/concepts.
"""

import msgspec

from ringfence.core.spec import (
    CollateralSpec,
    InstrumentSpec,
    Levels,
    PoolSpec,
    RulesSpec,
    Tier,
    UnderlyingSpec,
)
from ringfence.units import PRICE_UNIT

SETTLEMENT, DECIMALS = "USDC", 6
TAIL_BETA = (5, 2)  # a tail coin moves this much more than the symbol it follows

HALT_SECONDS = 3600  # between a halt and the final settlement: a run sees both
TAIL_STALE_SECONDS = 900  # its feed speaks every five minutes
MAJOR_TIERS = (
    Tier("0", "0.04", "0.02"),
    Tier("250000", "0.05", "0.025"),
    Tier("1000000", "0.1", "0.05"),
    Tier("5000000", "0.2", "0.1"),
    Tier("25000000", "0.5", "0.25"),
)
FAST_TIERS = (
    Tier("0", "0.01", "0.005"),
    Tier("100000", "0.02", "0.01"),
    Tier("500000", "0.04", "0.02"),
    *MAJOR_TIERS[2:],
)
TAIL_TIERS = (Tier("0", "0.1", "0.05"), Tier("50000", "0.2", "0.1"), Tier("250000", "0.5", "0.25"))


def price_limit(first_price: int) -> str:
    """A price_max of a hundred thousand for coins in the thousands: two digits more."""
    whole = max(first_price // PRICE_UNIT, 1)
    return "1" + "0" * (len(str(whole)) + 1)


def _caps(limit: str) -> str:
    """Open interest that is worth at most four billion at the highest price."""
    return str(4 * 10**9 // int(limit))


def _steps(first_price: int) -> tuple[str, str]:
    """Lot and tick for a coin of about this price; their product is a whole micro-dollar."""
    if first_price >= 10_000 * PRICE_UNIT:
        return "0.0001", "0.1"
    return ("0.001", "0.01") if first_price >= 10 * PRICE_UNIT else ("1", "0.0001")


def _underlying(
    name: str, first_price: int, tiers: tuple[Tier, ...] = MAJOR_TIERS
) -> UnderlyingSpec:
    return UnderlyingSpec(name, price_limit(first_price), tiers, hedge_rate="0.01")


def _perpetual(name: str, first_price: int, band: str = "0.05") -> InstrumentSpec:
    lot, tick = _steps(first_price)
    cap = _caps(price_limit(first_price))
    return InstrumentSpec(
        name=f"{name}-PERP",
        underlying=name,
        lot=lot,
        tick=tick,
        position_cap=cap,
        open_interest_cap=cap,
        price_band=band,
        taker_fee="0.0005",
        maker_fee="0.0002",
    )


def _collateral(name: str, first_price: int) -> CollateralSpec:
    haircut = Levels("0.2", "0.16", "0.15", "0.1")
    return CollateralSpec(name, name, haircut, _caps(price_limit(first_price)))


def _rules(stale_seconds: int, **different: str | int) -> RulesSpec:
    """Default rules, with the freshness of prices fitted to the file, and what is different."""
    ages = RulesSpec(stale_seconds=stale_seconds, long_stale_seconds=4 * stale_seconds)
    return msgspec.structs.replace(ages, **different)


def majors_spec(k: int, symbol: str, first_price: int, stale_seconds: int) -> PoolSpec:
    """A pool of one perpetual on a major, margined in cash or in the coin itself."""
    return PoolSpec(
        name=f"{symbol}-majors-{k:02d}",
        settlement=SETTLEMENT,
        settlement_decimals=DECIMALS,
        underlyings=(_underlying(symbol, first_price),),
        collateral=(_collateral(symbol, first_price),),
        instruments=(_perpetual(symbol, first_price),),
        cash_cap="1000000000",
        rules=_rules(stale_seconds, auction_start="0.95", auction_floor="0.4", auction_seconds=300),
    )


def fast_spec(k: int, symbol: str, first_price: int, stale_seconds: int) -> PoolSpec:
    """A pool of one perpetual for traders who want a hundred times leverage; cash only."""
    return PoolSpec(
        name=f"{symbol}-fast-{k:02d}",
        settlement=SETTLEMENT,
        settlement_decimals=DECIMALS,
        underlyings=(
            UnderlyingSpec(symbol, price_limit(first_price), FAST_TIERS, hedge_rate="0.005"),
        ),
        instruments=(_perpetual(symbol, first_price),),
        cash_cap="1000000000",
        rules=_rules(
            stale_seconds,
            bonus_min="0.001",
            bonus_max="0.002",
            liquidation_fee="0.001",
            backstop_reserve="0.02",
            halt_loss="500",
            halt_seconds=HALT_SECONDS,
        ),
    )


def lending_spec(k: int, prices: dict[str, int], stale_seconds: int) -> PoolSpec:
    """A pool that lends cash against a basket of all the symbols."""
    return PoolSpec(
        name=f"lending-{k:02d}",
        settlement=SETTLEMENT,
        settlement_decimals=DECIMALS,
        underlyings=tuple(_underlying(name, price) for name, price in prices.items()),
        collateral=tuple(_collateral(name, price) for name, price in prices.items()),
        cash_cap="1000000000",
        rules=_rules(
            stale_seconds,
            bonus_max="0.05",
            bonus_min="0.01",
            supply_cap="500000000",
            auction_seconds=600,
        ),
    )


def tail_spec(k: int, symbol: str, first_price: int, stale_seconds: int) -> PoolSpec:
    """A pool on a thin market that follows a symbol, only wilder; cash is its collateral."""
    name = tail_name(symbol)
    return PoolSpec(
        name=f"{name}-tail-{k:02d}",
        settlement=SETTLEMENT,
        settlement_decimals=DECIMALS,
        underlyings=(_underlying(name, first_price, TAIL_TIERS),),
        instruments=(_perpetual(name, first_price, band="0.1"),),
        cash_cap="10000000",
        rules=_rules(
            max(stale_seconds, TAIL_STALE_SECONDS),
            bonus_min="0.01",
            bonus_max="0.03",
            profit_weight="0",
            dust="200",
            backstop_reserve="0.1",
            halt_loss="500",
            halt_seconds=HALT_SECONDS,
            auction_floor="0.7",
            auction_seconds=900,
        ),
    )


def tail_name(symbol: str) -> str:
    """Name of the tail coin that follows a symbol."""
    return f"{symbol}TAIL"


def tail_price(first_price: int, price: int) -> int:
    """Price of the tail coin: its move from the first price is TAIL_BETA times the symbol's.

    A tenth of the symbol's price to start with, and never below a hundredth of that.
    """
    start = first_price // 10
    up, down = TAIL_BETA
    moved = start + (price - first_price) * up // (10 * down)
    return max(moved, start // 100)
