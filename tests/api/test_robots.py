"""Robot accounts."""

import re
from typing import Any

import pytest

from tests.api.conftest import NewUser, location
from tests.parts.client import Client, expect
from tests.parts.server import Server

Body = dict[str, Any]


def access(*pairs: str) -> list[dict[str, str]]:
    return [dict(zip(("resource", "action"), pair.split(":"), strict=True)) for pair in pairs]


def of_project(project: str, name: str = "ci", *pairs: str) -> Body:
    permission = {"kind": "project", "namespace": project, "access": access(*(pairs or ("repository:push",)))}
    return {"name": name, "level": "project", "duration": 30, "permissions": [permission]}


def of_system(name: str, *pairs: str, kind: str = "system", namespace: str = "/") -> Body:
    permission = {"kind": kind, "namespace": namespace, "access": access(*pairs)}
    return {"name": name, "level": "system", "duration": -1, "permissions": [permission]}


def started(server: Server, by: Client, body: Body) -> tuple[Client, str]:
    """Make a robot; its client, and its path."""
    made = expect(by.api("POST", "/robots", body), 201)
    robot = made.json()
    return server.client(robot["name"], robot["secret"]), made.headers["Location"].removeprefix("/api/v2.0")


def test_a_robot_of_a_project(server: Server, admin: Client, project: str) -> None:
    robot, path = started(server, admin, of_project(project) | {"description": "words", "secret": "Ignored-12345"})
    assert robot.username == f"robot${project}+ci"
    assert re.fullmatch(r"[A-Za-z0-9]{32}", robot.password)
    shown = expect(admin.api("GET", path), 200).json()
    assert shown["expires_at"] > 0
    assert {name: shown[name] for name in shown if name not in ("id", "expires_at") and "time" not in name} == {
        "name": robot.username,
        "description": "words",
        "level": "project",
        "duration": 30,
        "editable": True,
        "disable": False,
        "creator_type": "local",
        "creator_ref": 1,
        "permissions": [
            {"kind": "project", "namespace": project, "access": [{"resource": "repository", "action": "push"}]}
        ],
    }
    robot.push_image(f"{project}/app", "v1", b"layer")
    expect(robot.registry("GET", f"/v2/{project}/app/manifests/v1"), 200)
    assert expect(robot.api("GET", "/users/current"), 412).codes() == ["PRECONDITION"]
    assert expect(robot.api("GET", "/users"), 403).json()["errors"][0]["message"] == robot.username


def test_lists_of_robots(server: Server, admin: Client, project: str, word: str) -> None:
    _, path = started(server, admin, of_project(project))
    _, other = started(server, admin, of_system(word, "user:list"))
    number = expect(admin.api("GET", f"/projects/{project}"), 200).json()["project_id"]
    listed = expect(admin.api("GET", f"/robots?q=Level%3Dproject,ProjectID%3D{number}"), 200)
    assert [f"/robots/{robot['id']}" for robot in listed.json()] == [path]
    found = expect(admin.api("GET", f"/robots?q=Level%253Dsystem%252Cname%253D{word}"), 200)
    assert [f"/robots/{robot['id']}" for robot in found.json()] == [other]
    expect(admin.api("GET", "/robots?q=Level%3Dproject"), 400)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Upper"}, "robot name is not in lower case or contains illegal characters"),
        ({"name": "a+b"}, "robot name is not in lower case or contains illegal characters"),
        (
            {"duration": 0},
            "bad request error duration input: 0, duration must be either -1(Never) or a positive integer",
        ),
        ({"level": "galaxy"}, "bad request error level input: galaxy"),
        ({"permissions": []}, "bad request empty permission"),
        ({"permissions": [{"kind": "system", "namespace": "/", "access": []}]}, "bad request empty access"),
        (
            {"permissions": [{"kind": "system", "namespace": "/", "access": access("robot:update")}]},
            "bad request permission: robot:update",
        ),
        (
            {"permissions": [{"kind": "system", "namespace": "x", "access": access("user:list")}]},
            "unknown namespace",
        ),
    ],
)
def test_what_no_robot_can_be(admin: Client, word: str, change: Body, message: str) -> None:
    refused = expect(admin.api("POST", "/robots", of_system(word, "user:list") | change), 400)
    assert refused.json()["errors"][0]["message"] == message


