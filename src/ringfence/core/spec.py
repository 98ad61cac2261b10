"""The specification of a pool: what its creator writes down, in Python or in TOML.

Amounts, prices and shares are decimal strings ("0.05" is five percent). The immutable part
makes the pool's id; the rest are starting values of parameters that may later change inside
the bounds.
"""

import hashlib

import msgspec

from ringfence.core.margin_spec import MarginSpec
from ringfence.core.pool import Rule


class Levels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One share for each margin level."""

    initial: str
    target: str
    maintenance: str
    closeout: str


NONE = Levels("0", "0", "0", "0")


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One margin tier: from this net notional on, in the settlement currency."""

    floor: str
    initial: str
    maintenance: str


class CollateralSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An asset that the pool accepts besides its settlement asset."""

    asset: str
    underlying: str  # whose index price values it
    haircut: Levels
    deposit_cap: str  # coins
    is_offsetting: bool = False  # whether it moves in the scenarios of its underlying


class UnderlyingSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A price feed, and the margin rules of what is written on it."""

    name: str
    price_max: str  # settlement currency per coin; above it nothing is accepted
    tiers: tuple[Tier, ...]
    factor: Levels = Levels("1", "1.2", "1", "0.66")
    hedge_rate: str = "0"  # on notional hedged by another leg
    open_interest_lower: str = "100000000"  # settlement currency
    open_interest_upper: str = "1000000000"
    option_rate: Levels = NONE  # model scenario: of the index price, per option net short
    linear_rate: Levels = NONE  # model scenario: of the notional of perpetuals and futures


class InstrumentSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A perpetual (no expiry), a dated future, or a European option settled in cash."""

    name: str
    underlying: str
    lot: str  # contracts
    tick: str  # settlement currency
    position_cap: str  # contracts of one account
    open_interest_cap: str  # contracts
    expiry_ns: int = 0
    price_band: str = "0.05"
    taker_fee: str = "0"
    maker_fee: str = "0"
    funding_rate_max: str = "0.005"  # of the mark price per accrual
    option: str = ""  # call or put
    strike: str = "0"  # settlement currency
    settlement_window_seconds: int = 1800  # before expiry, over which the price is averaged


class RulesSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers of the whole pool; see core.pool.Rule for each one's meaning."""

    rate_base: str = "0"
    rate_slope1: str = "0.04"
    rate_slope2: str = "0.75"
    rate_kink: str = "0.9"
    reserve_factor: str = "0.1"
    supply_cap: str = "100000000"
    borrow_cap: str = "90000000"
    profit_weight: str = "0.5"
    bonus_min: str = "0.002"
    bonus_max: str = "0.01"
    bonus_health: str = "0.9"
    liquidation_fee: str = "0.002"
    dust: str = "50"
    insurance_draw: str = "0.25"
    confidence_max: str = "0.02"
    stale_seconds: int = 300
    long_stale_seconds: int = 1800
    grace_seconds: int = 300
    change_delay_seconds: int = 86_400
    ramp_seconds: int = 86_400
    backstop_limit: str = "100000000"  # settlement currency an epoch
    backstop_reserve: str = "0"
    epoch_seconds: int = 86_400
    insurance_draw_day: str = "0.5"
    disposal: str = "0.25"
    disposal_seconds: int = 60
    auction_start: str = "0.98"
    auction_floor: str = "0.8"
    auction_seconds: int = 0  # no auctions
    auction_resets: int = 0
    auction_cap: str = "100000000"  # settlement currency
    insurance_share: str = "1"
    stress: str = "0.2"
    halt_loss: str = "100000000"  # settlement currency
    halt_seconds: int = 86_400


class PoolSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a pool is created from."""

    name: str
    settlement: str  # asset that profits, losses and debt are paid in
    underlyings: tuple[UnderlyingSpec, ...]
    settlement_decimals: int = 6
    cash_cap: str = "100000000"  # settlement currency
    collateral: tuple[CollateralSpec, ...] = ()
    instruments: tuple[InstrumentSpec, ...] = ()
    rules: RulesSpec = RulesSpec()
    margin: MarginSpec = MarginSpec()
    bounds: dict[str, tuple[str, str]] = {}  # parameter: (lowest, highest); see docs
    allowed: dict[str, tuple[int, ...]] = {}  # action: by validity; see core.validity
    salt: str = ""  # tells otherwise equal pools apart

    def assets(self) -> tuple[str, ...]:
        """Names of the collateral assets, the settlement asset first."""
        return (self.settlement, *(c.asset for c in self.collateral))


def immutable_part(spec: PoolSpec) -> dict[str, object]:
    """Return what can never change in a pool made from the spec.

    What a pool without options does not have is left out, so that its id stays what it was.
    """
    return {
        **_option_part(spec),
        "format": 1,
        "name": spec.name,
        "salt": spec.salt,
        "settlement": [spec.settlement, spec.settlement_decimals],
        "collateral": [[c.asset, c.underlying] for c in spec.collateral],
        "underlyings": [
            [u.name, u.price_max, list(map(list, _tiers(u)))] for u in spec.underlyings
        ],
        "instruments": [
            [i.name, i.underlying, i.lot, i.tick, i.expiry_ns] for i in spec.instruments
        ],
        "bounds": {name: list(pair) for name, pair in spec.bounds.items()},
        "allowed": {name: list(row) for name, row in spec.allowed.items()},
    }


def _option_part(spec: PoolSpec) -> dict[str, object]:
    if spec.margin == MarginSpec():
        return {}
    return {
        "margin": msgspec.to_builtins(spec.margin),
        "offsetting": [c.asset for c in spec.collateral if c.is_offsetting],
        "options": [
            [i.name, i.option, i.strike, i.settlement_window_seconds] for i in spec.instruments
        ],
        "rates": [
            [u.name, msgspec.to_builtins(u.option_rate), msgspec.to_builtins(u.linear_rate)]
            for u in spec.underlyings
        ],
    }


def _tiers(underlying: UnderlyingSpec) -> list[tuple[str, str, str]]:
    return [(t.floor, t.initial, t.maintenance) for t in underlying.tiers]


def pool_id(spec: PoolSpec, creator: bytes) -> bytes:
    """Return the pool's id: 32 bytes, from the immutable part of its spec and its creator."""
    canonical = msgspec.json.encode(immutable_part(spec), order="sorted")
    return hashlib.sha256(b"ringfence pool 1\0" + creator + canonical).digest()


def parse_spec(text: str) -> PoolSpec:
    """Read a spec from TOML.

    Raises:
        msgspec.ValidationError: A field is missing, unknown or of the wrong type.
    """
    return msgspec.toml.decode(text, type=PoolSpec)


assert {r.name.lower().replace("_ns", "_seconds") for r in Rule} == set(RulesSpec.__struct_fields__)
