"""Labels: everybody's, and those of a project."""

from typing import Any

import pytest

from tests.api.conftest import location
from tests.parts.client import Client, expect


def number_of(admin: Client, project: str) -> int:
    number: int = expect(admin.api("GET", f"/projects/{project}"), 200).json()["project_id"]
    return number


def names(client: Client, query: str) -> list[str]:
    return [label["name"] for label in expect(client.api("GET", f"/labels?{query}"), 200).json()]


def test_a_label_comes_changes_and_goes(admin: Client, word: str) -> None:
    body = {"name": word, "description": "words", "color": "#FFFFFF", "scope": "g"}
    path = location(admin, "POST", "/labels", body)
    shown = expect(admin.api("GET", path), 200).json()
    assert shown.items() >= body.items()
    assert "project_id" not in shown
    expect(admin.api("PUT", path, {"name": f"{word}2", "scope": "p", "project_id": 1}), 200)
    changed = expect(admin.api("GET", path), 200).json()
    assert {name: changed.get(name) for name in ("name", "description", "color", "scope")} == {
        "name": f"{word}2",
        "description": None,
        "color": None,
        "scope": "g",
    }
    expect(admin.api("DELETE", path), 200)
    for method, change in (("GET", None), ("PUT", body), ("DELETE", None)):
        expect(admin.api(method, path, change), 404)


def test_a_name_is_taken_where_it_is_used(admin: Client, project: str, word: str) -> None:
    number = number_of(admin, project)
    here = {"scope": "p", "project_id": number}
    location(admin, "POST", "/labels", {"name": word, "scope": "g"})
    location(admin, "POST", "/labels", {"name": word} | here)
    other = location(admin, "POST", "/labels", {"name": f"{word}-other"} | here)
    for method, path, body in (
        ("POST", "/labels", {"name": word, "scope": "g", "project_id": number}),
        ("POST", "/labels", {"name": word} | here),
        ("PUT", other, {"name": word}),
    ):
        refused = expect(admin.api(method, path, body), 409)
        assert refused.json()["errors"][0]["message"] == f"label {word} already exists"


def test_lists_hold_what_is_of_the_scope(admin: Client, project: str, word: str) -> None:
    number = number_of(admin, project)
    for name in ("b", "a", "ab"):
        location(admin, "POST", "/labels", {"name": word + name, "scope": "p", "project_id": number})
    location(admin, "POST", "/labels", {"name": f"{word}c", "scope": "g"})
    mine = f"scope=p&project_id={number}"
    assert names(admin, mine) == [f"{word}b", f"{word}a", f"{word}ab"]
    assert names(admin, f"{mine}&name={word.upper()}A&sort=-name") == [f"{word}ab", f"{word}a"]
    assert names(admin, f"scope=g&q=name%3D~{word}") == [f"{word}c"]


@pytest.mark.parametrize(
    ("label", "status", "message"),
    [
        ({"scope": "z"}, 400, "unsupported label scope"),
        ({"scope": "g"}, 400, "cannot be empty"),
        ({"scope": "g", "name": "x" * 129}, 400, "max length is 128"),
        ({"scope": "p", "name": "x"}, 400, "a label of a project needs the project_id of one"),
        ({"scope": "p", "name": "x", "project_id": 99999999}, 404, "project 99999999 not found"),
    ],
)
def test_what_no_label_can_be(admin: Client, label: dict[str, Any], status: int, message: str) -> None:
    assert expect(admin.api("POST", "/labels", label), status).json()["errors"][0]["message"] == message


def test_labels_go_with_their_project(admin: Client, project: str, word: str) -> None:
    label = {"name": word, "scope": "p", "project_id": number_of(admin, project)}
    path = location(admin, "POST", "/labels", label)
    expect(admin.api("DELETE", f"/projects/{project}"), 200)
    expect(admin.api("GET", path), 404)


def test_there_are_no_labels_of_no_project(admin: Client, user: Client) -> None:
    assert expect(admin.api("GET", "/labels?scope=p&project_id=99999999"), 200).json() == []
    expect(user.api("GET", "/labels?scope=p&project_id=99999999"), 403)
