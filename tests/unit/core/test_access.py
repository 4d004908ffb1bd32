import pytest
from msgspec import structs

from mooring.core.access import PROJECT_CATALOGUE, SYSTEM_CATALOGUE, Role, allowed, repository_actions
from mooring.core.actor import ANONYMOUS, EVERY_PROJECT, SYSTEM, Actor, Permission, Scope

USER = Actor(kind="user", id=3, name="ann")
ADMIN = Actor(kind="user", id=1, name="admin", is_admin=True)


def robot(*permissions: Permission, project: int = 0) -> Actor:
    return Actor(kind="robot", id=1, name="robot$ci", project=project, permissions=permissions)


def may(actor: Actor, what: str, *roles: Role, project: int | None = 7, is_public: bool = False) -> bool:
    resource, _, action = what.partition(":")
    return allowed(actor, resource, action, project=project, roles=frozenset(roles), is_public=is_public)


@pytest.mark.parametrize(
    ("roles", "actions"),
    [
        ([Role.PROJECT_ADMIN], ("pull", "push", "delete")),
        ([Role.MAINTAINER], ("pull", "push", "delete")),
        ([Role.DEVELOPER], ("pull", "push")),
        ([Role.GUEST], ("pull",)),
        ([Role.LIMITED_GUEST], ("pull",)),
        ([Role.GUEST, Role.DEVELOPER], ("pull", "push")),
        ([], ()),
    ],
)
def test_members_on_the_data_plane(roles: list[Role], actions: tuple[str, ...]) -> None:
    assert repository_actions(USER, 7, frozenset(roles)) == actions


def test_an_administrator_may_everything_but_pull_as_a_scanner() -> None:
    assert repository_actions(ADMIN, 7) == ("pull", "push", "delete")
    assert may(ADMIN, "metadata:list")
    assert may(ADMIN, "user:create", project=None)


def test_a_public_project_shows_its_artifacts_but_no_single_repository() -> None:
    for actor in (ANONYMOUS, USER, robot()):
        assert repository_actions(actor, 7, is_public=True) == ("pull",)
        assert may(actor, "repository:list", is_public=True)
        assert not may(actor, "repository:read", is_public=True)
        assert not may(actor, "member:list", is_public=True)


def test_no_role_lists_metadata() -> None:
    assert not may(USER, "metadata:list", *Role)


def test_a_limited_guest_sees_no_members() -> None:
    assert may(USER, "member:list", Role.GUEST)
    assert not may(USER, "member:list", Role.LIMITED_GUEST)


def test_members_hold_nothing_of_the_system() -> None:
    assert not may(USER, "user:list", *Role, project=None)


def test_unknown_resources_and_actions_are_denied() -> None:
    assert not may(USER, "nothing:read", *Role)
    assert not may(USER, "repository:burn", *Role)


def test_push_implies_pull_only_for_a_robot_of_a_project() -> None:
    push = Permission(7, "repository", "push")
    assert repository_actions(robot(push, project=7), 7) == ("pull", "push")
    assert repository_actions(robot(push), 7) == ("push",)
    assert repository_actions(robot(push, project=7), 8) == ()


def test_a_robot_of_every_project_holds_nothing_of_the_system() -> None:
    everywhere = robot(Permission(EVERY_PROJECT, "repository", "pull"), Permission(EVERY_PROJECT, "project", "list"))
    assert repository_actions(everywhere, 123) == ("pull",)
    assert not may(everywhere, "project:list", project=None)


def test_a_robot_of_the_system_holds_nothing_of_a_project() -> None:
    creator = robot(Permission(SYSTEM, "project", "create"))
    assert may(creator, "project:create", project=None)
    assert not may(creator, "project:create")


def test_an_action_on_every_project_reaches_what_is_in_them() -> None:
    assert may(robot(Permission(EVERY_PROJECT, "project", "delete")), "repository:delete")
    assert not may(robot(Permission(7, "project", "delete")), "repository:delete")


def test_denying_wins_over_allowing() -> None:
    actor = robot(Permission(EVERY_PROJECT, "repository", "pull"), Permission(7, "repository", "pull", is_denied=True))
    assert not may(actor, "repository:pull")
    assert may(actor, "repository:pull", project=8)


def test_the_catalogues_are_complete() -> None:
    assert len(set(SYSTEM_CATALOGUE)) == len(SYSTEM_CATALOGUE) == 70
    assert len(set(PROJECT_CATALOGUE)) == len(PROJECT_CATALOGUE) == 70
    assert not {("robot", "update"), ("repository", "scanner-pull")} & {*SYSTEM_CATALOGUE, *PROJECT_CATALOGUE}


def test_role_titles_are_those_of_the_api() -> None:
    assert [role.title for role in Role] == ["projectAdmin", "developer", "guest", "maintainer", "limitedGuest"]


def scoped(owner: Actor, *permissions: Permission, is_read_only: bool = False) -> Actor:
    return structs.replace(owner, scope=Scope(1, is_read_only=is_read_only, permissions=permissions))


def test_a_personal_token_leaves_what_its_owner_has_and_no_more() -> None:
    pull = scoped(USER, Permission(7, "repository", "pull"))
    assert repository_actions(pull, 7, frozenset({Role.PROJECT_ADMIN})) == ("pull",)
    assert repository_actions(pull, 7) == ()
    assert repository_actions(pull, 8, frozenset({Role.PROJECT_ADMIN})) == ()
    assert repository_actions(pull, 8, is_public=True) == ("pull",)
    assert not may(pull, "robot:create", Role.PROJECT_ADMIN)
    assert repository_actions(scoped(USER), 7, frozenset({Role.DEVELOPER})) == ("pull", "push")


def test_a_token_for_every_project_reaches_no_other_resource_and_not_the_system() -> None:
    everywhere = scoped(ADMIN, Permission(EVERY_PROJECT, "project", "read"))
    assert may(everywhere, "project:read")
    assert not may(everywhere, "member:read")
    assert not may(everywhere, "project:read", project=None)
    assert not may(scoped(ADMIN, Permission(SYSTEM, "project", "read")), "project:read")


def test_a_token_that_only_reads() -> None:
    reader = scoped(ADMIN, is_read_only=True)
    assert repository_actions(reader, 7) == ("pull",)
    assert may(reader, "audit-log:list", project=None)
    assert not may(reader, "user:create", project=None)
    assert not may(scoped(ADMIN, Permission(7, "tag", "delete"), is_read_only=True), "tag:delete")
