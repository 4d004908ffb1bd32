"""Who may do what: roles x resources x actions as one table, the robots' catalogue, and the one question `allowed`.

A project's resources are asked for with the project's id, the system's with None. What no row grants is denied.
"""

from enum import IntEnum
from typing import Final

from mooring.core.actor import EVERY_PROJECT, SYSTEM, Actor, Permission
from mooring.core.errors import Forbidden, Unauthorized, WireError


class Role(IntEnum):
    """What a member is in a project; the numbers are those of the API."""

    PROJECT_ADMIN = 1
    DEVELOPER = 2
    GUEST = 3
    MAINTAINER = 4
    LIMITED_GUEST = 5

    @property
    def title(self) -> str:
        """The name that the API shows: `projectAdmin`."""
        first, *rest = self.name.lower().split("_")
        return first + "".join(word.title() for word in rest)


# Strongest first: which of several roles the API shows as the one.
STRENGTH: Final = (Role.PROJECT_ADMIN, Role.MAINTAINER, Role.DEVELOPER, Role.GUEST, Role.LIMITED_GUEST)

_LETTERS: Final = {
    "A": Role.PROJECT_ADMIN,
    "M": Role.MAINTAINER,
    "D": Role.DEVELOPER,
    "G": Role.GUEST,
    "L": Role.LIMITED_GUEST,
}

# Resource, actions, who: Admin, Maintainer, Developer, Guest, Limited guest; Public is anybody on a public project.
_MATRIX: Final = (
    ("project", "read", "AMDGLP"),
    ("project", "update delete", "A"),
    ("member", "create update delete", "A"),
    ("member", "read list", "AMDG"),
    ("metadata", "create update delete", "A"),
    ("metadata", "read", "AM"),
    ("metadata", "list", ""),
    ("log", "list", "A"),
    ("label", "create update delete", "AM"),
    ("label", "read list", "AMDGP"),
    ("quota", "read", "AMDGL"),
    ("repository", "create push", "AMD"),
    ("repository", "read", "AMDGL"),
    ("repository", "update", "AMD"),
    ("repository", "delete", "AM"),
    ("repository", "list pull", "AMDGLP"),
    ("artifact", "create", "AMD"),
    ("artifact", "read list", "AMDGLP"),
    ("artifact", "delete", "AM"),
    ("artifact-addition", "read", "AMDGLP"),
    ("artifact-label", "create delete", "AMD"),
    ("accessory", "list", "AMDGLP"),
    ("tag", "list", "AMDGLP"),
    ("tag", "create", "AMD"),
    ("tag", "delete", "AM"),
    ("scan", "read", "AMDGLP"),
    ("scan", "create stop", "AM"),
    ("sbom", "read", "AMDGL"),
    ("sbom", "create stop", "AM"),
    ("scanner", "read", "AMDGLP"),
    ("scanner", "create", "A"),
    ("tag-retention", "create read update delete list operate", "AMD"),
    ("immutable-tag", "create update delete list", "AM"),
    ("robot", "create update delete", "A"),
    ("robot", "read list", "AMDG"),
    ("notification-policy", "create update delete", "A"),
    ("notification-policy", "read list", "AM"),
    ("preheat-policy", "create read update delete list", "A"),
    ("configuration", "read", "AMDGL"),
    ("configuration", "update", "A"),
    ("export-cve", "create read list", "AMD"),
)

_GRANTS: Final = {
    (resource, action): frozenset(_LETTERS[letter] for letter in who if letter in _LETTERS)
    for resource, actions, who in _MATRIX
    for action in actions.split()
}
_PUBLIC: Final = frozenset(
    (resource, action) for resource, actions, who in _MATRIX if "P" in who for action in actions.split()
)


