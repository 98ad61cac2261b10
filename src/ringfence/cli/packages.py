"""The checks of `doctor` that come first: Python and the packages, by their metadata alone."""

import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version

import msgspec

OK, WARN, FAIL = "ok", "warn", "fail"

PYTHON_MIN = (3, 11)

_REQUIREMENT = re.compile(r"([\w.-]+)>=([\d.]+)")


class Check(msgspec.Struct, frozen=True):
    """One finding about the machine; a fix where it is not ok."""

    name: str
    status: str
    found: str
    fix: str | None = None


def python() -> Check:
    """Whether Python is new enough."""
    found = f"{platform.python_implementation()} {platform.python_version()}"
    if sys.version_info < PYTHON_MIN or sys.byteorder != "little":
        return Check("python", FAIL, found, "use CPython 3.11 or later on a little-endian machine")
    return Check("python", OK, found)


def dependencies() -> list[Check]:
    """Whether every package is there and new enough, by the project's own metadata."""
    try:
        wanted = requires("ringfence") or []
    except PackageNotFoundError:
        return [Check("package", FAIL, "ringfence is not installed", "pip install ringfence")]
    matches = (_REQUIREMENT.fullmatch(line) for line in wanted)
    return [dependency(*match.groups()) for match in matches if match]


def dependency(name: str, least: str) -> Check:
    """Whether a package is there and new enough."""
    fix = f"pip install '{name}>={least}'"
    try:
        found = version(name)
    except PackageNotFoundError:
        return Check(name, FAIL, "missing", fix)
    is_new_enough = numbers(found) >= numbers(least)
    return Check(name, OK if is_new_enough else FAIL, found, None if is_new_enough else fix)


def numbers(text: str) -> tuple[int, ...]:
    """The numbers at the start of a version."""
    leading = re.match(r"[\d.]*", text)
    return tuple(int(part) for part in leading[0].split(".") if part) if leading else ()
