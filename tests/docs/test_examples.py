"""The examples of the documentation run, and print what the pages show.

A fenced block of Python is run; a block of text right behind it is what it prints. Pages of
the concepts begin with the venue of docs/concepts/start.md.
"""

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONCEPTS = ROOT / "docs" / "concepts"
START = CONCEPTS / "start.md"
PAGES = [
    ROOT / "README.md",
    ROOT / "docs" / "waterfall.md",
    ROOT / "docs" / "reference" / "python.md",
    ROOT / "docs" / "reference" / "spec.md",
    ROOT / "docs" / "reference" / "journal.md",
    *sorted(CONCEPTS.glob("*.md")),
]
BLOCK = re.compile(r"^```python\n(.*?)^```$(?:\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


def run(page: Path, names: dict[str, object]) -> list[tuple[str, str, str]]:
    """Run a page's blocks, one after the other; return code, printed and shown text of each."""
    outcomes = []
    for found in BLOCK.finditer(page.read_text()):
        code, shown = found[1], found[2] or ""
        line = page.read_text()[: found.start()].count("\n") + 1
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            # Empty lines in front, so that a traceback names the line of the page.
            exec(compile("\n" * line + code, page.name, "exec"), names)
        outcomes.append((code, printed.getvalue(), shown))
    return outcomes


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_example_prints_what_its_page_shows(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "example"}
    if page.parent == CONCEPTS and page != START:
        run(START, names)
    outcomes = run(page, names)
    for _, printed, shown in outcomes:
        assert printed == shown
    text = page.read_text()
    assert text.count("```python\n") == len(outcomes), "a block of Python is not closed"


def test_the_pages_that_promise_numbers_have_examples():
    with_output = {
        page.stem for page in PAGES if any(m[2] for m in BLOCK.finditer(page.read_text()))
    }
    assert {"README", "health", "settlement", "liquidation", "lending", "brackets"} <= with_output
