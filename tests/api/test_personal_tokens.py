"""Personal tokens: what people's programs sign in with, wherever a password is taken."""

import re
import time
from collections.abc import Sequence
from typing import Any

import pytest

from tests.api.conftest import PASSWORD, NewUser, user_id
from tests.parts.browser import Browser
from tests.parts.client import Client, expect
from tests.parts.process import wait_for
from tests.parts.server import Server
from tests.registry.contents import execute, query
from tests.registry.people import DEVELOPER, robot
from tests.registry.test_tokens import grants

TOKENS = "/users/current/tokens"


def wanted(word: str, *permissions: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"name": word, "permissions": list(permissions), **members}


def within(namespace: str, *what: str) -> dict[str, Any]:
    """Permissions in one namespace, as robots have them: `repository:pull`."""
    access = [dict(zip(("resource", "action"), each.split(":"), strict=True)) for each in what]
    return {"kind": "system" if namespace == "/" else "project", "namespace": namespace, "access": access}


def made(server: Server, owner: Client, body: dict[str, Any]) -> tuple[Client, int]:
    """A client that sends a new token of the owner's as its password, and the token's id."""
    answer = expect(owner.api("POST", TOKENS, body), 201).json()
    return server.client(owner.username, answer["token"]), int(answer["id"])


@pytest.fixture
def developer(new_user: NewUser, admin: Client, project: str) -> Client:
    """A developer in the private project, which holds an image."""
    client = new_user()
    member = {"role_id": DEVELOPER, "member_user": {"username": client.username}}
    expect(admin.api("POST", f"/projects/{project}/members", member), 201)
    client.push_image(f"{project}/app", "v1", b"layer")
    return client


def pull(client: Client, project: str) -> int:
    return client.registry("GET", f"/v2/{project}/app/manifests/v1").status


def test_it_is_shown_once_and_stands_for_the_password(
    server: Server, developer: Client, project: str, word: str
) -> None:
    answer = expect(developer.api("POST", TOKENS, wanted(word, duration=30)), 201)
    token = answer.json()
    assert re.fullmatch(r"mooring_pat_[A-Za-z0-9]{40}", token["token"])
    assert answer.headers["Location"] == f"/api/v2.0{TOKENS}/{token['id']}"
    assert abs(token["expires_at"] - time.time() - 30 * 86_400) < 60
    one = expect(developer.api("GET", f"{TOKENS}/{token['id']}"), 200)
    shown = expect(developer.api("GET", TOKENS), 200)
    assert shown.json() == [one.json()]
    assert (shown.headers["X-Total-Count"], one.json()["read_only"], one.json()["permissions"]) == ("1", False, [])
    stored = query(server, "SELECT * FROM personal_token WHERE id = ?", token["id"])
    for text in (one.body.decode(), shown.body.decode(), repr(stored)):
        assert token["token"] not in text
    for name in (developer.username, developer.username.upper(), f"{developer.username}@example.org"):
        client = server.client(name, token["token"])
        assert expect(client.api("GET", "/users/current"), 200).json()["username"] == developer.username
        assert pull(client, project) == 200
        client.push_image(f"{project}/app", name.replace("@", "-"), b"more")
        expect(client.send("GET", "/v2/", headers=client.basic()), 200)


def test_when_it_was_last_used(server: Server, user: Client, word: str) -> None:
    client, number = made(server, user, wanted(word))
    assert "last_used" not in user.api("GET", f"{TOKENS}/{number}").json()
    expect(client.api("GET", "/users/current"), 200)
    wait_for(lambda: "last_used" in user.api("GET", f"{TOKENS}/{number}").json(), "the use to be written")
    first = user.api("GET", f"{TOKENS}/{number}").json()["last_used"]
    for _ in range(3):
        expect(client.api("GET", "/users/current"), 200)
    assert user.api("GET", f"{TOKENS}/{number}").json()["last_used"] == first


