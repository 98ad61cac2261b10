"""Pools with options that stories start from, one for each margin model.

The grid of the scenario pool has four rows, so that one command brings a whole risk array:
spot down and up by a tenth, and a pair that counts what each expiry loses on its own.
"""

import msgspec
from tests.story_pool import START_NS

from ringfence.core.margin_spec import MarginSpec, ScenarioRow
from ringfence.core.spec import (
    CollateralSpec,
    InstrumentSpec,
    Levels,
    PoolSpec,
    RulesSpec,
    Tier,
    UnderlyingSpec,
)
from ringfence.units import DAY_NS

NEAR, FAR = START_NS + 7 * DAY_NS, START_NS + 30 * DAY_NS
GRID = (
    ScenarioRow("-0.1"),
    ScenarioRow("0.1"),
    ScenarioRow("0", "loss"),
    ScenarioRow("0", "partner"),
)


def option(name: str, kind: str, strike: str, expiry: int = NEAR) -> InstrumentSpec:
    """An option on ETH."""
    return InstrumentSpec(
        name, "ETH", "0.001", "0.01", "1000", "4000", expiry, option=kind, strike=strike
    )


OPTIONS = (
    option("ETH-900-P", "put", "900"),
    option("ETH-1000-C", "call", "1000"),
    option("ETH-1000-P", "put", "1000"),
    option("ETH-1100-C", "call", "1100"),
    option("ETH-FAR-C", "call", "1000", FAR),
)
PERPETUAL = InstrumentSpec("ETH-PERP", "ETH", "0.001", "0.01", "1000", "4000")

SCENARIO = PoolSpec(
    name="scenario",
    settlement="USDC",
    collateral=(
        CollateralSpec(
            "ETH", "ETH", Levels("0.02", "0.02", "0.02", "0.01"), "1000", is_offsetting=True
        ),
    ),
    underlyings=(
        UnderlyingSpec(
            "ETH",
            "100000",
            (Tier("0", "0.02", "0.01"),),
            factor=Levels("1", "0.9", "0.8", "0.5"),
            hedge_rate="0.01",
            option_rate=Levels("0.005", "0.004", "0.003", "0.002"),
        ),
    ),
    instruments=(PERPETUAL, *OPTIONS),
    rules=RulesSpec(bonus_min="0.001", bonus_max="0.002", liquidation_fee="0.001"),
    margin=MarginSpec(model="scenario", grid="story", scenarios=GRID),
)
STANDARD = msgspec.structs.replace(
    SCENARIO,
    name="standard",
    collateral=(CollateralSpec("ETH", "ETH", Levels("0.2", "0.16", "0.15", "0.1"), "1000"),),
    underlyings=(UnderlyingSpec("ETH", "100000", (Tier("0", "0.1", "0.05"),)),),
    margin=MarginSpec(model="standard"),
)
COLLATERALISED = PoolSpec(
    name="collateralised",
    settlement="USDC",
    underlyings=(UnderlyingSpec("ETH", "3000", (Tier("0", "0.1", "0.05"),)),),
    instruments=(
        InstrumentSpec("ETH-NEAR", "ETH", "0.001", "0.01", "1000", "4000", NEAR),
        *OPTIONS,
    ),
    rules=RulesSpec(borrow_cap="0"),
    bounds={"borrow_cap": ("0", "0")},
    margin=MarginSpec(model="collateralised"),
)
