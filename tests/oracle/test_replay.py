"""Every price of a file comes back exactly, and every flaw is counted and treated as stated."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.shared import shared

from ringfence.oracle.sources.replay import TREATMENT, PriceFile, base_symbol
from ringfence.oracle.sources.series import PriceTick, Tick, UnknownSymbolError, midnight_ns
from ringfence.oracle.sources.table import PriceFileError, prices_of
from ringfence.units import AMOUNT_MAX, HOUR_NS, MINUTE_NS, PRICE_UNIT, SECOND_NS

START = midnight_ns("2021-01-11")


@pytest.fixture
def write(tmp_path):
    def written(text, name="prices.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return written


def coins(*prices):
    return [int(Decimal(price) * PRICE_UNIT) for price in prices]


def test_quotes_become_one_tick_a_row(write):
    path = write("ts,bid,ask\n2021-01-11 00:00:00,100.1,100.3\n2021-01-11 00:01:00,99.9,100.1\n")
    prices = PriceFile.open(path, "ETH")
    assert prices.symbols == ("ETH",)
    assert prices.span == (START, START + MINUTE_NS)
    assert list(prices.ticks()) == [
        Tick(START, {"ETH": PriceTick(*coins("100.1", "100.3"))}),
        Tick(START + MINUTE_NS, {"ETH": PriceTick(*coins("99.9", "100.1"))}),
    ]
    assert next(prices.ticks()).prices["ETH"].mid == coins("100.2")[0]


def test_a_bar_becomes_four_ticks_with_the_nearer_extreme_first(write):
    path = write(
        "time,open,high,low,close\n"
        "2021-01-11T00:00:00Z,100,101,80,90\n"
        "2021-01-11T00:01:00Z,100,120,99,110\n"
        "2021-01-11T00:02:00Z,100,105,95,104\n"  # equally near: the low
    )
    prices = PriceFile.open(path, "ETH").prices("ETH")
    assert [int(p) // PRICE_UNIT for p in prices.bid] == [
        *(100, 101, 80, 90),
        *(100, 99, 120, 110),
        *(100, 95, 105, 104),
    ]
    assert np.array_equal(prices.time_ns, START + np.arange(12) * MINUTE_NS // 4)
    assert np.array_equal(prices.bid, prices.ask)


def test_a_bar_ends_before_an_early_next_one(write):
    rows = [0, 60, 120, 150]
    text = "ts,open,high,low,close\n" + "".join(f"{1610323200 + s},1,1,1,1\n" for s in rows)
    times = PriceFile.open(write(text), "ETH").prices("ETH").time_ns
    assert np.all(np.diff(times) > 0)
    assert times[11] == START + 120 * SECOND_NS + 30 * SECOND_NS * 3 // 4


def test_several_symbols_come_in_one_order_of_time(write):
    path = write(
        "symbol,ts,close\nethusd,1610323260,11\nethusd,1610323200,10\nBTC-USD,1610323200,30\n"
    )
    prices = PriceFile.open(path)
    assert prices.symbols == ("BTC", "ETH")
    assert [(t.time_ns, sorted(t.prices)) for t in prices.ticks()] == [
        (START, ["BTC", "ETH"]),
        (START + MINUTE_NS, ["ETH"]),
    ]
    assert [list(t.prices) for t in prices.ticks(["ETH"])] == [["ETH"], ["ETH"]]
    assert PriceFile.open(path, "eth").symbols == ("ETH",)
    with pytest.raises(UnknownSymbolError, match="BTC, ETH"):
        prices.ticks(["SOL"])


def test_pairs_of_one_coin_keep_their_full_names(write):
    path = write("symbol,ts,close\nETHUSD,1610323200,10\nETHUSDT,1610323200,11\n")
    assert PriceFile.open(path).symbols == ("ETHUSD", "ETHUSDT")
    assert PriceFile.open(path, "ethusdt").symbols == ("ETH",)
    with pytest.raises(PriceFileError, match="2 symbols match 'ETH'"):
        PriceFile.open(path, "ETH")


def test_a_base_symbol_ignores_case_separators_and_dollars():
    assert [base_symbol(s) for s in ("ethusd", "ETH-USDT", "Eth/USDC", "eth", "USDC")] == [
        *("ETH",) * 4,
        "USDC",
    ]


@pytest.mark.parametrize(
    ("rows", "flaw", "kept"),
    [
        ("1610323200,100,101\n,100,101\n", "time_missing", 1),
        ("1610323200,100,101\n1610323260,,101\n", "price_missing", 1),
        ("1610323200,100,101\n1610323260,nan,101\n", "price_missing", 1),
        ("1610323200,100,101\n1610323260,inf,101\n", "price_missing", 1),
        ("1610323200,100,101\n1610323260,0,101\n", "price_not_positive", 1),
        ("1610323200,100,101\n1610323260,-5,101\n", "price_not_positive", 1),
        ("1610323200,100,101\n1610323260,100,9007200\n", "price_too_large", 1),
        ("1610323200,100,101\n1610323260,101.01,101\n", "bid_above_ask", 1),
        ("1610323260,100,101\n1610323200,90,91\n", "out_of_order", 2),
        ("1610323200,100,101\n1610323200,90,91\n", "time_repeated", 1),
    ],
)
def test_each_flaw_of_a_quote_is_counted_and_treated_as_stated(write, rows, flaw, kept):
    prices = PriceFile.open(write("ts,bid,ask\n" + rows), "ETH")
    report = prices.report()
    assert report.flaws == {flaw: 1}
    assert report.ticks == {"ETH": kept}
    assert report.rows_skipped == 2 - kept
    assert TREATMENT[flaw].startswith("skipped") == (kept == 1)
    columns = prices.prices("ETH")
    assert np.all(np.diff(columns.time_ns) > 0)
    if kept == 1:
        assert (int(columns.bid[0]), int(columns.ask[0])) == tuple(coins(100, 101))


def test_a_bar_whose_high_is_below_its_low_is_skipped(write):
    path = write("ts,open,high,low,close\n1610323200,10,9,11,10\n1610323260,10,11,9,10\n")
    assert PriceFile.open(path, "ETH").report().flaws == {"high_below_low": 1}


def test_a_bar_whose_open_is_above_its_high_keeps_all_four_prices(write):
    path = write("ts,open,high,low,close\n1610323200,33287.70,33128.82,30810.40,32835.80\n")
    prices = PriceFile.open(path, "BTC")
    assert prices.report().flaws == {"open_or_close_outside_range": 1}
    expected = coins("33287.70", "33287.70", "30810.40", "32835.80")
    assert prices.prices("BTC").bid.tolist() == expected


def test_a_row_without_a_symbol_is_nobodys(write):
    path = write("symbol,ts,close\nETH,1610323200,10\n,1610323260,11\n")
    report = PriceFile.open(path).report()
    assert (report.flaws, report.rows_skipped) == ({"symbol_missing": 1}, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ts,volume\n1610323200,5\n", "needs columns bid and ask.*there are: ts, volume"),
        ("bid,ask\n1,2\n", "no column of times.*there are: bid, ask"),
        ("ts,close,Close\n1,2,3\n", "same name"),
        ("ts,close\n", "no rows"),
        ("ts,close\n1610323200,0\n", "no usable row in 1: {'price_not_positive': 1}"),
        ("ts,close\n1610323200,much\n", "'close' holds string, not numbers"),
        ("ts,close\nyesterday,5\n", "not ISO 8601"),
        ("ts,close\n-5,5\n", "-5 is no time in s"),
        ("ts,close\n4999999999999999999,5\n", "after the year 2116"),
        ("ts,close\n5e18,5\n", "after the year 2116"),
        ("ts,close\ntrue,5\n", "holds bool, not times"),
        ("symbol,ts,close\nETH,1,5\n", "no symbols match 'SOL'; there are: ETH"),
        ("", "neither Parquet nor CSV"),
        ("PAR1 and no more", "neither Parquet nor CSV"),
    ],
)
def test_what_is_no_price_file_is_refused_with_what_is_there(write, text, message):
    with pytest.raises(PriceFileError, match=message):
        PriceFile.open(write(text), "SOL")


def test_a_missing_file_and_a_missing_symbol_are_told(write, tmp_path):
    with pytest.raises(PriceFileError, match="no such file"):
        PriceFile.open(tmp_path / "absent.csv")
    with pytest.raises(PriceFileError, match="say what it prices"):
        PriceFile.open(write("ts,close\n1,5\n"))


@pytest.mark.parametrize(
    ("text", "time_ns", "unit"),
    [
        ("1610323200", START, "epoch s"),
        ("1610323200.25", START + SECOND_NS // 4, "epoch s"),
        ("1610323200001", START + 10**6, "epoch ms"),
        ("1610323200000001", START + 1000, "epoch us"),
        ("1610323200000001.5", START + 1500, "epoch us"),
        ("1610323200000000001", START + 1, "epoch ns"),
        ("2021-01-11", START, "s timestamp, UTC assumed"),
        ("2021-01-11 01:00:00", START + HOUR_NS, "s timestamp, UTC assumed"),
        ("2021-01-11T01:00:00Z", START + HOUR_NS, "ns timestamp, UTC"),
        ("2021-01-11T01:00:00+02:00", START - HOUR_NS, "ns timestamp, UTC"),
    ],
)
def test_times_are_understood_in_every_usual_form(write, text, time_ns, unit):
    prices = PriceFile.open(write(f"Date,Close\n{text},5\n"), "ETH")
    assert prices.span == (time_ns, time_ns)
    report = prices.report()
    assert report.time_unit.removeprefix("n") == unit.removeprefix("n")


def test_parquet_decimals_and_zones_are_read_without_loss(tmp_path):
    table = pa.table(
        {
            "ts": pa.array([START, START + 1], pa.timestamp("ns", "Asia/Tokyo")),
            "bid": pa.array([Decimal("1.0000000005"), None], pa.decimal128(20, 10)),
            "ask": pa.array([Decimal("1.0000000015"), Decimal(10**7)], pa.decimal128(20, 10)),
        }
    )
    pq.write_table(table, tmp_path / "prices.bin")
    prices = PriceFile.open(tmp_path / "prices.bin", "ETH")
    assert list(prices.ticks()) == [Tick(START, {"ETH": PriceTick(10**9, 10**9 + 2)})]
    assert prices.report().time_unit == "ns timestamp, Asia/Tokyo"


def through_floats(units):
    values = [float(Decimal(unit).scaleb(-9)) for unit in units]
    return prices_of(pa.chunked_array([pa.array(values)]), "close").tolist()


@given(st.lists(st.integers(1, 2**23 * PRICE_UNIT - 1), min_size=1))
def test_every_decimal_of_nine_places_survives_the_float(units):
    assert through_floats(units) == units


@given(st.integers(2**23 * PRICE_UNIT, AMOUNT_MAX - PRICE_UNIT))
def test_beyond_eight_million_it_is_off_by_at_most_one_unit(unit):
    assert abs(through_floats([unit])[0] - unit) <= 1


def test_a_slice_holds_its_start_and_not_its_end(write):
    text = "ts,close\n" + "".join(f"{1610236800 + 3600 * h},{h + 1}\n" for h in range(72))
    prices = PriceFile.open(write(text), "ETH")
    day = prices.day("2021-01-11")
    assert day.span == (START, START + 23 * HOUR_NS)
    assert isinstance(day, PriceFile)
    assert day.report() == prices.report()
    assert [t.time_ns for t in prices.between(START, START + HOUR_NS).ticks()] == [START]
    empty = prices.between(0, 1)
    assert (list(empty.ticks()), empty.span) == ([], (0, 0))
    assert list(prices.ticks([])) == []


def falls(prices, window):
    """The deepest fall in per cent over a number of rows."""
    return round(float((prices[window:] / prices[:-window]).min() * 100 - 100), 1)


@pytest.mark.parametrize(
    ("day", "low", "five", "hour"), [("11", -27.0, -6.0, -14.4), ("21", -20.7, -3.1, -9.0)]
)
def test_the_crash_days_of_january_2021_read_as_published(day, low, five, hour):
    path = shared("data", "eth_1m_bidask_liquidations_2021-01.parquet")
    read = PriceFile.open(path, "ETH")
    assert read.report().flaws == {}
    assert read.report().columns_unused == ("liq_long_eth", "liq_short_eth")
    mid = read.day(f"2021-01-{day}").prices("ETH").mid
    assert round(float(mid.min() / mid[0] * 100 - 100), 1) == low
    assert (falls(mid, 5), falls(mid, 60)) == (five, hour)


@pytest.mark.parametrize(
    ("symbol", "low", "five", "hour"), [("BTC", -8.3, -1.7, -4.6), ("ETH", -19.3, -2.6, -8.7)]
)
def test_two_symbols_of_one_file_read_as_published(symbol, low, five, hour):
    path = shared("data", "coinbase_1m_trades_2016-2018_days.parquet")
    day = PriceFile.open(path).day("2017-09-04")
    assert day.symbols == ("BTC", "ETH")
    bars = day.prices(symbol).bid.reshape(-1, 4)
    closes = bars[:, 3]
    assert round(float(closes.min() / bars[0, 0] * 100 - 100), 1) == low
    assert (falls(closes, 5), falls(closes, 60)) == (five, hour)
    assert bars.min() < closes.min()  # within a minute it went lower, and the ticks show it


def test_the_flash_crash_on_chain_reads_as_published():
    path = shared("data", "uniswap_v3_polygon_1m_wethusdc_2023-08-13_17.parquet")
    bars = PriceFile.open(path, "ETH").day("2023-08-17").prices("ETH").bid.reshape(-1, 4)
    closes = bars[:, 3]
    assert round(float(closes.min() / bars[0, 0] * 100 - 100), 1) == -11.7
    assert (falls(closes, 5), falls(closes, 60)) == (-6.4, -7.6)


def test_the_one_bad_bar_of_the_hours_is_found():
    path = shared("data", "cryptocompare_1h_btcusd_2019-11_2025-05.parquet")
    prices = PriceFile.open(path, "BTC")
    assert prices.report().flaws == {"open_or_close_outside_range": 1}
    start = midnight_ns("2021-01-04") + 5 * HOUR_NS
    bar = prices.between(start, start + HOUR_NS).prices("BTC").bid.tolist()
    assert bar == coins("33287.7", "33287.7", "30810.4", "32835.8")
    crash = prices.day("2020-03-12").prices("BTC").bid
    assert round(float(crash.min() / crash[0] * 100 - 100), 1) == -40.4


def test_ticks_of_a_long_series_keep_order_across_chunks(monkeypatch, write):
    monkeypatch.setattr("ringfence.oracle.sources.series._CHUNK", 3)
    text = "symbol,ts,close\n" + "".join(
        f"{symbol},{1610323200 + k},{k + 1}\n" for symbol in ("BTC", "ETH") for k in range(10)
    )
    ticks = list(PriceFile.open(write(text)).ticks())
    assert [t.time_ns for t in ticks] == [START + k * SECOND_NS for k in range(10)]
    assert all(sorted(t.prices) == ["BTC", "ETH"] for t in ticks)


DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "price-files.md"


def test_the_file_that_the_manual_shows_can_be_typed(write):
    example = DOCUMENT.read_text().split("```text\n")[1].split("```")[0]
    prices = PriceFile.open(write(example), "ETH")
    assert prices.report().flaws == {}
    assert prices.span == (START + 4 * HOUR_NS, START + 4 * HOUR_NS + 4 * MINUTE_NS)
    assert prices.prices("ETH").bid.tolist()[2] == coins("1041.07")[0]


def test_the_manual_states_the_treatment_of_every_flaw():
    text = DOCUMENT.read_text()
    for flaw, treatment in TREATMENT.items():
        assert f"| `{flaw}` | {treatment.split(',')[0].split(':')[0]}" in text