def _catalogue(*rows: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((resource, action) for resource, actions in rows for action in actions.split())


# What may be given to a robot, in the order in which GET /permissions lists it. No robot edits a robot: `robot:update`
# is in neither.
SYSTEM_CATALOGUE: Final = _catalogue(
    ("audit-log", "list"),
    ("preheat-instance", "read create delete list update"),
    ("project", "list create"),
    ("replication-policy", "read create delete list update"),
    ("replication", "read create list"),
    ("replication-adapter", "list"),
    ("registry", "read create delete list update"),
    ("scan-all", "read update stop create"),
    ("system-volumes", "read"),
    ("garbage-collection", "read create list update stop"),
    ("purge-audit", "read create list update stop"),
    ("jobservice-monitor", "list stop"),
    ("scanner", "read create delete list update"),
    ("label", "read create delete update"),
    ("security-hub", "read list"),
    ("catalog", "read"),
    ("quota", "read list"),
    ("robot", "create read list delete"),
    ("user", "create read update list delete"),
    ("ldap-user", "create list"),
    ("quota", "update"),
    ("user-group", "create read update list delete"),
)
PROJECT_CATALOGUE: Final = _catalogue(
    ("log", "list"),
    ("project", "read delete update"),
    ("metadata", "read create delete list update"),
    ("repository", "read update delete list pull push"),
    ("artifact", "read create list delete"),
    ("scan", "create read stop"),
    ("sbom", "create stop read"),
    ("tag", "create list delete"),
    ("accessory", "list"),
    ("artifact-addition", "read"),
    ("artifact-label", "create delete"),
    ("scanner", "create read"),
    ("preheat-policy", "read create delete list update"),
    ("immutable-tag", "create delete list update"),
    ("notification-policy", "read create delete list update"),
    ("tag-retention", "read create delete list update"),
    ("label", "read create delete list update"),
    ("quota", "read"),
    ("robot", "create read list delete"),
    ("export-cve", "create read"),
    ("member", "create read update list delete"),
)

_GIVEN: Final = frozenset(PROJECT_CATALOGUE)

# What GET /users/current/permissions can list: of a project all that some role gives, of the system what Harbor's
# portal asks about.
PROJECT_POLICIES: Final = tuple(
    (resource, action) for resource, actions, who in _MATRIX if who for action in actions.split()
)
SYSTEM_POLICIES: Final = SYSTEM_CATALOGUE[: SYSTEM_CATALOGUE.index(("catalog", "read")) + 1]


def allowed(
    actor: Actor,
    resource: str,
    action: str,
    *,
    project: int | None,
    roles: frozenset[Role] = frozenset(),
    is_public: bool = False,
) -> bool:
    """Whether the actor may act on the resource of the project, or of the system when the project is None.

    `roles` are the actor's in that project. Anybody has what is public on a public project. Administrators may
    everything but `scanner-pull`, which is for scanners alone. A personal token narrows all but what is public.
    """
    if actor.kind == "internal":
        return True
    if project is not None and is_public and (resource, action) in _PUBLIC:
        return True
    place = SYSTEM if project is None else project
    if actor.scope is not None and not actor.scope.covers(place, resource, action):
        return False
    if actor.is_admin:
        return action != "scanner-pull"
    if actor.kind == "robot":
        return _granted(actor, place, resource, action)
    return project is not None and not roles.isdisjoint(_GRANTS.get((resource, action), frozenset()))


def refusal(actor: Actor, message: str = "") -> WireError:
    """Why the actor is not let in. On the system's resources the message is the actor's name, as in Harbor."""
    return Unauthorized() if actor.is_anonymous else Forbidden(message or actor.name)


def repository_actions(
    actor: Actor, project: int, roles: frozenset[Role] = frozenset(), is_public: bool = False
) -> tuple[str, ...]:
    """What the actor may do with the project's repositories on the data plane, as a token's scope names it."""
    return tuple(
        action
        for action in ("pull", "push", "delete", "scanner-pull")
        if allowed(actor, "repository", action, project=project, roles=roles, is_public=is_public)
    )


def _granted(robot: Actor, project: int, resource: str, action: str) -> bool:
    actions = {action}
    if robot.project and resource == "repository" and action == "pull":
        actions.add("push")  # who pushes has to look at what is there; a system robot is given both or neither
    matching = [
        permission
        for permission in robot.permissions
        if permission.action in actions and _covers(permission, project, resource)
    ]
    denied = any(permission.is_denied and permission.action == action for permission in matching)
    return not denied and any(not permission.is_denied for permission in matching)


def _covers(permission: Permission, project: int, resource: str) -> bool:
    is_everywhere = permission.project == EVERY_PROJECT and project > EVERY_PROJECT
    if is_everywhere and permission.resource == "project" and (resource, permission.action) in _GIVEN:
        return True  # as in Harbor, an action on every project reaches all that is in them
    return permission.resource == resource and (is_everywhere or permission.project == project)
