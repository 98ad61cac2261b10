"""The position under Ringfence's rule, run through a real venue.

A pool of its own is created, the position is opened at a higher price, the price falls to
the one of the comparison, and the venue does what it does on every tick: without auctions the
backstop takes over at once, with them a keeper bids as soon as he gains what keepers want.
Everything is read from the pool afterwards, in quote units.
"""

from functools import partial
from typing import NamedTuple

import msgspec

from ringfence.core.auction import WHOLE, auction_notional, offer_of
from ringfence.core.command import Kind, rows
from ringfence.core.health import debt_of
from ringfence.core.pool import CASH, Pool, Step, Total
from ringfence.core.spec import (
    CollateralSpec,
    InstrumentSpec,
    Levels,
    PoolSpec,
    RulesSpec,
    Tier,
    UnderlyingSpec,
)
from ringfence.lab.one_position.position import (
    COINS,
    KEEPER_PERCENT,
    PRICE,
    WORTH,
    Outcome,
    Rule,
)
from ringfence.units import PRICE_UNIT, SECOND_NS, UNIT
from ringfence.venue import commands as c
from ringfence.venue.clock import ManualClock
from ringfence.venue.fanout import FeedPrice
from ringfence.venue.lookup import account_index
from ringfence.venue.venue import Venue

ASSET, COIN = "USDC", "COIN"
QUOTE = 10**6
OPENED_AT = PRICE * 3 // 2
CREATOR, BORROWER, OTHER, KEEPER = ("0x" + digit * 40 for digit in "abcd")

# Initial, target, maintenance and closeout: the maintenance level is that of the comparison.
SPEC = PoolSpec(
    name="one-position",
    settlement=ASSET,
    underlyings=(UnderlyingSpec(COIN, "100000", (Tier("0", "0.25", "0.2"),)),),
    collateral=(CollateralSpec(COIN, COIN, Levels("0.25", "0.22", "0.2", "0.15"), "1000"),),
    instruments=(InstrumentSpec("COIN-PERP", COIN, "0.001", "0.01", "1000", "1000"),),
    rules=RulesSpec(rate_slope1="0", rate_slope2="0"),
)
WITH_AUCTIONS = msgspec.structs.replace(
    SPEC, rules=msgspec.structs.replace(SPEC.rules, auction_seconds=600)
)
TICK_NS = 10 * SECOND_NS


class _Scene(NamedTuple):
    """A venue with the pool, a borrower and another side with money."""

    venue: Venue
    clock: ManualClock
    pool: str

    def run(self, *commands: c.AnyCommand) -> None:
        """Execute commands that must all be accepted."""
        for command in commands:
            status = self.venue.execute(command).status
            assert status == "ok", f"{command} was refused: {status}"

    def price(self, dollars: int) -> None:
        """Give the pool a price, a second later."""
        self.clock.set(self.clock.now_ns() + SECOND_NS)
        units = dollars * PRICE_UNIT
        self.venue.set_prices([FeedPrice(COIN, units, units, self.clock.now_ns())])


def _scene(spec: PoolSpec) -> _Scene:
    clock = ManualClock(1_700_000_000 * SECOND_NS)
    venue = Venue.open(":memory:", clock=clock)
    venue.list_asset(ASSET, 6)
    venue.list_asset(COIN, 8)
    pool = venue.create_pool(spec, CREATOR)
    scene = _Scene(venue, clock, pool)
    for owner in (BORROWER, OTHER, KEEPER):
        venue.receive(owner, ASSET, "100000")
        venue.receive(owner, COIN, "100")
        scene.run(c.OpenAccount(pool=pool, owner=owner))
    scene.price(OPENED_AT)
    for owner in (OTHER, KEEPER):
        scene.run(c.Deposit(pool=pool, owner=owner, asset=ASSET, amount="50000"))
    return scene


def as_loan(debt: int, spec: PoolSpec = SPEC) -> Outcome:
    """Coins as collateral for cash of the pool's lenders."""
    scene = _scene(spec)
    pool, cash = scene.pool, str(debt)
    scene.run(
        c.Supply(pool=pool, owner=OTHER, amount="50000"),
        c.Deposit(pool=pool, owner=BORROWER, asset=COIN, amount=str(COINS)),
        c.Borrow(pool=pool, owner=BORROWER, amount=cash),
        c.Withdraw(pool=pool, owner=BORROWER, asset=ASSET, amount=cash),
    )
    return _liquidated(scene)


def as_perpetual(debt: int, spec: PoolSpec = SPEC) -> Outcome:
    """A long whose margin, at the price of the comparison, is the equity."""
    scene = _scene(spec)
    pool, price, margin = scene.pool, str(OPENED_AT), str(OPENED_AT * COINS - debt)
    scene.run(
        c.Deposit(pool=pool, owner=BORROWER, asset=ASSET, amount=margin),
        c.Trade(
            pool=pool,
            owner=BORROWER,
            other=OTHER,
            instrument="COIN-PERP",
            size=str(COINS),
            price=price,
        ),
    )
    return _liquidated(scene)


def _liquidated(scene: _Scene) -> Outcome:
    """Let the price fall and the venue liquidate; compare before and after."""
    with scene.venue as venue:
        scene.price(PRICE)
        record = venue.record(scene.pool)
        a = account_index(venue.state, record, BORROWER, 1)
        before = _equity(record.pool, a)
        venue.liquidate_unhealthy()
        while record.pool.step[a] == Step.AUCTION:
            scene.clock.set(scene.clock.now_ns() + TICK_NS)
            scene.price(PRICE)
            if not _bid(scene, a):
                venue.liquidate_unhealthy()  # ends an auction that nobody wanted
        pool = record.pool
        coins = (int(pool.balance[a, CASH + 1]) + int(pool.size[a, 0])) / UNIT
        cost = max(before, 0) - max(_equity(pool, a), 0)
        loss = int(pool.total[Total.SHORTFALL]) + int(pool.total[Total.INSURANCE_PAID])
        return Outcome(WORTH - coins * PRICE, cost / QUOTE, loss / QUOTE)


def _bid(scene: _Scene, a: int) -> bool:
    """Let the keeper bid for what is offered, if it gains him enough; whether he did."""
    record = scene.venue.record(scene.pool)
    offer, taken = offer_of(record.pool, a), auction_notional(record.pool, a)
    if offer.bonus * 100 < KEEPER_PERCENT * taken:
        return False
    batch = rows(1)
    batch["kind"], batch["other"], batch["amount"] = Kind.BID, a, WHOLE
    batch["account"] = account_index(scene.venue.state, record, KEEPER, 1)
    done = scene.venue.execute_many(scene.pool, batch)
    assert done.accepted == 1, f"a bid was refused: {done.statuses}"
    return True


def _equity(pool: Pool, a: int) -> int:
    """What the account's owner would have left at the market, without any haircut."""
    divisor = int(pool.value_divisor[0])
    coins = int(pool.balance[a, CASH + 1]) * int(pool.index_price[0]) // divisor
    held = int(pool.size[a, 0]) * int(pool.mark_price[0]) // divisor - int(pool.cost[a, 0])
    owed = int(pool.due[a]) + debt_of(pool, pool.debt_shares[a])
    return int(pool.balance[a, CASH]) + coins + held + int(pool.claim[a]) - owed


OWN: dict[str, Rule] = {
    "Ringfence loan": as_loan,
    "Ringfence loan, auction": partial(as_loan, spec=WITH_AUCTIONS),
    "Ringfence perpetual": as_perpetual,
    "Ringfence perpetual, auction": partial(as_perpetual, spec=WITH_AUCTIONS),
}
