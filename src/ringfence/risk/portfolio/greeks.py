"""Greeks of a portfolio, per leg and in total, in coins and in cash."""

import numpy as np

from ringfence.pricing import black76
from ringfence.risk.portfolio.book import Account, Book, Floats
from ringfence.risk.portfolio.report import Greeks, LegGreeks
from ringfence.risk.portfolio.terms import Option, Portfolio

DAYS_A_YEAR = 365


def deltas(book: Book) -> Floats:
    """Delta of each option position, in coins."""
    if not len(book.size):
        return np.zeros(0)
    slopes = black76.greeks(
        book.forward, book.strike, book.time, book.volatility, book.is_call, book.discount_rate
    )
    return np.asarray(slopes.delta) * book.size * _reach(book)


def _reach(book: Book) -> Floats:
    """Slope of each forward to spot: they move alike, but for what is settled already."""
    return book.variable / book.spot


def greeks_of(account: Account, portfolio: Portfolio) -> Greeks:
    """Sensitivities of every leg of an account that was laid out from the portfolio."""
    legs: list[LegGreeks] = []
    totals: list[LegGreeks] = []
    for book in account.books:
        of_book = [*_collateral(account, book), *_perpetuals(book), *_options(book, portfolio)]
        legs += of_book
        totals.append(_total(book.name, of_book))
    return Greeks(
        legs=tuple(legs),
        totals=tuple(totals),
        delta_cash=sum(t.delta_cash for t in totals),
        gamma_cash=sum(t.gamma_cash for t in totals),
        vega=sum(t.vega for t in totals),
        theta=sum(t.theta for t in totals),
        rho=sum(t.rho for t in totals),
    )


def _leg(
    name: str,
    book: Book,
    size: float,
    value: float,
    delta: float,
    gamma: float = 0.0,
    vega: float = 0.0,
    theta: float = 0.0,
    rho: float = 0.0,
) -> LegGreeks:
    spot = book.spot
    return LegGreeks(
        leg=name,
        underlying=book.name,
        size=size,
        value=value,
        value_coin=value / spot,
        delta=delta,
        delta_cash=delta * spot,
        delta_less_value=delta - value / spot,
        gamma=gamma,
        gamma_cash=gamma * spot * spot / 100,
        vega=vega,
        vega_coin=vega / spot,
        theta=theta,
        theta_coin=theta / spot,
        rho=rho,
    )


def _collateral(account: Account, book: Book) -> list[LegGreeks]:
    held = [h for h in account.holdings if h.terms.underlying == book.name]
    return [
        _leg(f"{h.terms.asset} collateral", book, h.terms.amount, h.value, h.value / book.spot)
        for h in held
    ]


def _perpetuals(book: Book) -> list[LegGreeks]:
    pairs = zip(book.perpetual_size.tolist(), book.perpetual_pnl.tolist(), strict=True)
    ratio = book.perpetual_price / book.spot
    return [_leg(f"{book.name} perpetual", book, n, pnl, n * ratio) for n, pnl in pairs]


def option_name(option: Option) -> str:
    """Return a name such as "ETH 2026-03-27 3500 call"."""
    return f"{option.underlying} {option.expiry} {option.strike:g} {option.type}"


def _options(book: Book, portfolio: Portfolio) -> list[LegGreeks]:
    named = [option_name(o) for o in portfolio.options if o.underlying == book.name]
    if not named:
        return []
    slopes = black76.greeks(
        book.forward, book.strike, book.time, book.volatility, book.is_call, book.discount_rate
    )
    reach, n = _reach(book), book.size
    columns = (
        n,
        book.marks(),
        slopes.delta * n * reach,
        slopes.gamma * n * reach**2,
        slopes.vega * n,
        slopes.theta * n / DAYS_A_YEAR,
        slopes.rho * n,
    )
    rows = zip(*(np.asarray(column).tolist() for column in columns), strict=True)
    return [_leg(name, book, *row) for name, row in zip(named, rows, strict=True)]


def _total(name: str, legs: list[LegGreeks]) -> LegGreeks:
    def add(field: str) -> float:
        return sum(float(getattr(leg, field)) for leg in legs)

    names = [f for f in LegGreeks.__struct_fields__ if f not in ("leg", "underlying", "size")]
    return LegGreeks(leg="total", underlying=name, size=None, **{f: add(f) for f in names})
