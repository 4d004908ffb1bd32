"""Databases with the schema in place, on both engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mooring.db import schema
from mooring.db.engine import Database


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/mooring.db"
    else:
        cluster = request.getfixturevalue("postgres")
        url = cluster.url(cluster.create())
    database = Database(url)
    schema.migrate(database)
    yield database
    database.close_now()
