"""Curves in a terminal: the dots are where the values are."""

import pytest

from ringfence.cli.drawing import BITS, BRAILLE, LABEL, Line, axis, legend, plot, zones


def dots(rows):
    """Dots of a picture as (x, y) from its upper left corner."""
    found = set()
    for r, row in enumerate(rows):
        for c, character in enumerate(row.plain[LABEL + 2 :]):
            mark = ord(character) - BRAILLE
            if 0 < mark < 256:
                found |= {
                    (2 * c + x, 4 * r + y) for x in (0, 1) for y in range(4) if mark & BITS[x][y]
                }
    return found


def drawn(*lines, low=0.0, high=3.0, level=0.0, size=(4, 1)):
    return plot(lines, low=low, high=high, level=level, labels=("low", "at", "high"), size=size)


def test_a_rising_line_goes_from_the_lower_left_to_the_upper_right():
    found = dots(drawn(Line("", [0.0, 3.0], "red")))
    assert found >= {(0, 3), (7, 0)}
    assert {x for x, _ in found} == set(range(8))
    heights = [min(y for at, y in found if at == x) for x in range(8)]
    assert heights == sorted(heights, reverse=True)


def test_a_jump_is_drawn_through():
    found = dots(drawn(Line("", [0.0, 0.0, 0.0, 3.0, 3.0, 3.0], "red")))
    assert {y for _, y in found} == {0, 1, 2, 3}


def test_a_dashed_line_has_gaps_and_another_has_none():
    line = Line("", [1.0, 1.0], "red")
    assert len(dots(drawn(line, size=(6, 1)))) == 12
    assert len(dots(drawn(line._replace(is_dashed=True), size=(6, 1)))) == 8


@pytest.mark.parametrize("values", [[None, None], [9.0, 9.0], [-1.0, -5.0]])
def test_what_is_outside_is_not_drawn_along_the_edge(values):
    assert dots(drawn(Line("", values, "red"))) == set()


def test_the_level_has_its_label_and_a_line():
    rows = drawn(Line("", [3.0, 3.0], "red"), low=-3.0, level=0.0, size=(6, 3))
    assert [row.plain[:LABEL].strip() for row in rows] == ["high", "at", "low"]
    assert rows[1].plain.endswith("┄" * 6)
    assert "┄" not in rows[2].plain


def test_zones_axis_and_legend_stand_under_the_picture():
    assert zones([True, False], width=4).plain == " " * (LABEL + 2) + "▓▓──"
    assert axis(["1", "2", "3"], width=9).plain == " " * (LABEL + 2) + "1   2   3"
    text = legend([Line("now", [], "red"), Line("then", [], "red", is_dashed=True)])
    assert text.plain.split() == ["───", "now", "╌╌╌", "then"]
