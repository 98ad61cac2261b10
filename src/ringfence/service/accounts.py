"""An account in full, as it goes over the wire."""

import msgspec

from ringfence.service.schema import Account
from ringfence.service.waterfall_schema import Waterfall
from ringfence.units import MS_NS
from ringfence.venue.state import PoolRecord
from ringfence.venue.views import AccountView, account_view

# What has a form of its own on the wire; structures take a market, and have a view of their own.
_APART = {"time_ns", "waterfall", "structures"}
_FIELDS = [name for name in AccountView.__struct_fields__ if name not in _APART]


def on_the_wire(view: AccountView, pool_name: str, seq: int) -> Account:
    """Return a view with its pool's name, its entry and its time in ms."""
    fields = {name: getattr(view, name) for name in _FIELDS}
    step = view.waterfall
    waterfall = Waterfall(step.step, _ms(step.since_ns), step.why, step.next, _ms(step.ends_ns))
    return Account(
        pool_name=pool_name,
        seq=seq,
        time_ms=view.time_ns // MS_NS,
        waterfall=waterfall,
        **fields,
    )


def _ms(time_ns: int | None) -> int | None:
    return None if time_ns is None else time_ns // MS_NS


def in_full(record: PoolRecord, a: int, owner: str, seq: int) -> Account:
    """Return everything that is said of an account."""
    return on_the_wire(account_view(record, record.pool, a, owner), record.spec.name, seq)


def as_row(account: Account) -> dict[str, object]:
    """Return an account as the one row of its table."""
    return {name: msgspec.to_builtins(getattr(account, name)) for name in account.__struct_fields__}
