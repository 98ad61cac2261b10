"""One journal for all tests of the commands that read, and a way to call a command."""

import json
from dataclasses import dataclass

import pytest
from tests.journals import Written, write_journal

from ringfence.cli import main


@dataclass
class Answer:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def run(capsys):
    def call(*arguments: object) -> Answer:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def written(tmp_path_factory) -> Written:
    """A journal that tests read and never change."""
    return write_journal(tmp_path_factory.mktemp("journal") / "venue.journal", checkpoint=True)
