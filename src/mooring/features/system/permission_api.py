"""What may be given, and what the caller may do: /permissions, /users/current/permissions."""

import re
from collections.abc import Sequence
from typing import Annotated, Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from sqlalchemy import Connection

from mooring.core.access import (
    PROJECT_CATALOGUE,
    PROJECT_POLICIES,
    SYSTEM_CATALOGUE,
    SYSTEM_POLICIES,
    Role,
    allowed,
)
from mooring.core.actor import Actor
from mooring.core.errors import Forbidden, Unauthorized
from mooring.db.engine import Database
from mooring.features.projects import queries as projects
from mooring.features.system import queries
from mooring.features.system.wire import Permission, Permissions
from mooring.http.access import ANYBODY, SIGNED_IN
from mooring.http.parameters import is_true

_PROJECT: Final = re.compile(r"/project/(\d{1,18})(?:/.*)?", re.ASCII)


@get("/permissions", access=ANYBODY, tag="permissions", operation_id="getPermissions", refuses=(401, 403))
async def read_permissions(actor: NamedDependency[Actor], db: NamedDependency[Database]) -> Permissions:
    """What may be given to robots. Project administrators hear of projects alone."""
    if actor.is_anonymous:
        raise Unauthorized("")
    if not actor.is_admin and not await db.read(queries.administers_a_project, actor):
        raise Forbidden("forbidden: only admins(system and project) can access permissions")
    return Permissions(
        system=_spelled(SYSTEM_CATALOGUE) if actor.is_admin else None, project=_spelled(PROJECT_CATALOGUE)
    )


@get("/users/current/permissions", access=SIGNED_IN, tag="user", operation_id="getCurrentUserPermissions")
async def read_own_permissions(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    within: Annotated[str, QueryParameter(name="scope")] = "",
    relative: FromQuery[str] = "",
) -> list[Permission]:
    """What the caller may do within the scope: `/system`, or `/project/<id>` and what follows it. `relative` leaves the
    scope out of the resources' names, and with it the resources that are not below it.
    """
    matched = _PROJECT.fullmatch(within)
    if matched is not None:
        project_id = int(matched[1])
        held = [(_placed(each, project_id), action) for each, action in await db.read(_in_project, actor, project_id)]
    else:
        policies = SYSTEM_POLICIES if within == "/system" else ()
        held = [each for each in policies if allowed(actor, *each, project=None)]
    if not is_true(relative):
        return _spelled(held)
    below = [(resource.removeprefix(within), action) for resource, action in held if resource.startswith(within)]
    return _spelled([(resource.removeprefix("/") or ".", action) for resource, action in below])


def _in_project(connection: Connection, actor: Actor, project_id: int) -> list[tuple[str, str]]:
    """Of all that a role can give, what the actor may do in the project; nothing where there is no such project."""
    found = projects.by_id(connection, project_id)
    if found is None:
        return []
    roles = projects.roles_of(connection, actor.id, project_id) if actor.kind == "user" else frozenset[Role]()
    return [
        each
        for each in PROJECT_POLICIES
        if allowed(actor, *each, project=project_id, roles=roles, is_public=found.is_public)
    ]


def _placed(resource: str, project_id: int) -> str:
    """The path of a resource of the project, or of the project itself."""
    return f"/project/{project_id}" if resource == "project" else f"/project/{project_id}/{resource}"


def _spelled(permissions: Sequence[tuple[str, str]]) -> list[Permission]:
    return [Permission(resource, action) for resource, action in permissions]


HANDLERS: Final = (read_permissions, read_own_permissions)
