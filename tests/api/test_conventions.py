"""What holds for every operation of the control API (headers, errors, paging, binding)."""

import json
import uuid

import pytest

from tests.api.conftest import NewUser
from tests.parts.client import Client, expect
from tests.parts.server import Server


def test_an_unknown_path(admin: Client) -> None:
    answer = expect(admin.api("GET", "/nonsense"), 404)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.body == b'{"errors":[{"code":"NOT_FOUND","message":"path /api/v2.0/nonsense was not found"}]}\n'


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "OPTIONS", "FROB"])
def test_a_wrong_method(admin: Client, method: str) -> None:
    answer = expect(admin.api(method, "/projects"), 405)
    assert answer.codes() == ["METHOD_NOT_ALLOWED"]
    assert "Allow" not in answer.headers


def test_head_where_there_is_only_get(admin: Client) -> None:
    answer = expect(admin.api("HEAD", "/users"), 405)
    assert answer.body == b""


def test_every_answer_has_a_request_id(admin: Client) -> None:
    assert uuid.UUID(admin.api("GET", "/nonsense").headers["X-Request-Id"]).version == 4
    sent = admin.api("GET", "/ping", headers={"X-Request-Id": "mine"})
    assert sent.headers["X-Request-Id"] == "mine"


@pytest.mark.parametrize("path", ["/projects/", "//projects", "/users/../projects", "/./projects"])
def test_paths_are_cleaned_without_redirect(admin: Client, path: str) -> None:
    expect(admin.api("GET", path), 200)


def test_an_answer_without_body_has_no_type(admin: Client, word: str) -> None:
    answer = expect(admin.api("POST", "/projects", {"project_name": word}), 201)
    assert answer.body == b""
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("page=x", 'page in query must be of type int64: "x"'),
        ("page=99999999999999999999", 'page in query must be of type int64: "99999999999999999999"'),
        ("page_size=101", "page_size in query should be less than or equal to 100"),
        ("page_size=1.5", 'page_size in query must be of type int64: "1.5"'),
    ],
)
def test_parameters_that_do_not_fit(admin: Client, query: str, fault: str) -> None:
    answer = expect(admin.api("GET", f"/projects?{query}"), 422)
    assert answer.json()["errors"][0]["message"] == f"validation failure list:\n{fault}"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_an_id_that_no_database_holds(admin: Client, project: str, method: str) -> None:
    body = {"role_id": 1} if method == "PUT" else None
    expect(admin.api(method, f"/projects/{project}/members/{2**63}", body), 422)
    expect(admin.api(method, f"/users/{2**63}", body), 422)


@pytest.mark.parametrize("query", ["name=a;b=1", "name=%zz", "name=%00", "q=name", "q=name%3D~"])
def test_queries_that_cannot_be_read(admin: Client, query: str) -> None:
    assert expect(admin.api("GET", f"/projects?{query}"), 400).codes() == ["BAD_REQUEST"]


@pytest.mark.parametrize(
    ("content_type", "body", "fault"),
    [
        ("application/json", b"", "project in body is required"),
        ("text/plain", b"{}", 'unsupported media type "text/plain", only [application/json] are allowed'),
        (None, b"{}", 'unsupported media type "application/octet-stream", only [application/json] are allowed'),
        ("application/json", b"{", 'parsing project body from "" failed, because unexpected EOF'),
    ],
)
def test_bodies_that_do_not_fit_come_before_rights(
    anonymous: Client, content_type: str | None, body: bytes, fault: str
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = expect(anonymous.send("POST", "/api/v2.0/projects", body, headers), 422)
    assert answer.json()["errors"][0]["message"] == f"validation failure list:\n{fault}"


def test_a_body_of_five_megabytes_is_refused_before_it_is_sent(admin: Client) -> None:
    connection = admin.connection()
    headers = admin.basic() | {"Content-Type": "application/json", "Content-Length": str(5 << 20)}
    connection.request("POST", "/api/v2.0/projects", headers=headers)
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["errors"][0]["code"] == "REQUEST_ENTITY_TOO_LARGE"
    connection.close()


def test_a_body_nested_without_end_is_refused(admin: Client) -> None:
    headers = admin.basic() | {"Content-Type": "application/json"}
    expect(admin.send("POST", "/api/v2.0/projects", b'{"metadata":' * 100_000, headers), 422)


def test_what_is_not_accepted(admin: Client) -> None:
    expect(admin.api("GET", "/projects", headers={"Accept": "application/xml"}), 422)
    expect(admin.api("GET", "/projects", headers={"Accept": "text/html,application/json;q=0.5"}), 200)


def test_pages_link_to_their_neighbours(admin: Client, word: str) -> None:
    for letter in "abc":
        expect(admin.api("POST", "/projects", {"project_name": word + letter}), 201)
    query = f"name={word}&page_size=1&sort=-name"
    answer = expect(admin.api("GET", f"/projects?{query}&page=2"), 200)
    assert [project["name"] for project in answer.json()] == [word + "b"]
    assert answer.headers["X-Total-Count"] == "3"
    base = f"/api/v2.0/projects?name={word}"
    assert answer.headers["Link"] == (
        f'<{base}&page=1&page_size=1&sort=-name>; rel="prev" , <{base}&page=3&page_size=1&sort=-name>; rel="next"'
    )
    beyond = expect(admin.api("GET", f"/projects?{query}&page=9"), 200)
    assert (beyond.json(), beyond.headers["X-Total-Count"], "Link" in beyond.headers) == ([], "3", False)
    everything = expect(admin.api("GET", f"/projects?name={word}&page_size=0"), 200)
    assert len(everything.json()) == 3
    assert "Link" not in everything.headers


def test_wrong_credentials_are_nobodys(server: Server, new_user: NewUser) -> None:
    stranger = server.client(new_user().username, "Wrong-12345")
    expect(stranger.api("GET", "/projects"), 200)
    refused = expect(stranger.api("GET", "/users/current"), 401)
    assert refused.json() == {"errors": [{"code": "UNAUTHORIZED", "message": "unauthorized"}]}
    assert "WWW-Authenticate" not in refused.headers


def test_the_installation(server: Server, admin: Client, anonymous: Client) -> None:
    assert set(expect(anonymous.api("GET", "/systeminfo"), 200).json()) == {
        "auth_mode",
        "banner_message",
        "oidc_provider_name",
        "primary_auth_mode",
        "self_registration",
    }
    known = expect(admin.api("GET", "/systeminfo"), 200).json()
    assert (known["external_url"], known["registry_url"]) == (server.url, server.host)
    assert expect(anonymous.api("GET", "/ping"), 200).body == b"Pong"
    assert expect(anonymous.send("GET", "/api/version"), 200).json() == {"version": "v2.0"}


@pytest.mark.parametrize(
    "query",
    [
        "q=project_id=9999999999999999999",
        "q=project_id=[1~9999999999999999999]",
        "q=project_id={9223372036854775808%20-9223372036854775809}",
        "sort=" + ",".join(["name", "-creation_time"] * 1500),
    ],
)
def test_what_no_database_could_be_asked(admin: Client, query: str) -> None:
    found = expect(admin.api("GET", f"/projects?{query}"), 200).json()
    assert bool(found) == query.startswith("sort")


def test_many_conditions_at_once(admin: Client, project: str) -> None:
    def asked(count: int) -> str:
        return f"/projects/{project}/artifacts?q=labels=({'%20'.join(map(str, range(count)))})"

    expect(admin.api("GET", asked(100)), 200)
    expect(admin.api("GET", asked(101)), 400)
