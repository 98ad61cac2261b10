"""The comparison as text: one line a rule, one column a debt, from barely unhealthy to lost."""

from ringfence.lab.one_position.loans import LOANS
from ringfence.lab.one_position.own import OWN
from ringfence.lab.one_position.perpetuals import PERPETUALS
from ringfence.lab.one_position.position import THRESHOLD_PERCENT, WORTH, Outcome, Rule

DEBTS = (8_100, 8_600, 9_400, 10_400)
_NAME, _CELL = 29, 19


def outcomes(rules: dict[str, Rule]) -> dict[str, list[Outcome]]:
    """What each rule does at each debt."""
    return {name: [rule(debt) for debt in DEBTS] for name, rule in rules.items()}


def text() -> str:
    """The whole table; a cell is value closed / cost to the borrower / loss to others."""
    lines = [_line("closed / cost / loss", [f"debt {debt:,}" for debt in DEBTS])]
    lines.append(_line("health factor", [f"{_health(debt):.3f}" for debt in DEBTS]))
    for group in (LOANS, PERPETUALS, OWN):
        lines.append("")
        lines += [_line(name, [_cell(o) for o in found]) for name, found in outcomes(group).items()]
    return "\n".join(lines)


def _health(debt: int) -> float:
    return WORTH * THRESHOLD_PERCENT / 100 / debt


def _cell(found: Outcome) -> str:
    return " / ".join(f"{value:,.0f}" for value in found)


def _line(name: str, cells: list[str]) -> str:
    return f"{name:<{_NAME}}" + "".join(f"{cell:>{_CELL}}" for cell in cells)
