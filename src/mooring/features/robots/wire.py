"""Robots as the API spells them."""

from msgspec import Struct, field

from mooring.core.clock import rfc3339
from mooring.features.robots.queries import View


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


class RobotSec(Struct, omit_defaults=True):
    secret: str = ""


class RobotUpdate(Struct):
    """What of a Robot an update looks at; `duration` stays when it is absent."""

    name: str = ""
    description: str = ""
    level: str = ""
    disable: bool = False
    duration: int | None = None
    permissions: list[RobotPermission] = field(default_factory=list)


class Robot(Struct, omit_defaults=True, kw_only=True):
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
    def of(cls, view: View, prefix: str) -> "Robot":
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
