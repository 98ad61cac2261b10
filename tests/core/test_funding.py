"""Funding of perpetuals: paid by one side to the other, through the settlement."""

from tests.stories import check


def test_funding_reports_the_first_rule_it_breaks():
    check("""
        underlying ETH price_max 1100
        funding DOGE 0.006     -> instrument_does_not_exist
        funding none 0.006     -> instrument_does_not_exist
        funding ETH-DEC 0.006  -> instrument_is_not_a_perpetual
        funding ETH-PERP 0.005000001   -> funding_exceeds_limit
        funding ETH-PERP -0.005000001  -> funding_exceeds_limit
        funding ETH-PERP -9223372036854775808u -> funding_exceeds_limit
        funding ETH-PERP 0.005 -> mark_price_is_missing
        mark ETH-PERP 1000
        funding ETH-PERP 0.005 -> price_is_not_usable
        price ETH 1000
        funding ETH-PERP 0.005
        funding ETH-PERP -0.005
        clock +300s
        funding ETH-PERP 0.005 -> price_is_not_usable
    """)


def test_funding_stops_when_it_has_cumulated_the_highest_price():
    check(
        """
        underlying ETH price_max 9.99
        instrument ETH-PERP funding_rate_max 0.05
        price ETH 9.99
        mark ETH-PERP 9
        """
        + "funding ETH-PERP 0.05\n" * 22
        + """
        funding ETH-PERP 0.05 -> funding_exceeds_limit       # 22 * 0.45 = 9.9
        funding ETH-PERP 0.01
        funding ETH-PERP 0.000000001 -> funding_exceeds_limit
        funding ETH-PERP -0.000000001
    """
    )


def test_longs_pay_shorts_when_the_rate_is_positive():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 500 USDC
        deposit B1 500 USDC
        trade A1 B1 2 ETH-PERP @ 1000
        funding ETH-PERP 0.001                  # 1 a contract
        equity A1 498
        equity B1 502
        settle
        balance A1 498 USDC
        balance B1 502 USDC
        funding ETH-PERP -0.003
        settle
        balance A1 504 USDC
        balance B1 496 USDC
        total rounding 0
    """)


def test_a_position_opened_after_funding_owes_none_of_it():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 500 USDC
        deposit B1 500 USDC
        deposit C1 500 USDC
        trade A1 B1 2 ETH-PERP @ 1000
        funding ETH-PERP 0.001
        trade C1 B1 1 ETH-PERP @ 1000           # B1's funding so far is booked into his cost
        position B1 -3 ETH-PERP cost -3002
        position C1 1 ETH-PERP cost 1000
        equity C1 500
        total rounding 2                        # A1 has not paid yet
        trade A1 B1 -2 ETH-PERP @ 1000
        total rounding 0
        balance A1 498 USDC
        settle
        balance B1 502 USDC
        balance C1 500 USDC
    """)


def test_what_rounding_leaves_of_funding_goes_to_the_insurance_fund():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 500 USDC
        deposit B1 500 USDC
        deposit C1 500 USDC
        trade A1 C1 0.001 ETH-PERP @ 1000
        trade B1 C1 0.001 ETH-PERP @ 1000
        funding ETH-PERP 0.0000005              # half a unit from each of the longs
        settle
        balance A1 499.999999 USDC
        balance B1 499.999999 USDC
        balance C1 500.000001 USDC
        total insurance_fund 0.000001
    """)


def test_funding_counts_in_the_health_of_an_account_before_it_is_settled():
    check("""
        price ETH 1000
        mark ETH-PERP 1000
        deposit A1 101 USDC
        deposit B1 500 USDC
        trade A1 B1 1 ETH-PERP @ 1000
        funding ETH-PERP 0.001
        excess A1 initial 0
        funding ETH-PERP 0.000000001
        excess A1 initial -0.000001
        withdraw A1 0.000001 USDC -> initial_margin_too_low
    """)
