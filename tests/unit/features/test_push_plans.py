"""What a push asks of SQLite must not grow with the repository: none of its statements walks all of what one has."""

import re
import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine

from mooring.db.prepared import Prepared
from mooring.db.types import metadata
from mooring.features.artifacts import statements
from mooring.features.blobs import queries
from mooring.features.blobs import service as blobs
from mooring.features.repositories import service as repositories

STATEMENTS = {
    name: statement
    for module in (repositories, statements, blobs, queries)
    for name, statement in vars(module).items()
    if isinstance(statement, Prepared)
}


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    connection = engine.raw_connection()
    assert isinstance(connection.driver_connection, sqlite3.Connection)
    yield connection.driver_connection
    connection.close()
    engine.dispose()


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_step_walks_a_table_or_all_of_a_repository(database: sqlite3.Connection, name: str) -> None:
    text = STATEMENTS[name].text["sqlite"]
    parameters = dict.fromkeys(re.findall(r":(\w+)", text), 1) | STATEMENTS[name].constants
    steps = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {text}", parameters)]
    walks = [step for step in steps if step.startswith("SCAN") and "VIRTUAL TABLE" not in step]
    assert not walks
    assert not [step for step in steps if re.search(r"\((repository_id|project_id)=\?\)", step)]
