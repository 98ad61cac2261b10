"""The position of the comparison, worked out by hand where the rule is simple."""

import pytest

from ringfence.lab.one_position.loans import LOANS
from ringfence.lab.one_position.own import OWN
from ringfence.lab.one_position.perpetuals import PERPETUALS
from ringfence.lab.one_position.position import WORTH
from ringfence.lab.one_position.table import DEBTS, text

RULES = LOANS | PERPETUALS | OWN

BY_HAND = [
    # Half of the debt, with 5 % more in coins.
    ("Aave v3", 8_100, 4_050 * 1.05, 4_050 * 0.05, 0),
    # Coins worth 10,000 pay for 10,000 / 1.05 of the debt.
    ("Aave v3", 10_400, 10_000, 0, 10_400 - 10_000 / 1.05),
    # Incentive 1 / (1 - 0.3 * 0.2) = 1 / 0.94.
    ("Morpho Blue", 8_100, 8_100 / 0.94, 8_100 / 0.94 - 8_100, 0),
    ("Morpho Blue", 10_400, 10_000, 0, 10_400 - 9_400),
    # (8,100 - 0.76 * 10,000) / (1 - 0.76 - 0.038) is repaid, 5 % more taken.
    ("Silo v2", 8_100, 500 / 0.202 * 1.05, 500 / 0.202 * 0.05, 0),
    # Discount 1 - 8,000 / 8,100.
    ("Euler", 8_100, 8_100 * 8_100 / 8_000, 8_100 * 100 / 8_000, 0),
    ("Euler", 9_400, 10_000, 600, 9_400 - 10_000 * 8_000 / 9_400),
    # 9,300 is credited; the coins bring 10,000 * (1 - 0.6 * 0.07) = 9,580.
    ("Comet", 8_100, 10_000, 700, 0),
    ("Comet", 10_400, 10_000, 0, 10_400 - 9_580),
    ("Gearbox", 8_100, 10_000, 550, 0),
    # 8,100 * 1.13 raised at 990 a coin.
    ("Maker", 8_100, 8_100 * 1.13 / 0.99, 8_100 * 1.13 / 0.99 - 8_100, 0),
    ("Maker", 9_400, 10_000, 600, 0),
    # Filled at 999 a coin, and 1.5 % of that to insurance.
    ("dYdX", 8_100, 10_000, 10 + 9_990 * 0.015, 0),
    # Shortage 2,200 - 1,900; 0.22 - 0.01 - 0.01 is freed for each dollar closed.
    ("Drift", 8_100, 300 / 0.2, 300 / 0.2 * 0.02, 0),
    # A bidder gains 1 % of what he takes.
    ("Derive", 8_600, 45_000 / 11, 450 / 11, 0),
    ("Vega", 8_100, 10_000, 1_900, 0),
    ("Bluefin", 8_100, 10_000, 1_900, 0),
    ("Bluefin", 10_400, 10_000, 0, 400),
]


@pytest.mark.parametrize(("name", "debt", "closed", "cost", "loss"), BY_HAND)
def test_a_rule_gives_what_is_worked_out_by_hand(name, debt, closed, cost, loss):
    assert RULES[name](debt) == pytest.approx((closed, cost, loss), abs=0.02)


@pytest.mark.parametrize("name", RULES)
def test_costs_and_losses_stay_within_what_there_is(name):
    for debt in DEBTS:
        closed, cost, loss = RULES[name](debt)
        equity = WORTH - debt
        assert 0 < closed <= WORTH
        assert 0 <= cost <= max(equity, 0) + 0.01
        # Nobody can make a hole in equity disappear.
        assert loss >= max(-equity, 0) - 0.01


@pytest.mark.parametrize("name", OWN)
def test_our_rule_makes_no_loss_while_there_is_equity_and_adds_none_after(name):
    losses = [OWN[name](debt).loss for debt in DEBTS]
    assert losses == [0, 0, 0, 400]


def test_the_table_has_a_line_for_every_rule():
    lines = text().splitlines()
    assert all(any(line.startswith(name) for line in lines) for name in RULES)
    assert all(len(line.split("/")) == 1 + 2 * len(DEBTS) for line in lines[3:] if line)
