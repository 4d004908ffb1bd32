"""Robots as the API spells them."""

from msgspec import Struct, field

from mooring.core.clock import rfc3339
from mooring.features.robots.queries import View
from mooring.features.robots.service import Created


class Access(Struct, omit_defaults=True):
    resource: str = ""
    action: str = ""
    effect: str = ""


class RobotPermission(Struct):
    kind: str = ""
    namespace: str = ""
    access: list[Access] = field(default_factory=list)


class RobotCreate(Struct):
    name: str = ""
    description: str = ""
    secret: str = ""
    level: str = ""
    disable: bool = False
    duration: int = 0
    permissions: list[RobotPermission] = field(default_factory=list)


class RobotCreated(Struct, kw_only=True):
    id: int
    name: str
    secret: str
    creation_time: str
    expires_at: int

    @classmethod
    def of(cls, made: Created, prefix: str) -> "RobotCreated":
        robot = made.robot
        return cls(
            id=robot.id,
            name=prefix + robot.name,
            secret=made.secret,
            creation_time=rfc3339(robot.creation_time),
            expires_at=robot.expires_at,
        )


class RobotCreateV1(Struct):
    """A robot as Harbor's API before 2.2 knew it. An `access` may name its project: `/project/7/repository`."""

    name: str = ""
    description: str = ""
    duration: int = 0
    expires_at: int = 0
    access: list[Access] = field(default_factory=list)


class RobotCreatedV1(RobotCreated, kw_only=True):
    """`token` is the secret under the name that it had first."""

    token: str


class RobotUpdateV1(Struct):
    disable: bool = False


class RobotSec(Struct, omit_defaults=True):
    secret: str = ""


class Robot(Struct):
    """What of a robot an update looks at; `duration` stays when it is absent."""

    name: str = ""
    description: str = ""
    level: str = ""
    disable: bool = False
    duration: int | None = None
    permissions: list[RobotPermission] = field(default_factory=list)


class ShownRobot(Struct, omit_defaults=True, kw_only=True):
    id: int
    name: str
    description: str = ""
    level: str
    duration: int
    editable: bool
    disable: bool
    expires_at: int
    permissions: list[RobotPermission]
    creator_type: str = ""
    creator_ref: int = 0
    creation_time: str
    update_time: str

    @classmethod
    def of(cls, view: View, prefix: str) -> "ShownRobot":
        robot = view.robot
        permissions = [
            RobotPermission(kind, namespace, [Access(each.resource, each.action, each.effect) for each in grants])
            for (kind, namespace), grants in view.grants.items()
        ]
        return cls(
            id=robot.id,
            name=prefix + robot.name,
            description=robot.description,
            level=robot.level,
            duration=robot.duration,
            editable=True,
            disable=robot.is_disabled,
            expires_at=robot.expires_at,
            permissions=permissions,
            creator_type=robot.creator_type,
            creator_ref=robot.creator_ref,
            creation_time=rfc3339(robot.creation_time),
            update_time=rfc3339(robot.update_time),
        )
