"""Read the published cases and compare them with our answers.

A test takes `kinds(group)`: one parameter set per kind of case, its number of cases in
the test id. `reproduced` compares every case with an answer function and returns how many
agreed, so a test asserts that this is all of them. Nothing is skipped but cases that the
collection itself marks as not reproduced, and everything where the files are missing.
"""

import json
import os
from pathlib import Path

import pytest
from tests.shared import SHARED

FOLDER = Path(os.environ.get("RINGFENCE_VECTORS", SHARED / "vectors"))


def load(group):
    """All cases of a group that were published as expected values."""
    cases = json.loads((FOLDER / f"{group}.json").read_text())
    return [case for case in cases if case.get("reproduced", True) is not False]


def kinds(group, by="kind"):
    """One parameter set (kind, cases) for every kind of the group, in the file's order."""
    if not (FOLDER / f"{group}.json").exists():
        reason = f"published cases are missing: {group}.json (set RINGFENCE_SHARED to their folder)"
        return [pytest.param("missing", [], marks=pytest.mark.skip(reason=reason))]
    groups = {}
    for case in load(group):
        groups.setdefault(by(case) if callable(by) else case[by], []).append(case)
    return [
        pytest.param(kind, cases, id=f"{kind}-{len(cases)}-cases") for kind, cases in groups.items()
    ]


def reproduced(cases, answer):
    """Number of cases that our answer agrees with; the others are named in the failure."""
    wrong = {}
    for case in cases:
        got = answer(case["inputs"])
        if not agrees(case["expected"], got, tolerance(case)):
            wrong[case["id"]] = {"expected": case["expected"], "got": got}
    assert not wrong, wrong
    return len(cases)


def tolerance(case):
    if "tolerance_rel" in case:
        return {"rel": case["tolerance_rel"]}
    return case.get("tolerance", {"abs": 0})


def agrees(expected, got, tol, field=None):
    """Expected None is "not stated". Integers may be written as strings of digits."""
    if expected is None:
        return True
    if isinstance(expected, dict):
        return all(
            value is None or (key in got and agrees(value, got[key], tol, key))
            for key, value in expected.items()
        )
    if isinstance(expected, list | tuple):
        return len(expected) == len(got) and all(
            agrees(e, g, tol, field) for e, g in zip(expected, got, strict=True)
        )
    if isinstance(expected, bool | str):
        return str(expected) == str(got)
    if got is None:
        return False
    if "per_field_abs" in tol:
        limit = tol["per_field_abs"].get(field, 0)
    elif tol.get("rel"):
        limit = tol["rel"] * abs(expected)
    else:
        limit = tol.get("abs", 0)
    return expected == got if limit == 0 else abs(expected - got) <= limit
