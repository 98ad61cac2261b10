"""A trade in one line of text, for those who ask "what if" at a prompt.

ETH perpetual -2            ETH 2026-03-27 3500 call 5 @ 60.5
"""

from ringfence.risk.portfolio.reading import PortfolioError, Trade, check_leg, convert
from ringfence.risk.portfolio.terms import Leg, Market, Option, Perpetual

FORMS = "UNDERLYING perpetual SIZE, or UNDERLYING EXPIRY STRIKE call|put SIZE; then @ PRICE, if any"


def trade_of(text: str, market: Market) -> Trade:
    """Read a trade; without a price it is done at the mark.

    Raises:
        PortfolioError: It has another form, or the market does not know the leg.
    """
    where = f"trade {text!r}"
    terms, at, price = text.partition("@")
    words = terms.split()
    leg: Leg
    if len(words) == 3 and words[1] == "perpetual":
        raw = {"leg": "perpetual", "underlying": words[0], "size": words[2]}
        leg = convert(raw, Perpetual, where)
    elif len(words) == 5:
        names = ("underlying", "expiry", "strike", "type", "size")
        leg = convert({"leg": "option"} | dict(zip(names, words, strict=True)), Option, where)
    else:
        raise PortfolioError(where, f"it has {len(words)} words", f"write {FORMS}")
    check_leg(leg, market, where)
    return Trade(leg, convert(price.strip(), float, f"{where}.price") if at else None)
