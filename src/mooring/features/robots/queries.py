"""Reading robot accounts."""

from typing import Final

from msgspec import Struct
from sqlalchemy import bindparam, select

from mooring.core.actor import Actor, Permission
from mooring.core.clock import SECOND, now
from mooring.db.prepared import Prepared, Row
from mooring.db.reader import Reader
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
PERMISSIONS: Final = Prepared(
    select(
        robot_permission.c.project_id,
        robot_permission.c.resource,
        robot_permission.c.action,
        robot_permission.c.effect,
    ).where(robot_permission.c.robot_id == bindparam("robot"))
)


class Account(Struct, frozen=True):
    """A robot that may sign in, with the hex SHA-256 of its secret."""

    actor: Actor
    secret: str


async def by_name(reader: Reader, prefix: str, name: str) -> Account | None:
    """The robot of this name, without the prefix; None when there is none, or it is disabled or expired."""
    return await _account(reader, prefix, await reader.one(BY_NAME, name=name))


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
