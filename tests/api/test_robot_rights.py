"""What a robot may do with what it was given."""

from datetime import UTC, datetime, timedelta

import pytest

from mooring.core.access import PROJECT_CATALOGUE, SYSTEM_CATALOGUE
from tests.api.conftest import PASSWORD, NewUser, location, user_id
from tests.api.test_robots import Body, access, of_project, of_system, started
from tests.parts.client import Client, expect
from tests.parts.server import Server


def pulls(robot: Client, repository: str) -> bool:
    return robot.registry("GET", f"/v2/{repository}/manifests/v1").status == 200


def test_push_holds_pull_for_a_robot_of_the_project_alone(
    server: Server, admin: Client, project: str, word: str
) -> None:
    admin.push_image(f"{project}/app", "v1", b"layer")
    own, _ = started(server, admin, of_project(project, "own", "repository:push"))
    assert pulls(own, f"{project}/app")
    pushing = of_system(f"{word}-a", "repository:push", kind="project", namespace=project)
    assert not pulls(started(server, admin, pushing)[0], f"{project}/app")
    both = of_system(f"{word}-b", "repository:push", "repository:pull", kind="project", namespace=project)
    assert pulls(started(server, admin, both)[0], f"{project}/app")


def test_every_project_is_those_to_come_too(server: Server, admin: Client, word: str) -> None:
    everywhere = of_system(word, "repository:list", kind="project", namespace="*")
    robot, _ = started(server, admin, everywhere)
    later = server.create_project()
    expect(robot.api("GET", f"/projects/{later}/repositories"), 200)
    expect(robot.api("GET", f"/projects/{later}/members"), 403)
    assert len(expect(robot.api("GET", f"/projects?name={later}"), 200).json()) == 1


def test_what_is_denied_stays_denied(server: Server, admin: Client, project: str, word: str) -> None:
    allowed = {"kind": "project", "namespace": "*", "access": access("repository:list", "member:list")}
    denied = {
        "kind": "project",
        "namespace": project,
        "access": [{"resource": "repository", "action": "list", "effect": "deny"}],
    }
    robot, path = started(server, admin, of_system(word, "user:list") | {"permissions": [allowed, denied]})
    expect(robot.api("GET", f"/projects/{project}/members"), 200)
    expect(robot.api("GET", f"/projects/{project}/repositories"), 403)
    assert denied in expect(admin.api("GET", path), 200).json()["permissions"]


def test_what_is_public_is_public_for_robots(server: Server, admin: Client, project: str) -> None:
    public = server.create_project(public=True)
    admin.push_image(f"{public}/app", "v1", b"layer")
    robot, _ = started(server, admin, of_project(project, "ci", "quota:read"))
    assert pulls(robot, f"{public}/app")
    expect(robot.api("GET", f"/projects/{public}/repositories"), 200)
    expect(robot.api("GET", f"/projects/{public}/repositories/app"), 403)


def test_the_whole_catalogue_can_be_given_and_no_more(admin: Client, project: str, word: str) -> None:
    system = [f"{resource}:{action}" for resource, action in SYSTEM_CATALOGUE]
    inside = [f"{resource}:{action}" for resource, action in PROJECT_CATALOGUE]
    path = location(admin, "POST", "/robots", of_system(word, *system))
    assert len(expect(admin.api("GET", path), 200).json()["permissions"][0]["access"]) == 70
    path = location(admin, "POST", "/robots", of_project(project, "all", *inside))
    assert len(expect(admin.api("GET", path), 200).json()["permissions"][0]["access"]) == 70
    for body in (
        of_project(project, "x", "robot:update"),
        of_project(project, "x", "repository:*"),
        of_project(project, "x", "user:list"),
        of_system(f"{word}x", "robot:update"),
        of_system(f"{word}x", "configuration:read"),
        of_system(f"{word}x", "label:list"),
    ):
        expect(admin.api("POST", "/robots", body), 400)


