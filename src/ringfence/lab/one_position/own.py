"""The position under Ringfence's rule, run through a real venue.

A pool of its own is created, the position is opened at a higher price, the price falls to
the one of the comparison, and the venue does what it does on every tick. Everything is read
from the pool afterwards, in quote units.
"""

from typing import NamedTuple

from ringfence.core.health import debt_of
from ringfence.core.pool import CASH, Pool, Total
from ringfence.core.spec import (
    CollateralSpec,
    InstrumentSpec,
    Levels,
    PoolSpec,
    RulesSpec,
    Tier,
    UnderlyingSpec,
)
from ringfence.lab.one_position.position import COINS, PRICE, WORTH, Outcome, Rule
from ringfence.units import PRICE_UNIT, SECOND_NS, UNIT
from ringfence.venue import commands as c
from ringfence.venue.clock import ManualClock
from ringfence.venue.fanout import FeedPrice
from ringfence.venue.venue import Venue

ASSET, COIN = "USDC", "COIN"
QUOTE = 10**6
OPENED_AT = PRICE * 3 // 2
CREATOR, BORROWER, OTHER = ("0x" + digit * 40 for digit in "abc")

# Initial, target, maintenance and closeout: the maintenance level is that of the comparison.
SPEC = PoolSpec(
    name="one-position",
    settlement=ASSET,
    underlyings=(UnderlyingSpec(COIN, "100000", (Tier("0", "0.25", "0.2"),)),),
    collateral=(CollateralSpec(COIN, COIN, Levels("0.25", "0.22", "0.2", "0.15"), "1000"),),
    instruments=(InstrumentSpec("COIN-PERP", COIN, "0.001", "0.01", "1000", "1000"),),
    rules=RulesSpec(rate_slope1="0", rate_slope2="0"),
)


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


def _scene() -> _Scene:
    clock = ManualClock(1_700_000_000 * SECOND_NS)
    venue = Venue.open(":memory:", clock=clock)
    venue.list_asset(ASSET, 6)
    venue.list_asset(COIN, 8)
    pool = venue.create_pool(SPEC, CREATOR)
    scene = _Scene(venue, clock, pool)
    for owner in (BORROWER, OTHER):
        venue.receive(owner, ASSET, "100000")
        venue.receive(owner, COIN, "100")
        scene.run(c.OpenAccount(pool=pool, owner=owner))
    scene.price(OPENED_AT)
    scene.run(c.Deposit(pool=pool, owner=OTHER, asset=ASSET, amount="50000"))
    return scene


def as_loan(debt: int) -> Outcome:
    """Coins as collateral for cash of the pool's lenders."""
    scene = _scene()
    pool, cash = scene.pool, str(debt)
    scene.run(
        c.Supply(pool=pool, owner=OTHER, amount="50000"),
        c.Deposit(pool=pool, owner=BORROWER, asset=COIN, amount=str(COINS)),
        c.Borrow(pool=pool, owner=BORROWER, amount=cash),
        c.Withdraw(pool=pool, owner=BORROWER, asset=ASSET, amount=cash),
    )
    return _liquidated(scene)


def as_perpetual(debt: int) -> Outcome:
    """A long whose margin, at the price of the comparison, is the equity."""
    scene = _scene()
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
        a = venue.account_index(record, BORROWER, 1)
        before = _equity(record.pool, a)
        venue.liquidate_unhealthy()
        pool = record.pool
        coins = (int(pool.balance[a, CASH + 1]) + int(pool.size[a, 0])) / UNIT
        cost = max(before, 0) - max(_equity(pool, a), 0)
        loss = int(pool.total[Total.SHORTFALL]) + int(pool.total[Total.INSURANCE_PAID])
        return Outcome(WORTH - coins * PRICE, cost / QUOTE, loss / QUOTE)


def _equity(pool: Pool, a: int) -> int:
    """What the account's owner would have left at the market, without any haircut."""
    divisor = int(pool.value_divisor[0])
    coins = int(pool.balance[a, CASH + 1]) * int(pool.index_price[0]) // divisor
    held = int(pool.size[a, 0]) * int(pool.mark_price[0]) // divisor - int(pool.cost[a, 0])
    owed = int(pool.due[a]) + debt_of(pool, pool.debt_shares[a])
    return int(pool.balance[a, CASH]) + coins + held + int(pool.claim[a]) - owed


OWN: dict[str, Rule] = {"Ringfence, as a loan": as_loan, "Ringfence, as a perpetual": as_perpetual}
