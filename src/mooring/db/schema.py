"""The schema's history: where a database stands in it, and the way forward and back.

One history for both dialects, in migrations/versions. On PostgreSQL an advisory lock lets one node migrate while the
others wait.
"""

from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from mooring.core.errors import StartError
from mooring.db.engine import Database, translated

# Any number will do that nothing else in the same database uses: "mooring" in ASCII.
_LOCK: Final = 0x6D6F6F72696E67


def head() -> str:
    """The revision this program was written for."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None  # noqa: S101 - the package always holds one
    return revision


def current(connection: Connection) -> str | None:
    """The revision the database stands at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def check(connection: Connection) -> None:
    """Raise StartError when the database was written by a newer program."""
    revision = current(connection)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise StartError(
            f"the database is at schema {revision}, which is newer than this program knows; "
            "install the Mooring that last used it, or a later one"
        )


def migrate(db: Database, revision: str = "head") -> tuple[str | None, str | None]:
    """Bring the database to a revision, up or down; where it stood and where it stands. Raises StartError."""
    with translated(), db.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if db.is_sqlite:
            # A table is changed by copying it; with the keys on, dropping the old one would delete what points to it.
            driver.execute("PRAGMA foreign_keys = OFF")
        with connection.begin():
            if not db.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            check(connection)
            before = current(connection)
            _move(connection, before, revision)
            after = current(connection)
        connection.invalidate()
    return before, after


def _move(connection: Connection, before: str | None, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    try:
        target = "base" if revision == "base" else scripts.as_revision_number(revision)
        passed = {script.revision for script in scripts.iterate_revisions(before, "base")} if before else set()
        if target == before:
            return
        if target == "base" or target in passed:
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)
    except CommandError as error:
        known = ", ".join(reversed([script.revision for script in scripts.walk_revisions()]))
        raise StartError(f"there is no schema {revision}; allowed is head, base or one of {known}") from error


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
