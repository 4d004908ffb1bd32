"""Who acts."""

from typing import Final, Literal

from msgspec import Struct

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


class Actor(Struct, frozen=True):
    """Who a request acts for: nobody, a person, a robot account, or Mooring itself.

    `id` is the row of the user or the robot. `version` changes whenever the account's rights or secrets do. `project`
    is the home of a project-level robot and 0 for everybody else. `address` is where the request came from.
    """

    kind: Kind = "anonymous"
    id: int = 0
    name: str = ""
    is_admin: bool = False
    version: int = 0
    project: int = 0
    permissions: tuple[Permission, ...] = ()
    address: str = ""

    @property
    def is_anonymous(self) -> bool:
        return self.kind == "anonymous"


ANONYMOUS: Final = Actor()
