"""A small venue that the tests of the shell start from: two pools, three owners, prices."""

from pathlib import Path

import msgspec

from ringfence.core.spec import (
    CollateralSpec,
    InstrumentSpec,
    Levels,
    PoolSpec,
    RulesSpec,
    Tier,
    UnderlyingSpec,
)
from ringfence.units import DAY_NS, PRICE_UNIT, SECOND_NS
from ringfence.venue import commands as c
from ringfence.venue.clock import ManualClock
from ringfence.venue.fanout import FeedPrice
from ringfence.venue.receipts import Receipt
from ringfence.venue.venue import Venue

START_NS = 1_700_000_000 * SECOND_NS
CREATOR = "0x" + "c0" * 20
ALICE = "0x" + "a1" * 20
BOB = "0x" + "b0" * 20
STRANGER = "0x" + "05" * 20  # never registered

TIERS = (Tier("0", "0.1", "0.05"), Tier("1000000", "0.2", "0.1"))

ALPHA = PoolSpec(
    name="alpha",
    settlement="USDC",
    underlyings=(
        UnderlyingSpec("ETH", "100000", TIERS, hedge_rate="0.01"),
        UnderlyingSpec("BTC", "1000000", TIERS),
    ),
    collateral=(CollateralSpec("ETH", "ETH", Levels("0.2", "0.16", "0.15", "0.1"), "1000"),),
    instruments=(
        InstrumentSpec("ETH-PERP", "ETH", "0.001", "0.01", "1000", "4000"),
        InstrumentSpec(
            "ETH-DEC", "ETH", "0.001", "0.01", "1000", "4000", expiry_ns=START_NS + DAY_NS
        ),
        InstrumentSpec("BTC-PERP", "BTC", "0.001", "0.1", "100", "400"),
    ),
    rules=RulesSpec(rate_base="0", rate_slope1="0", rate_slope2="0"),
)
BETA = msgspec.structs.replace(ALPHA, name="beta")


class Scene:
    """A venue, its clock, and short words for what tests do all the time."""

    def __init__(self, path: str | Path = ":memory:") -> None:
        self.clock = ManualClock(START_NS)
        self.venue = Venue.open(path, clock=self.clock)
        self.marks: dict[str, str] = {}

    @classmethod
    def set_up(cls, path: str | Path = ":memory:") -> "Scene":
        """Two pools, accounts of Alice and Bob in both, 100,000 USDC and 10 ETH in wallets."""
        scene = cls(path)
        venue = scene.venue
        venue.list_asset("USDC", 6)
        venue.list_asset("ETH", 8)
        for spec in (ALPHA, BETA):
            venue.create_pool(spec, CREATOR)
        for owner in (ALICE, BOB):
            venue.receive(owner, "USDC", "100000")
            venue.receive(owner, "ETH", "10")
            for pool in ("alpha", "beta"):
                scene.must(c.OpenAccount(pool=pool, owner=owner))
        scene.publish(ETH="2000", BTC="40000")
        return scene

    def must(self, command: c.AnyCommand) -> Receipt:
        """Execute a command that has to be accepted."""
        receipt = self.venue.execute(command)
        assert receipt.ok, f"{command}: {receipt.status}"
        return receipt

    def deposit(self, owner: str, amount: str, asset: str = "USDC", pool: str = "alpha") -> Receipt:
        """Deposit what has to be accepted."""
        return self.must(c.Deposit(pool=pool, owner=owner, asset=asset, amount=amount))

    def trade(self, size: str, instrument: str = "ETH-PERP", pool: str = "alpha") -> Receipt:
        """Let Alice buy a size from Bob at the mark."""
        price = self.marks[instrument.split("-", maxsplit=1)[0]]
        names = {"pool": pool, "owner": ALICE, "other": BOB}
        return self.must(c.Trade(**names, instrument=instrument, size=size, price=price))

    def price(self, feed: str, price: str) -> FeedPrice:
        """A price of a feed, published now."""
        units = int(float(price) * PRICE_UNIT)
        return FeedPrice(feed, units, units, self.clock.now_ns())

    def tick(self, seconds: int = 1) -> None:
        """Let time pass."""
        self.clock.set(self.clock.now_ns() + seconds * SECOND_NS)

    def publish(self, **prices: str) -> dict:
        """Publish prices a second later, and liquidate."""
        self.tick()
        self.marks |= prices
        return self.venue.publish([self.price(feed, price) for feed, price in prices.items()])

    def traded(self) -> "Scene":
        """Alice and Bob trade in alpha; Bob lends there, Alice borrows in beta."""
        for pool in ("alpha", "beta"):
            self.deposit(BOB, "40000", pool=pool)
            self.must(c.Supply(pool=pool, owner=BOB, amount="10000"))
        self.deposit(ALICE, "1000")
        self.trade("1")
        self.deposit(ALICE, "2", "ETH", pool="beta")
        self.must(c.Borrow(pool="beta", owner=ALICE, amount="1000"))
        return self
