"""What people see: names and numbers as they are, never something a journal smuggles in."""

import io

import pytest

from ringfence.cli.output import pairs, printable, progress, table


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (False, "no"),
        (-12, "-12"),
        ("plain", "plain"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("two\nlines", "two\\nlines"),
    ],
)
def test_values_are_shown_without_control_characters(value, text):
    assert printable(value) == text


def test_a_table_shows_brackets_and_long_names_as_they_are(capsys):
    table(("id", "what"), [("ab" * 200, "[bold]not markup[/bold] :smile:")])
    out = capsys.readouterr().out
    assert "ab" * 200 in out
    assert "[bold]not markup[/bold] :smile:" in out


def test_numbers_stand_on_the_right(capsys):
    table(("n", "name"), [("1", "a"), ("1000.5", "bb")])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split("│")[1] == "      1 " for line in lines if "│" in line)


def test_pairs_are_one_a_line(capsys):
    pairs([("head", "aa"), ("fund", None)], title="Pool")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [["Pool"], ["head", "aa"], ["fund", "-"]]


def test_progress_is_one_line_where_no_terminal_watches(capsys):
    with progress("working") as advance:
        advance(1, 2)
        advance(2, None)
    assert capsys.readouterr() == ("", "working ...\n")


def test_progress_is_drawn_on_a_terminals_standard_error(monkeypatch, capsys):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress("working [1]") as advance:
        advance(7, 7)
    assert "working [1]" in terminal.getvalue()
    assert capsys.readouterr().out == ""
