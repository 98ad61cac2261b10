"""`ringfence doctor`: each check on a machine that is fit, and on one that is not."""

import pytest

from ringfence.cli import checks, packages
from ringfence.cli.packages import FAIL, OK, WARN
from ringfence.units import SECOND_NS


def test_a_fit_machine_passes(run, tmp_path):
    answer = run("doctor", "--folder", tmp_path, "--data", tmp_path, "--json")
    assert (answer.code, answer.json["ok"]) == (0, True)
    names = {check["name"] for check in answer.json["checks"]}
    assert {"python", "numba", "sqlite", "processor", "compile cache", "disk", "clock"} <= names
    assert all(
        check.keys() == {"name", "status", "found", "fix"} for check in answer.json["checks"]
    )
    assert list(tmp_path.iterdir()) == []


def test_people_see_a_table(run, tmp_path):
    answer = run("doctor", "--folder", tmp_path)
    assert "a commit takes" in answer.out


def test_a_folder_without_a_disk_fails_with_the_fix(run, tmp_path):
    answer = run("doctor", "--folder", tmp_path / "nowhere")
    assert answer.code == 1
    assert "--folder" in answer.out


def test_a_missing_package_is_found_before_the_engine_is_loaded(run, monkeypatch):
    monkeypatch.setattr(packages, "requires", lambda _name: ["no-such-package>=1.2", "rich>=15"])
    answer = run("doctor", "--json")
    assert answer.code == 1
    found = {check["name"]: check for check in answer.json["checks"]}
    assert found.keys() == {"python", "no-such-package", "rich"}
    assert found["no-such-package"]["fix"] == "pip install 'no-such-package>=1.2'"


def test_an_old_package_fails():
    check = packages.dependency("rich", "999.0")
    assert (check.status, check.fix) == (FAIL, "pip install 'rich>=999.0'")


@pytest.mark.parametrize(
    ("text", "numbers"), [("3.54.1.0", (3, 54, 1, 0)), ("2.0rc1", (2, 0)), ("dev", ())]
)
def test_versions_are_compared_by_their_numbers(text, numbers):
    assert packages.numbers(text) == numbers


def test_an_old_sqlite_fails(monkeypatch):
    monkeypatch.setattr("apsw.sqlite_lib_version", lambda: "3.51.2")
    assert checks.sqlite().status == FAIL
    monkeypatch.setattr("apsw.sqlite_lib_version", lambda: "3.51.3")
    assert checks.sqlite().status == OK


def test_a_switched_off_compiler_is_a_warning(monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert checks.compiler().status == WARN
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "0")
    assert checks.compiler().status == OK


def test_an_empty_compile_cache_is_a_warning_and_a_full_one_is_not(tmp_path):
    assert checks.compile_cache(tmp_path / "cache").status == WARN
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "kernel.1.nbc").write_bytes(b"code")
    assert checks.compile_cache(tmp_path / "cache").status == OK


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(0, FAIL), (946_684_800, FAIL), (1_800_000_000, OK), (2**33, FAIL)],
)
def test_a_clock_that_cannot_be_right_fails(seconds, status):
    assert checks.clock(seconds * SECOND_NS).status == status


def test_price_files_are_optional_but_their_folder_must_be_one(tmp_path):
    assert checks.price_files(tmp_path).status == OK
    (tmp_path / "file").touch()
    assert checks.price_files(tmp_path / "file").status == FAIL