def test_a_taken_name(admin: Client, word: str) -> None:
    expect(admin.api("POST", "/robots", of_system(word, "user:list")), 201)
    refused = expect(admin.api("POST", "/robots", of_system(word, "user:list")), 409)
    assert refused.json()["errors"][0]["message"] == f"robot account 0:{word} already exists"


def test_who_may_make_robots(anonymous: Client, admin: Client, new_user: NewUser, project: str, word: str) -> None:
    guest, owner = new_user(), new_user()
    for client, role in ((guest, 3), (owner, 1)):
        member = {"role_id": role, "member_user": {"username": client.username}}
        expect(admin.api("POST", f"/projects/{project}/members", member), 201)
    expect(anonymous.api("POST", "/robots", of_project(project)), 401)
    expect(guest.api("POST", "/robots", of_project(project)), 403)
    expect(owner.api("POST", "/robots", of_system(word, "user:list")), 403)
    expect(owner.api("POST", "/robots", of_project("no-such-project")), 403)
    expect(admin.api("POST", "/robots", of_project("no-such-project")), 404)
    path = location(owner, "POST", "/robots", of_project(project))
    expect(guest.api("GET", path), 200)
    expect(guest.api("PATCH", path, {}), 403)
    expect(guest.api("DELETE", path), 403)
    expect(owner.api("DELETE", path), 200)
    expect(admin.api("GET", path), 404)


@pytest.mark.parametrize(
    "permission",
    [
        {"kind": "system", "namespace": "/", "access": access("user:create")},
        {"kind": "project", "namespace": "*", "access": access("repository:pull")},
        {"kind": "project", "namespace": "library", "access": access("repository:push")},
    ],
)
def test_a_robot_of_a_project_never_leaves_it(
    server: Server, admin: Client, user: Client, project: str, permission: Body
) -> None:
    member = {"role_id": 1, "member_user": {"username": user.username}}
    expect(admin.api("POST", f"/projects/{project}/members", member), 201)
    body = of_project(project)
    robot, path = started(server, user, body)
    assert user.api("POST", "/robots", body | {"name": "other", "permissions": [permission]}).status in (400, 403)
    changed = body | {"name": robot.username, "permissions": [permission]}
    assert user.api("PUT", path, changed).status in (400, 404)
    shown = expect(user.api("GET", path), 200).json()
    assert shown["permissions"] == body["permissions"]


def test_a_change_holds_at_once(server: Server, admin: Client, project: str) -> None:
    body = of_project(project, "ci", "repository:list")
    robot, path = started(server, admin, body)
    repositories = f"/projects/{project}/repositories"
    expect(robot.api("GET", repositories), 200)
    named = body | {"name": robot.username}
    expect(admin.api("PUT", path, named | {"disable": True}), 200)
    expect(robot.api("GET", repositories), 401)
    expect(admin.api("PUT", path, named | {"permissions": of_project(project)["permissions"]}), 200)
    expect(robot.api("GET", repositories), 403)
    expect(admin.api("PUT", path, body), 400)
    expect(admin.api("PUT", path, named | {"level": "system"}), 400)


def test_secrets_are_renewed(server: Server, admin: Client, word: str) -> None:
    robot, path = started(server, admin, of_system(word, "user:list"))
    expect(robot.api("GET", "/users"), 200)
    assert expect(admin.api("PATCH", path, {"secret": "Chosen-12345"}), 200).json() == {}
    expect(robot.api("GET", "/users"), 401)
    expect(server.client(robot.username, "Chosen-12345").api("GET", "/users"), 200)
    made = expect(admin.api("PATCH", path, {}), 200).json()["secret"]
    expect(server.client(robot.username, made).api("GET", "/users"), 200)
    expect(admin.api("PATCH", path, {"secret": "weak"}), 400)


