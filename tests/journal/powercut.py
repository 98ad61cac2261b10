# ruff: noqa: N802, N815 - the methods of a VFS have SQLite's names
"""A disk that loses power: the whole of a journal's files in memory, from one seed.

A write lasts only after a sync of its file. At the cut every unsynced sector of 512 bytes
is kept, lost or torn by itself, a change of length may be lost, and a name that no sync made
durable may be gone, or back. SQLite runs on it through a VFS, the anchor and the large bodies through Disk.
"""

import errno
import itertools
import random
from pathlib import Path

import apsw

SECTOR_BYTES = 512
_names = (f"power-cut-{i}" for i in itertools.count())


class Node:
    """A file: what programs see, and what would be there after a cut."""

    def __init__(self, data: bytes = b"", *, is_durable: bool = False):
        self.seen = bytearray(data)
        self.durable = bytearray(data)
        self.dirty: set[int] = set()  # sectors written since the last sync
        self.has_durable_name = is_durable

    def write(self, data, offset):
        if offset > len(self.seen):
            self.seen += bytes(offset - len(self.seen))
        self.seen[offset : offset + len(data)] = data
        last = offset + len(data) - 1
        self.dirty.update(range(offset // SECTOR_BYTES, last // SECTOR_BYTES + 1))

    def sync(self):
        self.durable[:] = self.seen
        self.dirty.clear()
        self.has_durable_name = True

    def after_cut(self, rng, keep, tear):
        """What the platters hold, when each unsynced sector decides for itself."""
        data = bytearray(self.durable)
        if len(self.seen) != len(data) and rng.random() < keep:
            data = data[: len(self.seen)].ljust(len(self.seen), b"\0")
        for sector in sorted(self.dirty):
            at, chance = sector * SECTOR_BYTES, rng.random()
            new = self.seen[at : at + SECTOR_BYTES]
            if chance < keep:
                data = data.ljust(at, b"\0")
                data[at : at + len(new)] = new
            elif chance < keep + tear and at < len(data):
                new = new[: rng.randrange(1, SECTOR_BYTES)]
                data[at : at + len(new)] = new
        return data


class PowerCutDisk(apsw.VFS):
    """A journal's Disk and SQLite's VFS in one. Operations count up to the planned fault."""

    locking_mode = "EXCLUSIVE"  # a VFS in Python has no shared memory

    def __init__(self):
        self.vfs = next(_names)
        self.nodes: dict[str, Node] = {}
        self.removed: dict[str, Node] = {}  # names whose removal no sync made durable
        self.locked: set[str] = set()
        self.operations = 0
        self.fault = "cut"  # or "full", "io", "sync"
        self.fault_at: int | None = None
        self.fault_operations = 1
        super().__init__(self.vfs, base="")

    @property
    def has_failed(self):
        """Whether the planned fault has come."""
        return self.fault_at is not None and self.operations >= self.fault_at

    def tick(self, node=None):
        """Count an operation, and fail it if its time has come. A cut is for good."""
        self.operations += 1
        if not self.has_failed:
            return
        if self.fault == "cut":
            raise apsw.IOError("the power is gone")
        if self.operations >= self.fault_at + self.fault_operations:
            return
        if self.fault == "full":
            raise apsw.FullError("no space left")
        if self.fault == "io":
            raise apsw.IOError("a sector is bad")
        if node is not None:  # a failed sync leaves pages marked clean that never got there
            node.dirty.clear()
            raise apsw.IOError("the sync failed")

    def image(self, rng):
        """The disk of the next start."""
        keep, tear = rng.choice((0.0, 0.3, 0.5, 0.8, 1.0)), rng.choice((0.0, 0.2))
        disk, nodes = PowerCutDisk(), dict(self.nodes)
        for name, node in self.removed.items():
            if name not in nodes and rng.random() < 0.5:
                nodes[name] = node
        for name, node in nodes.items():
            if node.has_durable_name or rng.random() < keep:
                data = node.after_cut(rng, keep, tear)
                disk.nodes[name] = Node(data, is_durable=True)
        return disk

    # What the journal asks of a Disk.
    def size(self, path):
        node = self.nodes.get(str(path))
        return 0 if node is None else len(node.seen)

    def is_folder(self, _path):
        return True

    def open_locked(self, path):
        if str(path) in self.locked:
            raise BlockingIOError
        self.locked.add(str(path))
        return LockedFile(self, str(path))

    def sync(self, _path):
        self.tick()
        self.removed.clear()
        for node in self.nodes.values():
            node.has_durable_name = True

    def remove(self, path):
        self.removed[str(path)] = self.nodes.pop(str(path))

    # What SQLite asks of a VFS.
    def xFullPathname(self, name):
        return name

    def xOpen(self, name, _flags):
        name = name.filename() if isinstance(name, apsw.URIFilename) else name
        return VfsFile(self, self.node(name))

    def xAccess(self, name, _flags):
        return name in self.nodes

    def xDelete(self, name, _syncdir):
        self.tick()
        node = self.nodes.pop(name, None)
        if node is not None:
            self.removed[name] = node

    def node(self, name):
        if name not in self.nodes:
            self.tick()
            self.nodes[name] = Node()
        return self.nodes[name]


class VfsFile:
    """SQLite's view of an open file."""

    def __init__(self, disk, node):
        self.disk, self.node = disk, node

    def xRead(self, amount, offset):
        return bytes(self.node.seen[offset : offset + amount])

    def xWrite(self, data, offset):
        self.disk.tick()
        self.node.write(data, offset)

    def xTruncate(self, size):
        self.disk.tick()
        del self.node.seen[size:]

    def xSync(self, _flags):
        self.disk.tick(self.node)
        self.node.sync()

    def xFileSize(self):
        return len(self.node.seen)

    def xSectorSize(self):
        return SECTOR_BYTES

    def xDeviceCharacteristics(self):
        return 0

    def xFileControl(self, _op, _pointer):
        return False

    def xCheckReservedLock(self):
        return False

    def xLock(self, _level):
        pass

    xUnlock = xLock

    def xClose(self):
        pass


class LockedFile:
    """The journal's own view of an open file; errors come as those of the operating system."""

    def __init__(self, disk, name):
        self.disk, self.name = disk, name
        self.node = self._call(disk.node, name)

    def _call(self, function, *arguments):
        try:
            return function(*arguments)
        except apsw.Error as error:
            code = errno.ENOSPC if isinstance(error, apsw.FullError) else errno.EIO
            raise OSError(code, str(error)) from None

    def read(self, length, offset):
        return bytes(self.node.seen[offset : offset + length])

    def write(self, data, offset):
        self._call(self.disk.tick)
        self.node.write(data, offset)

    def sync(self):
        self._call(self.disk.tick, self.node)
        self.node.sync()

    def close(self):
        self.disk.locked.discard(self.name)


PATH = Path("journal")


def random_body(rng: random.Random) -> bytes:
    """Mostly small, sometimes larger than a page."""
    return rng.randbytes(rng.choice((0, 10, 80, 400, 4_000, 40_000)))
