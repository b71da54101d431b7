"""What can go wrong with the memory of the studio, in words for people."""

from typing import ClassVar

from pipeline.domain.errors import OnModelError


class DatabaseError(OnModelError):
    """The database cannot be opened, read or written; nothing of the request was kept."""

    code: ClassVar[str] = "database"


class DatabaseBusy(DatabaseError):
    """Another process held the write lock for longer than we wait."""

    code: ClassVar[str] = "database_busy"


class MigrationFailed(DatabaseError):
    """A migration raised; the database is as it was before that migration."""

    code: ClassVar[str] = "migration_failed"


class MigrationChanged(DatabaseError):
    """A migration that was applied once reads differently now, or its numbering is broken."""

    code: ClassVar[str] = "migration_changed"


class DatabaseTooNew(DatabaseError):
    """The database was written by a newer program."""

    code: ClassVar[str] = "database_too_new"


class LeaseLost(OnModelError):
    """The job was given to someone else (or settled) meanwhile; nothing was written."""

    code: ClassVar[str] = "lease_lost"


class WrongKey(OnModelError):
    """The stored secret was made with another key than the one in use."""

    code: ClassVar[str] = "wrong_key"
