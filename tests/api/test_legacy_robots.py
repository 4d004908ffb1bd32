"""Robots as the API before 2.2 made them, which guides still show."""

from typing import Any

import pytest

from tests.api.conftest import NewUser, location, user_id
from tests.parts.client import Client, expect
from tests.parts.server import Server

GUIDE: dict[str, Any] = {
    "name": "ci-robot",
    "duration": 365,
    "access": [
        {"resource": "repository", "action": "pull"},
        {"resource": "repository", "action": "push"},
        {"resource": "artifact", "action": "delete"},
    ],
}
SHORT = "robot$ci-robot"


@pytest.fixture
def other_project(server: Server) -> str:
    return server.create_project()


def made(by: Client, project: str, **changes: Any) -> dict[str, Any]:
    answer: dict[str, Any] = expect(by.api("POST", f"/projects/{project}/robots", GUIDE | changes), 201).json()
    return answer


def signs_in(robot: Client) -> bool:
    """A robot is told that it is no person, anybody else to sign in."""
    return robot.api("GET", "/users/current").status == 412


def test_a_robot_as_guides_make_it(server: Server, admin: Client, project: str) -> None:
    answer = expect(admin.api("POST", f"/projects/{project}/robots", GUIDE), 201)
    robot = answer.json()
    assert robot["name"] == f"robot${project}+ci-robot"
    assert robot["secret"] == robot["token"]
    path = f"/projects/{project}/robots/{robot['id']}"
    assert answer.headers["Location"] == f"/api/v2.0{path}"
    shown = expect(admin.api("GET", path), 200).json()
    assert shown["duration"] == 365
    assert shown["permissions"] == [{"kind": "project", "namespace": project, "access": GUIDE["access"]}]
    assert robot["secret"] not in str(shown)
    assert expect(admin.api("GET", f"/projects/{project}/robots"), 200).json() == [shown]
    assert expect(admin.api("GET", f"/robots/{robot['id']}"), 200).json() == shown
    for name in (robot["name"], SHORT):
        client = server.client(name, robot["secret"])
        assert signs_in(client)
        client.push_image(f"{project}/app", name[-5:], b"layer")
        expect(client.api("DELETE", f"/projects/{project}/repositories/app/artifacts/{name[-5:]}"), 200)


def test_of_robots_with_one_short_name_it_is_the_one_whose_secret_fits(
    server: Server, admin: Client, project: str, other_project: str
) -> None:
    here, there = made(admin, project), made(admin, other_project)
    robots = [(here, project, other_project), (there, other_project, project)]
    for robot, own, others in robots:
        client = server.client(SHORT, robot["secret"])
        assert len(expect(client.api("GET", f"/projects?name={own}"), 200).json()) == 1
        assert expect(client.api("GET", f"/projects?name={others}"), 200).json() == []


def test_a_system_robot_of_the_short_name_takes_it_from_nobody(server: Server, admin: Client, project: str) -> None:
    robot = made(admin, project)
    permission = {"kind": "system", "namespace": "/", "access": [{"resource": "catalog", "action": "read"}]}
    body = {"name": "ci-robot", "level": "system", "duration": -1, "permissions": [permission]}
    path = location(admin, "POST", "/robots", body)
    assert signs_in(server.client(SHORT, robot["secret"]))
    expect(admin.api("DELETE", path), 200)


def test_only_robots_of_this_api_have_a_short_name(server: Server, admin: Client, project: str) -> None:
    permission = {"kind": "project", "namespace": project, "access": GUIDE["access"]}
    body = {"name": "ci-robot", "level": "project", "duration": -1, "permissions": [permission]}
    robot = expect(admin.api("POST", "/robots", body), 201).json()
    assert signs_in(server.client(robot["name"], robot["secret"]))
    assert not signs_in(server.client(SHORT, robot["secret"]))
    expect(admin.api("POST", f"/projects/{project}/robots", GUIDE), 409)


