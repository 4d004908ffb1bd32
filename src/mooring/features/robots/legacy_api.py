"""Robots of a project as Harbor's API before 2.2 had them: /projects/{project}/robots. Guides still show it.

What is made here is a project's robot like any other, which may also sign in under its short name.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import structs
from sqlalchemy import Connection

from mooring.core.actor import Actor
from mooring.core.clock import DAY, SECOND, now
from mooring.core.errors import BadRequest
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.configuration.queries import Current
from mooring.features.projects.queries import Project
from mooring.features.robots import queries, service
from mooring.features.robots.queries import View
from mooring.features.robots.service import Wish
from mooring.features.robots.wire import (
    Access,
    RobotCreated,
    RobotCreatedV1,
    RobotCreateV1,
    RobotUpdateV1,
    ShownRobot,
)
from mooring.http.access import project as within
from mooring.http.links import created, listed

_RESOURCE: Final = re.compile(r"(?:/project/(\w[\w.-]*)/)?([a-z-]+)")


@get("/projects/{project_name_or_id:str}/robots", access=within("robot", "list"))
async def list_project_robots(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    configuration: NamedDependency[Current],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
) -> Response[Sequence[ShownRobot]]:
    views, total = await db.read(queries.page, project.id, listing)
    prefix = (await configuration.read()).robot_name_prefix
    return listed(request, [ShownRobot.of(view, prefix) for view in views], total, listing)


@post("/projects/{project_name_or_id:str}/robots", access=within("robot", "create"), body="robot")
async def create_project_robot(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    configuration: NamedDependency[Current],
    project: NamedDependency[Project],
    data: JSONBody[RobotCreateV1],
) -> Response[RobotCreatedV1]:
    """The secret is told once, as `secret` and as `token`. Without a duration the configuration's is taken."""
    settings = await configuration.read()
    duration = data.duration or _days_until(data.expires_at) or settings.robot_token_duration
    access = [(_resource(each, project), each.action, each.effect) for each in data.access]
    wishes = [Wish("project", project.name, access)]
    service.check_name(data.name)
    service.check(level="project", duration=duration, wishes=wishes)
    made = await db.write(
        service.create,
        actor,
        settings.robot_name_prefix,
        name=data.name,
        level="project",
        description=data.description,
        duration=duration,
        wishes=wishes,
        short_name=data.name,
    )
    shown = RobotCreated.of(made, settings.robot_name_prefix)
    return created(request, made.robot.id, RobotCreatedV1(**structs.asdict(shown), token=made.secret))


@get("/projects/{project_name_or_id:str}/robots/{robot_id:str}", access=within("robot", "read"))
async def read_project_robot(
    db: NamedDependency[Database],
    configuration: NamedDependency[Current],
    project: NamedDependency[Project],
    robot_id: FromPath[int],
) -> ShownRobot:
    def work(connection: Connection) -> View:
        return queries.views(connection, [service.read(connection, robot_id, project.id)])[0]

    return ShownRobot.of(await db.read(work), (await configuration.read()).robot_name_prefix)


@put("/projects/{project_name_or_id:str}/robots/{robot_id:str}", access=within("robot", "update"), body="robot")
async def change_project_robot(
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    robot_id: FromPath[int],
    data: JSONBody[RobotUpdateV1],
) -> None:
    """Only whether it is disabled can be changed."""

    def work(connection: Connection) -> None:
        service.disable(connection, service.read(connection, robot_id, project.id), data.disable)

    await db.write(work)


@delete("/projects/{project_name_or_id:str}/robots/{robot_id:str}", access=within("robot", "delete"), status_code=200)
async def delete_project_robot(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    configuration: NamedDependency[Current],
    project: NamedDependency[Project],
    robot_id: FromPath[int],
) -> None:
    prefix = (await configuration.read()).robot_name_prefix

    def work(connection: Connection) -> None:
        service.remove(connection, actor, prefix, service.read(connection, robot_id, project.id))

    await db.write(work)


def _days_until(moment: int) -> int:
    """Days from now until the moment in seconds, begun ones included; 0 where it is 0. Raises BadRequest."""
    if moment <= 0:
        return moment
    left = moment * SECOND - now()
    if left <= 0:
        raise BadRequest(f"expires_at is over: {moment}")
    return -(-left // DAY)


def _resource(access: Access, project: Project) -> str:
    """The resource by itself: `repository` of `/project/7/repository`. Raises BadRequest for another project's."""
    match = _RESOURCE.fullmatch(access.resource)
    if match is None or match[1] not in (None, str(project.id), project.name):
        raise BadRequest(f"bad request permission: {access.resource}:{access.action}")
    return match[2]


HANDLERS: Final = (
    list_project_robots,
    create_project_robot,
    read_project_robot,
    change_project_robot,
    delete_project_robot,
)
