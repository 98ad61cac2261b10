"""Curves in a terminal: braille dots, two by four a character, with axes and a legend.

Curves share their x values, evenly spaced, and are told apart without colour too: one is drawn
through, another with gaps.
"""

from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text

ACROSS, DOWN = 2, 4  # dots of a character
BRAILLE = 0x2800  # the character without dots
# Bits of a braille character: by column, from its upper dot downward.
BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
LABEL = 10  # characters in front of the axis
WIDTH = 64  # characters of the picture
HATCH = "▓"


class Line(NamedTuple):
    """One curve."""

    name: str
    values: Sequence[float | None]  # None: off the top
    style: str
    is_dashed: bool = False


def plot(
    lines: Sequence[Line],
    *,
    low: float,
    high: float,
    level: float,
    labels: Sequence[str],
    size: tuple[int, int] = (WIDTH, 12),
) -> list[Text]:
    """Rows of a picture of curves between low and high, with a horizontal line at a level.

    labels: of low, level and high. size: columns and rows of characters.
    """
    width, height = size
    dots = [[0] * width for _ in range(height)]
    styles = [[""] * width for _ in range(height)]
    for line in lines:
        for x, y in _points(line, width * ACROSS, height * DOWN, low, high):
            row, column = y // DOWN, x // ACROSS
            dots[row][column] |= BITS[x % ACROSS][y % DOWN]
            styles[row][column] = line.style
    at = _row(level, height * DOWN, low, high) // DOWN
    # The level is what a reader looks for, so its label stands where two meet.
    named = {height - 1: labels[0], 0: labels[2], at: labels[1]}
    picture = []
    for row in range(height):
        text = Text(f"{named.get(row, ''):>{LABEL}} ┤" if row in named else " " * LABEL + " │")
        for mark, style in zip(dots[row], styles[row], strict=True):
            empty = "┄" if row == at else " "
            text.append(chr(BRAILLE + mark) if mark else empty, style or "dim")
        picture.append(text)
    return picture


def _row(value: float, height: int, low: float, high: float) -> int:
    """Row of dots of a value, from the top; what lies outside is at the edge."""
    share = (min(max(value, low), high) - low) / (high - low)
    return round((1.0 - share) * (height - 1))


def _points(line: Line, width: int, height: int, low: float, high: float) -> list[tuple[int, int]]:
    """Dots of a curve: a run from each column's height to that of the one before."""
    above = high + (high - low)
    values = [above if value is None else value for value in line.values]
    points = []
    before = None
    for x in range(width):
        at = x * (len(values) - 1) / (width - 1)
        k = min(int(at), len(values) - 2)
        value = values[k] + (values[k + 1] - values[k]) * (at - k)
        y = _row(value, height, low, high)
        # What runs outside of the picture is not drawn along its edge.
        is_inside = low <= value <= high
        if is_inside and not (line.is_dashed and x % 6 >= 4):
            first = y if before is None else before + (y > before) - (y < before)
            points += [(x, row) for row in range(min(first, y), max(first, y) + 1)]
        before = y
    return points


def legend(lines: Sequence[Line]) -> Text:
    """Names of curves beside how they are drawn."""
    text = Text(" " * (LABEL + 2))
    for line in lines:
        text.append("╌╌╌ " if line.is_dashed else "─── ", line.style)
        text.append(f"{line.name}   ")
    return text


def axis(labels: Sequence[str], width: int = WIDTH) -> Text:
    """Labels at the left, the middle and the right of the horizontal axis."""
    left, middle, right = labels
    row = [" "] * width
    row[: len(left)] = left
    start = (width - len(middle)) // 2
    row[start : start + len(middle)] = middle
    row[width - len(right) :] = right
    return Text(" " * (LABEL + 2) + "".join(row[:width]))


def zones(flags: Sequence[bool], width: int = WIDTH) -> Text:
    """A row that is marked where a flag is set."""
    text = Text(" " * (LABEL + 2))
    for column in range(width):
        k = round(column * (len(flags) - 1) / (width - 1))
        text.append(HATCH if flags[k] else "─", "bold red" if flags[k] else "dim")
    return text
