"""A small venue's journal: two pools from the template, a crash, a liquidation, a refusal."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from ringfence.core.spec import parse_spec
from ringfence.units import PRICE_UNIT, SECOND_NS
from ringfence.venue import commands as c
from ringfence.venue.clock import ManualClock
from ringfence.venue.fanout import FeedPrice
from ringfence.venue.venue import Venue

TEMPLATE = Path(__file__).parent.parent / "src" / "ringfence" / "cli" / "pool.toml"
START_NS = 1_700_000_000 * SECOND_NS
CREATOR = "0x" + "c0" * 20
MAKER = "0x" + "aa" * 20
TAKER = "0x" + "bb" * 20


@dataclass(frozen=True)
class Written:
    """Where the journal is, and what is in it."""

    path: Path
    pool: str  # the pool with the crash; "calm" is the other one's name
    head: str
    entries: int


def write_journal(path: Path, *, checkpoint: bool = False) -> Written:
    """Write the journal; the taker is liquidated in its last batch."""
    clock = ManualClock(START_NS)
    spec = parse_spec(TEMPLATE.read_text())
    with Venue.open(path, clock=clock) as venue:
        venue.list_asset("USDC", 6)
        venue.list_asset("ETH", 8)
        pool = venue.create_pool(spec, CREATOR)
        venue.create_pool(msgspec.structs.replace(spec, name="calm"), CREATOR)
        for owner in (MAKER, TAKER):
            venue.receive(owner, "USDC", "100000")
            _do(venue, c.OpenAccount(pool=pool, owner=owner))
        _do(venue, c.Deposit(pool=pool, owner=MAKER, asset="USDC", amount="90000"))
        _do(venue, c.Deposit(pool=pool, owner=TAKER, asset="USDC", amount="3000"))
        _publish(venue, clock, 1, "2000")
        trade = {"other": MAKER, "instrument": "ETH-PERP", "price": "2000"}
        _do(venue, c.Trade(pool=pool, owner=TAKER, size="20", **trade))
        refused = venue.execute(c.Trade(pool=pool, owner=TAKER, size="200", **trade))
        assert refused.status == "initial_margin_too_low"
        if checkpoint:
            venue.checkpoint()
        _publish(venue, clock, 2, "1880")
        venue.record_digest()
        return Written(path, pool, venue.journal.head.hex(), venue.journal.seq)


def _do(venue: Venue, command: c.AnyCommand) -> None:
    receipt = venue.execute(command)
    assert receipt.ok, f"{command}: {receipt.status}"


def _publish(venue: Venue, clock: ManualClock, minute: int, price: str) -> None:
    clock.set(START_NS + minute * 60 * SECOND_NS)
    units = int(price) * PRICE_UNIT
    venue.publish([FeedPrice("ETH", units, units, clock.now_ns())])
