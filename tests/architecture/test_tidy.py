"""The house style, as far as a machine can see it: sizes, docstrings, exact integers, layers."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.core.command import Kind
from ringfence.core.status import Status

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "ringfence"
MODULES = sorted(SOURCE.rglob("*.py"))
EVERYTHING = [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))]
CORE = sorted((SOURCE / "core").glob("*.py"))
KERNELS = {"formula", "kernel", "screen"}  # the decorators of compiled.py
FUNCTION_LINES_MAX, FILE_LINES_MAX = 50, 400


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", EVERYTHING, ids=name)
def test_a_file_is_short_and_opens_by_saying_what_it_is_for(path):
    lines = len(path.read_text().splitlines())
    assert lines <= FILE_LINES_MAX
    assert ast.get_docstring(tree(path)), "the module has no docstring"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_function_fits_a_screen(path):
    long = {
        f.name: f.end_lineno - f.lineno + 1
        for f in functions(path)
        if f.end_lineno - f.lineno >= FUNCTION_LINES_MAX
    }
    assert long == {}


@pytest.mark.parametrize("path", CORE, ids=name)
def test_the_core_knows_no_floats(path):
    for node in ast.walk(tree(path)):
        where = f"line {getattr(node, 'lineno', 0)}"
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), where
        # The reader of specs divides Decimals, to show limits in the unit they were given in.
        assert not isinstance(node, ast.Div) or path.name == "reading.py", "a / makes a float"
        assert not (isinstance(node, ast.Name) and node.id == "float"), where
        assert not (isinstance(node, ast.Attribute) and node.attr.startswith("float")), where


@pytest.mark.parametrize("path", EVERYTHING, ids=name)
def test_nothing_is_left_for_later(path):
    marks = re.findall(r"\b(?:FIX" r"ME|TO" r"DO|XX" r"X)\b", path.read_text())
    assert marks == []


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Modules of the project that a module takes names from, with each name."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ringfence"):
            yield from ((node.module, alias.name) for alias in node.names)


def holds_kernels(path: Path) -> bool:
    return any(m == "ringfence.compiled" and word in KERNELS for m, word in imports(path))


def test_kernels_take_names_only_from_where_the_compile_cache_looks():
    """The cache folder is named after the modules of folders that hold kernels (compiled.py)."""
    kernels = [path for path in MODULES if holds_kernels(path)]
    folders = {".".join(path.relative_to(SOURCE.parent).parts[:-1]) for path in kernels}
    strays = {
        (name(path), module)
        for path in kernels
        for module, _ in imports(path)
        if module.rpartition(".")[0] not in folders | {"ringfence"}
    }
    assert "ringfence.core" in folders
    assert strays == set()


@pytest.mark.parametrize("member", [*Status, *Kind], ids=lambda member: member.name.lower())
def test_every_status_and_every_command_is_documented_with_its_number(member):
    pages = "\n".join(page.read_text() for page in (ROOT / "docs").rglob("*.md"))
    assert f"| {member.value} | `{member.name}` |" in pages
