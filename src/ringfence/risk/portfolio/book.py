"""A portfolio at market, as NumPy columns, one book an underlying; what the models compute on."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ringfence.pricing import black76
from ringfence.risk.portfolio.model import Model
from ringfence.risk.portfolio.terms import (
    YEAR,
    Collateral,
    Expiry,
    Leg,
    Market,
    Option,
    Perpetual,
    Portfolio,
    Underlying,
)

Floats = NDArray[np.float64]


class Expiries(NamedTuple):
    """The expiries of one underlying in which the portfolio holds options."""

    names: tuple[str, ...]
    time: Floats  # [e] years
    rate: Floats  # [e] as the model counts it
    confidence: Floats  # [e] with that of spot
    basis: Floats  # [e] log of forward / spot
    of_option: NDArray[np.int64]  # [o] index of the option's expiry


class Book(NamedTuple):
    """What a portfolio holds of one underlying."""

    name: str
    spot: float
    confidence: float
    expiries: Expiries
    forward: Floats  # [o] at which the option is marked, with what is settled already
    variable: Floats  # [o] part of the forward that still moves with spot
    strike: Floats  # [o]
    is_call: NDArray[np.bool_]  # [o]
    size: Floats  # [o]
    volatility: Floats  # [o]
    discount_rate: Floats  # [o] of the mark; zero where the model does not discount it
    perpetual_size: Floats  # [p]
    perpetual_pnl: Floats  # [p] with funding
    perpetual_price: float
    perpetual_confidence: float

    @property
    def time(self) -> Floats:
        """Years to expiry of each option."""
        return self.expiries.time[self.expiries.of_option]

    def by_expiry(self, values: Floats) -> Floats:
        """Sum values over the options of each expiry; the last axis changes from o to e."""
        sums = np.zeros((*values.shape[:-1], len(self.expiries.names)))
        for e in range(len(self.expiries.names)):
            sums[..., e] = values[..., self.expiries.of_option == e].sum(axis=-1)
        return sums

    def option_values(self, forward: Floats, volatility: Floats) -> Floats:
        """Value of each position at other forwards and volatilities; shapes broadcast."""
        if not len(self.size):
            return np.zeros(np.broadcast_shapes(forward.shape, volatility.shape))
        priced: Any = black76.price(
            forward, self.strike, self.time, volatility, self.is_call, self.discount_rate
        )
        return np.asarray(priced) * self.size

    def marks(self) -> Floats:
        """Value of each option position."""
        return self.option_values(self.forward, self.volatility)

    def perpetuals(self) -> float:
        """Size of all perpetuals, long and short alike, at the spot price."""
        return float(np.abs(self.perpetual_size).sum()) * self.spot

    def moved(self, move: float) -> "Book":
        """Return the book after a relative move of spot; volatilities stay with the strikes."""
        rise = self.perpetual_size * (self.perpetual_price * move)
        return self._replace(
            spot=self.spot * (1 + move),
            forward=self.forward + self.variable * move,
            variable=self.variable * (1 + move),
            perpetual_pnl=self.perpetual_pnl + rise,
            perpetual_price=self.perpetual_price * (1 + move),
        )

    def reshocked(self, scale: float = 1.0, add: float = 0.0) -> "Book":
        """Return the book with volatilities times a scale and some more, not below zero."""
        return self._replace(volatility=np.maximum(self.volatility * scale + add, 0.0))

    def aged(self, by: float) -> tuple["Book", float]:
        """Return the book some years later, and the cash that options expired by then paid.

        Spot stays where it is, and forwards approach it: their basis shrinks in proportion to
        the time left. Volatilities stay with the strikes.
        """
        left = np.maximum(self.expiries.time - by, 0.0)
        share = np.divide(left, self.expiries.time, out=np.zeros_like(left), where=left > 0)
        of_option = self.expiries.of_option
        variable = self.variable * np.exp(self.expiries.basis * (share - 1.0))[of_option]
        expiries = self.expiries._replace(time=left, basis=self.expiries.basis * share)
        forward = self.forward - self.variable + variable
        later = self._replace(forward=forward, variable=variable, expiries=expiries)
        is_over = left[of_option] == 0.0
        return later.kept(~is_over), float(later.marks()[is_over].sum())

    def kept(self, is_kept: NDArray[np.bool_]) -> "Book":
        """Return the book with some of its options, and the expiries that have any."""
        old = self.expiries
        held, of_option = np.unique(old.of_option[is_kept], return_inverse=True)
        return self._replace(
            expiries=Expiries(
                names=tuple(old.names[e] for e in held),
                time=old.time[held],
                rate=old.rate[held],
                confidence=old.confidence[held],
                basis=old.basis[held],
                of_option=of_option,
            ),
            forward=self.forward[is_kept],
            variable=self.variable[is_kept],
            strike=self.strike[is_kept],
            is_call=self.is_call[is_kept],
            size=self.size[is_kept],
            volatility=self.volatility[is_kept],
            discount_rate=self.discount_rate[is_kept],
        )


class Holding(NamedTuple):
    """One kind of collateral."""

    terms: Collateral
    value: float  # in dollars

    def is_in(self, book: Book) -> bool:
        """Whether it moves with the scenarios of an underlying."""
        return self.terms.is_offsetting and self.terms.underlying == book.name


class Account(NamedTuple):
    """A portfolio at market."""

    cash: float
    stable_price: float
    holdings: tuple[Holding, ...]
    books: tuple[Book, ...]

    def moved(self, underlying: str, move: float) -> "Account":
        """Return the account after a relative move of one underlying."""
        return self._replace(
            holdings=tuple(
                h._replace(value=h.value * (1 + move)) if h.terms.underlying == underlying else h
                for h in self.holdings
            ),
            books=tuple(b.moved(move) if b.name == underlying else b for b in self.books),
        )

    def reshocked(self, scale: float = 1.0, add: float = 0.0) -> "Account":
        """Return the account with other volatilities."""
        return self._replace(books=tuple(b.reshocked(scale, add) for b in self.books))

    def aged(self, by: float) -> "Account":
        """Return the account some years later; options that expired by then became cash."""
        aged = [book.aged(by) for book in self.books]
        paid = sum(cash for _, cash in aged)
        return self._replace(cash=self.cash + paid, books=tuple(book for book, _ in aged))

    def confidence(self, holding: Holding) -> float:
        """Confidence in a holding's price: the lowest of its own and its underlying's spot.

        Collateral of no underlying takes the lowest of all: an account whose main price is
        uncertain cannot be sure of a rate against it either.
        """
        named = [b.confidence for b in self.books if b.name == holding.terms.underlying]
        around = named or [b.confidence for b in self.books]
        return min([holding.terms.confidence, *around])


def account_of(portfolio: Portfolio, market: Market, model: Model) -> Account:
    """Lay out a portfolio at market the way a model sees it; the terms are checked before."""
    legs: tuple[Leg, ...] = (*portfolio.perpetuals, *portfolio.options)
    named = {leg.underlying for leg in legs} | {c.underlying for c in portfolio.collateral}
    # A market of one coin is what the account is about, whether it holds any or not.
    names = [n for n in market.underlyings if n in named or len(market.underlyings) == 1]
    return Account(
        cash=portfolio.cash,
        stable_price=market.stable_price,
        holdings=tuple(Holding(c, _value(c, market)) for c in portfolio.collateral),
        books=tuple(_book(name, portfolio, market.underlyings[name], model) for name in names),
    )


def _value(held: Collateral, market: Market) -> float:
    price = held.price
    if price is None:
        assert held.underlying is not None
        price = market.underlyings[held.underlying].spot
    return held.amount * price


def years(expiry: Expiry) -> float:
    """Time to expiry."""
    return expiry.days / 365 if expiry.days is not None else (expiry.seconds or 0.0) / YEAR


def _settled_share(expiry: Expiry, window: float) -> float:
    """Share of the settlement average that is known already; all of it at expiry."""
    if expiry.settled_share is not None:
        return expiry.settled_share
    left = years(expiry) * YEAR
    return max(0.0, 1 - left / window) if window else float(left == 0)


def _pnl(held: Perpetual, mark: float) -> float:
    if held.unrealized_pnl is not None:
        return held.unrealized_pnl
    return 0.0 if held.entry_price is None else held.size * (mark - held.entry_price)


def _book(name: str, portfolio: Portfolio, coin: Underlying, model: Model) -> Book:
    options = [o for o in portfolio.options if o.underlying == name]
    perpetuals = [p for p in portfolio.perpetuals if p.underlying == name]
    mark = coin.spot if coin.perpetual is None else coin.perpetual
    pnl = [p.funding + _pnl(p, mark) for p in perpetuals]
    names = tuple(dict.fromkeys(o.expiry for o in options))
    quotes = [coin.expiries[expiry] for expiry in names]
    lowest = -np.inf if model.rate_min is None else model.rate_min
    expiries = Expiries(
        names=names,
        time=np.array([years(q) for q in quotes], dtype=float),
        rate=np.array([max(q.rate, lowest) for q in quotes], dtype=float),
        confidence=np.array([min(q.confidence, coin.confidence) for q in quotes], dtype=float),
        basis=np.log([q.forward / coin.spot for q in quotes], dtype=float),
        of_option=np.array([names.index(o.expiry) for o in options], dtype=np.int64),
    )
    return Book(
        name=name,
        spot=coin.spot,
        confidence=coin.confidence,
        expiries=expiries,
        **_option_columns(options, coin, model, expiries),
        perpetual_size=np.array([p.size for p in perpetuals], dtype=float),
        perpetual_pnl=np.array(pnl, dtype=float),
        perpetual_price=mark,
        perpetual_confidence=min(coin.perpetual_confidence, coin.confidence),
    )


def _option_columns(
    options: list[Option], coin: Underlying, model: Model, expiries: Expiries
) -> dict[str, Any]:
    quotes = [coin.expiries[o.expiry] for o in options]
    shares = [_settled_share(q, model.settlement_window_seconds) for q in quotes]
    settled = [q.forward if q.settled is None else q.settled for q in quotes]
    feed = np.array([q.forward for q in quotes], dtype=float)
    fixed = np.array(shares, dtype=float)
    variable = feed * (1 - fixed)
    rate = expiries.rate[expiries.of_option]
    return {
        "forward": np.array(settled, dtype=float) * fixed + variable,
        "variable": variable,
        "strike": np.array([o.strike for o in options], dtype=float),
        "is_call": np.array([o.type == "call" for o in options], dtype=bool),
        "size": np.array([o.size for o in options], dtype=float),
        "volatility": np.array(
            [
                q.volatility if o.volatility is None else o.volatility
                for o, q in zip(options, quotes, strict=True)
            ],
            dtype=float,
        ),
        "discount_rate": rate if model.is_discounting_marks else np.zeros(len(options)),
    }
