"""Changing allowlists."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete
from sqlalchemy.dialects import postgresql, sqlite

from mooring.core.clock import now
from mooring.core.errors import BadRequest
from mooring.features.allowlists.tables import allowlist


def replace(connection: Connection, project_id: int, items: Sequence[str], expires_at: int | None) -> None:
    """Make this the project's list, the system's when `project_id` is 0. Raises BadRequest for ids that are blank or
    stand there twice.
    """
    seen: set[str] = set()
    for item in items:
        if not item.strip():
            raise BadRequest("bad request: an id in the allowlist is blank")
        if item in seen:
            raise BadRequest(f"bad request: {item} stands in the allowlist twice")
        seen.add(item)
    moment = now()
    values = {"items": msgspec.json.encode(items).decode(), "expires_at": expires_at, "update_time": moment}
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(allowlist).values(project_id=project_id, creation_time=moment, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["project_id"], set_=values))


def forget(connection: Connection, project_id: int) -> None:
    """The project is gone."""
    connection.execute(delete(allowlist).where(allowlist.c.project_id == project_id))
