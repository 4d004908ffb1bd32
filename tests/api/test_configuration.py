"""The configuration over HTTP: what it changes, at once and on every node, and what nobody gets to see."""

import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import PASSWORD, NewUser, user_id
from tests.api.test_robots import of_project, of_system, started
from tests.parts.client import Client, digest_of, expect
from tests.parts.deployments import Deployments
from tests.parts.postgres import Postgres
from tests.parts.process import free_port, wait_for
from tests.parts.server import Server

SECRETS = ("ldap_search_password", "oidc_client_secret", "uaa_client_secret")
READ_ONLY = {
    "errors": [
        {"code": "DENIED", "message": "The system is in read only mode. Any modification is prohibited."},
    ]
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def apart(
    request: pytest.FixtureRequest, deployments: Deployments, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of this file's own, since what its tests change holds for everybody."""
    server = deployments.start(request.param, tmp_path_factory.mktemp("configuration"))
    yield server
    server.stop()


@pytest.fixture
def own(apart: Server) -> Iterator[Server]:
    """The server as it starts; what a test has configured is taken back behind it."""
    before = configured(apart)
    yield apart
    # Somebody who has given a wrong password is locked out for a moment.
    wait_for(lambda: apart.client().api("GET", "/configurations").status == 200, "the administrator to be let in")
    after = configured(apart)
    configure(apart, **{name: item["value"] for name, item in before.items() if item != after.get(name, item)})


def configure(server: Server, **values: Any) -> None:
    expect(server.client().api("PUT", "/configurations", values), 200)


def configured(server: Server) -> dict[str, Any]:
    shown: dict[str, Any] = expect(server.client().api("GET", "/configurations"), 200).json()
    return shown


def test_a_change_acts_at_once_in_every_process(own: Server) -> None:
    for minutes in (31, 1861, 7):
        configure(own, token_expiration=minutes)
        assert {own.client().token().json()["expires_in"] for _ in range(20)} == {minutes * 60}


def test_a_change_acts_at_once_on_every_node(postgres: Postgres, tmp_path: Path) -> None:
    environment = {"MOORING_DATABASE__URL": postgres.url(postgres.create())}
    nodes = [Server(tmp_path / name, environment=environment) for name in ("a", "b")]
    try:
        for minutes, node in ((31, nodes[0]), (1861, nodes[1])):
            configure(node, token_expiration=minutes, banner_message=str(minutes))
            for other in nodes:
                assert other.client().token().json()["expires_in"] == minutes * 60
                assert other.client("", "").api("GET", "/systeminfo").json()["banner_message"] == str(minutes)
        configure(nodes[0], read_only=True)
        assert expect(nodes[1].client().api("POST", "/projects", {"project_name": "late"}), 403).json() == READ_ONLY
    finally:
        for node in nodes:
            node.stop()


def test_read_only_lets_everybody_read_and_nobody_write(own: Server) -> None:
    project, admin, anonymous = own.create_project(public=True), own.client(), own.client("", "")
    digest = admin.push_image(f"{project}/app", "v1", b"layer")
    upload = expect(admin.registry("POST", f"/v2/{project}/app/blobs/uploads/"), 202).headers["Location"]
    configure(own, read_only=True)

    manifest = f"/v2/{project}/app/manifests/v1"
    for method, path in (
        ("PUT", manifest),
        ("DELETE", manifest),
        ("POST", f"/v2/{project}/app/blobs/uploads/"),
        ("PATCH", upload),
        ("PUT", f"{upload}&digest={digest_of(b'')}"),
        ("DELETE", f"/v2/{project}/app/blobs/{digest}"),
    ):
        assert expect(admin.registry(method, path, b""), 403).json() == READ_ONLY, (method, path)
        assert expect(anonymous.send(method, path, b""), 403).json() == READ_ONLY, (method, path)
    for method, path, body in (
        ("POST", "/projects", {"project_name": "other"}),
        ("PUT", f"/projects/{project}", {"metadata": {"public": "false"}}),
        ("DELETE", f"/projects/{project}/repositories/app", None),
        ("PUT", "/system/CVEAllowlist", {"items": []}),
    ):
        assert expect(admin.api(method, path, body), 403).json() == READ_ONLY, (method, path)

    expect(admin.registry("GET", manifest), 200)
    expect(anonymous.registry("HEAD", manifest), 200)
    expect(admin.send("POST", "/service/token"), 405)
    expect(admin.api("GET", f"/projects/{project}"), 200)
    assert expect(admin.api("GET", "/systeminfo"), 200).json()["read_only"] is True
    configure(own, read_only=False)
    assert admin.push_image(f"{project}/app", "v1", b"layer") == digest


def test_the_prefix_renames_all_robots_at_once(own: Server) -> None:
    project = own.create_project()
    robot, path = started(own, own.client(), of_project(project))
    secret = robot.password
    configure(own, robot_name_prefix="bot-")
    renamed = own.client(f"bot-{project}+ci", secret)
    renamed.push_image(f"{project}/app", "v1", b"layer")
    assert expect(own.client().api("GET", path), 200).json()["name"] == renamed.username
    assert expect(renamed.api("GET", "/users"), 403).json()["errors"][0]["message"] == renamed.username
    expect(own.client(robot.username, secret).api("GET", "/statistics"), 401)
    expect(robot.token(), 401)


def test_a_prefix_that_names_begin_with_locks_nobody_out(own: Server) -> None:
    configure(own, robot_name_prefix="adm")
    expect(own.client().api("GET", "/users/current"), 200)
    robot, _ = started(own, own.client(), of_system("in", "label:read"))
    assert robot.username == "admin"
    expect(robot.api("GET", "/statistics"), 200)
    expect(own.client("admin", "Wrong-12345").api("GET", "/users/current"), 401)


def test_only_administrators_make_projects_where_that_is_said(own: Server) -> None:
    body = {"username": "ann", "email": "ann@example.org", "realname": "Ann", "password": PASSWORD}
    expect(own.client().api("POST", "/users", body), 201)
    ann = own.client("ann", PASSWORD)
    expect(ann.api("POST", "/projects", {"project_name": "before"}), 201)
    configure(own, project_creation_restriction="adminonly")
    robot, _ = started(own, own.client(), of_system("maker", "project:create"))
    other, _ = started(own, own.client(), of_system("reader", "project:list"))
    for client in (ann, other):
        refused = expect(client.api("POST", "/projects", {"project_name": "after"}), 403).json()["errors"][0]
        assert refused == {"code": "FORBIDDEN", "message": "Only system admin can create project"}
    expect(robot.api("POST", "/projects", {"project_name": "after"}), 201)
    expect(own.client().api("POST", "/projects", {"project_name": "more"}), 201)
    expect(own.client().api("DELETE", f"/users/{user_id(ann)}"), 200)


def test_secrets_are_in_no_answer_and_not_in_the_database_as_they_are(own: Server) -> None:
    assert configured(own)["uaa_client_secret"] == {"value": "", "editable": True}
    configure(own, **dict.fromkeys(SECRETS, "Open-sesame-9"), ldap_search_dn="cn=search")
    shown = configured(own)
    assert shown["ldap_search_dn"] == {"value": "cn=search", "editable": True}
    assert not shown.keys() & set(SECRETS)
    assert "Open-sesame-9" not in str(shown) + own.log()
    if (own.data / "mooring.db").exists():
        with sqlite3.connect(own.data / "mooring.db") as connection:
            kept = dict(connection.execute("SELECT name, value FROM configuration"))
        connection.close()
        assert kept.keys() >= set(SECRETS)
        assert "Open-sesame-9" not in str(kept)


def test_an_endpoint_for_the_audit_log_has_to_answer(own: Server) -> None:
    port = free_port()
    endpoint = f"127.0.0.1:{port}"
    with socket.create_server(("127.0.0.1", port)):
        configure(own, audit_log_forward_endpoint=endpoint)
    assert configured(own)["audit_log_forward_endpoint"]["value"] == endpoint
    for nobody in (endpoint, "nonsense", "host:port", "127.0.0.1:70000"):
        answer = own.client().api(
            "PUT", "/configurations", {"audit_log_forward_endpoint": nobody, "banner_message": "x"}
        )
        assert "does not accept connections" in expect(answer, 400).json()["errors"][0]["message"]
    configure(own, audit_log_forward_endpoint="")
    assert configured(own)["banner_message"]["value"] == ""


def test_another_way_to_sign_in_locks_nobody_out(own: Server) -> None:
    assert configured(own)["auth_mode"] == {"value": "db_auth", "editable": True}
    configure(own, auth_mode="oidc_auth", oidc_name="Key ring", primary_auth_mode=True)
    known = own.client("", "").api("GET", "/systeminfo").json()
    assert (known["auth_mode"], known["oidc_provider_name"], known["primary_auth_mode"]) == (
        "oidc_auth",
        "Key ring",
        True,
    )
    configure(own, auth_mode="http_auth", http_authproxy_endpoint="https://proxy")
    assert own.client("", "").api("GET", "/systeminfo").json()["authproxy_settings"] == {
        "endpoint": "https://proxy",
        "verify_cert": True,
    }
    configure(own, auth_mode="db_auth")


def test_what_the_machine_sets_cannot_be_changed(deployments: Deployments, tmp_path: Path) -> None:
    server = deployments.start("sqlite", tmp_path)
    configure(server, session_timeout=7, token_expiration=8)
    server.stop()
    server.settings["CONFIG_OVERWRITE_JSON"] = '{"token_expiration": 9, "pull_audit_log_disable": true}'
    server.start()
    shown = configured(server)
    assert not any(item["editable"] for name, item in shown.items() if name != "scan_all_policy")
    assert (shown["session_timeout"]["value"], shown["token_expiration"]["value"]) == (7, 9)
    assert expect(server.client().api("PUT", "/configurations", {"token_expiration": 5}), 403).codes() == ["FORBIDDEN"]
    assert server.client().token().json()["expires_in"] == 9 * 60
    server.stop()


def test_only_administrators_read_and_change_it(server: Server, admin: Client, new_user: NewUser, project: str) -> None:
    robot, _ = started(server, admin, of_system(f"r{project}", "robot:read", "quota:update"))
    for client, status in ((new_user(), 403), (robot, 403), (server.client("", ""), 401)):
        expect(client.api("GET", "/configurations"), status)
        expect(client.api("PUT", "/configurations", {"banner_message": "mine"}), status)
    for client in (admin, robot, server.client("", "")):
        expect(client.api("GET", "/internalconfig"), 401)
