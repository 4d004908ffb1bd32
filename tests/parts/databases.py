"""Databases with the schema in place: copies of one of each kind that was migrated, since a copy is quicker."""

import shutil
from collections.abc import Callable
from pathlib import Path

from mooring.db import schema
from mooring.db.engine import Database
from tests.parts.postgres import Postgres


class Databases:
    """Makes databases in the folder and in the cluster, which is asked for when it is needed."""

    def __init__(self, folder: Path, postgres: Callable[[], Postgres]) -> None:
        self._folder = folder
        self._postgres = postgres
        self._count = 0
        self._file: Path | None = None
        self._template = ""

    def url(self, kind: str) -> str:
        """The address of a new database: `sqlite` or `postgresql`."""
        return self._sqlite() if kind == "sqlite" else self._postgresql()

    def _sqlite(self) -> str:
        if self._file is None:
            self._file = self._folder / "migrated.db"
            _migrate(f"sqlite:///{self._file}")
        self._count += 1
        # A folder of its own, since a jobs process keeps a file beside it.
        copy = self._folder / str(self._count) / "mooring.db"
        copy.parent.mkdir()
        shutil.copyfile(self._file, copy)
        return f"sqlite:///{copy}"

    def _postgresql(self) -> str:
        cluster = self._postgres()
        if not self._template:
            self._template = cluster.create()
            _migrate(cluster.url(self._template))
        return cluster.url(cluster.create(self._template))


def _migrate(url: str) -> None:
    database = Database(url)
    schema.migrate(database)
    database.close_now()