def test_it_is_its_owners_alone(server: Server, new_user: NewUser, word: str) -> None:
    owner, other = new_user(), new_user()
    client, number = made(server, owner, wanted(word))
    expect(server.client(other.username, client.password).api("GET", "/users/current"), 401)
    expect(server.client(word, client.password).api("GET", "/users/current"), 401)
    for method in ("GET", "DELETE"):
        assert expect(other.api(method, f"{TOKENS}/{number}"), 404).codes() == ["NOT_FOUND"]
    for method, path in (("GET", "tokens"), ("DELETE", f"tokens/{number}")):
        expect(other.api(method, f"/users/{user_id(owner)}/{path}"), 403)
    expect(client.api("GET", "/users/current"), 200)


def test_revoking_ends_it_and_the_bearer_tokens_made_from_it(
    server: Server, developer: Client, project: str, word: str
) -> None:
    client, number = made(server, developer, wanted(word))
    assert pull(client, project) == 200  # and keeps the bearer token
    expect(client.send("GET", "/v2/", headers=client.bearer("")), 200)
    expect(developer.api("DELETE", f"{TOKENS}/{number}"), 200)
    assert pull(client, project) == 401
    expect(client.send("GET", "/v2/", headers=client.bearer("")), 401)
    expect(client.api("GET", "/users/current"), 401)
    assert pull(developer, project) == 200
    expect(developer.api("DELETE", f"{TOKENS}/{number}"), 404)


def test_its_end_comes_by_itself(server: Server, developer: Client, project: str, word: str) -> None:
    client, number = made(server, developer, wanted(word, duration=1))
    assert pull(client, project) == 200
    moment = int((time.time() - 1) * 1e6)
    execute(server, "UPDATE personal_token SET expires_at = ? WHERE id = ?", moment, number)
    assert pull(client, project) == 401
    expect(client.api("GET", "/users/current"), 401)
    assert [token["id"] for token in developer.api("GET", TOKENS).json()] == [number]
    _, forever = made(server, developer, wanted(f"{word}2", duration=-1))
    assert developer.api("GET", f"{TOKENS}/{forever}").json()["expires_at"] == -1


def test_it_ends_with_its_owner(server: Server, developer: Client, project: str, admin: Client, word: str) -> None:
    client, number = made(server, developer, wanted(word))
    assert pull(client, project) == 200
    expect(admin.api("DELETE", f"/users/{user_id(developer)}"), 200)
    assert pull(client, project) == 401
    again = {"username": developer.username, "email": f"{word}@example.org", "realname": "R", "password": PASSWORD}
    expect(admin.api("POST", "/users", again), 201)
    expect(client.api("GET", "/users/current"), 401)
    assert not query(server, "SELECT 1 FROM personal_token WHERE id = ?", number)


def test_a_new_password_leaves_it(server: Server, user: Client, word: str) -> None:
    client, _ = made(server, user, wanted(word))
    change = {"old_password": PASSWORD, "new_password": "Fresh-word-12345"}
    expect(user.api("PUT", f"/users/{user_id(user)}/password", change), 200)
    expect(client.api("GET", "/users/current"), 200)


def test_a_wrong_one_locks_nobody_out(server: Server, user: Client, word: str) -> None:
    client, _ = made(server, user, wanted(word))
    wrong = server.client(user.username, client.password[:-6] + "xxxxxx")
    expect(wrong.api("GET", "/users/current"), 401)
    expect(user.api("GET", "/users/current"), 200)
    expect(server.client(user.username, "Wrong-1234567").api("GET", "/users/current"), 401)
    expect(client.api("GET", "/users/current"), 200)


def test_it_opens_no_browser(server: Server, user: Client, word: str) -> None:
    client, _ = made(server, user, wanted(word))
    expect(Browser(server).sign_in(user.username, client.password), 401)


