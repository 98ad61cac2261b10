"""Portfolio files: what they state, and what is said about mistakes in them."""

import math
import re

import pytest

from ringfence.risk.portfolio import PRESETS, PortfolioError, model_of, read, simulate
from ringfence.risk.portfolio.presets import parameters_of

MARKET = """
[market.underlyings.ETH]
spot = "3000"
[market.underlyings.ETH.expiries.june]
days = 30
forward = 3010
volatility = 0.6
"""
OPTION = """
[[portfolio.options]]
underlying = "ETH"
expiry = "june"
strike = "3300"
type = "call"
size = "-2"
"""
GOOD = f'{MARKET}\n[portfolio]\ncash = "1000"\n{OPTION}'


def test_numbers_may_be_decimal_strings():
    question = read(GOOD)
    assert question.market.underlyings["ETH"].spot == 3000.0
    assert question.portfolio.options[0].size == -2.0
    assert question.model.name == "deribit-like"


def test_a_model_given_goes_before_that_of_the_file():
    assert read('model = "span16"\n' + GOOD).model.name == "span16"
    assert read('model = "span16"\n' + GOOD, "derive-srm").model.name == "derive-srm"


def test_parameters_change_a_model_table_by_table():
    text = GOOD + '[parameters]\nspot_range = "0.2"\n[parameters.levels.initial]\nloss_factor = 2\n'
    model, plain = read(text).model, model_of("deribit-like")
    assert model.spot_range == 0.2
    assert model.levels["initial"].loss_factor == 2
    assert model.levels["initial"].haircut == plain.levels["initial"].haircut
    assert model.levels["maintenance"] == plain.levels["maintenance"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_bears_its_name_and_its_levels_nest(name):
    model = model_of(name)
    assert model.name == name == parameters_of(name)["name"]
    requirements = [level.requirement for level in simulate(*read(GOOD, name)).levels.values()]
    assert requirements == sorted(requirements, reverse=True)


def test_the_deribit_like_grid_has_its_33_rows_and_two_skews():
    rows = model_of("deribit-like").scenarios
    plain = [row for row in rows if row.dampening == 1 and "skew" not in row.volatility]
    tails = [row for row in rows if row.dampening < 1]
    assert (len(plain), len(tails), len(rows)) == (27, 6, 35)


def test_trades_are_read_with_their_price():
    text = GOOD + '[[trades]]\nleg = "perpetual"\nunderlying = "ETH"\nsize = 1\nprice = "3003"\n'
    (trade,) = read(text).trades
    assert (trade.leg.size, trade.price) == (1.0, 3003.0)


MISTAKES = {
    "huge": (GOOD.replace('"1000"', "1" + 400 * "0"), "portfolio.cash"),
    "huge text": (GOOD.replace('"1000"', '"1e999"'), "portfolio.cash: it is '1e999'"),
    "no TOML": ("x", "file: it is no TOML"),
    "section": (GOOD + "[colour]\n", "colour: it is no section; there are model, market"),
    "no market": ("[portfolio]\n", "market: it is missing; add a table [market]"),
    "no portfolio": (MARKET, "portfolio: it is missing; add a table [portfolio]"),
    "no coins": ("[market.underlyings]\n[portfolio]\n", "market.underlyings: it is empty"),
    "spot": (
        GOOD.replace('"3000"', "-3000"),
        "market.underlyings.ETH.spot: it is -3000; write a number > 0.0",
    ),
    "nan": (
        GOOD.replace('"1000"', "nan"),
        "portfolio.cash: it is nan; write a finite number",
    ),
    "text": (GOOD.replace('"1000"', '"much"'), "portfolio.cash: it is 'much'; write a number"),
    "missing": (
        GOOD.replace('strike = "3300"', ""),
        "portfolio.options[0]: Object missing required field `strike`; add 'strike'",
    ),
    "misspelt": (
        GOOD.replace("forward =", "foward ="),
        "market.underlyings.ETH.expiries.june",
    ),
    "type": (
        GOOD.replace('"call"', '"cal"'),
        "portfolio.options[0].type: it is 'cal'; write one of call, put",
    ),
    "expiry": (
        GOOD.replace('expiry = "june"', 'expiry = "july"'),
        "portfolio.options[0].expiry: it is 'july'; there are june",
    ),
    "underlying": (
        GOOD.replace('underlying = "ETH"', 'underlying = "BTC"'),
        "portfolio.options[0].underlying: it is 'BTC'; there are ETH",
    ),
    "two times": (GOOD.replace("days = 30", "days = 30\nseconds = 3"), "state one of the two"),
    "volatility": (
        GOOD.replace("volatility = 0.6", ""),
        "portfolio.options[0].volatility: it is missing; state it here or at the expiry",
    ),
    "collateral": (
        GOOD + '[[portfolio.collateral]]\nasset = "GOLD"\namount = 1\n',
        "portfolio.collateral[0].price: it is missing; state its price",
    ),
    "haircuts": (
        GOOD
        + '[[portfolio.collateral]]\nasset = "G"\namount = 1\nprice = 1\nhaircuts = {first = 0.1}\n',
        "portfolio.collateral[0].haircuts: it is 'first'; there are initial",
    ),
    "entry": (
        GOOD
        + '[[portfolio.perpetuals]]\nunderlying = "ETH"\nsize = 1\nentry_price = 1\n'
        + "unrealized_pnl = 2\n",
        "portfolio.perpetuals[0].entry_price: it is 1 and unrealized_pnl 2",
    ),
    "model": ('model = "deribit"\n' + GOOD, "model: there is no model 'deribit'; did you mean"),
    "parameter": (
        GOOD + "[parameters]\nspot_rang = 0.1\n",
        "parameters: Object contains unknown field `spot_rang`; take 'spot_rang' out",
    ),
    "level": (
        GOOD + "[parameters.levels.initial]\nhaircut = 2\n",
        "parameters.levels.initial.haircut: it is 2; write a number <= 1.0",
    ),
    "shock": (
        GOOD + '[parameters]\nscenarios = [{volatility = "sideways"}]\n',
        "parameters.scenarios[0].volatility: it is 'sideways'; write one of up, none, down",
    ),
    "fall": (
        GOOD + "[parameters]\nscenarios = [{spot = -1}]\n",
        "parameters.scenarios[0]: spot would move by -1; keep",
    ),
    "skew": (
        'model = "span16"\n' + GOOD + '[parameters]\nscenarios = [{volatility = "linear-skew"}]\n',
        "parameters.scenarios[0]: 'linear-skew' has no parameters; add a table",
    ),
    "trades": (GOOD + "[trades]\n", "trades: it is {}; write [[trades]]"),
    "leg": (GOOD + "[[trades]]\nsize = 1\n", "trades[0].leg: it is None; write leg ="),
    "price": (
        GOOD + '[[trades]]\nleg = "perpetual"\nunderlying = "ETH"\nsize = 1\nprice = "x"\n',
        "trades[0].price: it is 'x'; write a number",
    ),
    "leg's expiry": (
        GOOD
        + '[[trades]]\nleg = "option"\nunderlying = "ETH"\nexpiry = "may"\nstrike = 1\n'
        + 'type = "put"\nsize = 1\n',
        "trades[0].expiry: it is 'may'; there are june",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_its_field_its_value_and_a_fix(name):
    text, message = MISTAKES[name]
    with pytest.raises(PortfolioError, match=re.escape(message)) as caught:
        read(text)
    assert str(caught.value).startswith(caught.value.field)
    assert "; " in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        ('size = "-2"', 'size = "-1e308"'),
        ("days = 30", "days = 1e9\nrate = -5"),
        ('spot = "3000"', 'spot = "1e300"'),
    ],
)
@pytest.mark.parametrize("model", PRESETS)
def test_figures_beyond_all_measure_end_in_a_message_or_in_finite_numbers(change, model):
    text = GOOD.replace(*change)
    assert text != GOOD
    said = None
    try:
        report = simulate(*read(text, model))
        excesses = [level.excess for level in report.levels.values()]
    except PortfolioError as error:
        said, excesses = str(error), []
    assert all(math.isfinite(excess) for excess in excesses)
    assert said is None or "far too large" in said
    assert said or excesses