def test_disabled_rotated_and_deleted(server: Server, admin: Client, project: str) -> None:
    robot = made(admin, project)
    path = f"/projects/{project}/robots/{robot['id']}"
    client = server.client(SHORT, robot["secret"])
    expect(admin.api("PUT", path, {"disable": True, "name": "other", "description": "words"}), 200)
    assert expect(admin.api("GET", path), 200).json()["disable"] is True
    assert not signs_in(client)
    expect(admin.api("PUT", path, {}), 200)
    assert expect(admin.api("GET", path), 200).json()["name"] == robot["name"]
    assert signs_in(client)
    secret = expect(admin.api("PATCH", f"/robots/{robot['id']}", {}), 200).json()["secret"]
    assert not signs_in(client)
    assert signs_in(server.client(SHORT, secret))
    expect(admin.api("DELETE", path), 200)
    assert not signs_in(server.client(SHORT, secret))
    expect(admin.api("GET", path), 404)


@pytest.mark.parametrize(
    ("resource", "status"),
    [("/project/{id}/repository", 201), ("/project/{name}/repository", 201), ("/project/999999/repository", 400)],
)
def test_the_project_may_stand_in_the_resource(admin: Client, project: str, resource: str, status: int) -> None:
    number = expect(admin.api("GET", f"/projects/{project}"), 200).json()["project_id"]
    access = [{"resource": resource.format(id=number, name=project), "action": "push"}]
    answer = expect(admin.api("POST", f"/projects/{number}/robots", GUIDE | {"access": access}), status)
    if status == 201:
        shown = expect(admin.api("GET", f"/robots/{answer.json()['id']}"), 200).json()
        assert shown["permissions"][0]["access"] == [{"resource": "repository", "action": "push"}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Upper"}, "robot name is not in lower case or contains illegal characters"),
        ({"access": []}, "bad request empty access"),
        ({"access": [{"resource": "repository", "action": "eat"}]}, "bad request permission: repository:eat"),
        ({"access": [{"resource": "/system/robot", "action": "read"}]}, "bad request permission: /system/robot:read"),
        ({"duration": 0, "expires_at": 5}, "expires_at is over: 5"),
    ],
)
def test_what_cannot_be(admin: Client, project: str, changes: dict[str, Any], message: str) -> None:
    refused = expect(admin.api("POST", f"/projects/{project}/robots", GUIDE | changes), 400)
    assert refused.json()["errors"][0]["message"] == message


@pytest.mark.parametrize(("changes", "days"), [({"duration": 0}, 30), ({"duration": 0, "expires_at": -1}, -1)])
def test_how_long_it_lives(admin: Client, project: str, changes: dict[str, Any], days: int) -> None:
    robot = made(admin, project, **changes)
    assert expect(admin.api("GET", f"/robots/{robot['id']}"), 200).json()["duration"] == days


def test_it_is_for_the_projects_people(admin: Client, anonymous: Client, new_user: NewUser, project: str) -> None:
    robot = made(admin, project)
    path = f"/projects/{project}/robots"
    guest, stranger = new_user(), new_user()
    member = {"role_id": 3, "member_user": {"user_id": user_id(guest)}}
    expect(admin.api("POST", f"/projects/{project}/members", member), 201)
    for client, reading, writing in ((guest, 200, 403), (stranger, 403, 403), (anonymous, 401, 401)):
        expect(client.api("GET", path), reading)
        expect(client.api("GET", f"{path}/{robot['id']}"), reading)
        expect(client.api("POST", path, GUIDE), writing)
        expect(client.api("PUT", f"{path}/{robot['id']}", {"disable": True}), writing)
        expect(client.api("DELETE", f"{path}/{robot['id']}"), writing)


def test_another_projects_robots_are_not_there(admin: Client, project: str, other_project: str) -> None:
    robot = made(admin, project)
    path = f"/projects/{other_project}/robots/{robot['id']}"
    for method, body in (("GET", None), ("PUT", {"disable": True}), ("DELETE", None)):
        refused = expect(admin.api(method, path, body), 404)
        assert refused.json()["errors"][0]["message"] == f"robot {robot['id']} not found"