class TestScope:
    def test_a_narrow_one_does_that_and_nothing_else(
        self, server: Server, developer: Client, project: str, word: str
    ) -> None:
        expect(developer.api("POST", "/projects", {"project_name": word}), 201)
        client, number = made(server, developer, wanted(word, within(project, "repository:pull", "artifact:list")))
        shown = developer.api("GET", f"{TOKENS}/{number}").json()["permissions"]
        assert shown == [within(project, "repository:pull", "artifact:list")]
        assert pull(client, project) == 200
        expect(client.api("GET", f"/projects/{project}/repositories/app/artifacts"), 200)
        expect(client.registry("POST", f"/v2/{project}/app/blobs/uploads/"), 401)
        upload = client.send("POST", f"/v2/{project}/app/blobs/uploads/", headers=client.basic())
        expect(upload, 401)
        for name, seen in ((project, 1), (word, 0)):
            assert len(expect(client.api("GET", f"/projects?name={name}"), 200).json()) == seen
        own = f"/users/{user_id(developer)}"
        profile = {"email": f"{word}@example.org", "realname": "R"}
        password = {"old_password": PASSWORD, "new_password": "Fresh-word-12345"}
        refused: Sequence[tuple[str, str, Any]] = (
            ("GET", f"/projects/{project}", None),
            ("GET", f"/projects/{word}", None),
            ("GET", f"/projects/{project}/members", None),
            ("DELETE", f"/projects/{word}", None),
            ("POST", "/projects", {"project_name": f"{word}2"}),
            ("PUT", own, profile),
            ("PUT", f"{own}/password", password),
            ("POST", TOKENS, wanted("more")),
            ("GET", TOKENS, None),
            ("DELETE", f"{TOKENS}/{number}", None),
        )
        for method, path, body in refused:
            expect(client.api(method, path, body), 403)
        expect(client.api("GET", own), 200)

    def test_it_never_leaves_more_than_its_owner_has(
        self, server: Server, developer: Client, project: str, word: str
    ) -> None:
        client, _ = made(server, developer, wanted(word, within(project, "repository:delete", "member:list")))
        expect(client.api("DELETE", f"/projects/{project}/repositories/app"), 403)
        expect(client.api("GET", f"/projects/{project}/members"), 200)
        client, _ = made(server, developer, wanted(f"{word}2", within("/", "user:list", "user:create")))
        expect(client.api("GET", "/users"), 403)

    def test_it_loses_what_its_owner_loses(
        self, server: Server, developer: Client, project: str, admin: Client, word: str
    ) -> None:
        client, _ = made(server, developer, wanted(word, within(project, "member:list")))
        expect(client.api("GET", f"/projects/{project}/members"), 200)
        members = admin.api("GET", f"/projects/{project}/members?entityname={developer.username}").json()
        expect(admin.api("DELETE", f"/projects/{project}/members/{members[0]['id']}"), 200)
        expect(client.api("GET", f"/projects/{project}/members"), 403)

    def test_an_administrators_is_narrow_too(self, server: Server, admin: Client, project: str, word: str) -> None:
        client, number = made(server, admin, wanted(word, within("*", "project:read", "repository:push")))
        expect(client.api("GET", f"/projects/{project}"), 200)
        for path in ("/users", "/configurations", "/robots", f"/projects/{project}/members", "/users/3"):
            expect(client.api("GET", path), 403)
        assert grants(admin.token("registry:catalog:*")) == {"catalog": ["*"]}
        assert grants(client.token("registry:catalog:*")) == {"catalog": []}
        expect(client.send("GET", "/v2/_catalog", headers=client.basic()), 401)
        expect(client.api("PUT", "/configurations", {"banner_message": word}), 403)
        assert admin.api("GET", "/statistics").json()["total_project_count"] > 0
        assert expect(client.api("GET", "/statistics"), 200).json()["total_project_count"] == 0
        expect(admin.api("DELETE", f"{TOKENS}/{number}"), 200)

    def test_one_that_only_reads(self, server: Server, developer: Client, project: str, word: str) -> None:
        client, number = made(server, developer, wanted(word, read_only=True))
        assert developer.api("GET", f"{TOKENS}/{number}").json()["read_only"] is True
        assert pull(client, project) == 200
        for path in (f"/projects/{project}", f"/projects/{project}/members", "/users/current", "/statistics"):
            expect(client.api("GET", path), 200)
        expect(client.registry("POST", f"/v2/{project}/app/blobs/uploads/"), 401)
        for method, path, body in (
            ("POST", "/projects", {"project_name": word}),
            ("DELETE", f"/projects/{project}/repositories/app", None),
            ("PUT", f"/users/{user_id(developer)}", {"email": f"{word}@example.org", "realname": "R"}),
        ):
            expect(client.api(method, path, body), 403)

    def test_public_content_stays_public(self, server: Server, developer: Client, project: str, word: str) -> None:
        public = server.create_project(public=True)
        server.client().push_image(f"{public}/app", "v1", b"layer")
        client, _ = made(server, developer, wanted(word, within(project, "repository:pull")))
        assert pull(client, public) == 200
        expect(client.api("GET", f"/projects/{public}"), 200)

    def test_a_robot_gets_no_more_than_the_token_that_makes_it(
        self, server: Server, user: Client, project: str, word: str
    ) -> None:
        expect(user.api("POST", "/projects", {"project_name": word}), 201)
        client, _ = made(server, user, wanted(word, within(word, "robot:create", "repository:pull")))
        body = {"name": "ci", "level": "project", "duration": -1}
        more = [within(word, "repository:pull", "repository:push")]
        assert expect(client.api("POST", "/robots", body | {"permissions": more}), 403).codes() == ["DENIED"]
        expect(client.api("POST", "/robots", body | {"permissions": [within(word, "repository:pull")]}), 201)

    def test_of_a_deleted_project_nothing_is_left_and_nothing_widens(
        self, server: Server, user: Client, word: str
    ) -> None:
        expect(user.api("POST", "/projects", {"project_name": word}), 201)
        client, number = made(server, user, wanted(word, within(word, "project:read")))
        expect(user.api("DELETE", f"/projects/{word}"), 200)
        expect(user.api("POST", "/projects", {"project_name": word}), 201)
        expect(client.api("GET", f"/projects/{word}"), 403)
        assert user.api("GET", f"{TOKENS}/{number}").json()["permissions"] == []


