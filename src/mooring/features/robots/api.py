"""Robot accounts: /robots. Whom a route lets in depends on the robot's level, so the service asks."""

import re
from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy import Connection

from mooring.core.actor import Actor
from mooring.core.errors import BadRequest, NotFound
from mooring.core.page import Exact, Listing
from mooring.db.engine import Database
from mooring.features.configuration.queries import Current
from mooring.features.projects import queries as projects
from mooring.features.robots import queries, service
from mooring.features.robots.queries import View
from mooring.features.robots.service import Wish
from mooring.features.robots.wire import (
    Robot,
    RobotCreate,
    RobotCreated,
    RobotPermission,
    RobotSec,
    ShownRobot,
)
from mooring.features.users.service import check_secret
from mooring.http.access import ANYBODY, SIGNED_IN
from mooring.http.links import created, listed

_NUMBER: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)


@get("/robots", access=SIGNED_IN, operation_id="ListRobot", refuses=(403,))
async def list_robots(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    configuration: NamedDependency[Current],
    listing: NamedDependency[Listing],
) -> Response[Sequence[ShownRobot]]:
    """Those of the system, or with `q=Level=project,ProjectID=<id>` those of a project, of which there are none where
    it is not there.
    """
    project_id = _project_of(listing)

    def work(connection: Connection) -> tuple[list[View], int]:
        home = projects.by_id(connection, project_id) if project_id else None
        try:
            service.require(connection, actor, "list", home, str(project_id) if project_id else "")
        except NotFound:
            return [], 0
        return queries.page(connection, project_id, listing)

    views, total = await db.read(work)
    prefix = (await configuration.read()).robot_name_prefix
    return listed(request, [ShownRobot.of(view, prefix) for view in views], total, listing)


@post("/robots", access=ANYBODY, body="robot", operation_id="CreateRobot", refuses=(401, 404))
async def create_robot(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    configuration: NamedDependency[Current],
    data: JSONBody[RobotCreate],
) -> Response[RobotCreated]:
    wishes = _wishes(data.permissions)
    service.check_name(data.name)
    service.check(level=data.level, duration=data.duration, wishes=wishes)
    prefix = (await configuration.read()).robot_name_prefix
    made = await db.write(
        service.create,
        actor,
        prefix,
        name=data.name,
        level=data.level,
        description=data.description,
        duration=data.duration,
        wishes=wishes,
    )
    return created(request, made.robot.id, RobotCreated.of(made, prefix))


@get("/robots/{robot_id:str}", access=SIGNED_IN, operation_id="GetRobotByID", refuses=(403,))
async def read_robot(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    configuration: NamedDependency[Current],
    robot_id: FromPath[int],
) -> ShownRobot:
    def work(connection: Connection) -> View:
        found = service.read(connection, robot_id)
        service.require_on(connection, actor, "read", found)
        return queries.views(connection, [found])[0]

    return ShownRobot.of(await db.read(work), (await configuration.read()).robot_name_prefix)


@put("/robots/{robot_id:str}", access=SIGNED_IN, body="robot", operation_id="UpdateRobot")
async def change_robot(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    configuration: NamedDependency[Current],
    robot_id: FromPath[int],
    data: JSONBody[Robot],
) -> None:
    wishes = _wishes(data.permissions)
    prefix = (await configuration.read()).robot_name_prefix

    def work(connection: Connection) -> None:
        found = service.read(connection, robot_id)
        service.require_on(connection, actor, "update", found)
        days = found.duration if data.duration is None else data.duration
        service.check(level=data.level, duration=days, wishes=wishes)
        if (data.name, data.level) != (prefix + found.name, found.level):
            raise BadRequest("cannot update the level or name of robot")
        service.change(
            connection,
            found,
            description=data.description,
            is_disabled=data.disable,
            duration=days,
            wishes=wishes,
        )

    await db.write(work)


@patch("/robots/{robot_id:str}", access=SIGNED_IN, body="robotSec", operation_id="RefreshSec")
async def change_robot_secret(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    robot_id: FromPath[int],
    data: JSONBody[RobotSec],
) -> RobotSec:
    """A secret that is sent is taken and not sent back; without one a new one is made and told."""

    def work(connection: Connection) -> RobotSec:
        found = service.read(connection, robot_id)
        service.require_on(connection, actor, "update", found)
        if data.secret:
            check_secret(data.secret, "secret")
        secret = data.secret or service.new_secret()
        service.change_secret(connection, found, secret)
        return RobotSec("" if data.secret else secret)

    return await db.write(work)


@delete("/robots/{robot_id:str}", access=SIGNED_IN, status_code=200, operation_id="DeleteRobot")
async def delete_robot(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    configuration: NamedDependency[Current],
    robot_id: FromPath[int],
) -> None:
    prefix = (await configuration.read()).robot_name_prefix

    def work(connection: Connection) -> None:
        found = service.read(connection, robot_id)
        service.require_on(connection, actor, "delete", found)
        service.remove(connection, actor, prefix, found)

    await db.write(work)


def _project_of(listing: Listing) -> int:
    """The project that the filters name, 0 for the system. Raises BadRequest."""
    level = listing.filters.get("Level", Exact("system"))
    if level == Exact("system"):
        return 0
    if level != Exact("project"):
        raise BadRequest("bad request error level input")
    number = listing.filters.get("ProjectID")
    if number is None:
        raise BadRequest("must with project ID when to query project robots")
    if not isinstance(number, Exact) or not _NUMBER.fullmatch(number.value):
        raise BadRequest("Project ID must be int type.")
    if int(number.value) <= 0:
        raise BadRequest("must with project ID when to query project robots")
    return int(number.value)


def _wishes(permissions: Sequence[RobotPermission]) -> list[Wish]:
    return [
        Wish(
            permission.kind,
            permission.namespace,
            [(each.resource, each.action, each.effect) for each in permission.access],
        )
        for permission in permissions
    ]


HANDLERS: Final = (list_robots, create_robot, read_robot, change_robot, change_robot_secret, delete_robot)
