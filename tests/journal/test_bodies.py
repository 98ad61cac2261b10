"""Large bodies lie outside of SQLite; the chain vouches for them as for any other."""

import pytest

from ringfence.journal.bodies import OUTSIDE_MIN, bodies_path
from ringfence.journal.errors import BrokenChainError, HistoryMissingError
from ringfence.journal.sqlite import Journal
from ringfence.journal.verify import verify_chain

ETH = b"e" * 32


@pytest.fixture
def path(tmp_path):
    return tmp_path / "venue.journal"


def test_large_bodies_lie_in_a_file_of_their_own(path):
    small, large = bytes(OUTSIDE_MIN - 1), bytes(range(256)) * 300
    bodies = [small, large, b"", large[1:], small]
    with Journal.open(path) as journal:
        for body in bodies[:3]:
            journal.append(1, "pool", ETH, body)
        journal.commit()
        for body in bodies[3:]:
            journal.append(1, "pool", ETH, body)
        journal.commit()
        assert [e.body for e in journal.entries()] == bodies
        assert [e.body for e in journal.entries(4, pool=ETH)] == bodies[3:]
        assert journal.verify().ok
    assert bodies_path(path).read_bytes() == large + large[1:]
    report = verify_chain(path)
    assert (report.ok, report.entries) == (True, 5)


def test_what_an_interrupted_commit_left_is_overwritten(path):
    large = bytes(OUTSIDE_MIN)
    with Journal.open(path) as journal:
        journal.append(1, "pool", ETH, large)
        journal.commit()
    with bodies_path(path).open("ab") as file:
        file.write(b"never told of" * 10_000)
    assert verify_chain(path).ok
    with Journal.open(path) as journal:
        journal.append(2, "pool", ETH, large[1:] + b"xy")
        journal.commit()
        assert [len(e.body) for e in journal.entries()] == [OUTSIDE_MIN, OUTSIDE_MIN + 1]
    assert verify_chain(path).ok


@pytest.mark.parametrize("damage", ["cut off", "missing"])
def test_p14_a_journal_without_its_large_bodies_is_not_opened(path, damage):
    with Journal.open(path) as journal:
        journal.append(1, "pool", ETH, bytes(OUTSIDE_MIN))
        journal.append(2, "pool", ETH, b"small")
        journal.commit()
    if damage == "missing":
        bodies_path(path).unlink()
    else:
        bodies_path(path).write_bytes(bytes(OUTSIDE_MIN - 1))
    with pytest.raises(HistoryMissingError, match="missing or ends before 65536 bytes"):
        Journal.open(path)
    assert [(p.code, p.seq) for p in verify_chain(path).problems] == [("body_missing", 1)]


def test_p14_a_changed_large_body_is_found_by_number(path):
    with Journal.open(path) as journal:
        for seq in range(3):
            journal.append(seq, "pool", ETH, bytes(OUTSIDE_MIN))
        journal.commit()
    with bodies_path(path).open("r+b") as file:
        file.seek(OUTSIDE_MIN + 5)
        file.write(b"x")
    assert [(p.code, p.seq) for p in verify_chain(path).problems] == [("entry_changed", 2)]
    with (
        Journal.open(path) as journal,
        pytest.raises(BrokenChainError, match="entry 2 does not hash"),
    ):
        list(journal.entries())
