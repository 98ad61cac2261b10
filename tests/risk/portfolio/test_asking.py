"""A trade in one line of text: the same as one of a file, or a reason."""

import pytest
from tests.risk.portfolio.books import market, option, perpetual

from ringfence.risk.portfolio import PortfolioError, trade_of


@pytest.mark.parametrize(
    ("text", "leg", "price"),
    [
        ("ETH perpetual -2", perpetual(-2.0), None),
        ("ETH perpetual 0.5 @ 3010", perpetual(0.5), 3010.0),
        (" ETH  near 3500 call 5 ", option(3500.0, 5.0), None),
        ("ETH far 2500.5 put -1e1@60.25", option(2500.5, -10.0, "put", "far"), 60.25),
    ],
)
def test_a_line_is_a_trade(text, leg, price):
    assert trade_of(text, market()) == (trade := type(trade_of(text, market()))(leg, price))
    assert trade.price == price


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it has 0 words; write UNDERLYING perpetual SIZE"),
        ("ETH perpetual", "it has 2 words"),
        ("ETH spot 2", "it has 3 words"),
        ("BTC perpetual 1", "underlying: it is 'BTC'; there are ETH"),
        ("ETH june 3000 call 1", "expiry: it is 'june'; there are near, far"),
        ("ETH near 3000 calls 1", "type: it is 'calls'; write one of call, put"),
        ("ETH near -1 call 1", "strike: it is '-1'; write a number > 0"),
        ("ETH near 3000 call much", "size: it is 'much'; write a number"),
        ("ETH perpetual nan", "size: it is nan; write a finite number"),
        ("ETH perpetual 1 @", "price: it is ''; write a number"),
        ("ETH perpetual 1 @ 1 @ 2", "price: it is '1 @ 2'; write a number"),
    ],
)
def test_another_form_is_named_with_its_fix(text, message):
    with pytest.raises(PortfolioError) as caught:
        trade_of(text, market())
    assert message in str(caught.value)