@pytest.mark.parametrize("change", [{"duration": 7}, {"duration": -1}, {"duration": None}, {}])
def test_days_count_from_the_creation(server: Server, admin: Client, project: str, change: Body) -> None:
    body = of_project(project)
    robot, path = started(server, admin, body)
    before = expect(admin.api("GET", path), 200).json()
    wish = {name: value for name, value in body.items() if name != "duration"} | {"name": robot.username}
    expect(admin.api("PUT", path, wish | change), 200)
    after = expect(admin.api("GET", path), 200).json()
    days = change.get("duration") or 30
    made = datetime.fromisoformat(before["creation_time"]).astimezone(UTC)
    ends = -1 if days == -1 else int((made + timedelta(days=days)).timestamp())
    assert (after["duration"], after["expires_at"]) == (days, ends)


def test_what_does_not_count_on_creation(server: Server, admin: Client, project: str) -> None:
    robot, path = started(server, admin, of_project(project) | {"secret": "Chosen-12345", "disable": True})
    assert robot.password != "Chosen-12345"
    assert expect(admin.api("GET", path), 200).json()["disable"] is False
    assert robot.api("GET", "/users/current").status == 412


def test_a_robot_makes_robots_only_where_it_may(server: Server, admin: Client, project: str, word: str) -> None:
    robot, _ = started(server, admin, of_project(project, "maker", "robot:create", "repository:pull"))
    made = expect(robot.api("POST", "/robots", of_project(project, "made", "repository:pull")), 201).json()
    assert made["name"] == f"robot${project}+made"
    for body, status in (
        (of_project(project, "more", "repository:push"), 403),
        (of_project(server.create_project(), "there", "repository:pull"), 403),
        (of_system(word, "user:list"), 403),
    ):
        expect(robot.api("POST", "/robots", body), status)
    for path in (f"/robots/{made['id']}", f"/projects/{project}/robots/{made['id']}"):
        expect(robot.api("GET", path), 403)
        expect(robot.api("DELETE", path), 403)


def test_who_may_change_users_makes_no_administrators(
    server: Server, admin: Client, new_user: NewUser, word: str
) -> None:
    somebody, other = new_user(), new_user()
    own, others = (f"/users/{user_id(each)}" for each in (somebody, other))
    expect(admin.api("PUT", f"{others}/sysadmin", {"sysadmin_flag": True}), 200)
    robot, _ = started(server, admin, of_system(word, "user:update"))
    wish = {"name": word, "permissions": of_system(word, "user:update")["permissions"]}
    narrow = expect(other.api("POST", "/users/current/tokens", wish), 201).json()["token"]
    for caller in (robot, server.client(other.username, narrow)):
        expect(caller.api("PUT", f"{own}/sysadmin", {"sysadmin_flag": True}), 403)
        expect(caller.api("PUT", f"{others}/sysadmin", {"sysadmin_flag": False}), 403)
        expect(caller.api("PUT", "/users/1/password", {"new_password": "Taken-over-1"}), 403)
        expect(caller.api("PUT", f"{others}/password", {"new_password": "Taken-over-1"}), 403)
        expect(caller.api("PUT", f"{own}/password", {"new_password": f"Given-{caller.password[-8:]}-1a"}), 200)
    assert expect(somebody.api("GET", "/users/current"), 401)
    assert expect(server.client(other.username, PASSWORD).api("GET", "/users"), 200)


def test_no_robot_changes_a_robot(server: Server, admin: Client, project: str, word: str) -> None:
    made, path = started(server, admin, of_project(project, "ci", "repository:pull"))
    everywhere = of_system(word, "project:update", "project:read", kind="project", namespace="*")
    robot, _ = started(server, admin, everywhere)
    shown = expect(robot.api("GET", path), 200).json()
    shown["permissions"][0]["access"] = access("repository:push", "repository:delete")
    expect(robot.api("PUT", path, shown), 403)
    expect(robot.api("PATCH", path, {"secret": "Taken-over-1"}), 403)
    expect(robot.api("PUT", f"/projects/{project}{path}", {"disable": True}), 403)
    assert expect(made.api("GET", "/users/current"), 412)