def test_what_cannot_be_made(server: Server, user: Client, project: str, word: str) -> None:
    expect(user.api("POST", TOKENS, wanted(word)), 201)
    for body, status in (
        (wanted(word), 409),
        (wanted(""), 400),
        (wanted("x" * 256), 400),
        (wanted("x", duration=0), 400),
        (wanted("x", duration=-2), 400),
        (wanted("x", duration=40_000), 400),
        (wanted("x", within(project, "repository:pull")), 404),
        (wanted("x", within("no-such", "repository:pull")), 404),
        (wanted("x", within("/", "repository:pull")), 400),
        (wanted("x", within(project, "repository:dance")), 400),
        (wanted("x", within(project)), 400),
        ({"name": 5}, 422),
    ):
        expect(user.api("POST", TOKENS, body), status)
    assert [token["name"] for token in user.api("GET", TOKENS).json()] == [word]


def test_robots_have_none_and_nobody_has_none(server: Server, anonymous: Client, project: str) -> None:
    machine, _ = robot(server, project, "pull")
    for method, path, body in (("GET", TOKENS, None), ("POST", TOKENS, wanted("x")), ("DELETE", f"{TOKENS}/1", None)):
        expect(machine.api(method, path, body), 412)
        expect(anonymous.api(method, path, body), 401)


def test_administrators_see_and_revoke_those_of_others(server: Server, user: Client, admin: Client, word: str) -> None:
    client, number = made(server, user, wanted(word))
    theirs = f"/users/{user_id(user)}/tokens"
    (shown,) = expect(admin.api("GET", theirs), 200).json()
    assert (shown["id"], shown["name"]) == (number, word)
    expect(admin.api("DELETE", f"/users/1/tokens/{number}"), 404)
    expect(admin.api("DELETE", f"{theirs}/{number}"), 200)
    expect(client.api("GET", "/users/current"), 401)
    records = expect(admin.api("GET", f"/auditlog-exts?q=resource={word}"), 200).json()
    assert [(each["operation_description"], each["username"]) for each in records] == [
        (f"delete personal token: {word} of {user.username}", "admin"),
        (f"create personal token: {word} of {user.username}", user.username),
    ]
    expect(admin.api("GET", "/users/99999999/tokens"), 404)


def test_a_page_of_them(server: Server, user: Client) -> None:
    for number in range(3):
        made(server, user, wanted(f"t{number}"))
    page = expect(user.api("GET", f"{TOKENS}?page_size=2&sort=-name"), 200)
    assert [token["name"] for token in page.json()] == ["t2", "t1"]
    assert (page.headers["X-Total-Count"], 'rel="next"' in page.headers["Link"]) == ("3", True)
