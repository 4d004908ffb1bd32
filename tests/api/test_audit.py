"""The audit log: every kind of act, done over the API and found in the log, and what came to nothing as well."""

from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.api.conftest import NewUser, location, user_id
from tests.parts.client import Client, expect
from tests.parts.process import wait_for
from tests.parts.server import Server

Said = tuple[str, str, str, bool]


def records(client: Client, q: str, path: str = "/auditlog-exts") -> list[dict[str, Any]]:
    """What the query finds, the oldest first."""
    found: list[dict[str, Any]] = expect(
        client.api("GET", f"{path}?page_size=100&sort=op_time&q={quote(q)}"), 200
    ).json()
    return found


def said(client: Client, q: str) -> list[Said]:
    return [
        (each["operation"], each.get("resource", ""), each["operation_description"], each["operation_result"])
        for each in records(client, q)
    ]


def of(client: Client, resource_type: str) -> str:
    return f"username={client.username},resource_type={resource_type}"


@pytest.fixture
def owner(new_user: NewUser) -> Client:
    """Whose acts are looked for."""
    return new_user()


@pytest.fixture
def home(owner: Client, word: str) -> str:
    """A project of theirs."""
    expect(owner.api("POST", "/projects", {"project_name": word}), 201)
    return word


def test_projects(admin: Client, owner: Client, home: str) -> None:
    expect(owner.api("PUT", f"/projects/{home}", {"metadata": {"auto_scan": "true"}}), 200)
    expect(owner.api("POST", f"/projects/{home}/metadatas/", {"severity": "low"}), 200)
    expect(owner.api("PUT", f"/projects/{home}/metadatas/severity", {"severity": "high"}), 200)
    expect(owner.api("DELETE", f"/projects/{home}/metadatas/severity"), 200)
    expect(owner.api("POST", f"/projects/{home}/metadatas/", {"auto_scan": "true"}), 409)
    expect(owner.api("PUT", f"/projects/{home}", "text"), 422)
    expect(owner.api("DELETE", f"/projects/{home}"), 200)
    update = ("update", home, f"update project: {home}")
    assert said(admin, of(owner, "project")) == [
        ("create", home, f"create project: {home}", True),
        *[(*update, True)] * 4,
        *[(*update, False)] * 2,
        ("delete", home, f"delete project: {home}", True),
    ]


def test_members(admin: Client, owner: Client, user: Client, home: str) -> None:
    guest = {"role_id": 3, "member_user": {"username": user.username}}
    member = location(owner, "POST", f"/projects/{home}/members", guest)
    expect(owner.api("POST", f"/projects/{home}/members", guest), 409)
    expect(owner.api("PUT", member, {"role_id": 2}), 200)
    expect(owner.api("PUT", member, {"role_id": 17}), 400)
    expect(user.api("DELETE", member), 403)
    expect(owner.api("DELETE", member), 200)
    whom, number = f"user member {user.username}", member.rpartition("/")[2]
    removed = ("delete", user.username, f"delete {whom} from project {home}")
    assert said(admin, of(user, "member")) == [(*removed, False)]
    assert said(admin, of(owner, "member")) == [
        ("create", user.username, f"create {whom} in project {home}", True),
        ("create", "", f"create member in project {home}", False),
        ("update", user.username, f"update {whom} in project {home}", True),
        ("update", number, f"update member {number} in project {home}", False),
        (*removed, True),
    ]


def test_groups_are_members_too(admin: Client, owner: Client, home: str, word: str) -> None:
    group = location(admin, "POST", "/usergroups", {"group_name": f"g{word}", "group_type": 2}).rpartition("/")[2]
    member = {"role_id": 3, "member_group": {"id": int(group)}}
    expect(owner.api("DELETE", location(owner, "POST", f"/projects/{home}/members", member)), 200)
    assert said(admin, of(owner, "member")) == [
        ("create", f"g{word}", f"create group member g{word} in project {home}", True),
        ("delete", f"g{word}", f"delete group member g{word} from project {home}", True),
    ]


def test_users(admin: Client, owner: Client, server: Server) -> None:
    number = user_id(owner)
    profile = {"email": f"{owner.username}@example.org", "realname": "Another"}
    expect(owner.api("PUT", f"/users/{number}", profile), 200)
    expect(owner.api("PUT", f"/users/{number}", {"email": "none"}), 400)
    expect(owner.api("PUT", f"/users/{number}/sysadmin", {"sysadmin_flag": True}), 403)
    wrong = {"old_password": "Wrong-word-1", "new_password": "Other-word-1"}
    expect(owner.api("PUT", f"/users/{number}/password", wrong), 403)
    right = {"old_password": owner.password, "new_password": "Other-word-1"}
    wait_for(lambda: owner.api("GET", "/users/current").status == 200, "the account's lock to end")
    expect(owner.api("PUT", f"/users/{number}/password", right), 200)
    expect(admin.api("PUT", f"/users/{number}/sysadmin", {"sysadmin_flag": True}), 200)
    expect(admin.api("DELETE", f"/users/{number}"), 200)
    update = f"update user with name: {owner.username}"
    secret, flag = f"{update}, change user password", f"{update}, add/remove user as system administrator"
    assert said(admin, f"resource={owner.username},resource_type=user") == [
        ("create", owner.username, f"create user with name: {owner.username}", True),
        ("update", owner.username, update, True),
        ("update", owner.username, update, False),
        ("update", owner.username, flag, False),
        ("update", owner.username, secret, False),
        ("update", owner.username, secret, True),
        ("update", owner.username, flag, True),
        ("delete", owner.username, f"delete user with name: {owner.username}", True),
    ]


