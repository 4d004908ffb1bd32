"""Groups, and groups that are members."""

import pytest

from tests.api.conftest import NewUser, location, user_id
from tests.parts.client import Client, expect


def test_a_group_comes_is_renamed_and_goes(admin: Client, user: Client, word: str) -> None:
    path = location(admin, "POST", "/usergroups", {"group_name": word, "group_type": 3, "ldap_group_dn": " CN=A "})
    number = int(path.rpartition("/")[2])
    group = {"id": number, "group_name": word, "group_type": 3, "ldap_group_dn": "cn=a"}
    assert expect(admin.api("GET", path), 200).json() == group
    assert expect(admin.api("GET", f"/usergroups?group_name={word[1:].upper()}"), 200).json() == [group]
    found = expect(user.api("GET", f"/usergroups/search?groupname={word}"), 200).json()
    assert found == [{"id": number, "group_name": word, "group_type": 3}]
    expect(admin.api("PUT", path, {"group_name": f"{word}2", "group_type": 1}), 200)
    assert expect(admin.api("GET", path), 200).json() == group | {"group_name": f"{word}2"}
    for _ in range(2):
        expect(admin.api("DELETE", path), 200)
    expect(admin.api("GET", path), 404)
    expect(admin.api("PUT", path, {"group_name": word}), 404)


def test_a_name_is_one_groups(admin: Client, word: str) -> None:
    location(admin, "POST", "/usergroups", {"group_name": word, "group_type": 2})
    other = location(admin, "POST", "/usergroups", {"group_name": f"{word}2", "group_type": 2})
    expect(admin.api("POST", "/usergroups", {"group_name": word, "group_type": 2}), 409)
    expect(admin.api("POST", "/usergroups", {"group_name": word, "group_type": 3}), 409)
    expect(admin.api("PUT", other, {"group_name": word}), 409)


@pytest.mark.parametrize(
    "group",
    [None, {}, {"group_name": ""}, {"group_name": "x", "group_type": 1}, {"group_name": "x", "group_type": 2**40}],
)
def test_what_no_group_can_be(admin: Client, group: dict[str, object] | None) -> None:
    assert expect(admin.api("POST", "/usergroups", group), 400).json()["errors"][0]["message"]


def test_a_group_is_a_member_until_it_goes(admin: Client, project: str, word: str) -> None:
    members = f"/projects/{project}/members"
    group = location(admin, "POST", "/usergroups", {"group_name": word, "group_type": 2, "ldap_group_dn": word})
    number = int(group.rpartition("/")[2])
    path = location(admin, "POST", members, {"role_id": 2, "member_group": {"id": number}})
    shown = expect(admin.api("GET", path), 200).json()
    assert (shown["entity_name"], shown["entity_type"], shown["entity_id"]) == (word, "g", number)
    assert [each["entity_name"] for each in expect(admin.api("GET", members), 200).json()] == ["admin", word]
    for again in ({"group_name": word, "group_type": 2}, {"ldap_group_dn": word.upper()}):
        expect(admin.api("POST", members, {"role_id": 3, "member_group": again}), 409)
    expect(admin.api("POST", members, {"role_id": 3, "member_group": {"group_name": word}}), 404)
    expect(admin.api("PUT", path, {"role_id": 4}), 200)
    assert expect(admin.api("GET", f"/projects/{project}/summary"), 200).json()["maintainer_count"] == 1
    expect(admin.api("DELETE", group), 200)
    expect(admin.api("GET", path), 404)
    assert [each["entity_name"] for each in expect(admin.api("GET", members), 200).json()] == ["admin"]


def test_who_is_deleted_is_no_member(admin: Client, new_user: NewUser, project: str) -> None:
    members = f"/projects/{project}/members"
    user = new_user()
    number = user_id(user)
    path = location(admin, "POST", members, {"role_id": 2, "member_user": {"user_id": number}})
    expect(admin.api("DELETE", f"/users/{number}"), 200)
    expect(admin.api("GET", path), 404)
    assert len(expect(admin.api("GET", members), 200).json()) == 1


@pytest.mark.parametrize("number", [0, -1])
def test_no_group_has_such_a_number(admin: Client, number: int) -> None:
    expect(admin.api("PUT", f"/usergroups/{number}", {"group_name": "g"}), 400)
    expect(admin.api("GET", f"/usergroups/{number}"), 404)
