"""Creation of a pool: a spec that cannot be safe is refused, with every problem named."""

import hashlib
import re

import msgspec
import pytest
from tests.option_pools import GRID, SCENARIO
from tests.story_pool import SPEC

from ringfence.core.bounds import HARD_BOUNDS, parameter_name, parameter_named
from ringfence.core.command import cells, rows
from ringfence.core.creation import create_pool
from ringfence.core.invariants import broken_invariants
from ringfence.core.margin_spec import MarginSpec, ScenarioRow
from ringfence.core.parameters import Parameter
from ringfence.core.pool import Level, Rule
from ringfence.core.reading import SpecError, scaled, tier_deductions
from ringfence.core.spec import Levels, PoolSpec, immutable_part, parse_spec, pool_id
from ringfence.units import DAY_NS, SECOND_NS

HAIRCUT = {"initial": "0.2", "target": "0.16", "maintenance": "0.15", "closeout": "0.1"}
TIER = {"floor": "0", "initial": "0.1", "maintenance": "0.05"}
BTC = {"asset": "BTC", "underlying": "BTC", "haircut": HAIRCUT, "deposit_cap": "100"}


def changed(path: str, value: object) -> PoolSpec:
    """The story's spec with the value at a path exchanged; a number is an index."""
    raw = at = msgspec.json.decode(msgspec.json.encode(SPEC))
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in way:
        at = at[step]
    at[last] = value
    return msgspec.convert(raw, PoolSpec)


def problems(spec: PoolSpec) -> list[str]:
    with pytest.raises(SpecError) as caught:
        create_pool(spec, owner=1, now_ns=0)
    assert str(caught.value).startswith("the pool cannot be created:\n  ")
    return caught.value.problems


def test_a_new_pool_is_empty_but_for_its_backstop():
    pool = create_pool(SPEC, owner=7, now_ns=5 * SECOND_NS, accounts=3)
    assert broken_invariants(pool, [0, 0, 0]) == []
    assert pool.owner.tolist() == [7, 0, 0]
    assert pool.total.tolist() == [5 * SECOND_NS, 1, 1, *[0] * 10, 10**12, 5, *[0] * 9]
    assert pool.haircut[Level.TARGET].tolist() == [0, 160_000, 160_000]
    assert pool.first_instrument.tolist() == [0, 2, 3]
    assert pool.value_divisor.tolist() == [10**11]
    assert pool.tier_floor.tolist() == [[0, 10**12], [0, 2**53 - 1]]
    assert pool.tier_deduction.tolist() == [[0, 5 * 10**10], [0, 0]]


