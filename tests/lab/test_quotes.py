"""Files of option quotes: what they say becomes a market that portfolios are margined at."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.shared import shared

from ringfence.lab.quotes import read_quotes
from ringfence.oracle.sources.table import PriceFileError
from ringfence.pricing import black76
from ringfence.risk.portfolio import (
    CoinQuotes,
    Collateral,
    Option,
    Perpetual,
    Portfolio,
    PortfolioError,
    Trade,
    model_of,
    quoted_market,
    simulate,
)

SNAPSHOT = "deribit_option_surface_btc_eth_2026-05-21.parquet"
HEADER = "asset,asof,kind,expiry,strike,option_type,bid,ask,iv_bid,iv_ask,inverse\n"
ROWS = """ETH,2026-05-01T08:00:00Z,spot,,,,2999,3001,,,
ETH,2026-05-01T08:00:00Z,forward,2026-05-31T08:00:00Z,,,3009,3011,,,
ETH,2026-05-01T08:00:00Z,option,2026-05-31T08:00:00Z,2700,put,0,0,0.62,0.64,false
ETH,2026-05-01T08:00:00Z,option,2026-05-31T08:00:00Z,3000,call,0,0,0.59,0.61,false
ETH,2026-05-01T08:00:00Z,option,2026-05-31T08:00:00Z,3300,call,0,0,0.60,0.62,false
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "quotes.csv"
        path.write_text(text)
        return path

    return write


def test_rows_become_spot_forwards_and_volatilities(written):
    coin = read_quotes(written(HEADER + ROWS))["ETH"]
    assert coin.spot == 3000.0
    quotes = coin.expiries["2026-05-31"]
    assert quotes.time == pytest.approx(30 / 365)
    assert quotes.forward == 3010.0
    assert list(quotes.strike) == [2700.0, 3000.0, 3300.0]
    assert list(quotes.bid) == [0.62, 0.59, 0.60]


def test_volatilities_follow_from_prices_where_they_are_missing(written):
    """In cash, and in coins where the options are inverse."""
    price = black76.price(3010.0, 3000.0, 30 / 365, 0.6, is_call=True)
    stated = "3000,call,0,0,0.59,0.61,false"
    cash = written(HEADER + ROWS.replace(stated, f"3000,call,{price!r},{price!r},,,false"))
    assert read_quotes(cash)["ETH"].expiries["2026-05-31"].bid[1] == pytest.approx(0.6)
    coins = price / 3010.0
    inverse = written(HEADER + ROWS.replace(stated, f"3000,call,{coins!r},{coins!r},,,true"))
    assert read_quotes(inverse)["ETH"].expiries["2026-05-31"].ask[1] == pytest.approx(0.6)


def test_two_expiries_of_one_day_have_the_time_in_their_names(written):
    later = ROWS.splitlines()[1].replace("2026-05-31T08:00", "2026-05-31T20:00")
    coin = read_quotes(written(HEADER + ROWS + later + "\n"))["ETH"]
    assert list(coin.expiries) == ["2026-05-31T08:00", "2026-05-31T20:00"]


