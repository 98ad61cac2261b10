"""What can go wrong with a journal, as exceptions and as findings.

The same finding is an exception where a journal is opened and a line of the report where
it is verified, so both speak in the same words.
"""

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One finding about a journal: the entry it concerns, a stable code, and a sentence."""

    seq: int | None  # None where it concerns the file as a whole
    code: str
    message: str


class JournalError(Exception):
    """A journal cannot be used as it is; the message says why and what to do."""


class NotAJournalError(JournalError):
    """The file is something else, or was written by another version."""


class JournalSettingsError(JournalError):
    """SQLite does not keep the settings that make a commit durable."""


class JournalBusyError(JournalError):
    """Somebody else has the journal open for writing, or a later epoch has begun."""


class JournalHaltedError(JournalError):
    """A write failed or was fenced off, so nothing more is acknowledged."""


class BrokenChainError(JournalError):
    """An entry is missing or does not hash to its head; seq is its number."""

    def __init__(self, seq: int, message: str) -> None:
        super().__init__(message)
        self.seq = seq


class BrokenCheckpointError(JournalError):
    """A checkpoint is not what was written."""


class HeadMismatchError(JournalError):
    """The chain is whole but it is not the one that was vouched for."""


class HistoryMissingError(JournalError):
    """The journal ends before its anchor: acknowledged entries are gone."""


class AnchorError(JournalError):
    """The anchor is missing, unreadable, or older than it can be."""
