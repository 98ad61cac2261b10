"""Every command and every status that the core can return occurs in a story."""

import re
from pathlib import Path

from tests.story_pool import COMMANDS

from ringfence.core.command import Kind
from ringfence.core.parameters import Parameter
from ringfence.core.status import Status

STORIES = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
# Too large for a story: tests/core/test_waterfill.py has a pool of its own for it.
OF_SIZE = {Status.TOO_MANY_AT_ONCE}
# The venue refuses with these before a command reaches a pool.
OF_THE_SHELL = {
    Status.EXCEEDS_WALLET,
    Status.ACCOUNT_NUMBER_IS_TAKEN,
    Status.OWNER_IS_NOT_REGISTERED,
}


def test_every_status_of_the_core_is_told_in_a_story():
    told = set(re.findall(r"-> +([a-z_]+)\b", STORIES)) | {"ok"}
    assert {s.name.lower() for s in set(Status) - OF_THE_SHELL - OF_SIZE} - told == set()
    assert told & {s.name.lower() for s in OF_THE_SHELL} == set()


def test_every_command_is_accepted_in_a_story():
    accepted = set(re.findall(r"^ +([a-z_]+)(?! .*->)", STORIES, flags=re.MULTILINE))
    kinds = {kind for verb, (kind, _) in COMMANDS.items() if verb in accepted}
    assert set(Kind) - kinds == set()


def test_every_parameter_is_announced_in_a_story():
    announced = set(re.findall(r"announce ([a-z_0-9]+) ", STORIES))
    assert {p.name.lower() for p in Parameter} - announced == set()
