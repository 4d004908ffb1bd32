"""How parameters and bodies are read, as go-openapi reads them: what Harbor's clients have been written to."""

import pytest

from tests.api.conftest import user_id
from tests.parts.client import Client, expect


def message(client: Client, status: int, method: str, path: str, body: object = None, **headers: str) -> str:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    text: str = expect(client.api(method, path, body, sent), status).json()["errors"][0]["message"]
    return text


@pytest.mark.parametrize("number", ["+{}", "0{}", "{}"])
def test_numbers_are_read_as_go_reads_them(admin: Client, user: Client, project: str, number: str) -> None:
    assert expect(admin.api("GET", f"/users/{number.format(user_id(user))}"), 200).json()["username"] == user.username
    project_id = expect(admin.api("GET", f"/projects/{project}"), 200).json()["project_id"]
    assert expect(admin.api("GET", f"/projects/{number.format(project_id)}"), 200).json()["name"] == project
    page = number.format(1).replace("+", "%2B")
    assert len(expect(admin.api("GET", f"/projects?page={page}&page_size={page}"), 200).json()) == 1


def test_all_faults_are_told_by_the_names_of_what_is_wrong(admin: Client, anonymous: Client) -> None:
    assert message(admin, 422, "GET", "/labels?project_id=b&page=a").split("\n")[1:] == [
        'page in query must be of type int64: "a"',
        'project_id in query must be of type int64: "b"',
    ]
    assert message(admin, 422, "PUT", "/users/abc/sysadmin", []).split("\n")[1:] == [
        'parsing sysadminFlag body from "" failed, because json: cannot unmarshal array into Go value of type '
        "models.UserSysAdminFlag",
        'user_id in path must be of type int64: "abc"',
    ]
    addition = "/projects/library/repositories/app/artifacts/v1/additions/nonsense"
    assert message(anonymous, 422, "GET", addition).split("\n")[1:] == [
        "addition in path should be one of [build_history values.yaml readme.md dependencies sbom license files]"
    ]


def test_media_types_come_first_and_alone(admin: Client) -> None:
    only = "validation failure list:\nunsupported media type requested, only [application/json] are available"
    assert message(admin, 422, "GET", "/projects?page=x", Accept="application/xml") == only
    wrong = 'validation failure list:\nunsupported media type "text/plain", only [application/json] are allowed'
    for method, path in (("GET", "/projects?page=x"), ("DELETE", "/labels/x"), ("PUT", "/users/x")):
        assert message(admin, 422, method, path, {}, Content_Type="text/plain") == wrong


def test_who_sends_json_is_answered_in_json(admin: Client) -> None:
    assert "illegal characters" in message(admin, 400, "POST", "/projects", {"project_name": "A!"}, Accept="text/html")


def test_a_body_of_blanks_is_none(admin: Client) -> None:
    headers = admin.basic() | {"Content-Type": "application/json"}
    answer = expect(admin.send("POST", "/api/v2.0/projects", b" \n", headers), 422)
    assert answer.json()["errors"][0]["message"] == "validation failure list:\nproject in body is required"


@pytest.mark.parametrize("yes", ["true", "1", "yes"])
def test_a_header_that_says_yes(admin: Client, project: str, yes: str) -> None:
    project_id = expect(admin.api("GET", f"/projects/{project}"), 200).json()["project_id"]
    expect(admin.api("GET", f"/projects/{project_id}", headers={"X-Is-Resource-Name": yes}), 404)


def test_a_name_with_a_blank_is_no_name(admin: Client, user: Client) -> None:
    assert message(admin, 400, "GET", "/projects/a%20b") == "invalid project name: 'a b'"
    assert message(user, 403, "GET", "/projects/a%20b") == "forbidden"
    expect(admin.api("HEAD", "/projects?project_name=a%20b"), 400)


def test_lists_without_filters_look_at_none(admin: Client, project: str) -> None:
    for path in (f"/projects/{project}/members", "/usergroups", "/users/search?username=x", "/quotas"):
        joint = "&" if "?" in path else "?"
        expect(admin.api("GET", f"{path}{joint}q=nonsense"), 200)
    expect(admin.api("GET", "/projects?q=nonsense"), 400)


def test_one_artifact_has_no_pages_and_still_checks_them(admin: Client) -> None:
    path = "/projects/library/repositories/app/artifacts/v1?page=x&page_size=101"
    assert message(admin, 422, "GET", path).split("\n")[1:] == [
        'page in query must be of type int64: "x"',
        "page_size in query should be less than or equal to 100",
    ]