REFUSED = [
    ("name", " ", "name is empty"),
    ("name", "x" * 65, "name has 65 characters"),
    ("settlement_decimals", 1, "settlement_decimals is 1; it must be 2 to 9"),
    ("settlement_decimals", 10, "settlement_decimals is 10"),
    ("settlement", "pool:ab", "is a claim on another pool"),
    ("collateral.0.asset", "pool:ab", "is a claim on another pool"),
    ("collateral.0.asset", "BTC", "asset BTC is listed twice"),
    ("collateral.0.asset", "USDC", "asset USDC is listed twice"),
    ("instruments.1.name", "ETH-PERP", "instrument ETH-PERP is listed twice"),
    ("underlyings.1.name", "ETH", "underlying ETH is listed twice"),
    ("underlyings", [], "no underlying; a pool needs at least one price"),
    ("collateral.0.underlying", "SOL", "underlying SOL is not listed; it must be one of BTC, ETH"),
    ("instruments.0.underlying", "SOL", "underlying SOL is not listed"),
    ("instruments.0.underlying", "BTC", "in the order of their underlyings"),
    (
        "collateral",
        [BTC | {"asset": f"A{c}"} for c in range(16)],
        "17 assets; a pool has at most 16",
    ),
    ("cash_cap", "4000000000.000001", "cash_cap is 4000000000.000001; it must lie between 0 and"),
    ("cash_cap", "1e", "'1e' is not a decimal number"),
    ("cash_cap", "Infinity", "is not a finite number"),
    ("cash_cap", "0.0000001", "has more than 6 decimals"),
    ("rules.bonus_min", "0.02", "rules.bonus_min exceeds bonus_max"),
    ("rules.stale_seconds", 1801, "rules.stale_seconds exceeds long_stale_seconds"),
    ("rules.stale_seconds", 0, "rules.stale_seconds is 0; it must lie between 1 and 86400"),
    ("rules.dust", "4000.000001", "rules.dust is 4000.000001; it must lie between 0 and 4000"),
    ("rules.supply_cap", "562949953.421313", "rules.supply_cap"),
    ("bounds", {"speed": ["0", "1"]}, "bounds.speed: there is no such parameter"),
    ("bounds", {"dust": ["60", "50"]}, "bounds.dust: 60 exceeds 50"),
    ("bounds", {"dust": ["60", "100"]}, "dust starts outside the pool's own bounds"),
    ("bounds", {"haircut": ["0", "0.19"]}, "haircut starts outside the pool's own bounds"),
    ("bounds", {"haircut": ["0", "0.96"]}, "bounds.haircut is 0.96"),
    ("allowed", {"fly": [1] * 6}, "allowed.fly: there is no such action"),
    ("allowed", {"open": [1] * 5}, "allowed.open: needs 6 numbers, each 0 or 1"),
    ("allowed", {"open": [2] * 6}, "allowed.open: needs 6 numbers, each 0 or 1"),
    ("allowed", {"open": [1] * 6}, "no action can use a price that is not positive"),
    ("underlyings.0.tiers", [], "0 tiers; give 1 to 16"),
    ("underlyings.0.tiers", [TIER] * 17, "17 tiers"),
    ("underlyings.0.tiers", [TIER | {"floor": "1"}], "the first tier's floor must be 0"),
    ("underlyings.0.tiers", [TIER, TIER | {"maintenance": "0.06"}], "the floor must rise"),
    ("underlyings.0.tiers.1.maintenance", "0.05", "the maintenance rate must rise"),
    ("underlyings.0.tiers.1.initial", "0.099", "the initial rate must not fall"),
    ("underlyings.0.tiers.0.initial", "0.049", "maintenance rate exceeds its initial rate"),
    ("underlyings.0.tiers.0.maintenance", "0.0009", "tiers.maintenance is 0.0009"),
    ("underlyings.0.price_max", "0", "underlying ETH.price_max is 0"),
    ("underlyings.0.factor.initial", "0.09", "underlying ETH.factor.initial is 0.09"),
    ("underlyings.0.factor.target", "0.24", "bonus_max + liquidation_fee reach the first tier"),
    ("underlyings.0.hedge_rate", "0.100001", "hedge_rate exceeds twice the first tier"),
    ("underlyings.0.open_interest_lower", "1000000000", "open_interest_lower must be below"),
    ("collateral.0.haircut.initial", "0.159999", "haircut must not rise from initial to closeout"),
    ("collateral.0.haircut", dict.fromkeys(HAIRCUT, "0.0099"), "(1 - target haircut) * (1 + bonus"),
    ("collateral.0.deposit_cap", "40000.00000001", "deposit_cap at price_max exceeds"),
    ("collateral.0.deposit_cap", "-1", "collateral ETH.deposit_cap is -1"),
    ("instruments.0.lot", "0", "instrument ETH-PERP.lot is 0"),
    ("instruments.0.tick", "0.000000001", "is not a whole number of the settlement asset's"),
    ("instruments.0.open_interest_cap", "40000.00000001", "open_interest_cap at price_max exceeds"),
    ("instruments.0.expiry_ns", -1, "expiry_ns is not a time"),
    ("instruments.0.expiry_ns", 2**62, "expiry_ns is not a time"),
    ("instruments.0.price_band", "0.0009", "instrument ETH-PERP.price_band is 0.0009"),
]


@pytest.mark.parametrize(("path", "value", "problem"), REFUSED, ids=[r[2][:40] for r in REFUSED])
def test_a_spec_that_cannot_be_safe_is_refused(path, value, problem):
    found = problems(changed(path, value))
    assert any(problem in line for line in found), found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("cash_cap", "4000000000"),
        ("rules.stale_seconds", 1800),
        ("rules.bonus_min", "0.01"),
        ("bounds", {"dust": ["50", "50"], "haircut": ["0.1", "0.2"]}),
        ("allowed", {"open": [1, 1, 1, 1, 1, 0]}),
        ("underlyings.0.hedge_rate", "0.1"),
        ("underlyings.0.factor.target", "0.241"),
        ("underlyings.0.open_interest_lower", "999999999.999999"),
        ("collateral.0.haircut.initial", "0.16"),
        ("collateral.0.haircut", dict.fromkeys(HAIRCUT, "0.009901")),
        ("collateral.0.deposit_cap", "40000"),
        ("instruments.0.open_interest_cap", "40000"),
        ("instruments.0.tick", "0.001"),
        ("instruments", []),
        ("collateral", []),
    ],
)
def test_the_last_safe_value_is_accepted(path, value):
    spec = changed(path, value)
    pool = create_pool(spec, owner=1, now_ns=0)
    assert broken_invariants(pool, [0] * len(spec.assets())) == []


def test_all_problems_are_reported_at_once():
    spec = changed("name", "")
    spec = msgspec.structs.replace(spec, cash_cap="x", settlement_decimals=1)
    found = problems(spec)
    assert len(found) >= 3
    assert re.search("name is empty.*settlement_decimals.*cash_cap", " ".join(found))


def test_a_penalty_may_reach_the_margin_rate_where_nothing_is_traded():
    spec = changed("rules.bonus_max", "0.058")
    assert any("bonus_max + liquidation_fee" in line for line in problems(spec))
    spec = msgspec.structs.replace(spec, instruments=())
    assert create_pool(spec, owner=1, now_ns=0).rule[Rule.BONUS_MAX] == 58_000


