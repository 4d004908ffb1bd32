"""The installation as a whole: information, health, search, statistics, permissions, allowlists."""

import shutil
import time
from typing import Any

import pytest

from tests.api.conftest import NewUser, location
from tests.api.test_robots import of_project, of_system, started
from tests.parts.client import Client, expect
from tests.parts.receiver import until
from tests.parts.server import Server

Counts = dict[str, int]


def counts(client: Client) -> Counts:
    number: Counts = expect(client.api("GET", "/statistics"), 200).json()
    return number


def found(client: Client, text: str) -> tuple[list[str], list[str]]:
    """The names of the projects and repositories that a search finds."""
    answer = expect(client.api("GET", f"/search?q={text}"), 200).json()
    return [each["name"] for each in answer["project"]], [each["repository_name"] for each in answer["repository"]]


def held(client: Client, scope: str, *, relative: bool = True) -> set[str]:
    answer = client.api("GET", f"/users/current/permissions?scope={scope}&relative={str(relative).lower()}")
    return {f"{each['resource']}:{each['action']}" for each in expect(answer, 200).json()}


def join(admin: Client, project: str, client: Client, role: int) -> None:
    body = {"role_id": role, "member_user": {"username": client.username}}
    expect(admin.api("POST", f"/projects/{project}/members", body), 201)


def test_health_names_every_part(server: Server, anonymous: Client) -> None:
    def healthy() -> Any:
        told = expect(anonymous.api("GET", "/health"), 200).json()
        return told["status"] == "healthy" and told["components"]

    assert until(healthy) == [
        {"name": name, "status": "healthy"}
        for name in ("core", "database", "jobservice", "portal", "registry", "registryctl")
    ]


def test_volumes_are_those_of_the_data(server: Server, admin: Client, user: Client) -> None:
    (volume,) = expect(admin.api("GET", "/systeminfo/volumes"), 200).json()["storage"]
    usage = shutil.disk_usage(server.data)
    assert volume["total"] == usage.total
    assert 0 < volume["free"] <= usage.total
    expect(user.api("GET", "/systeminfo/volumes"), 403)
    robot, _ = started(server, admin, of_system(f"v{time.time_ns()}", "system-volumes:read"))
    expect(robot.api("GET", "/systeminfo/volumes"), 200)


def test_a_certificate_is_handed_out_where_there_is_one(server: Server, anonymous: Client, admin: Client) -> None:
    expect(anonymous.api("GET", "/systeminfo/getcert"), 404)
    folder = server.data / "ca_download"
    folder.mkdir()
    try:
        (folder / "ca.crt").write_text("PEM")
        answer = expect(anonymous.api("GET", "/systeminfo/getcert"), 200)
        assert (answer.body, answer.headers["Content-Type"]) == (b"PEM", "application/octet-stream")
        assert answer.headers["Content-Disposition"] == "attachment; filename=ca.crt"
        # Over plain HTTP there is nothing to trust.
        assert expect(admin.api("GET", "/systeminfo"), 200).json()["has_ca_root"] is False
    finally:
        shutil.rmtree(folder)


def test_a_search_finds_what_the_caller_may_know_of(server: Server, admin: Client, user: Client, word: str) -> None:
    for name, public in ((f"{word}-open", "true"), (f"{word}-shut", "false")):
        expect(admin.api("POST", "/projects", {"project_name": name, "metadata": {"public": public}}), 201)
        admin.push_image(f"{name}/deep/app", "v1", b"layer")
    both = [f"{word}-open", f"{word}-shut"]
    everything = (both, [f"{name}/deep/app" for name in both])
    public = (both[:1], [f"{word}-open/deep/app"])
    assert found(admin, word) == everything
    assert found(server.client("", ""), word) == found(user, word) == public
    robot, _ = started(server, admin, of_project(f"{word}-shut"))
    assert found(robot, word) == public
    join(admin, f"{word}-shut", user, 5)
    assert found(user, word) == everything
    assert found(user, word.upper()) == ([], everything[1])
    assert found(user, f"{word}-shut/deep") == ([], [f"{word}-shut/deep/app"])
    assert found(user, "%25") == found(user, f"{word}_") == ([], [])

    answer = expect(user.api("GET", f"/search?q={word}-shut"), 200).json()
    (project,), (repository,) = answer["project"], answer["repository"]
    assert (project["current_user_role_ids"], project["repo_count"], project["metadata"]) == (
        [5],
        1,
        {"public": "false"},
    )
    assert "owner_name" not in project
    assert {name: repository[name] for name in repository if name != "project_id"} == {
        "project_name": f"{word}-shut",
        "repository_name": f"{word}-shut/deep/app",
        "artifact_count": 1,
    }


