"""Projects, and who is in them."""

import pytest

from tests.api.conftest import NewUser, location, user_id
from tests.parts.client import Client, expect


def test_a_new_project(admin: Client, word: str) -> None:
    path = location(admin, "POST", "/projects", {"project_name": word, "public": True, "storage_limit": -1})
    by_id = expect(admin.api("GET", path), 200).json()
    by_name = expect(admin.api("GET", f"/projects/{word}"), 200).json()
    assert by_id == by_name
    assert path == f"/projects/{by_id['project_id']}"
    never = "0001-01-01T00:00:00.000Z"
    number = by_id["project_id"]
    assert {name: by_id[name] for name in by_id if name not in ("creation_time", "update_time")} == {
        "project_id": number,
        "name": word,
        "owner_id": 1,
        "owner_name": "admin",
        "current_user_role_id": 1,
        "current_user_role_ids": [1],
        "repo_count": 0,
        "metadata": {"public": "true"},
        "cve_allowlist": {
            "id": number,
            "project_id": number,
            "items": [],
            "creation_time": never,
            "update_time": never,
        },
    }


def test_the_location_can_hold_the_name(admin: Client, word: str) -> None:
    made = admin.api("POST", "/projects", {"project_name": word}, {"X-Resource-Name-In-Location": "true"})
    assert expect(made, 201).headers["Location"] == f"/api/v2.0/projects/{word}"


def test_a_name_of_digits_is_reached_by_name(admin: Client, word: str) -> None:
    digits = str(int(word[1:], 16) + 10**12)
    expect(admin.api("POST", "/projects", {"project_name": digits}), 201)
    expect(admin.api("GET", f"/projects/{digits}"), 404)
    found = expect(admin.api("GET", f"/projects/{digits}", headers={"X-Is-Resource-Name": "true"}), 200)
    assert found.json()["name"] == digits


@pytest.mark.parametrize(
    ("project", "message"),
    [
        ({"project_name": "Upper"}, "project name is not in lower case or contains illegal characters"),
        ({"project_name": "a__b"}, "project name is not in lower case or contains illegal characters"),
        ({"project_name": "a/b"}, "project name is not in lower case or contains illegal characters"),
        ({}, "Project name  is illegal in length. (greater than 255 or less than 1)"),
        (
            {"project_name": "ok", "metadata": {"public": "yes"}},
            "metadata.public should only be 'true' or 'false', but got: 'yes'",
        ),
        (
            {"project_name": "ok", "storage_limit": -2},
            "bad request: invalid non-positive value for quota limit, value=-2",
        ),
        (
            {"project_name": "ok", "registry_id": 0},
            "bad request: 0 is invalid value of registry_id, it should be geater than 0",
        ),
    ],
)
def test_what_no_project_can_be(admin: Client, project: dict[str, object], message: str) -> None:
    assert expect(admin.api("POST", "/projects", project), 400).json()["errors"][0]["message"] == message


def test_a_taken_name(admin: Client, project: str) -> None:
    refused = expect(admin.api("POST", "/projects", {"project_name": project}), 409)
    assert refused.json()["errors"][0]["message"] == f"The project named {project} already exists"


def test_whether_a_project_is_there(admin: Client, anonymous: Client, user: Client, project: str) -> None:
    expect(user.api("HEAD", f"/projects?project_name={project}"), 200)
    expect(user.api("HEAD", f"/projects?project_name={project}x"), 404)
    expect(user.api("HEAD", "/projects"), 422)
    expect(anonymous.api("HEAD", f"/projects?project_name={project}"), 401)


def test_a_private_project_is_nobodys_business(
    admin: Client, anonymous: Client, user: Client, project: str, word: str
) -> None:
    number = expect(admin.api("GET", f"/projects/{project}"), 200).json()["project_id"]
    for key in (project, number, f"{project}-none", 99999999):
        expect(anonymous.api("GET", f"/projects/{key}"), 401)
        assert expect(user.api("GET", f"/projects/{key}"), 403).json()["errors"][0]["message"] == "forbidden"
    expect(admin.api("GET", f"/projects/{project}-none"), 404)
    expect(admin.api("GET", "/projects/99999999"), 404)
    for client in (anonymous, user):
        assert expect(client.api("GET", f"/projects?name={project}"), 200).json() == []
    expect(admin.api("PUT", f"/projects/{project}", {"metadata": {"public": "true"}}), 200)
    for client in (anonymous, user):
        expect(client.api("GET", f"/projects/{project}"), 200)
        assert len(expect(client.api("GET", f"/projects?name={project}"), 200).json()) == 1


