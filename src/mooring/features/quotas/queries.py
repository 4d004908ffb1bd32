"""Reading quotas, and what projects hold."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import BigInteger, Connection, Select, bindparam, case, cast, func, select
from sqlalchemy.sql.elements import ColumnElement

from mooring.core.page import Listing
from mooring.db import query
from mooring.db.prepared import Among, Prepared
from mooring.features.projects.tables import project
from mooring.features.quotas.tables import project_storage, quota
from mooring.features.users.queries import ADMIN
from mooring.features.users.tables import user

_MOST: Final = 2**63 - 1


class Quota(Struct, frozen=True):
    """A project's limit and what it holds, in bytes; -1 for no limit. `project` is empty when that is gone, and
    `owner` for the first administrator, as in Harbor.
    """

    id: int
    project_id: int
    project: str
    hard: int
    used: int
    creation_time: int
    update_time: int
    owner: str


def _used(project_id: Any) -> Any:
    total = func.coalesce(func.sum(project_storage.c.bytes), 0)
    return select(cast(total, BigInteger)).where(project_storage.c.project_id == project_id).scalar_subquery()


USED: Final = Prepared(select(_used(bindparam("project"))))
# The limit of a project that has one.
LIMIT: Final = Prepared(select(quota.c.hard).where(quota.c.project_id == bindparam("project"), quota.c.hard >= 0))
# The limit and the use of a project that holds more than it may.
OVER: Final = Prepared(
    select(quota.c.hard, _used(quota.c.project_id)).where(
        quota.c.project_id == bindparam("project"), quota.c.hard >= 0, quota.c.hard < _used(quota.c.project_id)
    )
)
# What projects hold that hold something.
_HELD: Final = Among(
    select(project_storage.c.project_id, cast(func.sum(project_storage.c.bytes), BigInteger)).group_by(
        project_storage.c.project_id
    ),
    project_storage.c.project_id,
)
_LISTED: Final = {
    "creation_time": quota.c.creation_time,
    "update_time": quota.c.update_time,
    "hard.storage": case((quota.c.hard < 0, _MOST), else_=quota.c.hard),  # no limit is the largest
    "used.storage": _used(quota.c.project_id),
}


def find(connection: Connection, quota_id: int) -> Quota | None:
    return _one(connection, quota.c.id == quota_id)


def of_project(connection: Connection, project_id: int) -> Quota | None:
    return _one(connection, quota.c.project_id == project_id)


def page(connection: Connection, listing: Listing, project_id: int | None = None) -> tuple[list[Quota], int]:
    """One page of the quotas, the latest first, and how many there are; of one project where that is given."""
    statement = _quotas()
    if project_id is not None:
        statement = statement.where(quota.c.project_id == project_id)
    order = (quota.c.creation_time.desc(), quota.c.id.desc())
    rows, total = query.page(connection, statement, listing, _LISTED, *order, scope=("quotas", project_id))
    return _quotas_of(connection, rows), total


def used(connection: Connection, project_id: int) -> int:
    """The bytes that a project holds just now."""
    total: int = USED.sure(connection, project=project_id)[0]
    return total


def _one(connection: Connection, condition: ColumnElement[bool]) -> Quota | None:
    found = _quotas_of(connection, connection.execute(_quotas().where(condition)).all())
    return found[0] if found else None


def _quotas() -> Select[Any]:
    """All but what is used, which only the quotas of a page are asked for."""
    statement = select(
        quota.c.id,
        quota.c.project_id,
        func.coalesce(project.c.name, ""),
        quota.c.hard,
        quota.c.creation_time,
        quota.c.update_time,
        func.coalesce(user.c.username, ""),
    )
    existing = statement.outerjoin(project, (project.c.id == quota.c.project_id) & ~project.c.is_deleted)
    owner = (user.c.id == project.c.owner_id) & (user.c.id != ADMIN) & ~user.c.is_deleted
    return existing.outerjoin(user, owner)


def _quotas_of(connection: Connection, rows: Sequence[Any]) -> list[Quota]:
    held: dict[int, int] = dict(_HELD.all(connection, [row.project_id for row in rows]))
    return [
        Quota(quota_id, project_id, name, hard, held.get(project_id, 0), *rest)
        for quota_id, project_id, name, hard, *rest in rows
    ]
