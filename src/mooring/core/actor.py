"""Who acts."""

from typing import Final, Literal

from msgspec import Struct, structs

Kind = Literal["anonymous", "user", "robot", "internal"]


class Permission(Struct, frozen=True):
    """One thing a robot may do, or may not whatever else it was given.

    `project` is the id of a project, 0 for every project, or -1 for the system.
    """

    project: int
    resource: str
    action: str
    is_denied: bool = False


SYSTEM: Final = -1
EVERY_PROJECT: Final = 0
READING: Final = frozenset({"read", "list", "pull"})


class Scope(Struct, frozen=True):
    """What a personal token leaves of its owner's rights. `token` is its row; without `permissions` all is left."""

    token: int
    is_read_only: bool = False
    permissions: tuple[Permission, ...] = ()

    def covers(self, project: int, resource: str, action: str) -> bool:
        """Whether the right in the project, in the system when it is SYSTEM, is left."""
        if self.is_read_only and action not in READING:
            return False
        return not self.permissions or any(
            (each.resource, each.action) == (resource, action)
            and (each.project == project or (each.project == EVERY_PROJECT and project > SYSTEM))
            for each in self.permissions
        )


class Actor(Struct, frozen=True):
    """Who a request acts for: nobody, a person, a robot account, or Mooring itself.

    `id` is the row of the user or the robot. `version` changes whenever the account's secrets do. `project` is the home
    of a project-level robot and 0 for everybody else. `scope` is None for who signed in by password or session.
    `address` is where the request came from.
    """

    kind: Kind = "anonymous"
    id: int = 0
    name: str = ""
    is_admin: bool = False
    version: int = 0
    project: int = 0
    permissions: tuple[Permission, ...] = ()
    scope: Scope | None = None
    address: str = ""

    @property
    def is_anonymous(self) -> bool:
        return self.kind == "anonymous"

    @property
    def as_seen(self) -> "Actor":
        """The same from nowhere: equal for all requests that act for one account with the same rights."""
        return structs.replace(self, address="")


ANONYMOUS: Final = Actor()
JOBS: Final = Actor(kind="internal", name="harbor-jobservice")  # what is done by itself, in Harbor's words