def test_users_that_are_not_made(admin: Client, owner: Client) -> None:
    expect(owner.api("POST", "/users", {"username": "x"}), 403)
    expect(owner.api("DELETE", "/users/99999999"), 403)
    assert said(admin, of(owner, "user")) == [
        ("create", "", "create user with name: ", False),
        ("delete", "99999999", "delete user with name: 99999999", False),
    ]


def test_robots(admin: Client, owner: Client, home: str) -> None:
    access = [{"resource": "repository", "action": "pull"}]
    wish = {"name": "ci", "level": "project", "duration": 3}
    robot = wish | {"permissions": [{"kind": "project", "namespace": home, "access": access}]}
    path = location(owner, "POST", "/robots", robot)
    expect(owner.api("PATCH", path, {}), 200)
    expect(owner.api("DELETE", path), 200)
    name = f"robot${home}+ci"
    expected = [("create", name, f"create robot: {name}", True), ("delete", name, f"delete robot: {name}", True)]
    assert said(admin, of(owner, "robot")) == expected
    within = records(owner, "resource_type=robot", f"/projects/{home}/auditlog-exts")
    assert [each["operation"] for each in within] == ["create", "delete"]


def test_configuration(admin: Client, owner: Client) -> None:
    before = expect(admin.api("GET", "/configurations"), 200).json()["session_timeout"]["value"]
    expect(owner.api("PUT", "/configurations", {"session_timeout": 61}), 403)
    expect(admin.api("PUT", "/configurations", {"session_timeout": before}), 200)
    assert said(admin, of(owner, "configuration")) == [("update", "configuration", "update configuration", False)]
    newest = expect(
        admin.api("GET", "/auditlog-exts?page_size=1&q=operation%3Dupdate,resource_type%3Dconfiguration"), 200
    )
    assert newest.json()[0] | {"id": 0, "op_time": ""} == {
        "id": 0,
        "op_time": "",
        "username": "admin",
        "operation": "update",
        "resource_type": "configuration",
        "resource": "configuration",
        "operation_description": "update configuration",
        "operation_result": True,
    }


def test_signing_in_and_out(server: Server, admin: Client, owner: Client) -> None:
    first = owner.send("GET", "/api/v2.0/systeminfo")
    cookies = "; ".join(value.partition(";")[0] for value in first.headers.get_all("Set-Cookie", []))
    token = owner.send("GET", "/api/v2.0/systeminfo", headers={"Cookie": cookies})
    cookies += "; " + "; ".join(value.partition(";")[0] for value in token.headers.get_all("Set-Cookie", []))
    kind = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Harbor-CSRF-Token": token.headers["X-Harbor-CSRF-Token"],
    }

    def sign_in(password: str) -> Any:
        form = urlencode({"principal": owner.username, "password": password}).encode()
        return owner.send("POST", "/c/login", form, {"Cookie": cookies, **kind})

    expect(sign_in("Wrong-word-1"), 401)
    wait_for(lambda: owner.api("GET", "/users/current").status == 200, "the account's lock to end")
    session = expect(sign_in(owner.password), 200).headers["Set-Cookie"].partition(";")[0]
    expect(owner.send("GET", "/c/log_out", headers={"Cookie": session}), 200)
    found = records(admin, of(owner, "user"))
    assert {(each["operation"], each["operation_description"], each["resource"]) for each in found} == {
        ("login", "login", owner.username),
        ("logout", "logout", owner.username),
    }
    assert [each["operation_result"] for each in found] == [False, True, True]


