"""Making, changing and deleting robot accounts."""

import secrets
import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, delete, update
from sqlalchemy.exc import IntegrityError

from mooring.core.access import PROJECT_CATALOGUE, SYSTEM_CATALOGUE
from mooring.core.actor import EVERY_PROJECT, SYSTEM, Actor
from mooring.core.clock import DAY, SECOND, now
from mooring.core.errors import BadRequest, Conflict, Denied, NotFound
from mooring.core.events import RobotCreated, RobotDeleted
from mooring.core.reference import is_project
from mooring.db.events import emit
from mooring.features.projects import queries as projects
from mooring.features.projects import service as in_project
from mooring.features.projects.queries import Project
from mooring.features.robots.queries import Grant, Robot, find, fingerprint
from mooring.features.robots.tables import robot, robot_permission

FOREVER: Final = -1
_MAX_DAYS: Final = 2**31 - 2
_LEVELS: Final = ("system", "project")
_CATALOGUES: Final = {"system": SYSTEM_CATALOGUE, "project": PROJECT_CATALOGUE}
_ALPHABET: Final = string.ascii_letters + string.digits


class Wish(Struct, frozen=True):
    """What a robot shall be allowed in one namespace: `/` is the system, `*` every project, else a project's name."""

    kind: str
    namespace: str
    access: Sequence[tuple[str, str, str]]  # resource, action, effect


class Created(Struct, frozen=True):
    """A new robot. The secret is known only now."""

    robot: Robot
    secret: str


def check_name(name: str) -> None:
    """Raise BadRequest for what cannot be a robot's name."""
    if not is_project(name):
        raise BadRequest("robot name is not in lower case or contains illegal characters")


def check(*, level: str, duration: int, wishes: Sequence[Wish]) -> None:
    """Raise BadRequest for what no robot can be. A duration is in days, -1 is for ever."""
    if duration != FOREVER and not 0 < duration <= _MAX_DAYS:
        raise BadRequest(
            f"bad request error duration input: {duration}, duration must be either -1(Never) or a positive integer"
        )
    if level not in _LEVELS:
        raise BadRequest(f"bad request error level input: {level}")
    check_wishes(level, wishes)


def check_wishes(level: str, wishes: Sequence[Wish]) -> None:
    """Raise BadRequest for what cannot be given to a robot of the level."""
    if not wishes:
        raise BadRequest("bad request empty permission")
    if not all(wish.access for wish in wishes):
        raise BadRequest("bad request empty access")
    if level == "project" and len(wishes) > 1:
        raise BadRequest("bad request permission")
    for wish in wishes:
        if wish.kind not in _CATALOGUES:
            raise BadRequest(f"bad request permission level: {wish.kind}")
        if wish.kind == "system" and wish.namespace != "/":
            raise BadRequest("unknown namespace")
        for resource, action, _ in wish.access:
            if (resource, action) not in _CATALOGUES[wish.kind]:
                raise BadRequest(f"bad request permission: {resource}:{action}")


def create(
    connection: Connection,
    actor: Actor,
    prefix: str,
    *,
    name: str,
    level: str,
    description: str,
    duration: int,
    wishes: Sequence[Wish],
    short_name: str | None = None,
) -> Created:
    """Make a robot; its secret is made here. `short_name` is one more that it may sign in under, which others may have
    as well. Raises Unauthorized, Forbidden, Denied, NotFound, Conflict.
    """
    home = _home(connection, level, wishes)
    require(connection, actor, "create", home, wishes[0].namespace if level == "project" else "")
    project_id, stored = (home.id, f"{home.name}+{name}") if home else (0, name)
    grants = _resolved(connection, wishes)
    if actor.kind == "robot":
        _require_no_more_than(actor, grants)
    if actor.scope and not all(actor.scope.covers(each.project, each.resource, each.action) for each in grants):
        raise Denied(f"a robot may not be given more than the personal token of {actor.name} that makes it")
    secret = new_secret()
    values = {"name": stored, "project_id": project_id, "description": description, "short_name": short_name}
    robot_id = _insert(connection, actor, values | {"secret": fingerprint(secret)}, duration)
    _grant(connection, robot_id, grants)
    made = read(connection, robot_id)
    emit(connection, RobotCreated(**_facts(actor, prefix, made)))
    return Created(made, secret)


def read(connection: Connection, robot_id: int, project_id: int | None = None) -> Robot:
    """The robot, if it is the project's where one is named. Raises NotFound."""
    found = find(connection, robot_id)
    if found is None or project_id not in (None, found.project_id):
        raise NotFound(f"robot {robot_id} not found")
    return found


def change(
    connection: Connection,
    found: Robot,
    *,
    description: str,
    is_disabled: bool,
    duration: int,
    wishes: Sequence[Wish],
) -> None:
    """Replace what can be changed; what a robot had been allowed before ends. Raises NotFound, BadRequest."""
    home = _home(connection, found.level, wishes)
    if home is None and found.project_id:
        raise in_project.missing(wishes[0].namespace)
    if home is not None and home.id != found.project_id:
        raise BadRequest("cannot update the project id of robot")
    connection.execute(
        update(robot)
        .where(robot.c.id == found.id)
        .values(
            description=description,
            is_disabled=is_disabled,
            duration=duration,
            expires_at=found.expires_at if duration == found.duration else _expiry(found.creation_time, duration),
            version=robot.c.version + 1,
            update_time=now(),
        )
    )
    connection.execute(delete(robot_permission).where(robot_permission.c.robot_id == found.id))
    _grant(connection, found.id, _resolved(connection, wishes))