def test_lists_are_filtered(admin: Client, user: Client, word: str) -> None:
    for letter, client, is_public in (("a", admin, True), ("b", admin, False), ("c", user, False)):
        expect(client.api("POST", "/projects", {"project_name": word + letter, "public": is_public}), 201)

    def names(client: Client, query: str) -> list[str]:
        found = expect(client.api("GET", f"/projects?{query}"), 200).json()
        return [project["name"].removeprefix(word) for project in found]

    assert names(admin, f"name={word.upper()}&sort=-name") == ["c", "b", "a"]
    assert names(admin, f"name={word}&public=true") == ["a"]
    assert names(admin, f"name={word}&public=perhaps") == ["b", "c"]
    assert names(admin, f"q=name%3D~{word},public%3Dfalse") == ["b", "c"]
    assert names(admin, f"q=name%3D%7B{word}a%20{word}c%7D") == ["a", "c"]
    assert names(admin, f"owner={user.username}") == ["c"]
    assert names(user, f"name={word}") == ["a", "c"]
    assert names(user, f"name={word}&public=false") == ["c"]


def test_metadata_is_merged(admin: Client, project: str) -> None:
    path = f"/projects/{project}"
    expect(admin.api("PUT", path, {"metadata": {"auto_scan": "true", "severity": "high"}, "public": True}), 200)
    expect(admin.api("PUT", path, {"metadata": {"severity": "low"}, "project_name": "ignored"}), 200)
    shown = expect(admin.api("GET", path), 200).json()
    assert shown["metadata"] == {"public": "false", "auto_scan": "true", "severity": "low"}


def test_only_an_empty_project_can_be_deleted(admin: Client, project: str) -> None:
    path = f"/projects/{project}"
    admin.push_image(f"{project}/app", "v1", b"layer")
    assert expect(admin.api("GET", f"{path}/_deletable"), 200).json() == {
        "message": "the project contains repositories, can not be deleted"
    }
    assert expect(admin.api("DELETE", path), 412).codes() == ["PRECONDITION"]
    summary = expect(admin.api("GET", f"{path}/summary"), 200).json()
    assert (summary["repo_count"], summary["project_admin_count"]) == (1, 1)
    assert summary["quota"]["used"]["storage"] > len(b"layer")
    expect(admin.api("DELETE", f"{path}/repositories/app"), 200)
    assert expect(admin.api("GET", f"{path}/_deletable"), 200).json() == {"deletable": True}
    expect(admin.api("DELETE", path), 200)
    expect(admin.api("GET", path), 404)
    expect(admin.api("POST", "/projects", {"project_name": project}), 201)
    assert expect(admin.api("GET", path), 200).json()["repo_count"] == 0


def test_members_come_change_and_go(admin: Client, new_user: NewUser, project: str) -> None:
    members = f"/projects/{project}/members"
    one, other = sorted((new_user(), new_user()), key=lambda client: client.username)
    first = location(admin, "POST", members, {"role_id": 2, "member_user": {"username": one.username}})
    second = location(admin, "POST", members, {"role_id": 3, "member_user": {"user_id": user_id(other)}})
    shown = expect(admin.api("GET", first), 200).json()
    assert {name: shown[name] for name in ("entity_name", "entity_type", "role_id", "role_name")} == {
        "entity_name": one.username,
        "entity_type": "u",
        "role_id": 2,
        "role_name": "developer",
    }
    listed = expect(admin.api("GET", members), 200)
    assert [member["entity_name"] for member in listed.json()] == ["admin", one.username, other.username]
    assert listed.headers["X-Total-Count"] == "3"
    found = expect(admin.api("GET", f"{members}?entityname={one.username}"), 200)
    assert [member["entity_id"] for member in found.json()] == [user_id(one)]
    assert expect(one.api("GET", f"/projects/{project}"), 200).json()["current_user_role_ids"] == [2]
    expect(admin.api("PUT", second, {"role_id": 4}), 200)
    assert expect(other.api("GET", second), 200).json()["role_name"] == "maintainer"
    expect(admin.api("DELETE", first), 200)
    expect(one.api("GET", f"/projects/{project}"), 403)
    expect(admin.api("GET", first), 404)


