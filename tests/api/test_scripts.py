"""What scripts, the Terraform provider and Harbor's own replication do that no contract says."""

import json
import re
from typing import Any

import pytest

from tests.api.conftest import PASSWORD
from tests.parts.browser import Browser
from tests.parts.client import Client, expect
from tests.parts.server import Server

JSON = {"Content-Type": "application/json"}


def created(terraform: Client, path: str, body: dict[str, Any]) -> str:
    """The id as the provider keeps it: Location without /api and /v2.0."""
    where = expect(terraform.api("POST", path, body), 201).headers["Location"]
    assert where.startswith("/"), "the provider puts it after the server's address"
    return str(where.replace("/api", "").replace("/v2.0", ""))


def test_terraform_keeps_the_path_of_what_it_made(admin: Client, word: str) -> None:
    project = {"project_name": word, "metadata": {"public": "false"}, "storage_limit": -1, "registry_id": None}
    path = created(admin, "/projects", project)
    expect(admin.api("PUT", path, project), 200)
    label = {"name": word, "scope": "p", "project_id": int(path.rpartition("/")[2]), "color": "#FFFFFF"}
    group = {"group_name": word, "group_type": 3}
    user = {"username": word, "email": f"{word}@example.org", "realname": word, "password": PASSWORD}
    ids = [
        created(admin, f"/{kind}", body) for kind, body in (("labels", label), ("usergroups", group), ("users", user))
    ]
    member = {"role_id": 2, "member_user": {"username": word}}
    ids.append(created(admin, f"{path}/members", member))
    expect(admin.api("PUT", ids[-1], {**member, "role_id": 4}), 200)
    for each in [*reversed(ids), path]:
        expect(admin.api("GET", each, headers=JSON), 200)
        assert expect(admin.api("DELETE", each, headers=JSON), 200).body == b""
        expect(admin.api("GET", each, headers=JSON), 404)


@pytest.mark.parametrize("kind", ["quotas", "projects", "usergroups", "users", "robots", "labels", "audit-logs"])
def test_terraform_reads_pages_until_one_is_empty(admin: Client, kind: str) -> None:
    query = "page=100000&page_size=100" + ("&scope=g" if kind == "labels" else "")
    assert expect(admin.api("GET", f"/{kind}/?{query}", headers=JSON), 200).json() == []


def test_terraform_repeats_what_was_refused_with_the_csrf_token(server: Server, word: str) -> None:
    client = server.client()
    browser = Browser(server)
    expect(browser.sign_in(server.username, server.password), 200)
    sid = f"sid={browser.cookies['sid']}"
    body = json.dumps({"project_name": word}).encode()
    refused = expect(client.send("POST", "/api/v2.0/projects", body, {**JSON, "Cookie": sid}), 403)
    (token,) = refused.headers.get_all("X-Harbor-Csrf-Token", [])
    cookies = "\n".join(refused.headers.get_all("Set-Cookie", []))
    found = re.search(r"_gorilla_csrf=([^=;]*)(=?)", cookies)
    assert found is not None
    assert not found[2], "the provider cuts the value at its first ="
    connection = client.connection()
    connection.putrequest("POST", "/api/v2.0/projects")
    for name, value in (
        ("Cookie", sid),
        ("Cookie", f"_gorilla_csrf={found[1]}"),
        ("X-Harbor-Csrf-Token", token),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
    ):
        connection.putheader(name, value)
    connection.endheaders(body)
    assert connection.getresponse().status == 201
    connection.close()


def test_harbor_as_a_client_learns_what_is_there(admin: Client, anonymous: Client, word: str) -> None:
    assert expect(anonymous.send("GET", "/api/version"), 200).json() == {"version": "v2.0"}
    assert anonymous.api("GET", "/labels?scope=g").status in (200, 401)
    for name in (f"{word}-a", f"{word}-b"):
        expect(admin.api("POST", "/projects", {"project_name": name}), 201)
        expect(admin.api("POST", "/projects", {"project_name": name}), 409)
    query = f"q=name%3D%7B%27{word}-a%27%20%27{word}-b%27%7D&with_detail=false"
    listed = expect(admin.api("GET", f"/projects?{query}"), 200).json()
    assert {each["name"] for each in listed} == {f"{word}-a", f"{word}-b"}


def test_harbor_as_a_client_follows_links_to_the_end(admin: Client, project: str) -> None:
    for number in range(4):
        admin.push_image(f"{project}/app", f"v{number}", b"%d" % number)
    path: str | None = f"/api/v2.0/projects/{project}/repositories/app/artifacts?page_size=3&with_label=true"
    found: list[str] = []
    while path:
        page = expect(admin.send("GET", path, headers=admin.basic()), 200)
        found += [each["digest"] for each in page.json()]
        following = re.search(r'<([^>]+)>; rel="next"', page.headers.get("Link", ""))
        path = following[1] if following else None
    assert len(set(found)) == len(found) == 4