def disable(connection: Connection, found: Robot, is_disabled: bool) -> None:
    """Have a robot sign in no more, or again."""
    _set(connection, found, {"is_disabled": is_disabled})


def change_secret(connection: Connection, found: Robot, secret: str) -> None:
    _set(connection, found, {"secret": fingerprint(secret)})


def remove(connection: Connection, actor: Actor, prefix: str, found: Robot) -> None:
    connection.execute(delete(robot_permission).where(robot_permission.c.robot_id == found.id))
    connection.execute(delete(robot).where(robot.c.id == found.id))
    emit(connection, RobotDeleted(**_facts(actor, prefix, found)))


def require(connection: Connection, actor: Actor, action: str, home: Project | None, wanted: str = "") -> None:
    """Raise Unauthorized, Forbidden or NotFound unless the actor may act on robots of the project, of the system when
    it is None. `wanted` names a project that is not there.
    """
    in_project.require(connection, actor, "robot", action, home, wanted)


def require_on(connection: Connection, actor: Actor, action: str, found: Robot) -> None:
    """As `require`, for one robot."""
    home = projects.by_id(connection, found.project_id) if found.project_id else None
    require(connection, actor, action, home)


def new_secret() -> str:
    """32 letters and digits, with at least one of each class."""
    while True:
        secret = "".join(secrets.choice(_ALPHABET) for _ in range(32))
        if all(any(map(of_class, secret)) for of_class in (str.isupper, str.islower, str.isdigit)):
            return secret


def _insert(connection: Connection, creator: Actor, values: Mapping[str, Any], days: int) -> int:
    """The id of the new row. Raises Conflict."""
    moment = now()
    life = {"duration": days, "expires_at": _expiry(moment, days), "creation_time": moment, "update_time": moment}
    origin = {"creator_type": "robot" if creator.kind == "robot" else "local", "creator_ref": creator.id}
    try:
        statement = robot.insert().values(**values, **life, **origin).returning(robot.c.id)
        return int(connection.execute(statement).scalar_one())
    except IntegrityError:
        raise Conflict(f"robot account {values['project_id']}:{values['name']} already exists") from None


def _set(connection: Connection, found: Robot, values: Mapping[str, Any]) -> None:
    statement = update(robot).where(robot.c.id == found.id)
    connection.execute(statement.values(**values, version=robot.c.version + 1, update_time=now()))


def _facts(actor: Actor, prefix: str, found: Robot) -> dict[str, Any]:
    """What every event about a robot says."""
    project = found.name.partition("+")[0] if found.project_id else ""
    name = prefix + found.name
    return {"actor": actor, "robot_id": found.id, "name": name, "project_id": found.project_id, "project": project}


def _home(connection: Connection, level: str, wishes: Sequence[Wish]) -> Project | None:
    """The project that a robot is of: the one that its only wish names."""
    return projects.find(connection, wishes[0].namespace) if level == "project" else None


def _resolved(connection: Connection, wishes: Iterable[Wish]) -> list[Grant]:
    """The wishes with the ids of their projects. Raises NotFound for a project that is not there, BadRequest for what
    cannot be one.
    """
    grants = []
    for wish in wishes:
        if wish.kind == "system":
            number = SYSTEM
        elif wish.namespace == "*":
            number = EVERY_PROJECT
        else:
            found = projects.find(connection, wish.namespace)
            if found is None:
                raise in_project.missing(wish.namespace)
            number = found.id
        grants += [Grant(wish.kind, number, resource, action, effect) for resource, action, effect in wish.access]
    return grants


def _require_no_more_than(creator: Actor, grants: Iterable[Grant]) -> None:
    """A robot gives only what it has itself. Raises Denied."""
    held = {(each.project, each.resource, each.action, each.is_denied) for each in creator.permissions}
    refused = {(each.resource, each.action) for each in creator.permissions if each.is_denied}
    for grant in grants:
        is_denial = grant.effect == "deny"
        places = {grant.project, EVERY_PROJECT} if grant.project > 0 else {grant.project}
        own = any((place, grant.resource, grant.action, is_denial) in held for place in places)
        if not own or (not is_denial and (grant.resource, grant.action) in refused):
            raise Denied(
                "permission scope is invalid. It must be equal to or more restrictive than the creator robot's "
                f"permissions: {creator.name}"
            )


def _grant(connection: Connection, robot_id: int, grants: Iterable[Grant]) -> None:
    rows = [
        {
            "robot_id": robot_id,
            "kind": each.kind,
            "project_id": each.project,
            "resource": each.resource,
            "action": each.action,
            "effect": each.effect,
        }
        for each in grants
    ]
    connection.execute(robot_permission.insert(), rows)


def _expiry(moment: int, days: int) -> int:
    """Seconds since the epoch, that many days after the moment."""
    return FOREVER if days == FOREVER else (moment + days * DAY) // SECOND
