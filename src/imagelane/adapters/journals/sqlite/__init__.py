"""The journal in one SQLite file."""

from imagelane.adapters.journals.sqlite.journal import SqliteJournal

__all__ = ["SqliteJournal"]
