"""What if: commands applied to a copy of one pool, and who would stand where after them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import msgspec

from ringfence.core.pool import copied
from ringfence.core.status import Status
from ringfence.risk.scenarios import CoinMarket
from ringfence.venue.commands import AnyCommand, Bid, OfAccount, WithOther
from ringfence.venue.lookup import encoder_of
from ringfence.venue.receipts import Event, event_view
from ringfence.venue.sequencer import with_clock
from ringfence.venue.state import PoolRecord, State
from ringfence.venue.views import AccountView, account_view


class WhatIf(NamedTuple):
    """Commands to try at one time, and what options are revalued at, if given."""

    commands: Sequence[AnyCommand]
    time_ns: int
    market: Mapping[str, CoinMarket] | None


class Difference(msgspec.Struct, frozen=True):
    """What the commands changed for one account, after less before."""

    equity: str
    free_margin: str
    maintenance_excess: str
    debt: str


class Standing(msgspec.Struct, frozen=True):
    """One account before and after; `before` is null for an account opened on the way."""

    before: AccountView | None
    after: AccountView
    difference: Difference | None


class Simulation(msgspec.Struct, frozen=True):
    """Outcome of a what-if."""

    statuses: tuple[str, ...]
    events: tuple[Event, ...]
    accounts: tuple[Standing, ...]


def simulate(
    state: State,
    record: PoolRecord,
    asked: WhatIf,
) -> Simulation:
    """Apply commands to a copy of the pool and of the wallets; the venue stays as it is."""
    copy = replace(record, pool=copied(record.pool), accounts=dict(record.accounts))
    twin = state.with_wallets_copied()
    encoder = encoder_of(state, copy)
    statuses, events = [], []
    for command in asked.commands:
        stamped = with_clock(copy.pool, encoder.row(command), asked.time_ns)
        outcome = twin.apply_rows(copy, stamped)
        statuses.append(Status(int(outcome.statuses[-1])).name.lower())
        events += [event_view(record.spec, event) for event in outcome.events]
    named = dict.fromkeys(name for command in asked.commands for name in _named(command))
    indices = {name: encoder.account(*name) for name in named}
    return Simulation(
        tuple(statuses),
        tuple(events),
        tuple(
            _standing(record, copy, a, owner, asked.market)
            for (owner, _), a in indices.items()
            if a >= 0
        ),
    )


def _named(command: AnyCommand) -> list[tuple[str, int]]:
    """Owners and numbers of the accounts that a command is about."""
    if isinstance(command, WithOther | Bid):
        return [(command.owner, command.number), (command.other, command.other_number)]
    return [(command.owner, command.number)] if isinstance(command, OfAccount) else []


def _standing(
    record: PoolRecord,
    copy: PoolRecord,
    a: int,
    owner: str,
    market: Mapping[str, CoinMarket] | None,
) -> Standing:
    after = account_view(copy, copy.pool, a, owner, market=market)
    if a not in record.accounts.values():
        return Standing(None, after, None)
    before = account_view(record, record.pool, a, owner, market=market)
    return Standing(before, after, _difference(before, after))


def _difference(before: AccountView, after: AccountView) -> Difference:
    return Difference(
        equity=_less(after.equity, before.equity),
        free_margin=_less(after.free_margin, before.free_margin),
        maintenance_excess=_less(after.excess.maintenance, before.excess.maintenance),
        debt=_less(after.debt, before.debt),
    )


def _less(after: str, before: str) -> str:
    difference = f"{Decimal(after) - Decimal(before):f}"
    return difference.rstrip("0").rstrip(".") if "." in difference else difference
