"""Pools for the property tests: few accounts, small caps, short delays, many corners."""

import msgspec
from tests.properties.valuing import KINDS, MOVES

from ringfence.core.creation import create_pool
from ringfence.core.margin_spec import MarginSpec, ScenarioRow
from ringfence.core.pool import Pool
from ringfence.core.spec import (
    CollateralSpec,
    InstrumentSpec,
    Levels,
    PoolSpec,
    RulesSpec,
    Tier,
    UnderlyingSpec,
)
from ringfence.units import HOUR_NS, SECOND_NS

START_NS = 1_700_000_000 * SECOND_NS
DELAY, RAMP = 3600, 600  # seconds: short, so that changes become active within a history

# One perpetual against cash, one tier: requirements are linear.
PLAIN = PoolSpec(
    name="plain",
    settlement="USDC",
    underlyings=(UnderlyingSpec("BTC", "200000", (Tier("0", "0.05", "0.025"),)),),
    instruments=(
        InstrumentSpec("BTC-PERP", "BTC", "0.001", "0.1", "500", "2000", funding_rate_max="0.01"),
    ),
    rules=RulesSpec(
        dust="2000", insurance_draw="0.5", change_delay_seconds=DELAY, ramp_seconds=RAMP
    ),
)

# Everything at once: tiers, hedges, a dated future, two collateral assets, lenders, fees.
MIXED = PoolSpec(
    name="mixed",
    settlement="USDC",
    cash_cap="40000000",
    underlyings=(
        UnderlyingSpec(
            "BTC",
            "250000",
            (
                Tier("0", "0.02", "0.01"),
                Tier("1000000", "0.05", "0.025"),
                Tier("5000000", "0.2", "0.1"),
            ),
            hedge_rate="0.005",
            open_interest_lower="2000000",
            open_interest_upper="60000000",
        ),
        UnderlyingSpec(
            "ETH",
            "20000",
            (Tier("0", "0.04", "0.02"), Tier("500000", "0.1", "0.05")),
            factor=Levels("1.1", "1.3", "1", "0.5"),
            hedge_rate="0.04",
        ),
    ),
    collateral=(
        CollateralSpec("BTC", "BTC", Levels("0.15", "0.12", "0.1", "0.05"), "300"),
        CollateralSpec("ETH", "ETH", Levels("0.25", "0.2", "0.15", "0.1"), "5000"),
    ),
    instruments=(
        InstrumentSpec(
            "BTC-PERP", "BTC", "0.001", "0.1", "100", "400", taker_fee="0.0005", maker_fee="0.0001"
        ),
        InstrumentSpec(
            "BTC-DEC", "BTC", "0.01", "1", "100", "300", expiry_ns=START_NS + 2 * HOUR_NS
        ),
        InstrumentSpec("ETH-PERP", "ETH", "0.01", "0.01", "3000", "9000", taker_fee="0.001"),
    ),
    rules=RulesSpec(
        rate_base="0.01",
        rate_slope2="6",
        rate_kink="0.8",
        supply_cap="9000000",
        borrow_cap="8000000",
        bonus_max="0.006",
        change_delay_seconds=DELAY,
        ramp_seconds=RAMP,
    ),
)

# Lending alone, at rates that show within a history: no instrument at all.
LENDING = PoolSpec(
    name="lending",
    settlement="USDC",
    underlyings=(UnderlyingSpec("ETH", "20000", (Tier("0", "0.3", "0.2"),)),),
    collateral=(CollateralSpec("ETH", "ETH", Levels("0.3", "0.2", "0.15", "0.15"), "20000"),),
    rules=RulesSpec(
        rate_base="0.5",
        rate_slope1="1",
        rate_slope2="8",
        reserve_factor="0.5",
        bonus_min="0.02",
        bonus_max="0.1",
        change_delay_seconds=DELAY,
        ramp_seconds=RAMP,
    ),
    bounds={"bonus_max": ("0.02", "0.12")},
)

# Cents as the smallest unit and coarse lots, so that every rounding is a large one.
COARSE = PoolSpec(
    name="coarse",
    settlement="EURC",
    settlement_decimals=2,
    cash_cap="1000000",
    underlyings=(
        UnderlyingSpec(
            "SOL", "5000", (Tier("0", "0.1", "0.05"), Tier("20000", "0.3", "0.2")), hedge_rate="0.1"
        ),
    ),
    collateral=(CollateralSpec("SOL", "SOL", Levels("0.3", "0.25", "0.2", "0.1"), "5000"),),
    instruments=(
        InstrumentSpec("SOL-PERP", "SOL", "1", "0.01", "400", "2000", price_band="0.1"),
        InstrumentSpec("SOL-MINI", "SOL", "0.1", "0.1", "400", "2000", maker_fee="0.01"),
    ),
    rules=RulesSpec(
        profit_weight="1",
        insurance_draw="1",
        grace_seconds=900,
        change_delay_seconds=DELAY,
        ramp_seconds=RAMP,
    ),
    allowed={"liquidate": (1, 1, 1, 1, 0, 0)},
)