def test_a_robot_gives_no_more_than_it_has(server: Server, admin: Client, word: str) -> None:
    robot, path = started(server, admin, of_system(word, "robot:create", "quota:list"))
    child = location(robot, "POST", "/robots", of_system(f"{word}-child", "quota:list"))
    assert expect(admin.api("GET", child), 200).json()["creator_type"] == "robot"
    for wish in (
        of_system(f"{word}-x", "user:create"),
        of_system(f"{word}-y", "repository:pull", kind="project", namespace="*"),
    ):
        assert expect(robot.api("POST", "/robots", wish), 403).codes() == ["DENIED"]
    expect(robot.api("PATCH", path, {}), 403)


def test_robots_make_projects_that_are_the_administrators(
    server: Server, admin: Client, project: str, word: str
) -> None:
    robot, _ = started(server, admin, of_system(word, "project:create"))
    expect(robot.api("POST", "/projects", {"project_name": f"{word}-made"}), 201)
    assert expect(admin.api("GET", f"/projects/{word}-made"), 200).json()["owner_name"] == "admin"
    confined, _ = started(server, admin, of_project(project))
    expect(confined.api("POST", "/projects", {"project_name": f"{word}-not"}), 403)


def test_robots_go_with_their_project(server: Server, admin: Client, project: str) -> None:
    robot, path = started(server, admin, of_project(project, "ci", "repository:list"))
    expect(admin.api("DELETE", f"/projects/{project}"), 200)
    expect(admin.api("GET", path), 404)
    expect(admin.api("POST", "/projects", {"project_name": project}), 201)
    expect(robot.api("GET", f"/projects/{project}/repositories"), 401)
    expect(admin.api("POST", "/robots", of_project(project)), 201)


@pytest.mark.parametrize(
    ("query", "status", "answer"),
    [
        ("Level%3Dproject,ProjectID%3D99999999", 200, "[]"),
        ("Level%3Dplanet", 400, "bad request error level input"),
        ("Level%3Dproject,ProjectID%3Dx", 400, "Project ID must be int type."),
        ("Level%3Dproject,ProjectID%3D0", 400, "must with project ID when to query project robots"),
        ("Level%3Dproject", 400, "must with project ID when to query project robots"),
    ],
)
def test_which_robots_are_listed(admin: Client, query: str, status: int, answer: str) -> None:
    assert answer.encode() in expect(admin.api("GET", f"/robots?q={query}"), status).body


def test_what_is_wrong_with_a_change_comes_before_names(
    server: Server, admin: Client, user: Client, project: str
) -> None:
    body = of_project(project)
    robot, path = started(server, admin, body)
    good = body | {"name": robot.username}

    def refused(by: Client, status: int, changes: Body) -> str:
        answer: str = expect(by.api("PUT", path, good | changes), status).json()["errors"][0]["message"]
        return answer

    assert refused(user, 403, {"permissions": []}) == "forbidden"
    assert refused(admin, 400, {"name": "other", "permissions": []}) == "bad request empty permission"
    assert refused(admin, 400, {"level": "", "name": ""}) == "bad request error level input: "
    assert refused(admin, 400, {"permissions": body["permissions"] * 2}) == "bad request permission"
    assert refused(admin, 404, of_project("nowhere") | {"name": robot.username}) == "project nowhere not found"
    assert refused(admin, 400, {"name": "other"}) == "cannot update the level or name of robot"
    assert "Go struct field Robot.name of type string" in refused(admin, 422, {"name": 5})
    everywhere = of_system("x", "project:list") | {"level": "project"}
    assert expect(admin.api("POST", "/robots", everywhere), 404).codes() == ["NOT_FOUND"]