def test_deductions_make_the_maintenance_margin_continuous():
    floors, rates = [0, 10**10, 10**11], [5000, 10_000, 25_000]
    assert tier_deductions(floors, rates) == [0, 5 * 10**7, 155 * 10**7]
    assert tier_deductions([0, 3], [5000, 10_001]) == [0, 0]  # rounded down


def test_decimals_are_read_exactly():
    assert scaled("0.1", 10**6) == 100_000
    assert scaled("-1.5", 10) == -15
    assert scaled("9007199254.740991", 10**6) == 2**53 - 1


def test_the_id_of_a_pool_comes_from_what_can_never_change():
    creator = bytes(range(20))
    same = changed("rules.dust", "60")
    assert pool_id(same, creator) == pool_id(SPEC, creator)
    others = [changed("salt", "2"), changed("instruments.0.lot", "0.01"), changed("name", "x")]
    others.append(changed("underlyings.0.tiers.0.maintenance", "0.04"))
    ids = {pool_id(spec, creator) for spec in others} | {pool_id(SPEC, bytes(20))}
    assert len(ids | {pool_id(SPEC, creator)}) == 6
    canonical = msgspec.json.encode(immutable_part(SPEC), order="sorted")
    digest = hashlib.sha256(b"ringfence pool 1\0" + creator + canonical).digest()
    assert pool_id(SPEC, creator) == digest


TOML = """
name = "small"
settlement = "EURC"
settlement_decimals = 9
cash_cap = "4000000"
rules = { supply_cap = "1000", borrow_cap = "900", dust = "1" }

[[underlyings]]
name = "ETH"
price_max = "10000"
open_interest_lower = "1000"
open_interest_upper = "2000"
tiers = [{ floor = "0", initial = "0.1", maintenance = "0.05" }]
"""


def test_a_spec_can_be_written_in_toml():
    spec = parse_spec(TOML)
    assert (spec.name, spec.assets(), spec.rules.stale_seconds) == ("small", ("EURC",), 300)
    pool = create_pool(spec, owner=1, now_ns=0)
    assert pool.deposit_cap.tolist() == [4 * 10**15]  # nine decimals: fewer coins to a cap
    with pytest.raises(msgspec.ValidationError, match="speed"):
        parse_spec("speed = 1\n" + TOML)


def test_every_parameter_has_hard_bounds_and_a_name():
    assert set(HARD_BOUNDS) == {*Rule, *Parameter}
    for parameter, (low, high) in HARD_BOUNDS.items():
        assert parameter_named(parameter_name(parameter)) == parameter
        assert low <= high
    assert parameter_named("speed") is None
    assert HARD_BOUNDS[Rule.STALE_NS] == (SECOND_NS, DAY_NS)


def test_the_id_of_a_pool_with_options_comes_from_its_margin_model_too():
    creator = bytes(range(20))
    eth, call = SCENARIO.underlyings[0], SCENARIO.instruments[2]
    rates = Levels("0.006", "0.004", "0.003", "0.002")
    margin = msgspec.structs.replace(SCENARIO.margin, scenarios=(*GRID, ScenarioRow("-0.2")))
    coin = msgspec.structs.replace(SCENARIO.collateral[0], is_offsetting=False)
    others = [
        msgspec.structs.replace(SCENARIO, margin=margin),
        msgspec.structs.replace(SCENARIO, margin=MarginSpec()),
        msgspec.structs.replace(SCENARIO, collateral=(coin,)),
        with_part(SCENARIO, "underlyings", eth, option_rate=rates),
        with_part(SCENARIO, "underlyings", eth, linear_rate=rates),
        with_part(SCENARIO, "instruments", call, option="put"),
        with_part(SCENARIO, "instruments", call, strike="1010"),
        with_part(SCENARIO, "instruments", call, settlement_window_seconds=1799),
    ]
    ids = {pool_id(spec, creator) for spec in [SCENARIO, *others]}
    assert len(ids) == 1 + len(others)
    # The haircut of a coin and the factors of a level are parameters: they may change later.
    same = with_part(SCENARIO, "underlyings", eth, factor=Levels("1.1", "1", "0.8", "0.5"))
    assert pool_id(same, creator) == pool_id(SCENARIO, creator)
    assert immutable_part(SCENARIO)["options"][2] == ["ETH-1000-C", "call", "1000", 1800]


def with_part(spec: PoolSpec, part: str, old: msgspec.Struct, **fields: object) -> PoolSpec:
    """The spec with fields of one member exchanged."""
    new = msgspec.structs.replace(old, **fields)
    members = tuple(new if member is old else member for member in getattr(spec, part))
    return msgspec.structs.replace(spec, **{part: members})


def test_the_fields_of_command_rows_make_a_table_in_their_order():
    batch = rows(4)
    for at, name in enumerate(batch.dtype.names):
        batch[name] = [at, 100 + at, -at, 2**62 + at]
    count = len(batch.dtype.names)
    assert cells(batch).shape == (4, count)
    assert cells(batch[1:]).tolist() == [
        [100 + at for at in range(count)],
        [-at for at in range(count)],
        [2**62 + at for at in range(count)],
    ]
    assert cells(batch[::2])[1].tolist() == [-at for at in range(count)]
