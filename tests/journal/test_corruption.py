"""P14: whatever happens to the bytes of a crashed journal, a change of content is loud.

SQLite alone is not: a flipped bit in its write-ahead log drops every commit behind it, and
its own integrity check finds nothing wrong with what is left.
"""

import random
from collections import Counter

import apsw
import pytest

from ringfence.journal import bodies
from ringfence.journal.anchor import anchor_path
from ringfence.journal.bodies import bodies_path
from ringfence.journal.errors import JournalError
from ringfence.journal.frozen import connect_frozen
from ringfence.journal.sqlite import Journal
from ringfence.journal.verify import verify_chain

POOL = b"p" * 32
PAGE_BYTES = 16384
SECTOR_BYTES = 512
SUFFIXES = ["", "-wal", ".bodies", ".anchor"]


@pytest.fixture(scope="module")
def crashed(tmp_path_factory):
    """The files of a journal whose writer died: half in the database, half in the log."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(bodies, "OUTSIDE_MIN", 30_000)
        return written(tmp_path_factory.mktemp("crashed"))


def written(folder):
    rng = random.Random(1)
    path = folder / "live"
    for count in (25, 15):
        journal = Journal.open(path)
        for _ in range(count):
            for _ in range(rng.randint(1, 4)):
                body = rng.randbytes(rng.choice((0, 80, 400, 12_000, 40_000)))
                journal.append(rng.randrange(2**40), rng.choice(("pool", "venue")), POOL, body)
            journal.commit()
            if rng.random() < 0.2:
                journal.write_checkpoint(journal.seq, POOL, rng.randbytes(3_000), b"d" * 32)
        if count == 25:
            journal.close()
    files = {suffix: path.with_name(path.name + suffix).read_bytes() for suffix in SUFFIXES}
    entries = list(journal.entries())
    journal.close()
    assert min(len(files[""]), len(files["-wal"])) > 20 * PAGE_BYTES
    return files, entries


def flip_bit(data, rng):
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def change_byte(data, rng):
    at = rng.randrange(len(data))
    data[at] = (data[at] + rng.randrange(1, 256)) % 256


def scramble(data, rng):
    at = rng.randrange(len(data) - 16)
    data[at : at + 16] = rng.randbytes(16)


def truncate(data, rng):
    del data[rng.randrange(len(data)) :]


def zero_sector(data, rng):
    at = rng.randrange(len(data) // SECTOR_BYTES) * SECTOR_BYTES
    data[at : at + SECTOR_BYTES] = bytes(SECTOR_BYTES)


def zero_page(data, rng):
    at = rng.randrange(max(1, len(data) // PAGE_BYTES)) * PAGE_BYTES
    data[at : at + PAGE_BYTES] = bytes(len(data[at : at + PAGE_BYTES]))


def swap_blocks(data, rng):
    size = PAGE_BYTES if len(data) > 2 * PAGE_BYTES else SECTOR_BYTES
    a, b = (size * i for i in rng.sample(range(len(data) // size), 2))
    data[a : a + size], data[b : b + size] = data[b : b + size], data[a : a + size]


def repeat_block(data, rng):
    """As when a write was lost, and the block holds what was written elsewhere."""
    size = PAGE_BYTES if len(data) > 2 * PAGE_BYTES else SECTOR_BYTES
    a, b = (size * i for i in rng.sample(range(len(data) // size), 2))
    data[a : a + size] = data[b : b + size]


def empty(data, _rng):
    data.clear()


CHANGES = [
    flip_bit,
    change_byte,
    scramble,
    truncate,
    zero_sector,
    zero_page,
    swap_blocks,
    repeat_block,
    empty,
]


def content(path):
    """All that a reader could get out of the files, read as plainly as possible."""
    try:
        connection = connect_frozen(path)
        tables = ("entry", "checkpoint", "fence")
        rows = [
            connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in tables
        ]
        connection.close()
    except (apsw.Error, UnicodeDecodeError) as error:
        return repr(error)
    return rows, bodies_path(path).read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_p14_no_change_of_content_goes_undetected(crashed, tmp_path, suffix):
    files, _ = crashed
    path, seen = tmp_path / "journal", Counter()
    for name, data in files.items():
        path.with_name(path.name + name).write_bytes(data)
    original, victim = content(path), path.with_name(path.name + suffix)
    assert verify_chain(path).ok
    for change in CHANGES:
        for seed in range(1 if change is empty else 35):
            data = bytearray(files[suffix])
            change(data, random.Random(seed))
            victim.write_bytes(data)
            report = verify_chain(path)
            is_same = content(path) == original
            assert is_same or not report.ok, (change.__name__, seed)
            assert victim.read_bytes() == data
            seen[is_same, report.ok] += 1
    assert seen[False, False] >= (0 if suffix == ".anchor" else 100)
    assert seen[True, False] >= (100 if suffix == ".anchor" else 0)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_p14_a_corrupt_journal_gives_the_acknowledged_entries_or_an_error(
    crashed, tmp_path, suffix
):
    files, entries = crashed
    path, seen = tmp_path / "journal", Counter()
    for change in CHANGES:
        for seed in range(4):
            for name, data in files.items():
                changed = bytearray(data)
                if name == suffix:
                    change(changed, random.Random(seed))
                path.with_name(path.name + name).write_bytes(changed)
            try:
                with Journal.open(path) as journal:
                    assert list(journal.entries()) == entries
                seen["opened"] += 1
            except JournalError:
                seen["refused"] += 1
            path.with_name(path.name + "-shm").unlink(missing_ok=True)
    assert seen["refused"] >= 5


def test_p14_the_integrity_check_alone_would_miss_a_lost_tail(crashed, tmp_path):
    files, entries = crashed
    path = tmp_path / "journal"
    data = bytearray(files["-wal"])
    data[len(data) // 2] ^= 1
    path.write_bytes(files[""])
    path.with_name("journal-wal").write_bytes(data)
    connection = connect_frozen(path)
    assert connection.execute("PRAGMA integrity_check").get == "ok"
    assert connection.execute("SELECT max(seq) FROM entry").get < entries[-1].seq
    connection.close()
    bodies_path(path).write_bytes(files[".bodies"])
    anchor_path(path).write_bytes(files[".anchor"])
    assert [p.code for p in verify_chain(path).problems] == ["history_missing"]
