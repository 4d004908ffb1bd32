"""What a route demands of its caller, as data on the route: `@get("/users", access=system("user", "list"))`."""

from enum import Enum, auto
from typing import Final

from msgspec import Struct, structs


class Realm(Enum):
    ANYBODY = auto()
    SIGNED_IN = auto()
    SYSTEM = auto()
    PROJECT = auto()


class Access(Struct, frozen=True):
    """Who may come in. `parameter` names the path's part that says which project; `by_name` that it is never an id."""

    realm: Realm
    resource: str = ""
    action: str = ""
    parameter: str = ""
    by_name: bool = False
    signed_in: bool = False


# In read-only mode only these methods are served.
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
READ_ONLY: Final = "The system is in read only mode. Any modification is prohibited."

# The service decides, since what is demanded depends on the body or on a row.
ANYBODY: Final = Access(Realm.ANYBODY)
SIGNED_IN: Final = Access(Realm.SIGNED_IN)


def system(resource: str, action: str) -> Access:
    """Whoever may act on the resource of the system."""
    return Access(Realm.SYSTEM, resource, action)


def project(resource: str, action: str) -> Access:
    """Whoever may act on the resource in the project that `project_name_or_id` in the path names."""
    return Access(Realm.PROJECT, resource, action, "project_name_or_id")


def named_project(resource: str, action: str) -> Access:
    """The same where the path says `project_name`, which is never an id."""
    return Access(Realm.PROJECT, resource, action, "project_name", by_name=True)


def signed_in(access: Access) -> Access:
    """The same, but for nobody who has not said who they are, even where the project is public."""
    return structs.replace(access, signed_in=True)
