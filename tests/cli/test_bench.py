"""`ringfence bench`: results as they were measured, and 1 where a goal is not met."""

import pytest

from ringfence.cli import bench
from ringfence.lab.bench.measure import Result, against, at_least


def suite(*results: Result):
    def run(*, quick: bool):
        assert quick
        yield from results

    return run


@pytest.fixture
def _suites(monkeypatch):
    found = {
        "good": suite(at_least("trades", 3.0, "M/s", 2.0)),
        "bad": suite(against("scan", 1.0, "M/s", "NumPy", 0.5, 2.0), Result("size", 7.0, "MB")),
    }
    monkeypatch.setattr(bench, "runs", lambda: found)


@pytest.mark.usefixtures("_suites")
def test_a_goal_that_is_met_is_a_success(run):
    answer = run("bench", "good", "--quick", "--json")
    assert answer.code == 0
    assert answer.json == {
        "results": [
            {
                "name": "trades",
                "value": 3.0,
                "unit": "M/s",
                "baseline": None,
                "ratio": None,
                "goal": ">= 2 M/s",
                "met": True,
            }
        ]
    }


@pytest.mark.usefixtures("_suites")
def test_a_goal_that_is_not_met_is_a_finding_and_everything_is_run(run):
    answer = run("bench", "--quick", "--json")
    assert answer.code == 1
    found = [(r["name"], r["met"]) for r in answer.json["results"]]
    assert found == [("trades", True), ("scan", False), ("size", None)]


@pytest.mark.usefixtures("_suites")
def test_people_see_a_table(run):
    answer = run("bench", "bad", "--quick")
    for text in ("scan", "NumPy", "0.5", ">= 2x", "no"):
        assert text in answer.out


@pytest.mark.usefixtures("_suites")
def test_an_unknown_suite_is_wrong_usage(run):
    answer = run("bench", "tea")
    assert answer.code == 2
    assert "there are: good, bad" in answer.err


def test_every_module_of_the_lab_that_runs_is_a_suite():
    assert {"core", "pricing", "scenarios", "waterfall"} <= bench.runs().keys()
    assert "measure" not in bench.runs()