def test_statistics_count_what_the_caller_may_know_of(server: Server, admin: Client, user: Client) -> None:
    before, before_user = counts(admin), counts(user)
    assert before["total_project_count"] == before["private_project_count"] + before["public_project_count"]
    shut, public = server.create_project(), server.create_project(public=True)
    blob = b"x" * 100_000 + shut.encode()
    for repository in (f"{shut}/a", f"{public}/a", f"{public}/b"):
        admin.push_image(repository, "v1", blob)
    after = counts(admin)
    assert {name: after[name] - before[name] for name in after if name != "total_storage_consumption"} == {
        "private_project_count": 1,
        "private_repo_count": 1,
        "public_project_count": 1,
        "public_repo_count": 2,
        "total_project_count": 2,
        "total_repo_count": 3,
    }
    # The layer counts once however many hold it; beside it there are a config and a manifest.
    grown = after["total_storage_consumption"] - before["total_storage_consumption"]
    assert len(blob) < grown < len(blob) + 2000
    join(admin, shut, user, 3)
    seen = counts(user)
    assert {name: seen[name] - before_user[name] for name in seen} == {
        "private_project_count": 1,
        "private_repo_count": 1,
        "public_project_count": 1,
        "public_repo_count": 2,
        "total_project_count": 0,
        "total_repo_count": 0,
        "total_storage_consumption": 0,
    }
    robot, _ = started(server, admin, of_project(shut))
    assert counts(robot)["private_project_count"] == counts(robot)["total_storage_consumption"] == 0


def test_what_may_be_given_is_for_those_who_give(server: Server, admin: Client, user: Client, project: str) -> None:
    catalogue = expect(admin.api("GET", "/permissions"), 200).json()
    assert {level: len(listed) for level, listed in catalogue.items()} == {"system": 70, "project": 70}
    assert catalogue["system"][0] == {"resource": "audit-log", "action": "list"}
    join(admin, project, user, 4)
    message = "forbidden: only admins(system and project) can access permissions"
    robot, _ = started(server, admin, of_project(project, "ci", "robot:create"))
    for client in (user, robot):
        assert expect(client.api("GET", "/permissions"), 403).json()["errors"][0]["message"] == message
    expect(user.api("POST", "/projects", {"project_name": f"{project}-own"}), 201)
    assert expect(user.api("GET", "/permissions"), 200).json() == {"system": None, "project": catalogue["project"]}
    expect(admin.api("DELETE", f"/projects/{project}-own"), 200)
    expect(user.api("GET", "/permissions"), 403)


def test_ones_own_permissions(server: Server, admin: Client, user: Client, project: str) -> None:
    number = expect(admin.api("GET", f"/projects/{project}"), 200).json()["project_id"]
    scope = f"/project/{number}"
    assert held(user, scope) == set()
    join(admin, project, user, 5)
    assert held(user, scope) == {
        f"{resource}:{action}"
        for resource, actions in {
            ".": "read",
            "quota": "read",
            "repository": "read list pull",
            "artifact": "read list",
            "artifact-addition": "read",
            "accessory": "list",
            "tag": "list",
            "scan": "read",
            "sbom": "read",
            "scanner": "read",
            "configuration": "read",
        }.items()
        for action in actions.split()
    }
    assert f"{scope}:read" in held(user, scope, relative=False)
    assert f"{scope}/repository:pull" in held(user, scope, relative=False)
    robot, _ = started(server, admin, of_project(project, "ci", "repository:push", "tag:create"))
    assert held(robot, scope) == {"repository:push", "repository:pull", "tag:create"}
    assert {"member:create", "repository:push"} <= held(admin, scope)
    assert "catalog:read" in held(admin, "/system", relative=False)
    assert held(user, "/system") == held(user, "/project/0") == held(user, scope + "x") == set()


