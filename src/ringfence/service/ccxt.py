"""Positions in ccxt's unified structure, with strings where ccxt has floats.

Field names and meanings: ccxt manual, "Position Structure".
"""

from decimal import Decimal
from typing import Any

import msgspec

from ringfence.core.spec import InstrumentSpec, PoolSpec
from ringfence.service.schema import Account
from ringfence.units import SECOND_NS
from ringfence.venue.clock import iso_time
from ringfence.venue.views import PositionView


class CcxtPosition(msgspec.Struct, frozen=True, rename="camel"):
    """One position."""

    info: PositionView
    id: str
    symbol: str
    timestamp: int
    datetime: str
    last_update_timestamp: int
    side: str
    contracts: str
    contract_size: str
    entry_price: str | None
    mark_price: str
    last_price: str | None
    notional: str
    leverage: str | None
    collateral: str
    initial_margin: str
    initial_margin_percentage: str | None
    maintenance_margin: str
    maintenance_margin_percentage: str | None
    unrealized_pnl: str
    realized_pnl: str | None
    percentage: str | None
    liquidation_price: str | None
    margin_ratio: str | None
    margin_mode: str
    hedged: bool
    stop_loss_price: str | None
    take_profit_price: str | None


def symbol_of(spec: PoolSpec, instrument: InstrumentSpec) -> str:
    """The symbol of an instrument: base/quote:settle, and the expiry of a dated future."""
    symbol = f"{instrument.underlying}/{spec.settlement}:{spec.settlement}"
    if not instrument.expiry_ns:
        return symbol
    day = iso_time(instrument.expiry_ns // SECOND_NS * SECOND_NS)
    return f"{symbol}-{day[2:4]}{day[5:7]}{day[8:10]}"


def positions_of(account: Account, spec: PoolSpec) -> list[CcxtPosition]:
    """Return an account's positions. Margins are those of the account: it is the margin unit."""
    by_name = {instrument.name: instrument for instrument in spec.instruments}
    gross = sum((Decimal(p.notional) for p in account.positions), Decimal(0))
    return [
        _position(account, position, symbol_of(spec, by_name[position.instrument]), gross)
        for position in account.positions
    ]


def _position(
    account: Account, position: PositionView, symbol: str, gross: Decimal
) -> CcxtPosition:
    is_long = not position.size.startswith("-")
    lower, upper = position.liquidation_price_lower, position.liquidation_price_upper
    margins: dict[str, Any] = {}
    for level in ("initial", "maintenance"):
        required = getattr(account.requirement, level)
        margins[f"{level}_margin"] = required
        margins[f"{level}_margin_percentage"] = (
            f"{Decimal(required) / gross:.6f}" if gross else None
        )
    return CcxtPosition(
        info=position,
        id=f"{account.pool}:{account.number}:{position.instrument}",
        symbol=symbol,
        timestamp=account.time_ms,
        datetime=iso_time(account.time_ms * 1_000_000),
        last_update_timestamp=account.time_ms,
        side="long" if is_long else "short",
        contracts=position.size.removeprefix("-"),
        contract_size="1",
        entry_price=position.entry_price,
        mark_price=position.mark_price,
        last_price=None,
        notional=position.notional,
        leverage=account.leverage,
        collateral=account.collateral_value,
        unrealized_pnl=position.unrealized_pnl,
        realized_pnl=None,
        percentage=None,
        liquidation_price=lower if is_long else upper,
        margin_ratio=account.margin_ratio,
        margin_mode="isolated",
        hedged=False,
        stop_loss_price=None,
        take_profit_price=None,
        **margins,
    )
