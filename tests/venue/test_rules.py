"""The number of the rules: a journal is read by programs that do what its entries did.

What a command does may change between versions of the program, and then older journals do not
replay any more. Their number says so before anything is compared.
"""

import msgspec
from tests.option_pools import SCENARIO
from tests.venue.scene import ALICE, ALPHA, BOB, CREATOR, Scene

from ringfence.core.command import Happening
from ringfence.core.spec import RulesSpec
from ringfence.journal.schema import VERSION
from ringfence.risk.scenarios import CoinMarket, FlatSurface, scenario_margin
from ringfence.units import DAY_NS
from ringfence.venue import commands as c
from ringfence.venue.entries import POOL, decode_batch

# Where the history below ends, by version. If it ends elsewhere, then commands do something
# else than they did, or are written otherwise: raise VERSION, and put the new head here.
HEADS = {5: "3321fa8bc55f84ac05c5237f87a9e8c1f8d974c0f1c18edeccd12aa5ff0813cc"}

OFFERED = RulesSpec(auction_seconds=600, dust="0")


def history() -> Scene:
    """A bit of everything: lending, liquidation, an auction, options, an expiry, a change."""
    scene = Scene.set_up().traded()
    venue = scene.venue
    specs = (
        msgspec.structs.replace(ALPHA, name="offered", rules=OFFERED),
        msgspec.structs.replace(
            SCENARIO, margin=scenario_margin("span16"), instruments=SCENARIO.instruments[:5]
        ),
    )
    for spec in specs:
        venue.create_pool(spec, CREATOR)
        for owner, amount in ((ALICE, "1000"), (BOB, "5000")):
            scene.must(c.OpenAccount(pool=spec.name, owner=owner))
            scene.deposit(owner, amount, pool=spec.name)
    scene.publish(ETH="2000", BTC="40000")
    scene.trade("1", pool="offered")
    scene.trade("0.5", "ETH-DEC")
    venue.value("scenario", {"ETH": CoinMarket(2000.0, FlatSurface(0.7))})
    call = {"instrument": "ETH-1100-C", "size": "1"}
    mark = venue.pool("scenario").marks["ETH-1100-C"]
    scene.must(c.Trade(pool="scenario", owner=BOB, other=ALICE, price=mark, **call))
    now_ns = scene.clock.now_ns()
    change = {"parameter": "dust", "value": 10**6, "start_ns": now_ns + DAY_NS}
    scene.must(c.AnnounceChange(pool="alpha", **change))
    for price in ("1500", "1050", "1010", "900"):
        scene.publish(ETH=price)
    scene.tick(DAY_NS // 10**9)
    scene.publish(ETH="950", BTC="39000")
    venue.value("scenario", {"ETH": CoinMarket(950.0, FlatSurface(0.7))})
    for pool in ("alpha", "beta", "offered", "scenario"):
        scene.must(c.Settle(pool=pool))
    venue.record_digest()
    return scene


def happenings(scene: Scene) -> set[Happening]:
    """What the batches of a history tell of."""
    batches = (decode_batch(e.body) for e in scene.venue.journal.entries() if e.kind == POOL)
    return {Happening(k) for batch in batches for k in batch.outcome.events["kind"].tolist()}


def test_the_history_ends_where_it_did():
    scene = history()
    assert scene.venue.verify() == []
    assert happenings(scene) >= {
        Happening.POSITION_LIQUIDATED,
        Happening.AUCTION_STARTED,
        Happening.INSTRUMENT_EXPIRED,
        Happening.CLAIMS_PAID,
    }
    assert scene.venue.journal.head.hex() == HEADS[VERSION]
