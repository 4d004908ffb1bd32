"""Quotas over the API; what they do to pushes is in tests/registry/test_quotas.py."""

from typing import Any

import pytest

from tests.parts.client import Client, expect


def of_project(admin: Client, project: str) -> dict[str, Any]:
    number = expect(admin.api("GET", f"/projects/{project}"), 200).json()["project_id"]
    listed = expect(admin.api("GET", f"/quotas?reference=project&reference_id={number}"), 200)
    assert listed.headers["X-Total-Count"] == "1"
    (found,) = listed.json()
    return dict(found)


@pytest.fixture
def make(admin: Client, word: str) -> Any:
    """Makes a project of this limit, whose name ends in the number."""

    def project(number: int, limit: int | None) -> str:
        name = f"{word}-{number}"
        expect(admin.api("POST", "/projects", {"project_name": name, "storage_limit": limit}), 201)
        return name

    return project


def test_a_limit_from_the_start(admin: Client, make: Any) -> None:
    assert of_project(admin, make(1, 5000))["hard"] == {"storage": 5000}
    assert of_project(admin, make(2, -1))["hard"] == {"storage": -1}
    assert of_project(admin, make(3, None))["hard"] == {"storage": -1}
    assert of_project(admin, make(4, 0))["hard"] == {"storage": -1}


def test_only_administrators_choose_it(admin: Client, user: Client, word: str) -> None:
    expect(user.api("POST", "/projects", {"project_name": word, "storage_limit": 5000}), 201)
    assert of_project(admin, word)["hard"] == {"storage": -1}


def test_the_configured_limit(admin: Client, user: Client, word: str) -> None:
    expect(admin.api("PUT", "/configurations", {"storage_per_project": 4096}), 200)
    try:
        expect(user.api("POST", "/projects", {"project_name": word}), 201)
    finally:
        expect(admin.api("PUT", "/configurations", {"storage_per_project": -1}), 200)
    assert of_project(admin, word)["hard"] == {"storage": 4096}


def test_while_quotas_are_off_projects_get_none(admin: Client, make: Any) -> None:
    limited = make(1, 5000)
    expect(admin.api("PUT", "/configurations", {"quota_per_project_enable": False}), 200)
    try:
        free = make(2, 5000)
        assert "quota" not in expect(admin.api("GET", f"/projects/{limited}/summary"), 200).json()
    finally:
        expect(admin.api("PUT", "/configurations", {"quota_per_project_enable": True}), 200)
    number = expect(admin.api("GET", f"/projects/{free}"), 200).json()["project_id"]
    assert expect(admin.api("GET", f"/quotas?reference_id={number}"), 200).json() == []
    assert "quota" not in expect(admin.api("GET", f"/projects/{free}/summary"), 200).json()
    assert expect(admin.api("GET", f"/projects/{limited}/summary"), 200).json()["quota"]["hard"] == {"storage": 5000}


def test_sorted_by_limit_and_by_use(admin: Client, make: Any) -> None:
    """No limit is more than any."""
    by_limit = [make(1, 10**9), make(2, -1), make(3, 10**10)]
    for number, name in enumerate(by_limit):
        admin.push_image(f"{name}/app", "v1", b"x" * 100 * (number + 1))

    def listed(sort: str) -> list[str]:
        every = expect(admin.api("GET", f"/quotas?page_size=0&sort={sort}"), 200).json()
        names = [each["ref"].get("name") for each in every]
        return [name for name in names if name in by_limit]

    one, two, three = by_limit
    assert listed("hard.storage") == [one, three, two]
    assert listed("-hard.storage") == [two, three, one]
    assert listed("used.storage") == [one, two, three]
    assert listed("-used.storage") == [three, two, one]
    assert listed("creation_time") == [one, two, three]
    assert listed("") == listed("-creation_time") == [three, two, one]


def test_the_quota_goes_with_its_project(admin: Client, make: Any) -> None:
    name = make(1, 5000)
    number = of_project(admin, name)["id"]
    expect(admin.api("DELETE", f"/projects/{name}"), 200)
    expect(admin.api("GET", f"/quotas/{number}"), 404)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"hard": {"storage": 0}}, 400, "invalid non-positive value for quota limit, value=0"),
        ({"hard": {"count": 1, "storage": 1}}, 400, "resource count not support"),
        ({"hard": {"storage": None}}, 400, "invalid non-positive value for quota limit, value=0"),
        ({"hard": {}}, 400, "hard required in body"),
        ({"hard": {"storage": 2**60}}, 400, f"exceeded 1024TB, which is {2**50} Bytes, value={2**60}"),
    ],
)
def test_what_is_no_limit(admin: Client, make: Any, body: object, status: int, message: str) -> None:
    number = of_project(admin, make(1, 5000))["id"]
    refused = expect(admin.api("PUT", f"/quotas/{number}", body), status)
    assert refused.json()["errors"][0]["message"] == message
    assert expect(admin.api("GET", f"/quotas/{number}"), 200).json()["hard"] == {"storage": 5000}


def test_the_summary_shows_the_quota_to_members(admin: Client, user: Client, make: Any) -> None:
    name = make(1, 5000)
    member = {"role_id": 5, "member_user": {"username": user.username}}
    expect(admin.api("POST", f"/projects/{name}/members", member), 201)
    summary = expect(user.api("GET", f"/projects/{name}/summary"), 200).json()
    assert summary["quota"] == {"hard": {"storage": 5000}, "used": {"storage": 0}}
    expect(user.api("GET", "/quotas"), 403)
