"""What if, for a copy of a pool: commands, and other prices before them."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from ringfence.core.reading import scaled
from ringfence.service.accounts import on_the_wire
from ringfence.service.ledger import in_ms
from ringfence.service.revaluing import NO_MARKET, Markets, with_price
from ringfence.service.schema import Simulation, Standing
from ringfence.units import AMOUNT_MAX, PRICE_UNIT
from ringfence.venue.commands import AnyCommand
from ringfence.venue.encoding import CommandError
from ringfence.venue.simulation import WhatIf, simulate
from ringfence.venue.state import PoolRecord, State

PLENTY = AMOUNT_MAX // 4


def with_prices(record: PoolRecord, prices: Mapping[str, str], markets: Markets) -> PoolRecord:
    """Return the pool at other prices, of index and marks alike; options are valued anew.

    Raises:
        CommandError: A name or price is none, or options cannot be valued.
    """
    names = [u.name for u in record.spec.underlyings]
    for name, text in prices.items():
        if name not in names:
            known = ", ".join(names)
            raise CommandError(f"there is no underlying {name!r} in this pool; it has {known}")
        u = names.index(name)
        found = with_price(record, u, _price(text, int(record.pool.price_max[u])), markets)
        if found is None:
            raise CommandError(f"the price of {name} cannot be moved: {NO_MARKET}")
        record = found
    return record


def _price(text: str, price_max: int) -> int:
    try:
        price = scaled(text, PRICE_UNIT)
    except ValueError as error:
        raise CommandError(f"price: {error}") from None
    if not 0 < price <= price_max:
        raise CommandError(f"price {text} must be positive and at most the pool's price_max")
    return price


def what_if(
    state: State,
    record: PoolRecord,
    commands: Sequence[AnyCommand],
    time_ns: int,
    *,
    ignore_wallets: bool,
    seq: int,
) -> Simulation:
    """Apply commands to a copy; nothing of the venue changes."""
    twin = state.with_wallets_copied()
    if ignore_wallets:
        np.copyto(twin.wallets.amount, PLENTY)
    found = simulate(twin, record, WhatIf(commands, time_ns, None))
    name = record.spec.name
    events: list[dict[str, Any]] = [in_ms(msgspec.to_builtins(event)) for event in found.events]
    standings = tuple(
        Standing(
            None if s.before is None else on_the_wire(s.before, name, seq),
            on_the_wire(s.after, name, seq),
            s.difference,
        )
        for s in found.accounts
    )
    return Simulation(found.statuses, tuple(events), standings)
