"""Reading repositories."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, bindparam, exists, func, select, true
from sqlalchemy.sql.elements import ColumnElement

from mooring.core.actor import Actor
from mooring.core.page import Exact, Listing
from mooring.db import query
from mooring.db.places import totals
from mooring.db.prepared import Among, Prepared
from mooring.features.blobs.tables import blob, repository_blob
from mooring.features.projects.queries import visible
from mooring.features.projects.tables import project
from mooring.features.repositories.tables import repository


class Found(Struct, frozen=True):
    """A repository's row; `name` is the full one, times are in microseconds since the epoch."""

    id: int
    name: str
    project_id: int
    description: str
    pull_count: int
    creation_time: int
    update_time: int


_COLUMNS: Final = tuple(repository.c[field] for field in Found.__struct_fields__)
_FIND: Final = Prepared(
    select(*_COLUMNS).where(repository.c.name == bindparam("name"), repository.c.project_id == bindparam("project"))
)
_COUNTS: Final = Among(
    select(repository.c.project_id, func.count()).group_by(repository.c.project_id), repository.c.project_id
)
_LISTED: Final = {
    "repository_id": repository.c.id,
    "id": repository.c.id,
    "name": repository.c.name,
    "project_id": repository.c.project_id,
    "description": repository.c.description,
    "pull_count": repository.c.pull_count,
    "creation_time": repository.c.creation_time,
    "update_time": repository.c.update_time,
}


def find(connection: Connection, project_id: int, name: str) -> Found | None:
    """The repository of this full name, if it is the project's."""
    row = _FIND.one(connection, name=name, project=project_id)
    return None if row is None else Found(*row)


def page(connection: Connection, project_id: int, listing: Listing) -> tuple[list[Found], int]:
    """One page of a project's repositories, and how many there are."""
    statement = select(*_COLUMNS).where(repository.c.project_id == project_id, _holds(listing))
    scope = ("repositories", project_id)
    rows, total = query.page(connection, statement, listing, _LISTED, repository.c.id, scope=scope)
    return [Found(*row) for row in rows], total


def visible_page(connection: Connection, actor: Actor, listing: Listing) -> tuple[list[Found], int]:
    """The same over all projects that the actor may know of."""
    statement = (
        select(*_COLUMNS)
        .join(project, project.c.id == repository.c.project_id)
        .where(~project.c.is_deleted, visible(actor), _holds(listing))
    )
    scope = ("repositories", actor.as_seen)
    rows, total = query.page(connection, statement, listing, _LISTED, repository.c.id, scope=scope)
    return [Found(*row) for row in rows], total


def _holds(listing: Listing) -> ColumnElement[bool]:
    """Those where an artifact names the blob that `q=blob_digest=` asks for: whoever pushes it elsewhere mounts it."""
    wanted = listing.filters.get("blob_digest")
    if not isinstance(wanted, Exact):
        return true()
    named = exists().where(repository_blob.c.repository == repository.c.name, repository_blob.c.is_counted)
    return named.where(blob.c.id == repository_blob.c.blob_id, blob.c.digest == wanted.value)


def count(connection: Connection, project_ids: Sequence[int]) -> dict[int, int]:
    """How many repositories each of the projects has; those without any are left out."""

    def fresh(ids: Sequence[int]) -> dict[int, int]:
        return dict(_COUNTS.all(connection, ids))

    return totals(connection, "repositories of project", project_ids, fresh)
