"""The two margin models of the simulator; every rule is a parameter, nothing is special-cased.

`scenario` revalues the portfolio under shocks of spot and volatility and takes the worst;
`standard` adds up rules per option. Presets (presets/*.toml) are instances of these.
"""

from typing import Annotated, Literal

from msgspec import Meta

from ringfence.risk.portfolio.terms import NotNegative, Positive, Share, Terms

LevelName = Literal["initial", "target", "maintenance", "closeout"]
Shock = Literal["up", "none", "down", "linear-skew", "absolute-skew"]
SKEWS = ("linear-skew", "absolute-skew")


class Scenario(Terms, frozen=True):
    """One row of the grid: a move of spot by `spot` + `ranges` * spot range, and of volatility."""

    spot: float = 0.0
    ranges: float = 0.0
    volatility: Shock = "none"
    dampening: float = 1.0  # share of the profit or loss that counts


class VolatilityShock(Terms, frozen=True):
    """Relative shocks, larger for short expiries.

        m = (reference days / max(days, days_min)) ^ power
        up = max(volatility (1 + up m), floor),  down = volatility max(0, 1 - down m)

    power is short_power up to the reference days, long_power beyond.
    """

    up: float = 0.0
    down: float = 0.0
    floor: NotNegative = 0.0
    short_power: float = 0.0
    long_power: float = 0.0
    days_min: NotNegative = 1.0
    reference_days: Positive = 30.0


class SkewShock(Terms, frozen=True):
    """Volatility tilted (linear) or bent (absolute) over k = log(strike / forward).

    width = max(width_min, width_scale sqrt(T) (width_static + width_slope sqrt(T)))
    c = cap + slope sqrt(T),  x = k / width
    linear: volatility (1 + clamp(c x, -c, c)),  absolute: volatility (1 + min(c |x|, c))
    """

    linear_cap: float
    linear_slope: float
    absolute_cap: float
    absolute_slope: float
    width_min: NotNegative
    width_scale: float
    width_static: float
    width_slope: float


class Discount(Terms, frozen=True):
    """Factor on the shocked value of an expiry, by the sign of that value.

    gain: factor exp(-T (rate * rate_scale + rate_add)); loss: the same with a plus, and not
    above what undoes the discount of the mark.
    """

    gain_factor: NotNegative = 1.0
    gain_rate_scale: float = 0.0
    gain_rate_add: float = 0.0
    loss_factor: NotNegative = 1.0
    loss_rate_scale: float = 0.0
    loss_rate_add: float = 0.0


class Basis(Terms, frozen=True):
    """Loss of each expiry on its own by a move of its forward, times (add + per_year T)."""

    up: float = 0.0
    down: float = 0.0
    ranges: float = 0.0  # of spot, added on either side
    add: float = 0.0
    per_year: float = 0.0


class Level(Terms, frozen=True):
    """What one level asks for.

        requirement = max(loss_factor * worst loss, delta floor) + contingencies

    The rates of options and perpetuals are on spot times net short options per strike and
    spot times absolute size; confidence_rate times (1 - confidence) on the sizes that an
    uncertain price concerns; peg_factor raises loss_factor by peg_factor (threshold - price).
    """

    loss_factor: NotNegative
    option_rate: NotNegative = 0.0
    perpetual_rate: NotNegative = 0.0
    haircut: Share = 0.0  # of collateral that does not offset risk
    offsetting_haircut: Share = 0.0
    confidence_rate: NotNegative = 0.0
    peg_factor: NotNegative = 0.0
    net_delta_rate: NotNegative = 0.0
    hedged_delta_rate: NotNegative = 0.0
    is_scaling_contingencies: bool = False  # whether loss_factor applies to them too


class ScenarioModel(Terms, frozen=True, tag_field="kind", tag="scenario"):
    """Margin by revaluation under a grid of shocks."""

    name: str
    scenarios: Annotated[tuple[Scenario, ...], Meta(min_length=1)]
    levels: dict[LevelName, Level]
    spot_range: NotNegative = 1.0
    volatility: VolatilityShock = VolatilityShock()
    skew: SkewShock | None = None
    discount: Discount = Discount()
    basis: Basis | None = None
    confidence_threshold: Share = 0.0
    peg_threshold: NotNegative = 0.0
    rate_min: float | None = None  # lower rates count as this one
    is_discounting_marks: bool = True
    settlement_window_seconds: NotNegative = 0.0


class StandardLevel(Terms, frozen=True):
    """Rates of one level of the rule-based model."""

    unpaired_scale: NotNegative  # of the forward, per call sold without one bought
    perpetual_rate: NotNegative
    collateral_factor: NotNegative  # share of the value of collateral that counts


class StandardModel(Terms, frozen=True, tag_field="kind", tag="standard"):
    """Margin by rules per option, capped by the largest loss of each expiry.

    call sold, maintenance: value + call_rate S size
    put sold, maintenance:  value + the larger of put_rate S size and put_value_rate value
    sold, initial: value + max(option_rate_min, option_rate_max - out of the money / S) S size,
                   a put not less than offset_scale times its maintenance margin
    """

    name: str
    levels: dict[LevelName, StandardLevel]
    option_rate_max: NotNegative
    option_rate_min: NotNegative
    call_rate: NotNegative
    put_rate: NotNegative
    put_value_rate: NotNegative
    offset_scale: NotNegative
    confidence_threshold: Share = 0.0
    confidence_rate: NotNegative = 0.0
    peg_threshold: NotNegative = 0.0
    peg_factor: NotNegative = 0.0
    is_discounting_marks: bool = False
    rate_min: float | None = None
    settlement_window_seconds: NotNegative = 0.0


Model = ScenarioModel | StandardModel