def test_a_projects_allowlist(server: Server, admin: Client, project: str, word: str) -> None:
    def shown(name: str) -> Any:
        listed = expect(admin.api("GET", f"/projects/{name}"), 200).json()["cve_allowlist"]
        return [item["cve_id"] for item in listed["items"]], listed.get("expires_at")

    number = expect(admin.api("GET", f"/projects/{project}"), 200).json()["project_id"]
    other = server.create_project()
    assert shown(project) == ([], None)
    items = [{"cve_id": "CVE-2099-2"}, {"cve_id": f"CVE-{word}"}]
    wanted = {"items": items, "expires_at": 4000000000, "project_id": number}
    expect(admin.api("PUT", f"/projects/{project}", {"cve_allowlist": wanted}), 200)
    assert shown(project) == (["CVE-2099-2", f"CVE-{word}"], 4000000000)
    for fault in ({"items": [*items, items[0]]}, {"items": [{"cve_id": " "}]}, {"items": [], "project_id": number + 1}):
        body = {"cve_allowlist": fault, "metadata": {"public": "true"}}
        expect(admin.api("PUT", f"/projects/{project}", body), 400)
    expect(admin.api("PUT", f"/projects/{project}", {"metadata": {"auto_scan": "true"}}), 200)
    assert shown(project) == (["CVE-2099-2", f"CVE-{word}"], 4000000000)
    assert expect(admin.api("GET", f"/projects/{project}"), 200).json()["metadata"]["public"] == "false"
    assert shown(other) == ([], None)
    assert word not in str(expect(admin.api("GET", "/system/CVEAllowlist"), 200).json())
    expect(admin.api("PUT", f"/projects/{project}", {"cve_allowlist": {}}), 200)
    assert shown(project) == ([], None)


def test_an_allowlist_goes_with_its_project(server: Server, admin: Client, word: str) -> None:
    for items in ([{"cve_id": "CVE-2099-1"}], []):
        path = location(admin, "POST", "/projects", {"project_name": word})
        assert expect(admin.api("GET", path), 200).json()["cve_allowlist"]["items"] == []
        expect(admin.api("PUT", path, {"cve_allowlist": {"items": items}}), 200)
        expect(admin.api("DELETE", path), 200)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/ldap/ping", {"ldap_url": "ldap://127.0.0.1:1"}),
        ("GET", "/ldap/users/search?username=a", None),
        ("POST", "/ldap/users/import", {"ldap_uid_list": ["a"]}),
        ("GET", "/ldap/groups/search?groupname=a", None),
        ("POST", "/system/oidc/ping", {"url": "http://127.0.0.1:1"}),
    ],
)
def test_directories_are_not_asked_yet(
    server: Server, admin: Client, new_user: NewUser, method: str, path: str, body: Any
) -> None:
    refused = expect(admin.api(method, path, body), 412).json()["errors"][0]
    assert refused["message"].endswith("in this version; their accounts are in the database")
    expect(new_user().api(method, path, body), 403)
    expect(server.client("", "").api(method, path, body), 401)


def test_a_scope_may_be_a_part_of_a_project(admin: Client, project: str) -> None:
    number = expect(admin.api("GET", f"/projects/{project}"), 200).json()["project_id"]
    everything = held(admin, f"/project/{number}", relative=False)
    assert held(admin, f"/project/{number}/repository", relative=False) == everything
    assert held(admin, f"/project/{number}/repository") >= {".:pull", ".:push"}
    assert held(admin, f"/project/{number}/") < held(admin, f"/project/{number}")
    assert held(admin, "/system") == set()
