"""P13, P15: kill -9 at any moment loses nothing acknowledged and reuses no number."""

import random
import subprocess
import sys
import time

from ringfence.journal.sqlite import Journal
from ringfence.journal.verify import verify_chain

WRITER = """
import random, sys
from ringfence.journal.sqlite import Journal

rng = random.Random(int(sys.argv[2]))
journal = Journal.open(sys.argv[1])
while True:
    for _ in range(rng.randint(1, 5)):
        journal.append(1, "pool", b"p" * 32, rng.randbytes(rng.choice((0, 80, 60_000, 90_000))))
    journal.commit()
    print(journal.seq, journal.head.hex(), flush=True)
"""


def test_p13_a_killed_writer_loses_nothing_it_acknowledged(tmp_path):
    rng, path, acknowledged = random.Random(3), tmp_path / "journal", 0
    for cycle in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(cycle)], stdout=subprocess.PIPE, text=True
        )
        lines = [writer.stdout.readline()]  # it is at work
        time.sleep(rng.expovariate(1 / 0.03))
        writer.kill()
        lines += writer.stdout.read().splitlines()
        writer.stdout.close()
        writer.wait()
        heads = dict(line.split() for line in lines if len(line.split()) == 2)
        files = sorted(tmp_path.iterdir())
        report = verify_chain(path)  # as the crash left it
        assert report.ok, report.problems
        assert sorted(tmp_path.iterdir()) == files
        with Journal.open(path) as journal:
            found = {str(e.seq): e.head.hex() for e in journal.entries()}
            complete = {seq: head for seq, head in heads.items() if len(head) == 64}
            assert complete.items() <= found.items()
            assert len(found) == journal.seq >= acknowledged
            acknowledged = journal.seq
    assert acknowledged > 8
