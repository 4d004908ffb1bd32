"""Reading robot accounts."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, bindparam, select

from mooring.core.actor import EVERY_PROJECT, SYSTEM, Actor, Permission
from mooring.core.clock import SECOND, now
from mooring.core.page import Listing
from mooring.db import query
from mooring.db.prepared import Among, Prepared, Row
from mooring.db.reader import Reader
from mooring.features.projects.tables import project
from mooring.features.robots.tables import robot, robot_permission

_COLUMNS: Final = (
    robot.c.id,
    robot.c.name,
    robot.c.project_id,
    robot.c.version,
    robot.c.secret,
    robot.c.expires_at,
    robot.c.is_disabled,
)

BY_ID: Final = Prepared(select(*_COLUMNS).where(robot.c.id == bindparam("id")))
BY_NAME: Final = Prepared(select(*_COLUMNS).where(robot.c.name == bindparam("name")))
# Secrets that are alike were chosen by people; then the robot that was there first keeps the name.
_BY_SHORT_NAME: Final = Prepared(
    select(*_COLUMNS)
    .where(robot.c.short_name == bindparam("name"), robot.c.secret == bindparam("secret"))
    .order_by(robot.c.id)
    .limit(1)
)
PERMISSIONS: Final = Prepared(
    select(
        robot_permission.c.project_id,
        robot_permission.c.resource,
        robot_permission.c.action,
        robot_permission.c.effect,
    ).where(robot_permission.c.robot_id == bindparam("robot"))
)
# What robots were granted, with the names of the projects that it is for.
_GRANTS: Final = Among(
    select(
        robot_permission.c.robot_id,
        robot_permission.c.kind,
        robot_permission.c.project_id,
        robot_permission.c.resource,
        robot_permission.c.action,
        robot_permission.c.effect,
        project.c.name,
    )
    .outerjoin(project, (project.c.id == robot_permission.c.project_id) & ~project.c.is_deleted)
    .order_by(robot_permission.c.id),
    robot_permission.c.robot_id,
)


class Account(Struct, frozen=True):
    """A robot that may sign in, with the hex SHA-256 of its secret."""

    actor: Actor
    secret: str


async def by_name(reader: Reader, prefix: str, name: str) -> Account | None:
    """The robot of this name, without the prefix; None when there is none, or it is disabled or expired."""
    return await _account(reader, prefix, await reader.one(BY_NAME, name=name))


async def by_secret(reader: Reader, prefix: str, name: str, secret: str) -> Actor | None:
    """The robot of this name whose secret it is; None when there is none, or it is disabled or expired.

    A name that several robots may sign in under is the one's whose secret fits.
    """
    expected = fingerprint(secret)
    account = await by_name(reader, prefix, name)
    if account is None or not hmac.compare_digest(account.secret, expected):
        row = await reader.one(_BY_SHORT_NAME, name=name, secret=expected)
        account = await _account(reader, prefix, row)
    return account.actor if account else None


async def by_id(reader: Reader, prefix: str, robot_id: int) -> Account | None:
    return await _account(reader, prefix, await reader.one(BY_ID, id=robot_id))


async def _account(reader: Reader, prefix: str, row: Row | None) -> Account | None:
    if row is None:
        return None
    robot_id, name, project, version, secret, expires_at, is_disabled = row
    if is_disabled or 0 <= expires_at <= now() // SECOND:
        return None
    permissions = tuple(
        Permission(in_project, resource, action, is_denied=effect == "deny")
        for in_project, resource, action, effect in await reader.all(PERMISSIONS, robot=robot_id)
    )
    actor = Actor(
        kind="robot", id=robot_id, name=prefix + name, version=version, project=project, permissions=permissions
    )
    return Account(actor, secret)


def fingerprint(secret: str) -> str:
    """How a secret is kept: hex SHA-256, since it is random."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Grant(Struct, frozen=True):
    """What a robot may do, as it was asked for: `project` is an id, 0 for every project, -1 for the system."""

    kind: str
    project: int
    resource: str
    action: str
    effect: str


class Robot(Struct, frozen=True):
    """A robot's row. `project` is 0 for one of the system; `expires_at` is in seconds, -1 is never."""

    id: int
    name: str
    project_id: int
    description: str
    duration: int
    expires_at: int
    is_disabled: bool
    creator_type: str
    creator_ref: int
    creation_time: int
    update_time: int

    @property
    def level(self) -> str:
        return "project" if self.project_id else "system"


class View(Struct, frozen=True):
    """A robot with what it may do, by kind and namespace."""

    robot: Robot
    grants: Mapping[tuple[str, str], Sequence[Grant]]


_ROW: Final = tuple(robot.c[field] for field in Robot.__struct_fields__)
_LISTED: Final = {
    "id": robot.c.id,
    "name": robot.c.name,
    "description": robot.c.description,
    "duration": robot.c.duration,
    "disabled": robot.c.is_disabled,
    "expires_at": robot.c.expires_at,
    "creation_time": robot.c.creation_time,
    "update_time": robot.c.update_time,
}


def find(connection: Connection, robot_id: int) -> Robot | None:
    row = connection.execute(select(*_ROW).where(robot.c.id == robot_id)).one_or_none()
    return None if row is None else Robot(*row)


def page(connection: Connection, project_id: int, listing: Listing) -> tuple[list[View], int]:
    """One page of the robots of the project, of the system when it is 0, and how many there are."""
    statement = select(*_ROW).where(robot.c.project_id == project_id)
    rows, total = query.page(connection, statement, listing, _LISTED, robot.c.name, robot.c.id)
    return views(connection, [Robot(*row) for row in rows]), total


def views(connection: Connection, robots: Sequence[Robot]) -> list[View]:
    """The robots with what they may do; what was for a project that is deleted is left out."""
    ids = [each.id for each in robots]
    grants: dict[int, dict[tuple[str, str], list[Grant]]] = {each: {} for each in ids}
    for robot_id, kind, project_id, resource, action, effect, name in _GRANTS.all(connection, ids):
        namespace = {SYSTEM: "/", EVERY_PROJECT: "*"}.get(project_id, name)
        if namespace is not None:
            grant = Grant(kind, project_id, resource, action, effect)
            grants[robot_id].setdefault((kind, namespace), []).append(grant)
    return [View(each, grants[each.id]) for each in robots]
