"""Reading projects and who is in them."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, and_, bindparam, func, or_, select, true
from sqlalchemy.sql.elements import ColumnElement

from mooring.core.access import Role, allowed
from mooring.core.actor import EVERY_PROJECT, Actor, Scope
from mooring.core.page import Exact, Listing
from mooring.db import query
from mooring.db.prepared import Among, Prepared, Row
from mooring.db.reader import Reader
from mooring.features.allowlists import queries as allowlists
from mooring.features.allowlists.queries import Allowlist
from mooring.features.allowlists.tables import allowlist
from mooring.features.projects.tables import USER, member, project, project_metadata
from mooring.features.users.tables import user

# What features above this one know: how many repositories each of the projects has; how a new project gets its quota,
# with a limit in bytes if one was asked for; and the limit and the use of one, None where none is shown.
CountRepositories = Callable[[Connection, Sequence[int]], Mapping[int, int]]
BeginQuota = Callable[[Connection, int, int | None], None]
ReadQuota = Callable[[Connection, int], tuple[int, int] | None]


class Project(Struct, frozen=True):
    """A project that is not deleted; times in microseconds since the epoch."""

    id: int
    name: str
    owner_id: int
    is_public: bool
    creation_time: int
    update_time: int


class View(Struct, frozen=True):
    """A project as somebody sees it."""

    project: Project
    owner: str
    metadata: Mapping[str, str]
    roles: frozenset[Role]
    repositories: int
    allowlist: Allowlist


_NOBODY: Final = 0  # no user's id
_ID: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)  # as Go reads a number
COLUMNS: Final = tuple(project.c[field] for field in Project.__struct_fields__)

BY_NAME: Final = Prepared(select(*COLUMNS).where(project.c.name == bindparam("name"), ~project.c.is_deleted))
BY_ID: Final = Prepared(select(*COLUMNS).where(project.c.id == bindparam("id"), ~project.c.is_deleted))
# One column: the numbers of the roles that a user holds in a project.
_ROLES: Final = Prepared(
    select(member.c.role).where(
        member.c.entity_type == USER,
        member.c.entity_id == bindparam("user"),
        member.c.project_id == bindparam("project"),
    )
)
# What stands beside projects, and the role that a user holds in each.
_BESIDE: Final = Among(
    select(project.c.id, func.coalesce(user.c.username, ""), member.c.role, *allowlists.COLUMNS)
    .outerjoin(user, (user.c.id == project.c.owner_id) & ~user.c.is_deleted)
    .outerjoin(
        member,
        and_(
            member.c.project_id == project.c.id,
            member.c.entity_type == USER,
            member.c.entity_id == bindparam("user"),
        ),
    )
    .outerjoin(allowlist, allowlist.c.project_id == project.c.id),
    project.c.id,
)
_METADATA: Final = Among(
    select(project_metadata.c.project_id, project_metadata.c.name, project_metadata.c.value),
    project_metadata.c.project_id,
)


def find(connection: Connection, name: str) -> Project | None:
    return _one(connection, project.c.name == name)


def by_id(connection: Connection, project_id: int) -> Project | None:
    return _one(connection, project.c.id == project_id)


def roles_of(connection: Connection, user_id: int, project_id: int) -> frozenset[Role]:
    """The roles a user holds in a project; empty for everybody else."""
    return frozenset(Role(role) for (role,) in _ROLES.all(connection, user=user_id, project=project_id))


async def read(reader: Reader, key: str, *, by_name: bool = False) -> Project | None:
    """The project whose id or name the key is, on the loop. A name of digits alone is reached with `by_name`."""
    is_id = not by_name and _ID.fullmatch(key)
    row = await (reader.one(BY_ID, id=int(key)) if is_id else reader.one(BY_NAME, name=key))
    return None if row is None else _project(row)


async def read_roles(reader: Reader, user_id: int, project_id: int) -> frozenset[Role]:
    """As `roles_of`, on the loop."""
    return frozenset(Role(role) for (role,) in await reader.all(_ROLES, user=user_id, project=project_id))


def _project(row: Row) -> Project:
    project_id, name, owner_id, is_public, creation_time, update_time = row
    return Project(project_id, name, owner_id, bool(is_public), creation_time, update_time)


def _one(connection: Connection, condition: ColumnElement[bool]) -> Project | None:
    row = connection.execute(select(*COLUMNS).where(condition, ~project.c.is_deleted)).one_or_none()
    return None if row is None else Project(*row)


def may(connection: Connection, actor: Actor, resource: str, action: str, found: Project) -> bool:
    """Whether the actor may act on the resource in this project."""
    roles = roles_of(connection, actor.id, found.id) if actor.kind == "user" else frozenset[Role]()
    return allowed(actor, resource, action, project=found.id, roles=roles, is_public=found.is_public)


def page(connection: Connection, actor: Actor, listing: Listing, count: CountRepositories) -> tuple[list[View], int]:
    """One page of the projects that the actor may know of, and how many there are. Lists are filtered by `owner`, a
    user's name, and by `public` as well as by columns.
    """
    statement = select(*COLUMNS).where(~project.c.is_deleted, visible(actor))
    owner, public = listing.filters.get("owner"), listing.filters.get("public")
    if isinstance(owner, Exact):
        statement = statement.where(project.c.owner_id.in_(select(user.c.id).where(user.c.username == owner.value)))
    if public is not None:
        statement = statement.where(query.matches(project.c.is_public, public))
    scope = ("projects", actor.as_seen)
    rows, total = query.page(connection, statement, listing, _LISTED, project.c.name, project.c.id, scope=scope)
    return views(connection, actor, [Project(*row) for row in rows], count), total


def views(connection: Connection, actor: Actor, projects: Sequence[Project], count: CountRepositories) -> list[View]:
    """The projects as the actor sees them, with as many statements for a page of them as for one."""
    ids = [each.id for each in projects]
    asking = actor.id if actor.kind == "user" else _NOBODY
    beside = {project_id: columns for project_id, *columns in _BESIDE.all(connection, ids, user=asking)}
    counts = count(connection, ids)
    metadata = metadata_of(connection, projects)
    shown = []
    for each in projects:
        owner, role, *listed = beside[each.id]
        shown.append(
            View(
                project=each,
                owner=owner,
                metadata=metadata[each.id],
                roles=frozenset[Role]() if role is None else frozenset({Role(role)}),
                repositories=counts.get(each.id, 0),
                allowlist=Allowlist(each.id) if listed[0] is None else allowlists.of_row(listed),
            )
        )
    return shown


def metadata_of(connection: Connection, projects: Sequence[Project]) -> dict[int, dict[str, str]]:
    """What is kept beside each of the projects, `public` included."""
    metadata = {each.id: {"public": str(each.is_public).lower()} for each in projects}
    for project_id, name, value in _METADATA.all(connection, [each.id for each in projects]):
        metadata[project_id][name] = value
    return metadata


def visible(actor: Actor) -> ColumnElement[bool]:
    """Of the table `project`, those that the actor may know of."""
    if allowed(actor, "project", "list", project=None):
        return true()
    if actor.kind == "robot":
        granted = {permission.project for permission in actor.permissions if permission.project >= EVERY_PROJECT}
        return true() if EVERY_PROJECT in granted else or_(project.c.is_public, project.c.id.in_(granted))
    if actor.kind == "user":
        own = select(member.c.project_id).where(member.c.entity_type == USER, member.c.entity_id == actor.id)
        mine = true() if actor.is_admin else project.c.id.in_(own)
        return or_(project.c.is_public, and_(mine, _in_scope(actor.scope)))
    return project.c.is_public


def _in_scope(scope: Scope | None) -> ColumnElement[bool]:
    """Those that a personal token reaches."""
    named = {permission.project for permission in scope.permissions} if scope else set()
    return true() if not named or EVERY_PROJECT in named else project.c.id.in_(named)


_LISTED: Final = {
    "project_id": project.c.id,
    "name": project.c.name,
    "owner_id": project.c.owner_id,
    "creation_time": project.c.creation_time,
    "update_time": project.c.update_time,
}