def test_artifacts_and_tags(admin: Client, owner: Client, home: str) -> None:
    digest = owner.push_image(f"{home}/app", "v1", b"layer")
    artifact = f"/projects/{home}/repositories/app/artifacts/v1"
    expect(owner.registry("GET", f"/v2/{home}/app/manifests/v1"), 200)
    expect(owner.registry("GET", f"/v2/{home}/app/manifests/{digest}"), 200)
    expect(owner.registry("HEAD", f"/v2/{home}/app/manifests/v1"), 200)
    expect(owner.api("POST", f"{artifact}/tags", {"name": "v2"}), 201)
    expect(owner.api("DELETE", f"{artifact}/tags/v2"), 200)
    expect(owner.api("DELETE", artifact), 200)
    owner.push_image(f"{home}/app", "v1", b"another layer")
    expect(owner.api("DELETE", f"/projects/{home}/repositories/app"), 200)
    tagged, by_digest = f"{home}/app:v1", f"{home}/app@{digest}"
    wait_for(lambda: len(said(admin, f"{of(owner, 'artifact')},operation=pull")) == 2, "the pulls to be recorded")
    acts = said(admin, of(owner, "artifact"))
    assert acts[:4] == [
        ("create", tagged, f"push artifact: {by_digest}", True),
        ("pull", tagged, f"pull artifact: {by_digest}", True),
        ("pull", by_digest, f"pull artifact: {by_digest}", True),
        ("delete", by_digest, f"delete artifact: {by_digest}", True),
    ]
    assert [act[0] for act in acts[4:]] == ["create", "delete"]
    assert said(admin, of(owner, "tag")) == [
        ("create", f"{home}/app:v2", f"create tag: {home}/app:v2", True),
        ("delete", f"{home}/app:v2", f"delete tag: {home}/app:v2", True),
    ]
    assert said(admin, of(owner, "repository")) == [("delete", f"{home}/app", f"delete repository: {home}/app", True)]


def test_every_pull_is_a_record_of_its_own(admin: Client, owner: Client, home: str) -> None:
    owner.push_image(f"{home}/app", "v1", b"layer")
    for _ in range(3):
        expect(owner.registry("GET", f"/v2/{home}/app/manifests/v1"), 200)
    wait_for(lambda: len(records(admin, f"username={owner.username},operation=pull")) == 3, "the pulls to be recorded")
    found = records(admin, f"username={owner.username},operation=pull")
    assert len({each["op_time"] for each in found}) > 1
    project = expect(admin.api("GET", f"/projects/{home}/repositories/app"), 200).json()
    assert project["pull_count"] == 3


def test_who_is_nobody_leaves_no_failures(admin: Client, anonymous: Client, home: str) -> None:
    expect(anonymous.api("PUT", f"/projects/{home}", {}), 401)
    assert said(admin, f"resource={home},operation=update") == []


def test_who_sees_what(admin: Client, anonymous: Client, owner: Client, user: Client, home: str) -> None:
    mine = f"operation=create,resource_type=project,resource={home}"
    for path in ("/auditlog-exts", "/audit-logs", f"/projects/{home}/auditlog-exts", f"/projects/{home}/logs"):
        assert [each["resource"] for each in records(admin, mine, path)] == [home]
        assert [each["resource"] for each in records(owner, mine, path)] == [home]
        expect(anonymous.api("GET", path), 401)
    for path in ("/auditlog-exts", "/audit-logs"):
        assert records(user, mine, path) == []
    for path in (f"/projects/{home}/auditlog-exts", f"/projects/{home}/logs"):
        expect(user.api("GET", path), 403)
        expect(admin.api("GET", path.replace(home, f"{home}-none")), 404)
    expect(user.api("GET", "/auditlog-exts/events"), 403)
    expect(admin.api("DELETE", f"/projects/{home}"), 200)
    assert [each["resource"] for each in records(admin, mine)] == [home]
    assert records(owner, mine) == []


def test_the_older_shape_tells_no_outcome(admin: Client, owner: Client, home: str) -> None:
    (record,) = records(admin, f"resource={home},resource_type=project", "/audit-logs")
    assert record.keys() == {"id", "username", "resource", "resource_type", "operation", "op_time"}


def test_pages(admin: Client, owner: Client, home: str) -> None:
    for value in ("low", "medium", "high", "critical"):
        expect(owner.api("PUT", f"/projects/{home}", {"metadata": {"severity": value}}), 200)
    q = quote(f"username={owner.username}")
    whole = expect(admin.api("GET", f"/auditlog-exts?q={q}&sort=op_time"), 200).json()
    assert [each["operation"] for each in whole] == ["create", *["update"] * 4]
    for sort, expected in (("op_time", whole), ("-op_time", whole[::-1]), ("", whole[::-1]), ("id", whole)):
        pages = [
            expect(admin.api("GET", f"/auditlog-exts?q={q}&sort={sort}&page_size=2&page={page}"), 200)
            for page in (1, 2, 3, 4)
        ]
        assert [each for page in pages for each in page.json()] == expected
        assert {page.headers["X-Total-Count"] for page in pages} == {"5"}
    ids = [each["id"] for each in whole]
    everything = expect(admin.api("GET", f"/auditlog-exts?q={q}&page_size=0"), 200).json()
    assert sorted(each["id"] for each in everything) == sorted(ids)
