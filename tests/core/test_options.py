"""Options as instruments: premium as cost, bands, expiry, and the pool in which nobody is naked."""

import re

import msgspec
import pytest
from tests.option_pools import COLLATERALISED, NEAR, SCENARIO, STANDARD, option
from tests.stories import Story

from ringfence.core.creation import create_pool
from ringfence.core.margin_spec import MarginSpec, ScenarioRow
from ringfence.core.reading import SpecError
from ringfence.core.spec import InstrumentSpec, Levels, PoolSpec
from ringfence.units import DAY_NS, PRICE_UNIT

STANDARD_MARKET = """
    price ETH 1000
    mark ETH-PERP 1000
    mark ETH-900-P 8
    mark ETH-1000-C 40
    mark ETH-1000-P 38
    mark ETH-1100-C 10
    mark ETH-FAR-C 80
    deposit B1 100000 USDC
"""
CLOSED_MARKET = STANDARD_MARKET.replace("mark ETH-PERP", "mark ETH-NEAR")


def test_the_premium_is_the_cost_and_is_collected_as_the_mark_moves():
    Story(STANDARD).play(f"""
        {STANDARD_MARKET}
        deposit A1 200 USDC
        trade A1 B1 -1 ETH-1000-C @ 42
        position A1 -1 ETH-1000-C cost -42
        balance A1 200 USDC
        equity A1 202                           # sold two above the mark
        mark ETH-1000-C 50
        settle
        balance A1 192 USDC
        balance B1 100008 USDC
        position A1 -1 ETH-1000-C cost -50
    """)


def test_an_option_trades_within_a_band_of_spot():
    """A band around its own mark would be none at all when that is near zero."""
    Story(STANDARD).play(f"""
        instrument ETH-1000-C price_band 0.02
        {STANDARD_MARKET}
        deposit A1 1000 USDC
        trade A1 B1 -1 ETH-1000-C @ 60.01 -> price_outside_band
        trade A1 B1 -1 ETH-1000-C @ 60
    """)


def test_the_mark_of_a_put_is_at_most_its_strike():
    Story(STANDARD).play(f"""
        {STANDARD_MARKET}
        mark ETH-900-P 900.01 -> price_exceeds_limit
        mark ETH-900-P 900
        mark ETH-1000-C 1000.01
        mark ETH-1000-C 0 -> price_must_be_positive
    """)


@pytest.mark.parametrize(
    ("settled", "call", "put"),
    [("1000", "-40", "-38"), ("1060", "20", "-38"), ("955.5", "-40", "6.5")],
)
def test_an_option_expires_at_what_it_pays_and_frees_its_margin(settled, call, put):
    story = Story(STANDARD).play(f"""
        {STANDARD_MARKET}
        deposit A1 200 USDC
        trade A1 B1 1 ETH-1000-C @ 40
        trade A1 B1 1 ETH-1000-P @ 38
        clock +604799s
        price ETH {settled}
        expire ETH-1000-C -> instrument_has_not_expired
        clock +1s
        trade A1 B1 1 ETH-1000-C @ 40 -> instrument_has_expired
        expire ETH-1000-C
        expire ETH-1000-C -> instrument_has_expired
        expire ETH-1000-P
        position A1 0 ETH-1000-C cost 0
        position B1 0 ETH-1000-P cost 0
        price ETH 1000
        settle
    """)
    result = 200 + float(call) + float(put)
    story.play(f"balance A1 {result:.6f} USDC\nexcess A1 initial {result:.6f}")


