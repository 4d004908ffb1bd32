"""Reading projects and who is in them."""

from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, bindparam, select
from sqlalchemy.sql.elements import ColumnElement

from mooring.core.access import Role
from mooring.db.prepared import Prepared, Row
from mooring.db.reader import Reader
from mooring.features.projects.tables import member, project


class Project(Struct, frozen=True):
    """A project that is not deleted; times in microseconds since the epoch."""

    id: int
    name: str
    owner_id: int
    is_public: bool
    creation_time: int
    update_time: int


COLUMNS: Final = tuple(project.c[field] for field in Project.__struct_fields__)

BY_NAME: Final = Prepared(select(*COLUMNS).where(project.c.name == bindparam("name"), ~project.c.is_deleted))
BY_ID: Final = Prepared(select(*COLUMNS).where(project.c.id == bindparam("id"), ~project.c.is_deleted))
# One column: the numbers of the roles that a user holds in a project.
ROLES: Final = Prepared(
    select(member.c.role).where(
        member.c.entity_type == "u",
        member.c.entity_id == bindparam("user"),
        member.c.project_id == bindparam("project"),
    )
)


def find(connection: Connection, name: str) -> Project | None:
    return _one(connection, project.c.name == name)


def by_id(connection: Connection, project_id: int) -> Project | None:
    return _one(connection, project.c.id == project_id)


def roles_of(connection: Connection, user_id: int, project_id: int) -> frozenset[Role]:
    """The roles a user holds in a project; empty for everybody else."""
    return frozenset(Role(role) for (role,) in ROLES.all(connection, user=user_id, project=project_id))


async def read(reader: Reader, key: str, *, by_name: bool = False) -> Project | None:
    """The project whose id or name the key is, on the loop. A name of digits alone is reached with `by_name`."""
    is_id = not by_name and key.isascii() and key.isdecimal() and len(key) < 19
    row = await (reader.one(BY_ID, id=int(key)) if is_id else reader.one(BY_NAME, name=key))
    return None if row is None else _project(row)


async def read_roles(reader: Reader, user_id: int, project_id: int) -> frozenset[Role]:
    """As `roles_of`, on the loop."""
    return frozenset(Role(role) for (role,) in await reader.all(ROLES, user=user_id, project=project_id))


def _project(row: Row) -> Project:
    project_id, name, owner_id, is_public, creation_time, update_time = row
    return Project(project_id, name, owner_id, bool(is_public), creation_time, update_time)


def _one(connection: Connection, condition: ColumnElement[bool]) -> Project | None:
    row = connection.execute(select(*COLUMNS).where(condition, ~project.c.is_deleted)).one_or_none()
    return None if row is None else Project(*row)
