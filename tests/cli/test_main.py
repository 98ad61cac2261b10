"""The command line as a whole: quick to start, clear about mistakes, one way to end."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.cli import COMMANDS, build
from ringfence.cli.data import Fetched
from ringfence.cli.packages import Check
from ringfence.cli.pool import Created
from ringfence.journal.errors import Problem
from ringfence.lab.bench.measure import Result
from ringfence.lab.datasets import Dataset
from ringfence.lab.summary import Summary
from ringfence.venue.audit import Report
from ringfence.venue.pool_views import PoolView
from ringfence.venue.simulation import Difference, Simulation, Standing
from ringfence.venue.views import AccountView

CALL = "import sys; from ringfence.cli import main; sys.exit(main())"
DOCS = Path(__file__).parent.parent.parent / "docs" / "reference" / "cli.md"


def run_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CALL, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


def test_starting_loads_neither_the_compiler_nor_the_arrays():
    code = (
        "import sys; from ringfence.cli import main; assert main(['--help']) == 0; "
        "print('LOADED', sorted({'numba', 'numpy', 'pyarrow', 'apsw'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_help_names_every_command(run):
    answer = run("--help")
    assert answer.code == 0
    for words in COMMANDS:
        assert words.split()[0] in answer.out


@pytest.mark.parametrize("words", COMMANDS)
def test_the_help_of_a_command_has_an_example_and_the_flag_for_json(run, words):
    answer = run(*words.split(), "--help")
    assert answer.code == 0
    flat = " ".join(answer.out.split())
    assert f"Example: ringfence {words}" in flat
    assert "--json" in answer.out


def test_the_version_is_that_of_the_package(run):
    answer = run("--version")
    assert (answer.code, re.fullmatch(r"\d+\.\d+\.\d+\n", answer.out) is not None) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("verfy",), "did you mean 'verify'?"),
        (("pool", "destroy"), "there are: template, create, list, show"),
        (("pool", "show", "gold"), "--journal"),
        (("bench", "--speed", "9"), "--speed"),
        (("journal", "tail", "x", "--count", "many"), "many"),
    ],
)
def test_wrong_usage_ends_with_two_and_a_message_on_standard_error(run, arguments, message):
    answer = run(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("ringfence: ")
    assert message in answer.err


def test_wrong_usage_in_a_process_shows_no_traceback():
    done = run_process("verify", "nowhere.journal")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ringfence: there is no file nowhere.journal")
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_ends_the_command_quietly():
    with subprocess.Popen(
        [sys.executable, "-c", CALL, "pool", "template"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_output_to_a_file_has_no_colours_and_is_not_cut_off(written):
    done = run_process("pool", "list", "--journal", str(written.path), COLUMNS="40")
    assert "\x1b" not in done.stdout
    assert written.pool in done.stdout


def test_json_is_utf_8_whatever_the_locale():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from ringfence.cli.output import print_json; print_json({'name': 'Zürich'})",
        ],
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert "Zürich".encode() in done.stdout


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_stands_in_the_reference_with_its_example(words):
    text = DOCS.read_text(encoding="utf-8")
    assert f"## `ringfence {words}`" in text
    section = text.split(f"## `ringfence {words}`")[1].split("\n## ")[0]
    assert COMMANDS[words][2] in section
    assert "```" in section


def test_the_reference_names_no_command_that_does_not_exist():
    text = DOCS.read_text(encoding="utf-8")
    assert set(re.findall(r"^## `ringfence ([a-z ]+)`", text, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("verify", Report),
        ("verify", Problem),
        ("simulate", Simulation),
        ("simulate", Standing),
        ("simulate", Difference),
        ("bench", Result),
        ("doctor", Check),
        ("pool create", Created),
        ("pool list", PoolView),
        ("pool show", AccountView),
        ("data list", Dataset),
        ("data get", Fetched),
        ("replay", Summary),
    ],
)
def test_the_reference_names_every_key_of_an_answer(words, answer):
    text = DOCS.read_text(encoding="utf-8")
    section = text.split(f"## `ringfence {words}`")[1].split("\n## ")[0]
    missing = [name for name in answer.__struct_fields__ if f"`{name}`" not in section]
    assert missing == []


def test_every_command_is_registered_under_its_words():
    app = build()
    for words in COMMANDS:
        parent = app
        for word in words.split():
            assert word in parent
            parent = parent[word]
