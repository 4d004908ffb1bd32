"""What happened, for whoever follows it. A service emits an event in the transaction of the act (db/events.py).

Everything in an event is a value: what a listener would have to look up may be gone when it looks.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from mooring.core.actor import Actor


class Event(Struct, frozen=True, kw_only=True):
    """Something that `actor` did."""

    actor: Actor


class ProjectEvent(Event, frozen=True, kw_only=True):
    """Something that happened to a project or inside it."""

    project_id: int
    project: str


class ProjectCreated(ProjectEvent, frozen=True, kw_only=True): ...


class ProjectChanged(ProjectEvent, frozen=True, kw_only=True): ...


class ProjectDeleted(ProjectEvent, frozen=True, kw_only=True): ...


class MemberEvent(ProjectEvent, frozen=True, kw_only=True):
    """`name` is the user's or the group's, `role` the member's role, after the act if it changed."""

    member_id: int
    name: str
    role: int
    is_group: bool = False


class MemberCreated(MemberEvent, frozen=True, kw_only=True): ...


class MemberChanged(MemberEvent, frozen=True, kw_only=True): ...


class MemberDeleted(MemberEvent, frozen=True, kw_only=True): ...


class UserEvent(Event, frozen=True, kw_only=True):
    user_id: int
    username: str


class UserCreated(UserEvent, frozen=True, kw_only=True): ...


class UserChanged(UserEvent, frozen=True, kw_only=True):
    """`what` is what changed, for a person to read: `profile`, `password`, `sysadmin flag`."""

    what: str


class UserDeleted(UserEvent, frozen=True, kw_only=True): ...


class SignedIn(UserEvent, frozen=True, kw_only=True):
    """A person signed in with a browser, or failed to: then `user_id` is 0 where the name is nobody's."""

    succeeded: bool = True


class SignedOut(UserEvent, frozen=True, kw_only=True): ...


class GroupDeleted(Event, frozen=True, kw_only=True):
    group_id: int
    name: str


class PersonalTokenEvent(UserEvent, frozen=True, kw_only=True):
    """Something that happened to a token of the user's; `name` is the token's."""

    token_id: int
    name: str


class PersonalTokenCreated(PersonalTokenEvent, frozen=True, kw_only=True): ...


class PersonalTokenDeleted(PersonalTokenEvent, frozen=True, kw_only=True): ...


class RobotEvent(Event, frozen=True, kw_only=True):
    """`name` is the full one, with the prefix; `project_id` is 0 for a robot of the system."""

    robot_id: int
    name: str
    project_id: int = 0
    project: str = ""


class RobotCreated(RobotEvent, frozen=True, kw_only=True): ...


class RobotDeleted(RobotEvent, frozen=True, kw_only=True): ...


class ConfigurationChanged(Event, frozen=True, kw_only=True):
    """`names` are the keys that were set. Their values are not for everybody."""

    names: tuple[str, ...]


class RepositoryDeleted(ProjectEvent, frozen=True, kw_only=True):
    repository: str


class ArtifactEvent(ProjectEvent, frozen=True, kw_only=True):
    """Something that happened to an artifact; `repository` is the full name, `tags` those that the act named."""

    repository: str
    artifact_id: int
    digest: str
    tags: tuple[str, ...] = ()


class ArtifactPushed(ArtifactEvent, frozen=True, kw_only=True):
    """A push or a copy."""


class ArtifactPulled(ArtifactEvent, frozen=True, kw_only=True):
    """`count` pulls that were counted together, the last at `moment`."""

    count: int
    moment: int


class ArtifactDeleted(ArtifactEvent, frozen=True, kw_only=True):
    """`tags` are those that it had."""


class TagEvent(ProjectEvent, frozen=True, kw_only=True):
    repository: str
    digest: str
    tag: str


class TagCreated(TagEvent, frozen=True, kw_only=True): ...


class TagDeleted(TagEvent, frozen=True, kw_only=True): ...


class QuotaEvent(ProjectEvent, frozen=True, kw_only=True):
    """What a project holds, and its limit, in bytes. `digest` and `tag` are those of a manifest that was pushed just
    then.
    """

    repository: str
    used: int
    hard: int
    digest: str = ""
    tag: str = ""


class QuotaExceeded(QuotaEvent, frozen=True, kw_only=True):
    """A push was refused: `wanted` is what it would have added."""

    wanted: int


class QuotaWarning(QuotaEvent, frozen=True, kw_only=True):
    """A push has taken a project near its limit."""


class Retired(Struct, frozen=True):
    """An artifact that a retention run has deleted; `tag` is the first that it had, empty where it had none."""

    type: str
    digest: str
    tag: str = ""


class RetentionFinished(ProjectEvent, frozen=True, kw_only=True):
    """A retention run has deleted artifacts of a repository (full name), of which there were `total`. `rules` are the
    policy's, as the API spells them.
    """

    repository: str
    policy_id: int
    total: int
    retained: int
    deleted: tuple[Retired, ...]
    rules: tuple[Mapping[str, Any], ...] = ()