# The waterfall at its tightest: auctions, a backstop with limits, so that much is deleveraged.
TIGHT = msgspec.structs.replace(
    MIXED,
    name="tight",
    rules=msgspec.structs.replace(
        MIXED.rules,
        backstop_limit="400000",
        backstop_reserve="0.1",
        epoch_seconds=3600,
        insurance_draw="0.5",
        disposal_seconds=30,
        auction_seconds=600,
        auction_resets=1,
        auction_cap="3000000",
        insurance_share="0.3",
        halt_loss="20000",
        halt_seconds=3600,
    ),
)
# No auction, no lenders, and a backstop that takes nothing but what it is short of itself.
BARE = msgspec.structs.replace(
    PLAIN,
    name="bare",
    rules=msgspec.structs.replace(
        PLAIN.rules, backstop_limit="0", supply_cap="0", halt_loss="500000"
    ),
)
# Auctions with a wide range of health for them, and again no cash lent that would help first.
OFFERED = msgspec.structs.replace(
    MIXED,
    name="offered",
    underlyings=tuple(
        msgspec.structs.replace(u, factor=Levels("1.1", "1.3", "1", "0.2"))
        for u in MIXED.underlyings
    ),
    rules=msgspec.structs.replace(
        MIXED.rules, supply_cap="0", auction_seconds=400, auction_resets=1, dust="2000"
    ),
)


def _option(name: str, kind: str, strike: str, hours: int) -> InstrumentSpec:
    expiry = START_NS + hours * HOUR_NS
    return InstrumentSpec(
        name, "BTC", "0.01", "1", "100", "300", expiry, option=kind, strike=strike, maker_fee="0.01"
    )


# By scenarios: every kind of row, a perpetual, two expiries, coins that offset, lenders.
SCENARIO = PoolSpec(
    name="scenario",
    settlement="USDC",
    underlyings=(
        UnderlyingSpec(
            "BTC",
            "250000",
            (Tier("0", "0.02", "0.01"),),
            factor=Levels("1", "0.9", "0.8", "0.5"),
            hedge_rate="0.01",
            option_rate=Levels("0.005", "0.004", "0.003", "0.002"),
            linear_rate=Levels("0.002", "0.001", "0.001", "0.001"),
        ),
    ),
    collateral=(
        CollateralSpec(
            "BTC", "BTC", Levels("0.02", "0.02", "0.015", "0.01"), "300", is_offsetting=True
        ),
    ),
    instruments=(
        InstrumentSpec("BTC-PERP", "BTC", "0.001", "0.1", "100", "400", taker_fee="0.0005"),
        _option("BTC-P54", "put", "54000", 2),
        _option("BTC-P60", "put", "60000", 2),
        _option("BTC-C60", "call", "60000", 2),
        _option("BTC-C66", "call", "66000", 2),
        _option("BTC-FC60", "call", "60000", 400),
    ),
    rules=RulesSpec(
        bonus_max="0.003", liquidation_fee="0.001", change_delay_seconds=DELAY, ramp_seconds=RAMP
    ),
    margin=MarginSpec(
        "scenario",
        grid="test",
        scenarios=tuple(ScenarioRow(*row) for row in zip(MOVES, KINDS, strict=True)),
    ),
)
STANDARD = msgspec.structs.replace(
    SCENARIO,
    name="standard",
    underlyings=(UnderlyingSpec("BTC", "250000", (Tier("0", "0.05", "0.025"),)),),
    collateral=(CollateralSpec("BTC", "BTC", Levels("0.15", "0.12", "0.1", "0.05"), "300"),),
    margin=MarginSpec("standard"),
)
COLLATERALISED = msgspec.structs.replace(
    STANDARD,
    name="collateralised",
    collateral=(),
    instruments=SCENARIO.instruments[1:],
    rules=msgspec.structs.replace(STANDARD.rules, borrow_cap="0"),
    bounds={"borrow_cap": ("0", "0")},
    margin=MarginSpec("collateralised"),
)

WATERFALL = (TIGHT, BARE, OFFERED)
OPTIONS = (SCENARIO, STANDARD, COLLATERALISED)
SPECS = {spec.name: spec for spec in (PLAIN, MIXED, LENDING, COARSE, *WATERFALL, *OPTIONS)}
PRICES = {"BTC": 60_000, "ETH": 3_000, "SOL": 150}  # settlement currency per coin, at the start
ROOM = 12  # accounts that a pool has room for


def new_pool(spec: PoolSpec) -> Pool:
    """The pool that every history of a spec begins with."""
    return create_pool(spec, owner=1, now_ns=START_NS, accounts=ROOM)
