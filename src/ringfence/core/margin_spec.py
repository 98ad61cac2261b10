"""The margin part of a pool's specification: its model, and what the model needs as data."""

from enum import IntEnum, unique

import msgspec


@unique
class ScenarioKind(IntEnum):
    """How a row of the grid counts; profits of an expiry are summed before they are compared.

    A paired row takes the next one with it, which then is its PARTNER.
    """

    SINGLE = 0  # the sum of all profits
    LOWER = 1  # of each expiry the lower of both rows: gains and losses discounted apart
    LOSS = 2  # the same, but no gain: what each expiry loses by the worse of two moves
    SIZE = 3  # of each expiry minus the size of the lower of both rows
    PARTNER = 4


PAIRED = (ScenarioKind.LOWER, ScenarioKind.LOSS, ScenarioKind.SIZE)


@unique
class StandardRate(IntEnum):
    """Rows of the column `standard_rate`."""

    OPTION_RATE_MAX = 0  # ppm of the index price, initial, at the money
    OPTION_RATE_MIN = 1  # ppm of the index price, initial, far out of the money
    CALL_RATE = 2  # ppm of the index price, maintenance
    PUT_RATE = 3  # ppm of the index price, maintenance
    PUT_VALUE_RATE = 4  # ppm of the mark price, maintenance, where that is more
    OFFSET_SCALE = 5  # ppm of a put's maintenance margin and mark, initial
    UNPAIRED_INITIAL = 6  # ppm of the index price, per call sold without one bought
    UNPAIRED_MAINTENANCE = 7


class ScenarioRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the grid, as the core needs it; revaluation happens outside."""

    move: str = "0"  # of spot, times the share of profit and loss that counts
    kind: str = "single"  # a ScenarioKind


class StandardSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rates of the rules per option; see StandardRate for each one's meaning."""

    option_rate_max: str = "0.15"
    option_rate_min: str = "0.13"
    call_rate: str = "0.09"
    put_rate: str = "0.09"
    put_value_rate: str = "0.075"
    offset_scale: str = "1.05"
    unpaired_initial: str = "1.2"
    unpaired_maintenance: str = "1.1"


class MarginSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which model demands margin, and its data; all of it is fixed at creation."""

    model: str = "brackets"  # brackets, standard, scenario or collateralised
    grid: str = ""  # name of the preset that risk arrays are made with
    scenarios: tuple[ScenarioRow, ...] = ()
    standard: StandardSpec = StandardSpec()


assert {r.name.lower() for r in StandardRate} == set(StandardSpec.__struct_fields__)