def test_a_valuation_that_is_missing_or_stale_stops_new_risk():
    Story(STANDARD).play("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 1000 USDC
        deposit B1 1000 USDC
        trade A1 B1 -1 ETH-1000-C @ 40 -> mark_price_is_missing
        mark ETH-1000-C 40
        trade A1 B1 -1 ETH-1000-C @ 40
        clock +300s
        price ETH 1000
        trade A1 B1 -1 ETH-1000-C @ 40 -> valuation_is_not_usable
        borrow A1 1 -> exceeds_lender_cash
        withdraw A1 1 USDC -> valuation_is_not_usable
        mark ETH-1000-C 41
        withdraw A1 1 USDC
    """)


def test_standard_margin_goes_by_rules_per_option():
    Story(STANDARD).play(f"""
        {STANDARD_MARKET}
        deposit A1 150 USDC
        trade A1 B1 -1 ETH-1000-C @ 40
        excess A1 initial 0                     # 15 % of spot
        excess A1 target 42                     # 1.2 x 9 %
        excess A1 maintenance 60
        deposit A2 200 USDC
        trade A2 B1 -1 ETH-1100-C @ 10
        excess A2 initial 70                    # 13 %: 100 out of the money
        deposit A3 130 USDC
        trade A3 B1 -1 ETH-900-P @ 8
        excess A3 initial 0
        excess A3 maintenance 40                # 9 % of spot
        mark ETH-900-P 720
        excess A3 initial -712.5                # 130 - 712 lost - (1.05 x (90 + 720) - 720)
        mark ETH-900-P 800
        excess A3 initial -762                  # 130 - 792 lost - 100: it pays 900 at most
    """)


def test_standard_margin_of_a_spread_is_at_most_its_largest_loss():
    Story(STANDARD).play(f"""
        {STANDARD_MARKET}
        deposit A1 70 USDC
        trade A1 B1 1 ETH-1100-C @ 10
        trade A1 B1 -1 ETH-1000-C @ 40
        excess A1 initial 0                     # 100 between the strikes less 30 of premium
        excess A1 maintenance 0
        deposit A2 80 USDC
        trade A2 B1 1 ETH-FAR-C @ 80            # bought: what it is worth
        excess A2 initial 0
        trade A2 B1 -1 ETH-1000-C @ 40 -> initial_margin_too_low   # each expiry on its own
    """)


def test_standard_margin_keeps_brackets_for_perpetuals():
    Story(STANDARD).play(f"""
        {STANDARD_MARKET}
        deposit A1 250 USDC
        trade A1 B1 1 ETH-PERP @ 1000
        excess A1 initial 150
        trade A1 B1 -1 ETH-1000-C @ 40
        excess A1 initial 0
        excess A1 maintenance 110
    """)


def test_in_a_collateralised_pool_a_position_posts_its_largest_loss():
    Story(COLLATERALISED).play(f"""
        {CLOSED_MARKET}
        deposit A1 1960 USDC
        trade A1 B1 -1 ETH-1000-C @ 40          # settles at 3000 at most: 2000 less 40
        excess A1 initial 0
        deposit A2 892 USDC
        trade A2 B1 -1 ETH-900-P @ 8
        excess A2 initial 0
        deposit A3 40 USDC
        trade A3 B1 1 ETH-1000-C @ 40
        excess A3 initial 0
        deposit A4 69.999999 USDC
        trade A4 B1 1 ETH-1100-C @ 10
        trade A4 B1 -1 ETH-1000-C @ 40 -> initial_margin_too_low    # 100 from 1100 on
        deposit A4 0.000001 USDC
        trade A4 B1 -1 ETH-1000-C @ 40
        deposit A5 1000 USDC
        trade A5 B1 1 ETH-NEAR @ 1000           # a future has a floor at zero
        excess A5 initial 0
    """)


def test_in_a_collateralised_pool_nobody_is_ever_liquidated():
    story = Story(COLLATERALISED).play(f"""
        {CLOSED_MARKET}
        deposit A1 1960 USDC
        trade A1 B1 -1 ETH-1000-C @ 40
        deposit A2 892 USDC
        trade A2 B1 -1 ETH-900-P @ 8
    """)
    for mark in ("500", "1999.99", "0.01", "1000"):
        story.play(f"""
            mark ETH-1000-C {mark}
            mark ETH-900-P {min(float(mark), 900):.2f}
            liquidate A1 -> account_is_healthy
            liquidate A2 -> account_is_healthy
            settle
            excess A1 maintenance 0
            due A1 0
            excess A2 maintenance 0
            due A2 0
        """)
    story.play("""
        clock +7d
        price ETH 3000.01 -> price_exceeds_limit
        price ETH 3000
        expire ETH-1000-C
        due A1 0
        balance A1 0 USDC
    """)


def test_what_a_structure_is_sure_to_pay_backs_no_withdrawal():
    """A put spread bought for less than it pays at least would be such a structure."""
    Story(COLLATERALISED).play(f"""
        {CLOSED_MARKET}
        deposit A1 1000 USDC
        trade A1 B1 1 ETH-1000-C @ 40
        trade A1 B1 -1 ETH-NEAR @ 1000
        trade A1 B1 -1 ETH-1000-P @ 38
        excess A1 maintenance 998
        mark ETH-1000-P 50
        excess A1 maintenance 998
        withdraw A1 999 USDC -> initial_margin_too_low
    """)


def problems(spec: PoolSpec) -> str:
    with pytest.raises(SpecError) as caught:
        create_pool(spec, owner=1, now_ns=0)
    return "\n".join(caught.value.problems)


def changed(spec: PoolSpec, **fields: object) -> PoolSpec:
    return msgspec.structs.replace(spec, **fields)


def with_instruments(spec: PoolSpec, *instruments: InstrumentSpec) -> PoolSpec:
    return changed(spec, instruments=instruments)


ETH = SCENARIO.underlyings[0]
COIN = SCENARIO.collateral[0]
CALL = option("C", "call", "1000")
REFUSED = [
    (changed(SCENARIO, margin=MarginSpec("span")), "margin.model is 'span'; it is one of brackets"),
    (changed(SCENARIO, margin=MarginSpec("scenario")), "margin.scenarios: 0 rows; give 1 to 128"),
    (
        changed(STANDARD, margin=MarginSpec("standard", scenarios=(ScenarioRow(),))),
        "margin.scenarios are for the model scenario only",
    ),
    (
        changed(SCENARIO, margin=MarginSpec("scenario", scenarios=(ScenarioRow("0", "up"),))),
        "margin.scenarios.kind: there is no kind 'up'",
    ),
    (
        changed(SCENARIO, margin=MarginSpec("scenario", scenarios=(ScenarioRow("0", "loss"),))),
        "margin.scenarios: row 0 is loss; a partner stands behind each row",
    ),
    (
        changed(SCENARIO, margin=MarginSpec("scenario", scenarios=(ScenarioRow("0", "partner"),))),
        "margin.scenarios: row 0 is partner",
    ),
    (
        changed(SCENARIO, margin=MarginSpec("scenario", scenarios=(ScenarioRow("-1.1"),))),
        "margin.scenarios.move is -1.1; it must lie between -1 and 10",
    ),
    (
        changed(SCENARIO, margin=MarginSpec("scenario", scenarios=(ScenarioRow("-0.98"),))),
        "collateral ETH: at initial its deepest fall in the scenarios takes more",
    ),
    (
        changed(STANDARD, collateral=(COIN,)),
        "collateral ETH.is_offsetting is for the model scenario only",
    ),
    (changed(STANDARD, underlyings=(ETH,)), "option_rate is for the model scenario only"),
    (
        changed(
            SCENARIO,
            underlyings=(
                msgspec.structs.replace(ETH, linear_rate=Levels("0.01", "0.02", "0.01", "0")),
            ),
        ),
        "underlying ETH.linear_rate must not rise from initial to closeout",
    ),
    (
        changed(
            STANDARD,
            margin=MarginSpec(
                "standard",
                standard=msgspec.structs.replace(
                    MarginSpec().standard, option_rate_min="0.16", unpaired_maintenance="1.3"
                ),
            ),
        ),
        "margin.standard: unpaired_maintenance exceeds unpaired_initial",
    ),
    (
        with_instruments(SCENARIO, msgspec.structs.replace(CALL, option="straddle")),
        "instrument C.option is 'straddle'; it is call, put or empty",
    ),
    (
        with_instruments(SCENARIO, msgspec.structs.replace(CALL, expiry_ns=0)),
        "instrument C: an option needs an expiry_ns",
    ),
    (
        with_instruments(SCENARIO, msgspec.structs.replace(CALL, strike="0")),
        "instrument C.strike is 0; it must lie between 1E-9 and 100000",
    ),
    (
        with_instruments(SCENARIO, msgspec.structs.replace(CALL, strike="1000.001")),
        "instrument C.strike 1000.001 is not a whole number of ticks",
    ),
    (
        with_instruments(SCENARIO, msgspec.structs.replace(CALL, settlement_window_seconds=-1)),
        "instrument C.settlement_window_seconds is -1; it must lie between 0 and 86400",
    ),
    (
        with_instruments(SCENARIO, CALL, option("D", "put", "900")),
        "instrument D must stand before C: the order is by expiry, then by strike",
    ),
    (
        with_instruments(STANDARD, COLLATERALISED.instruments[0]),
        "instrument ETH-NEAR: the model standard has perpetuals and options, but no dated futures",
    ),
    (
        changed(STANDARD, margin=MarginSpec()),
        "instrument ETH-900-P: brackets have no measure for options",
    ),
    (
        changed(COLLATERALISED, collateral=STANDARD.collateral),
        "a collateralised pool takes cash only",
    ),
    (
        with_instruments(COLLATERALISED, SCENARIO.instruments[0]),
        "instrument ETH-PERP: a perpetual has no largest loss to post",
    ),
    (changed(COLLATERALISED, bounds={}), "a collateralised pool has no debt"),
]


@pytest.mark.parametrize(("spec", "problem"), REFUSED)
def test_a_spec_with_options_that_cannot_be_safe_is_refused(spec, problem):
    assert re.search(re.escape(problem), problems(spec)), problems(spec)


def test_a_strike_that_is_no_number_is_named_and_hides_no_other_problem():
    broken = msgspec.structs.replace(CALL, strike="1e")
    found = problems(with_instruments(SCENARIO, broken, option("D", "put", "900", NEAR - DAY_NS)))
    assert "instrument C.strike: '1e' is not a decimal number" in found
    assert "instrument D must stand before C" in found


def test_an_offsetting_coin_of_an_unknown_underlying_is_named_once():
    coin = msgspec.structs.replace(COIN, underlying="SOL")
    found = problems(changed(SCENARIO, collateral=(coin,)))
    assert found == "ETH: underlying SOL is not listed; it must be one of ETH"


def test_instruments_are_in_order_within_their_underlying_alone():
    """The second one's may expire before the first one's last."""
    btc = msgspec.structs.replace(ETH, name="BTC")
    early = msgspec.structs.replace(CALL, name="BTC-C", underlying="BTC", strike="900")
    spec = changed(SCENARIO, underlyings=(ETH, btc), instruments=(*SCENARIO.instruments, early))
    pool = create_pool(spec, owner=1, now_ns=0)
    assert pool.first_instrument.tolist() == [0, 6, 7]
    assert pool.strike[6] == 900 * PRICE_UNIT < pool.strike[5]
    assert pool.expiry[6] < pool.expiry[5]