@pytest.mark.parametrize(
    ("member", "status"),
    [
        ({"role_id": 2}, 400),
        ({"role_id": 9, "member_user": {"username": "{0}"}}, 400),
        ({"role_id": 2, "member_user": {"username": "nobody-at-all"}}, 404),
        ({"role_id": 2, "member_user": {"user_id": 99999999}}, 400),
        ({"role_id": 2, "member_user": {"username": "admin"}}, 409),
        ({"role_id": 2, "member_group": {"id": 99999999}}, 400),
        ({"role_id": "2"}, 422),
    ],
)
def test_who_cannot_be_a_member(
    admin: Client, user: Client, project: str, member: dict[str, object], status: int
) -> None:
    if member.get("member_user") == {"username": "{0}"}:
        member = member | {"member_user": {"username": user.username}}
    expect(admin.api("POST", f"/projects/{project}/members", member), status)


def test_members_of_another_project_are_not_found(admin: Client, user: Client, project: str, word: str) -> None:
    expect(admin.api("POST", "/projects", {"project_name": word}), 201)
    made = location(
        admin, "POST", f"/projects/{word}/members", {"role_id": 2, "member_user": {"username": user.username}}
    )
    elsewhere = made.replace(word, project)
    expect(admin.api("GET", elsewhere), 404)
    expect(admin.api("PUT", elsewhere, {"role_id": 1}), 404)
    expect(admin.api("DELETE", elsewhere), 200)
    assert expect(admin.api("GET", made), 200).json()["role_id"] == 2


def test_only_a_project_administrator_takes_members_in(admin: Client, new_user: NewUser, project: str) -> None:
    members = f"/projects/{project}/members"
    inside, outside = new_user(), new_user()
    mine = location(admin, "POST", members, {"role_id": 4, "member_user": {"username": inside.username}})
    wish = {"role_id": 1, "member_user": {"username": outside.username}}
    expect(inside.api("POST", members, wish), 403)
    expect(inside.api("PUT", mine, {"role_id": 1}), 403)
    expect(outside.api("GET", members), 403)
    expect(admin.api("PUT", mine, {"role_id": 1}), 200)
    expect(inside.api("POST", members, wish), 201)


def test_filters_of_projects(admin: Client, new_user: NewUser, word: str) -> None:
    owner = new_user()
    expect(owner.api("POST", "/projects", {"project_name": f"{word}-own"}), 201)
    expect(admin.api("POST", "/projects", {"project_name": f"{word}-pub", "public": True}), 201)

    def found(query: str) -> list[str]:
        listed = expect(admin.api("GET", f"/projects?page_size=0&name={word}&{query}"), 200).json()
        return [each["name"].removeprefix(word) for each in listed]

    assert found("") == ["-own", "-pub"]
    assert found(f"q=owner%3D{owner.username}") == ["-own"]
    assert found(f"q=owner%3Dnobody&owner={owner.username}") == ["-own"]
    assert found("q=public%3Dmaybe") == ["-own"]
    assert found("q=public%3Dfalse&public=true") == ["-pub"]
    assert found(f"q=name%3D{word}-own") == ["-own", "-pub"]
    assert found("sort=-public") == ["-own", "-pub"]
    for since in ("2020-01-01", "2020-01-01%2000:00:00", "2020-01-01T00:00:00"):
        assert found(f"q=creation_time%3D[{since}~2100-01-01]") == ["-own", "-pub"]
        assert found(f"q=creation_time%3D[~{since}]") == []


def test_a_project_whose_owner_is_gone_names_none(admin: Client, new_user: NewUser, word: str) -> None:
    owner = new_user()
    path = location(owner, "POST", "/projects", {"project_name": word})
    expect(admin.api("DELETE", f"/users/{user_id(owner)}"), 200)
    assert "owner_name" not in expect(admin.api("GET", path), 200).json()
    (quota,) = expect(admin.api("GET", f"/quotas?reference_id={path.rpartition('/')[2]}"), 200).json()
    assert quota["ref"]["owner_name"] == ""
