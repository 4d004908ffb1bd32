"""What a server has stored, read past it: the rows of its database and the files of its folder."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import psycopg

from tests.parts.server import Server

# What identifies a row; times are left out, since reads move them.
_ROWS = {
    "blob": "SELECT digest, size, segments FROM blob",
    "repository_blob": "SELECT repository, project_id, blob_id FROM repository_blob",
    "upload": 'SELECT id, repository, account, "offset", algorithm, digest, segments FROM upload',
    "repository": "SELECT name, project_id FROM repository",
    "manifest": "SELECT digest, media_type FROM manifest",
    "artifact": "SELECT repository_id, digest, type, media_type, artifact_type, size, extra_attrs FROM artifact",
    "tag": "SELECT repository_id, name, artifact_id, push_time FROM tag",
    "artifact_reference": "SELECT parent_id, child_digest, child_id FROM artifact_reference",
    "artifact_accessory": "SELECT artifact_id, subject_digest, subject_id, type FROM artifact_accessory",
    "artifact_blob": "SELECT artifact_id, blob_id FROM artifact_blob",
}

Row = dict[str, Any]


class Contents(NamedTuple):
    """Everything that pushes leave: rows by table, files by key with their sizes."""

    rows: dict[str, frozenset[tuple[Any, ...]]]
    files: dict[str, int]


def contents(server: Server) -> Contents:
    """Look now."""
    rows = {
        table: frozenset(tuple(row.values()) for row in query(server, statement)) for table, statement in _ROWS.items()
    }
    return Contents(rows, files(server))


def files(server: Server) -> dict[str, int]:
    """The segments in the server's folder, with their sizes."""
    found: dict[str, int] = {}
    for path in server.data.glob("blobs/*/*"):
        try:
            found[str(path.relative_to(server.data))] = path.stat().st_size
        except FileNotFoundError:
            continue
    return found


@contextmanager
def nothing_stored(server: Server) -> Iterator[None]:
    """Whatever happens inside leaves rows and files as they were."""
    before = contents(server)
    yield
    after = contents(server)
    assert after.rows == before.rows
    assert after.files == before.files


def query(server: Server, statement: str, *parameters: object) -> list[Row]:
    """Rows of the server's database; parameters are marked `?`."""
    address = server.settings.get("MOORING_DATABASE__URL", "")
    if address:
        with psycopg.connect(address) as connection:
            found = connection.execute(statement.replace("?", "%s").encode(), parameters)
            return _named(found.fetchall(), found.description)
    with closing(sqlite3.connect(f"file:{server.data}/mooring.db?mode=ro", uri=True)) as connection:
        cursor = connection.execute(statement, parameters)
        return _named(cursor.fetchall(), cursor.description)


def execute(server: Server, statement: str, *parameters: object) -> None:
    """Change the server's database behind its back; parameters are marked `?`."""
    address = server.settings.get("MOORING_DATABASE__URL", "")
    if address:
        with psycopg.connect(address) as connection:
            connection.execute(statement.replace("?", "%s").encode(), parameters)
        return
    with closing(sqlite3.connect(server.data / "mooring.db", timeout=30)) as connection, connection:
        connection.execute(statement, parameters)


def _named(rows: list[Any], description: Any) -> list[Row]:
    names = [column[0] for column in description]
    return [dict(zip(names, row, strict=True)) for row in rows]
