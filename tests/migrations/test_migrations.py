"""The schema's history on both databases: up, down, up again, and never apart from the tables as declared."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from mooring.core.errors import StartError
from mooring.db import schema
from mooring.db.engine import Database
from mooring.db.types import metadata
from tests.migrations.revise import import_tables


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/mooring.db"
    else:
        cluster = request.getfixturevalue("postgres")
        url = cluster.url(cluster.create())
    database = Database(url)
    yield database
    database.close_now()


def tables(db: Database) -> set[str]:
    return set(db.read_now(lambda connection: inspect(connection).get_table_names())) - {"alembic_version"}


def test_an_empty_database_becomes_the_tables_as_declared(db: Database) -> None:
    import_tables()
    assert schema.migrate(db) == (None, schema.head())
    assert tables(db) == set(metadata.tables)
    options = {"compare_type": True, "compare_server_default": True}
    differences = db.read_now(lambda it: compare_metadata(MigrationContext.configure(it, opts=options), metadata))
    assert differences == []


def test_up_down_and_up_again(db: Database) -> None:
    schema.migrate(db)
    all_of_them = tables(db)
    assert schema.migrate(db, "base") == (schema.head(), None)
    assert tables(db) == set()
    assert schema.migrate(db) == (None, schema.head())
    assert tables(db) == all_of_them


def test_a_migrated_database_is_left_alone(db: Database) -> None:
    schema.migrate(db)
    assert schema.migrate(db) == (schema.head(), schema.head())


def test_a_database_of_a_newer_program_is_refused(db: Database) -> None:
    schema.migrate(db)

    def advance(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    db.write_now(advance)
    with pytest.raises(StartError, match="schema 9999, which is newer than this program"):
        schema.migrate(db)


def test_a_revision_that_does_not_exist_is_refused(db: Database) -> None:
    with pytest.raises(StartError, match="there is no schema 0815; allowed is head, base or one of 0001"):
        schema.migrate(db, "0815")
