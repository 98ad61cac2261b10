"""The position as a loan, under the rules of eight lending protocols.

Every rule runs until the position is healthy or nothing is left, and whoever liquidates
takes the most that the rule allows. Parameters that a rule has besides the threshold:

    Aave v3      bonus 5 %
    Aave v4      target health 1.05, bonus 2.5 % at health 1, 5 % from 0.9 down
    Morpho Blue  incentive from the threshold, 6.38 %
    Silo v2      fee 5 %, target loan to value 76 %
    Euler        discount as large as health is below 1, at most 15 %
    Comet        liquidation factor 0.93, coins sold on at 60 % of that discount
    Gearbox      premium 4 %, fee 1.5 % of the whole account
    Maker        penalty 13 %, coins auctioned
"""

from ringfence.lab.one_position.position import (
    COINS,
    KEEPER_PERCENT,
    PRICE,
    THRESHOLD_PERCENT,
    WORTH,
    Outcome,
    Rule,
    outcome,
)
from ringfence.lab.rules import (
    auctions,
    lending_aave,
    lending_comet,
    lending_euler,
    lending_gearbox,
    lending_morpho,
    lending_silo,
)
from ringfence.lab.rules.fixed_point import BPS, WAD

CENT = 10**8  # unit of dollars and coins in the rules that have 1e-8
THRESHOLD_BPS = THRESHOLD_PERCENT * BPS // 100
THRESHOLD_WAD = THRESHOLD_PERCENT * WAD // 100


def aave_v3(debt: int) -> Outcome:
    """Half of the debt above a health factor of 0.95, all of it below, for a fixed bonus."""
    coins, owed = COINS * CENT, debt * CENT
    while owed and coins:
        value = coins * PRICE
        health = lending_aave.health_factor(value * THRESHOLD_BPS, owed)
        if not lending_aave.is_liquidatable(health):
            break
        covered = owed * lending_aave.close_factor(health, owed, value) // BPS
        coins, owed = _aave_seizure(coins, owed, covered, 10_500)
    return _lent(debt, coins / CENT, owed / CENT)


def aave_v4(debt: int) -> Outcome:
    """Just enough debt to reach the target health, for a bonus that grows as health falls."""
    coins, owed = COINS * CENT, debt * CENT
    while owed and coins:
        health = lending_aave.health_factor(coins * PRICE * THRESHOLD_BPS, owed)
        if not lending_aave.is_liquidatable(health):
            break
        bonus = lending_aave.bonus(health, 10_500, 5_000, 9 * WAD // 10)
        needed = lending_aave.debt_to_target(
            owed * WAD, health, 105 * WAD // 100, bonus, THRESHOLD_BPS, CENT, CENT
        )
        coins, owed = _aave_seizure(coins, owed, min(needed, owed), bonus)
    return _lent(debt, coins / CENT, owed / CENT)


def _aave_seizure(coins: int, owed: int, covered: int, bonus: int) -> tuple[int, int]:
    taken = lending_aave.seizure(covered, CENT, CENT, PRICE * CENT, CENT, coins, bonus, 0)
    return coins - taken.collateral, owed - taken.debt


def morpho(debt: int) -> Outcome:
    """As much as the collateral pays for at the incentive; the rest is the lenders' at once."""
    shares, price = debt * WAD * lending_morpho.VIRTUAL_SHARES, PRICE * lending_morpho.PRICE_SCALE
    market = lending_morpho.Market(debt * WAD, shares, debt * WAD, shares, 0, 0)
    account = lending_morpho.Account(borrow_shares=shares, collateral=COINS * WAD)
    worth_of_all = debt * lending_morpho.incentive_factor(THRESHOLD_WAD) // WAD
    seized, repaid = (account.collateral, 0) if worth_of_all >= WORTH else (0, shares)
    done = lending_morpho.liquidated(market, account, seized, repaid, price, THRESHOLD_WAD)
    left = lending_morpho.debt(done.market, done.account)
    return outcome(debt, done.account.collateral / WAD, left / WAD, done.bad_debt_assets / WAD)


def silo(debt: int) -> Outcome:
    """Down to a target loan to value, or all where that is most of the debt."""
    coins, owed, target, fee = COINS * WAD, debt * WAD, 76 * WAD // 100, 5 * WAD // 100
    value = WORTH * WAD
    ltv = lending_silo.loan_to_value(owed, value)
    # Whoever repays wants the fee on all he repays, so not more than what the coins pay for.
    paid_for = value * WAD // (WAD + fee)
    done = lending_silo.liquidation(ltv, coins, value, owed, owed, min(owed, paid_for), target, fee)
    return _lent(debt, (coins - done.collateral) / WAD, (owed - done.debt) / WAD)


def euler(debt: int) -> Outcome:
    """All of the debt, at a discount that is small while health is close to one."""
    coins, value = COINS * WAD, WORTH * WAD
    limit = lending_euler.liquidation_limit(
        debt * WAD, coins, debt * WAD, value * THRESHOLD_PERCENT // 100, value, 1_500
    )
    return _lent(debt, (coins - limit.collateral) / WAD, debt - limit.repay / WAD)


def comet(debt: int) -> Outcome:
    """The protocol takes everything for a fixed part of its value, and sells the coins on."""
    factor, coins = 93 * WAD // 100, COINS * WAD
    seized = [lending_comet.Collateral(coins, PRICE * CENT, factor)]
    balance = lending_comet.balance_after_absorption(-debt * WAD, seized, CENT, WAD)
    sale = lending_comet.sale_price(PRICE * CENT, 6 * WAD // 10, factor)
    brought = coins * sale // CENT
    loss = max(debt * WAD + balance - brought, 0)
    return outcome(debt, 0.0, -balance / WAD, loss / WAD)


def gearbox(debt: int) -> Outcome:
    """Premium and fee are taken on the whole account, which is closed."""
    paid = lending_gearbox.liquidation_payments(WORTH * WAD, debt * WAD, 0, 0, 9_600, 150)
    return outcome(debt, 0.0, -paid.to_owner / WAD, paid.loss / WAD)


def maker(debt: int) -> Outcome:
    """Coins are auctioned until debt and penalty are raised; the others go back."""
    tab, price = debt * 1.13, PRICE * (1 - KEEPER_PERCENT / 100)
    bought, paid = auctions.maker_purchase(tab, COINS, price, COINS, 0.0)
    # The penalty is raised last, so only what is missing of the debt itself is a loss.
    return outcome(debt, COINS - bought, 0.0, max(debt - paid, 0))


def _lent(debt: int, coins_left: float, debt_left: float) -> Outcome:
    """Count the part of a remaining debt that no coins cover as the lenders' loss."""
    loss = max(debt_left - coins_left * PRICE, 0)
    return outcome(debt, coins_left, debt_left, loss)


LOANS: dict[str, Rule] = {
    "Aave v3": aave_v3,
    "Aave v4": aave_v4,
    "Morpho Blue": morpho,
    "Silo v2": silo,
    "Euler": euler,
    "Comet": comet,
    "Gearbox": gearbox,
    "Maker": maker,
}