def test_parquet_is_read_like_csv(written, tmp_path):
    table = pa.csv.read_csv(str(written(HEADER + ROWS)))
    pq.write_table(table, tmp_path / "quotes.parquet")
    coin = read_quotes(tmp_path / "quotes.parquet")["ETH"]
    assert coin.expiries["2026-05-31"].forward == 3010.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + ROWS.replace("spot", "stock"), "kind is 'stock'; write spot, forward, option"),
        (HEADER + "\n".join(ROWS.splitlines()[1:]), "ETH: there is no row of kind 'spot'"),
        (HEADER + ROWS.replace("put", "putt"), "option_type is 'putt'; write call or put"),
        (HEADER.replace("asof", "when") + ROWS, "column 'asof' is missing"),
        (HEADER + ROWS.replace("2999", "much"), "column 'bid'"),
        (HEADER + ROWS.replace("2026-05-01T08:00:00Z", ""), "asof"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(written, text, message):
    with pytest.raises(PriceFileError, match=message):
        read_quotes(written(text))


def test_an_option_takes_its_volatility_from_the_surface_or_states_its_own(written):
    quoted = quoted_market(read_quotes(written(HEADER + ROWS)))
    legs = (
        Option("ETH", "2026-05-31", 2850.0, "call", 1.0),
        Option("ETH", "2026-05-31", 2850.0, "call", 1.0, volatility=0.9),
    )
    found = quoted.with_volatilities(Portfolio(options=legs)).options
    assert 0.59 < found[0].volatility < 0.64
    assert found[1].volatility == 0.9
    trades = quoted.traded([Trade(legs[0]), Trade(Perpetual("ETH", 1.0))])
    assert trades == (Trade(found[0]), Trade(Perpetual("ETH", 1.0)))
    expiry = quoted.market.underlyings["ETH"].expiries["2026-05-31"]
    assert expiry.volatility == pytest.approx(0.6, abs=0.01)


def test_quotes_without_a_surface_are_refused(written):
    coin = read_quotes(written(HEADER + ROWS))["ETH"]
    bare = {name: q._replace(bid=[0.0] * 3) for name, q in coin.expiries.items()}
    with pytest.raises(PortfolioError, match=r"market\.underlyings\.ETH: a surface needs quotes"):
        quoted_market({"ETH": CoinQuotes(3000.0, bare)})
    with pytest.raises(PortfolioError, match=r"ETH\.spot: it is nan"):
        quoted_market({"ETH": coin._replace(spot=float("nan"))})


@pytest.fixture(scope="module")
def recorded():
    return quoted_market(read_quotes(shared("data", SNAPSHOT)))


def needed(recorded, *options, model="deribit-like", collateral=()):
    held = recorded.with_volatilities(Portfolio(50_000.0, collateral, options=options))
    return simulate(held, recorded.market, model_of(model)).levels["initial"].requirement


def test_a_recorded_market_prices_what_it_quotes_within_its_quotes(recorded):
    """By volatility, nearly all of what is quoted; the surface's own tests have the shares."""
    coins = read_quotes(shared("data", SNAPSHOT))
    inside = count = 0
    for name, coin in coins.items():
        for expiry, quotes in coin.expiries.items():
            strikes = np.asarray(quotes.strike).tolist()
            legs = tuple(Option(name, expiry, strike, "call", 1.0) for strike in strikes)
            options = recorded.with_volatilities(Portfolio(options=legs)).options
            found = np.array([option.volatility for option in options])
            inside += int(np.sum((found >= quotes.bid) & (found <= quotes.ask)))
            count += len(strikes)
    assert count == 387 + 292
    assert inside / count > 0.95


@pytest.mark.parametrize("model", ["span16", "deribit-like", "derive-pmrm2"])
@pytest.mark.parametrize(("asset", "near", "far"), [("BTC", 85e3, 95e3), ("ETH", 2400.0, 2700.0)])
def test_on_a_recorded_market_hedges_need_little_and_naked_options_much(
    recorded, model, asset, near, far
):
    naked = needed(recorded, Option(asset, "2026-06-26", near, "call", -10.0), model=model)
    spread = needed(
        recorded,
        Option(asset, "2026-06-26", near, "call", -10.0),
        Option(asset, "2026-06-26", far, "call", 10.0),
        model=model,
    )
    coins = (Collateral(asset, 10.0, underlying=asset),)
    bought = needed(recorded, Option(asset, "2026-06-26", near, "call", 10.0), model=model)
    alone = needed(recorded, collateral=coins, model=model)
    covered = needed(
        recorded, Option(asset, "2026-06-26", near, "call", -10.0), collateral=coins, model=model
    )
    assert spread < 0.75 * naked
    assert covered < alone + 0.5 * naked
    assert bought < naked


def test_on_a_recorded_market_a_call_and_a_put_of_one_strike_make_a_forward(recorded):
    """Both take the same volatility, so only the forward's distance from the strike is left."""
    held = recorded.with_volatilities(
        Portfolio(
            options=(
                Option("BTC", "2026-09-25", 80e3, "call", 1.0),
                Option("BTC", "2026-09-25", 80e3, "put", -1.0),
            )
        )
    )
    report = simulate(held, recorded.market, model_of("deribit-like"))
    forward = recorded.market.underlyings["BTC"].expiries["2026-09-25"].forward
    assert report.equity.options == pytest.approx(forward - 80e3, abs=1e-6)
    assert report.greeks.vega == pytest.approx(0.0, abs=1e-6)
