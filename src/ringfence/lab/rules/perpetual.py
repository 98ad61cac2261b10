"""The isolated perpetual of the Bluefin exchange, from opening a position to losing it.

A trader's bank balance is outside of every position; a position is backed by its own
margin alone. All margins and all unpaid profit lie in one balance, the market's.

    liquidation    below the maintenance rate anybody may take the position over at the
                   oracle price; premium = |oracle - bankruptcy price| * size, shared
                   between liquidator and insurance fund, and paid by the liquidator
                   where the price is beyond bankruptcy
    deleveraging   at a margin ratio of zero or less, against a solvent position of the
                   other side, both closed at the bankruptcy price

Amounts, prices and rates are integers of 1e-9. A refused step changes nothing.

Source: Bluefin exchange contracts (Sui), exchange.move, isolated_trading.move,
isolated_liquidation.move, isolated_adl.move, margin_bank.move. Funding is not modelled.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ringfence.lab.rules.perpetual_position import (
    BASE,
    Change,
    Code,
    Position,
    RefusedError,
    bankruptcy_price,
    check_collateral,
    div,
    margin_ratio,
    margin_share,
    mul,
    pnl_per_unit,
    reduced,
    removable_margin,
    target_margin,
    traded,
    whole,
)

# The source lets deleveraging overdraw a margin by this much per unit, for rounding.
DELEVERAGING_TOLERANCE = 100_000

MARKET, FEES, INSURANCE = "market", "fees", "insurance"


class Rates(NamedTuple):
    """Parameters of a market, in 1e-9."""

    initial_rate: int = BASE // 10
    maintenance_rate: int = BASE // 20
    maker_fee: int = 0
    taker_fee: int = 0
    insurance_share: int = 3 * BASE // 10  # of a liquidation's premium
    tick: int = 1


class Outcome(NamedTuple):
    """Profit and loss that a step realised."""

    maker_pnl: int = 0
    taker_pnl: int = 0


class Perpetual:
    """One market: its rates, its oracle price, positions and bank balances by name."""

    def __init__(self, rates: Rates, balances: dict[str, int]) -> None:
        self.rates = rates
        self.oracle_price = 0
        self.positions: dict[str, Position] = {}
        self.balances = {MARKET: 0, FEES: 0, INSURANCE: 0, **balances}

    def position(self, name: str) -> Position:
        """Position of a trader, empty if there is none."""
        return self.positions.get(name, Position())

    def trade(self, maker: str, taker: str, size: int, price: int, leverage: int) -> Outcome:
        """Let the maker buy (size > 0) from the taker, or sell to it, at a price."""
        with self._whole_or_nothing():
            changes = []
            for name, signed, rate in (
                (maker, size, self.rates.maker_fee),
                (taker, -size, self.rates.taker_fee),
            ):
                before, is_taker = self.position(name), name == taker
                _check_leverage(before, leverage, Code.INVALID_LEVERAGE, taker=is_taker)
                share, fee = margin_share(leverage), mul(price, rate)
                changes.append(traded(before, signed, price, share, fee, taker=is_taker))
            self._settle(maker, taker, changes[0], changes[1])
            self._pay(MARKET, FEES, changes[0].fee + changes[1].fee, Code.MARKET_LACKS_FUNDS)
            return Outcome(changes[0].pnl, changes[1].pnl)

    def liquidate(self, owner: str, liquidator: str, size: int, leverage: int) -> Outcome:
        """Let the liquidator take over up to this size of an owner's position."""
        with self._whole_or_nothing():
            p, price, share = self.position(owner), self._price_on_tick(), margin_share(leverage)
            if p.size == 0:
                raise RefusedError(Code.POSITION_IS_EMPTY)
            if margin_ratio(p, price) >= self.rates.maintenance_rate:
                raise RefusedError(Code.MAKER_IS_COLLATERALIZED)
            taker = self.position(liquidator)
            _check_leverage(taker, leverage, Code.INVALID_LIQUIDATOR_LEVERAGE, taker=False)
            moved, bankruptcy = min(size, abs(p.size)), bankruptcy_price(p)
            # The owner's margin is spent on the premium, so nothing flows back to it.
            given = reduced(p, moved, bankruptcy)._replace(funds=0)
            signed = moved if p.size > 0 else -moved
            taken = traded(taker, signed, price, share, taker=True)
            premium = mul(price - bankruptcy if p.size > 0 else bankruptcy - price, moved)
            self._share_premium(liquidator, premium)
            self._settle(owner, liquidator, given, taken, price=price, forced=True)
            bonus = self._liquidator_part(premium)
            return Outcome(given.pnl, taken.pnl + bonus)

    def deleverage(self, loser: str, winner: str, size: int) -> Outcome:
        """Close a loser's position against a winner's at the loser's bankruptcy price."""
        with self._whole_or_nothing():
            p, other, price = self.position(loser), self.position(winner), self._price_on_tick()
            if p.size == 0 or other.size == 0:
                raise RefusedError(Code.POSITION_IS_EMPTY, taker=p.size != 0)
            if margin_ratio(p, price) > 0:
                raise RefusedError(Code.MAKER_IS_NOT_UNDERWATER)
            if margin_ratio(other, price) <= 0:
                raise RefusedError(Code.TAKER_IS_UNDERWATER)
            if (p.size > 0) == (other.size > 0):
                raise RefusedError(Code.SIDES_MUST_BE_OPPOSITE)
            moved, bankruptcy = min(size, abs(p.size), abs(other.size)), bankruptcy_price(p)
            for closed, is_taker in ((p, False), (other, True)):
                equity = div(closed.margin, abs(closed.size)) + pnl_per_unit(closed, bankruptcy)
                if equity + DELEVERAGING_TOLERANCE < 0:
                    raise RefusedError(Code.LOSS_EXCEEDS_MARGIN, taker=is_taker)
            changes = reduced(p, moved, bankruptcy), reduced(other, moved, bankruptcy)
            self._settle(loser, winner, *changes, price=price, forced=True)
            return Outcome(changes[0].pnl, changes[1].pnl)

    def add_margin(self, name: str, amount: int) -> None:
        """Move money from the bank balance into the position's margin."""
        with self._whole_or_nothing():
            p = self._position_to_adjust(name, amount)
            self._pay(name, MARKET, amount, Code.USER_LACKS_FUNDS)
            self.positions[name] = p._replace(margin=p.margin + amount)

    def remove_margin(self, name: str, amount: int) -> None:
        """Move money from the position's margin to the bank balance."""
        with self._whole_or_nothing():
            p = self._position_to_adjust(name, amount)
            if amount > removable_margin(p, self.oracle_price):
                raise RefusedError(Code.EXCEEDS_REMOVABLE_MARGIN)
            self._pay(MARKET, name, amount, Code.MARKET_LACKS_FUNDS)
            self._replace(name, p._replace(margin=p.margin - amount))

    def adjust_leverage(self, name: str, leverage: int) -> None:
        """Set the margin to what the position needs for a leverage at the oracle price."""
        with self._whole_or_nothing():
            leverage_whole = whole(leverage)
            if leverage_whole == 0:
                raise RefusedError(Code.LEVERAGE_IS_ZERO)
            p = self.position(name)
            margin = target_margin(p, leverage_whole, self.oracle_price)
            if margin > p.margin:
                self._pay(name, MARKET, margin - p.margin, Code.USER_LACKS_FUNDS)
            else:
                self._pay(MARKET, name, p.margin - margin, Code.MARKET_LACKS_FUNDS)
            share = margin_share(leverage) if p.size else 0
            self._replace(name, p._replace(margin=margin, margin_share=share))

    @contextmanager
    def _whole_or_nothing(self) -> Iterator[None]:
        positions, balances = dict(self.positions), dict(self.balances)
        try:
            yield
        except RefusedError:
            self.positions, self.balances = positions, balances
            raise

    def _position_to_adjust(self, name: str, amount: int) -> Position:
        if amount <= 0:
            raise RefusedError(Code.MARGIN_AMOUNT_MUST_BE_POSITIVE)
        if self.position(name).size == 0:
            raise RefusedError(Code.USER_POSITION_IS_EMPTY)
        return self.position(name)

    def _settle(
        self,
        maker: str,
        taker: str,
        given: Change,
        taken: Change,
        *,
        price: int | None = None,
        forced: bool = False,
    ) -> None:
        """Check both margin ratios, then move the money, payers before receivers."""
        self._replace(maker, given.position, price=price, forced=forced)
        self._replace(taker, taken.position, price=price, forced=forced, taker=True)
        flows = [(maker, given.funds, False), (taker, taken.funds, True)]
        for name, funds, is_taker in flows if given.funds >= 0 else reversed(flows):
            if funds > 0:
                self._pay(name, MARKET, funds, Code.MAKER_LACKS_FUNDS, taker=is_taker)
            else:
                self._pay(MARKET, name, -funds, Code.MARKET_LACKS_FUNDS)

    def _replace(
        self,
        name: str,
        after: Position,
        *,
        price: int | None = None,
        forced: bool = False,
        taker: bool = False,
    ) -> None:
        check_collateral(
            self.position(name),
            after,
            self.oracle_price if price is None else price,
            self.rates.initial_rate,
            self.rates.maintenance_rate,
            taker=taker,
            forced=forced,
        )
        self.positions[name] = after

    def _pay(
        self, source: str, target: str, amount: int, code: Code, *, taker: bool = False
    ) -> None:
        if self.balances.get(source, 0) < amount:
            raise RefusedError(code, taker=taker)
        self.balances[source] = self.balances.get(source, 0) - amount
        self.balances[target] = self.balances.get(target, 0) + amount

    def _liquidator_part(self, premium: int) -> int:
        return mul(premium, BASE - self.rates.insurance_share) if premium >= 0 else premium

    def _share_premium(self, liquidator: str, premium: int) -> None:
        if premium < 0:
            self._pay(liquidator, MARKET, -premium, Code.MAKER_LACKS_FUNDS, taker=True)
            return
        self._pay(MARKET, liquidator, self._liquidator_part(premium), Code.MARKET_LACKS_FUNDS)
        insured = mul(premium, self.rates.insurance_share)
        self._pay(MARKET, INSURANCE, insured, Code.MARKET_LACKS_FUNDS)

    def _price_on_tick(self) -> int:
        price = self.oracle_price + self.rates.tick * 5 // 10
        return price - price % self.rates.tick


def _check_leverage(p: Position, leverage: int, code: Code, *, taker: bool) -> None:
    if whole(leverage) == 0:
        raise RefusedError(Code.LEVERAGE_MUST_BE_POSITIVE, taker=taker)
    if p.margin_share not in {0, margin_share(leverage)}:
        raise RefusedError(code, taker=taker)
