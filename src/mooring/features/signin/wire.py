"""Personal tokens as the API spells them. What they may do is spelled as for robots."""

from collections.abc import Mapping

from msgspec import Struct, field

from mooring.core.actor import SYSTEM
from mooring.core.clock import SECOND, rfc3339
from mooring.features.signin.tokens import FOREVER, PersonalToken


class TokenAccess(Struct):
    resource: str = ""
    action: str = ""


class TokenPermission(Struct):
    """`namespace` is `/` for the system, `*` for every project, or a project's name."""

    kind: str = ""
    namespace: str = ""
    access: list[TokenAccess] = field(default_factory=list)


class PersonalTokenReq(Struct):
    """`duration` is in days, -1 for ever. Without `permissions` the token does what its owner may."""

    name: str = ""
    duration: int = 30
    read_only: bool = False
    permissions: list[TokenPermission] = field(default_factory=list)


class PersonalTokenCreated(Struct, kw_only=True):
    """`token` is shown this once. `expires_at` is in seconds since the epoch, -1 for never."""

    id: int
    name: str
    token: str
    creation_time: str
    expires_at: int


class PersonalTokenResp(Struct, omit_defaults=True, kw_only=True):
    """`last_used` is right to the minute, and absent before the first use."""

    id: int
    name: str
    read_only: bool
    permissions: list[TokenPermission]
    creation_time: str
    expires_at: int
    last_used: str | None = None

    @classmethod
    def of(cls, token: PersonalToken, namespaces: Mapping[int, str]) -> "PersonalTokenResp":
        granted: dict[int, list[TokenAccess]] = {}
        for each in token.permissions:
            granted.setdefault(each.project, []).append(TokenAccess(each.resource, each.action))
        return cls(
            id=token.id,
            name=token.name,
            read_only=token.is_read_only,
            permissions=[
                TokenPermission("system" if place == SYSTEM else "project", namespaces[place], access)
                for place, access in granted.items()
                if place in namespaces
            ],
            creation_time=rfc3339(token.creation_time),
            expires_at=expiry(token),
            last_used=rfc3339(token.last_used) if token.last_used else None,
        )


def expiry(token: PersonalToken) -> int:
    """In seconds since the epoch, -1 for never."""
    return token.expires_at // SECOND if token.expires_at else FOREVER
