"""The tables of a journal in SQLite, and the settings that make its commits durable.

One row is one entry, and an entry is a whole batch. The body comes last, so that reading the
other columns does not touch it; a large one lies in the bodies file (see `bodies`).
"""

from collections.abc import Iterator
from pathlib import Path

import apsw

from ringfence.journal.disk import Disk
from ringfence.journal.errors import JournalSettingsError, NotAJournalError

APPLICATION_ID = int.from_bytes(b"RFJ1")
# Goes up with every change of what a journal holds, and of what its entries do when replayed.
VERSION = 5
PAGE_BYTES = 16384
BUSY_MS = 2000  # how long to wait for a foreign lock, such as that of an SQL shell

# Before 3.51.3 a write-ahead log could be reset under a second connection and lose commits.
SQLITE_VERSION_MIN = (3, 51, 3)

TABLES = {
    "entry": """CREATE TABLE entry (
        seq INTEGER PRIMARY KEY CHECK (seq > 0),
        first INTEGER NOT NULL CHECK (first > 0), -- seq of the first one in its transaction
        time_ns INTEGER NOT NULL,
        kind TEXT NOT NULL,
        pool BLOB NOT NULL,
        head BLOB NOT NULL CHECK (length(head) = 32),
        body_start INTEGER NOT NULL CHECK (body_start >= 0), -- in the bodies file
        body_stop INTEGER NOT NULL CHECK (body_stop >= body_start),
        body BLOB CHECK ((body IS NULL) = (body_stop > body_start)) -- NULL where it is there
    ) STRICT""",
    "fence": """CREATE TABLE fence (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        epoch INTEGER NOT NULL -- of the only writer that may commit
    ) STRICT""",
    "checkpoint": """CREATE TABLE checkpoint (
        id INTEGER PRIMARY KEY,
        pool BLOB NOT NULL,
        seq INTEGER NOT NULL,
        digest BLOB NOT NULL,
        head BLOB NOT NULL,
        seal BLOB NOT NULL,
        state BLOB NOT NULL,
        UNIQUE (pool, seq)
    ) STRICT""",
}

# Set on each connection and read back: SQLite ignores what it does not like, and keeps
# some of these in the connection and not in the file.
SETTINGS: dict[str, str | int] = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: a commit returns when the log is on stable storage
    "wal_autocheckpoint": 0,  # the journal decides when
    "trusted_schema": 0,
    "cell_size_check": 1,
}


def connect(disk: Disk, path: Path | str) -> apsw.Connection:
    """A connection that may write; nothing is written yet."""
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(path), flags=flags, vfs=disk.vfs)
    connection.set_busy_timeout(BUSY_MS)
    # After a failed write the log must stay as it is, for recovery to judge.
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.pragma("locking_mode", disk.locking_mode)
    connection.pragma("mmap_size", 0)
    return connection


def is_blank(connection: apsw.Connection) -> bool:
    """Whether the database holds nothing at all, so that it can become a journal."""
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
    return tables == 0 and connection.pragma("application_id") == 0


def create_tables(connection: apsw.Connection) -> None:
    """Make a blank database an empty journal of epoch 0."""
    connection.pragma("page_size", PAGE_BYTES)
    connection.pragma("journal_mode", SETTINGS["journal_mode"])
    connection.execute("BEGIN IMMEDIATE")
    connection.pragma("application_id", APPLICATION_ID)
    connection.pragma("user_version", VERSION)
    for statement in TABLES.values():
        connection.execute(statement)
    connection.execute("INSERT INTO fence (one, epoch) VALUES (1, 0)")
    connection.execute("COMMIT")


def set_up(disk: Disk, path: Path) -> None:
    """Create a journal file whose every byte and name is durable."""
    connection = connect(disk, path)
    try:
        connection.pragma("synchronous", 2)
        create_tables(connection)
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    finally:
        connection.close()
    # The names too, or a rollback journal of the first step could come back to life after a
    # power cut and undo everything that was committed since.
    disk.sync(path)


def check_identity(connection: apsw.Connection, path: Path | str) -> None:
    """Refuse a database that is not a journal of this version."""
    for code, message in identity_faults(connection, path):
        raise NotAJournalError(f"{message} ({code})")


def identity_faults(connection: apsw.Connection, path: Path | str) -> Iterator[tuple[str, str]]:
    """In what a database differs from an empty journal, as codes and messages."""
    application_id = connection.pragma("application_id")
    if application_id != APPLICATION_ID:
        message = (
            f"{path} has application id {application_id}, a journal has {APPLICATION_ID}; "
            "give the path of a journal, or of a file that does not exist yet"
        )
        yield "not_a_journal", message
        return
    version = connection.pragma("user_version")
    if version != VERSION:
        message = (
            f"{path} is a journal of version {version}, this program reads {VERSION}; "
            "use the program that wrote it"
        )
        yield "unknown_version", message
        return
    page_bytes = connection.pragma("page_size")
    if page_bytes != PAGE_BYTES:
        yield "schema_changed", f"{path} has pages of {page_bytes} bytes, not {PAGE_BYTES}"
    rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    found = {str(name): sql for name, sql in rows}
    for name in sorted(found.keys() | TABLES.keys()):
        if found.get(name) != TABLES.get(name):
            yield "schema_changed", f"{path}: {name} is not as a journal has it"


def apply_settings(connection: apsw.Connection, path: Path | str) -> None:
    """Set what makes commits durable, and refuse to run where it did not take.

    Raises:
        JournalSettingsError: A setting reads back otherwise, or this SQLite is too old.
    """
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < SQLITE_VERSION_MIN:
        raise JournalSettingsError(
            f"SQLite {apsw.sqlite_lib_version()} can lose commits; "
            "install an apsw that bundles 3.51.3 or later"
        )
    for name, wanted in SETTINGS.items():
        connection.pragma(name, wanted)
        found = connection.pragma(name)
        if found != wanted:
            raise JournalSettingsError(
                f"{path}: SQLite keeps {name} at {found!r} where {wanted!r} is needed; "
                "put the journal on a local disk"
            )
