"""Rules that make tags immutable, and what they keep from happening."""

from typing import Any

import pytest

from tests.api.conftest import location
from tests.parts.client import Client, expect

FORBIDDEN = "the tag {} configured as immutable, cannot be {}"


def rule(tags: str = "rel-*", repositories: str = "**", **members: Any) -> dict[str, Any]:
    """A rule as Terraform sends it."""
    return {
        "action": "immutable",
        "template": "immutable_template",
        "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": tags}],
        "scope_selectors": {
            "repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": repositories}]
        },
        **members,
    }


def selector(decoration: str, pattern: str) -> list[dict[str, str]]:
    return [{"kind": "doublestar", "decoration": decoration, "pattern": pattern}]


def message(client: Client, status: int, method: str, path: str, body: object = None) -> str:
    (error,) = expect(client.api(method, path, body), status).json()["errors"]
    return str(error["message"])


@pytest.fixture
def rules(project: str) -> str:
    return f"/projects/{project}/immutabletagrules"


@pytest.fixture
def artifacts(project: str) -> str:
    return f"/projects/{project}/repositories/app/artifacts"


@pytest.fixture
def app(project: str) -> str:
    return f"{project}/app"


def is_kept(admin: Client, repository: str, tag: str) -> bool:
    """Whether another image may not be pushed under the tag, which is there."""
    admin.push_image(repository, "another", tag.encode())
    manifest = admin.registry("GET", f"/v2/{repository}/manifests/another").body
    kind = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
    answer = admin.registry("PUT", f"/v2/{repository}/manifests/{tag}", manifest, kind)
    if answer.status == 412:
        inside = repository.partition("/")[2]
        (error,) = answer.json()["errors"]
        expected = f"Failed to process request due to '{inside}:{tag}' configured as immutable."
        assert error == {"code": "PRECONDITION", "message": expected}
    return expect(answer, 412 if answer.status == 412 else 201).status == 412


def test_a_rule_through_its_life(admin: Client, rules: str, app: str) -> None:
    path = location(admin, "POST", rules, rule())
    number = int(path.rpartition("/")[2])
    assert expect(admin.api("GET", rules), 200).json() == [{"id": number, **rule()}]
    admin.push_image(app, "rel-1", b"one")
    assert is_kept(admin, app, "rel-1")
    expect(admin.api("PUT", path, rule(id=number, disabled=True)), 200)
    assert expect(admin.api("GET", rules), 200).json() == [{"id": number, "disabled": True, **rule()}]
    expect(admin.api("PUT", path, {"id": number, "disabled": False}), 200)
    assert expect(admin.api("GET", rules), 200).json() == [{"id": number, **rule()}]
    expect(admin.api("PUT", path, {"id": number, "disabled": True}), 200)
    assert not is_kept(admin, app, "rel-1")
    expect(admin.api("PUT", path, rule("v*", id=number)), 200)
    assert not is_kept(admin, app, "rel-1")
    expect(admin.api("PUT", path, rule("r*", id=number)), 200)
    assert is_kept(admin, app, "rel-1")
    expect(admin.api("DELETE", path), 200)
    assert not is_kept(admin, app, "rel-1")


@pytest.mark.parametrize(
    ("members", "kept"),
    [
        ({"tag_selectors": selector("excludes", "dev-*")}, True),
        ({"tag_selectors": selector("excludes", "rel-*")}, False),
        ({"tag_selectors": selector("matches", "{dev,rel}-*")}, True),
        ({"tag_selectors": selector("matches", "")}, True),
        ({"tag_selectors": selector("matches", "nothing") + selector("matches", "rel-*")}, True),
        ({"scope_selectors": {"repository": selector("repoMatches", "*")}}, False),
        ({"scope_selectors": {"repository": selector("repoMatches", "deep/**")}}, True),
        ({"scope_selectors": {"repository": selector("repoMatches", "**/app")}}, True),
        ({"scope_selectors": {"repository": selector("repoExcludes", "deep/*")}}, False),
    ],
)
def test_what_rules_select(admin: Client, project: str, rules: str, members: dict[str, Any], kept: bool) -> None:
    admin.push_image(f"{project}/deep/app", "rel-1", b"one")
    location(admin, "POST", rules, rule(**members))
    assert is_kept(admin, f"{project}/deep/app", "rel-1") == kept


def test_a_new_tag_is_made_once_and_stays(admin: Client, rules: str, artifacts: str, app: str) -> None:
    location(admin, "POST", rules, rule())
    digest = admin.push_image(app, "free", b"one")
    expect(admin.api("POST", f"{artifacts}/free/tags", {"name": "rel-1"}), 201)
    forbidden = FORBIDDEN.format("rel-1", "deleted")
    assert message(admin, 412, "DELETE", f"{artifacts}/rel-1/tags/rel-1") == forbidden
    assert message(admin, 412, "DELETE", f"{artifacts}/{digest}") == forbidden
    assert message(admin, 412, "DELETE", artifacts.removesuffix("/artifacts")) == forbidden
    for reference in ("rel-1", digest):
        refused = expect(admin.registry("DELETE", f"/v2/{app}/manifests/{reference}"), 412)
        assert refused.json()["errors"] == [{"code": "PRECONDITION", "message": forbidden}]
    expect(admin.api("DELETE", f"{artifacts}/rel-1/tags/free"), 200)
    assert admin.registry("GET", f"/v2/{app}/tags/list").json()["tags"] == ["rel-1"]


def test_a_copy_moves_no_immutable_tag(admin: Client, project: str, rules: str, artifacts: str, app: str) -> None:
    location(admin, "POST", rules, rule(repositories="app"))
    admin.push_image(app, "rel-1", b"one")
    admin.push_image(f"{project}/other", "rel-1", b"two")
    refused = message(admin, 412, "POST", f"{artifacts}?from={project}/other:rel-1")
    assert refused == FORBIDDEN.format("rel-1", "updated")
    expect(admin.api("POST", f"{artifacts}?from={app}:rel-1"), 201)


def test_several_tags_of_one_push_come_together_or_not_at_all(admin: Client, rules: str, app: str) -> None:
    location(admin, "POST", rules, rule())
    admin.push_image(app, "rel-1", b"one")
    digest = admin.push_image(app, "free", b"two")
    manifest = admin.registry("GET", f"/v2/{app}/manifests/free").body
    kind = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
    expect(admin.registry("PUT", f"/v2/{app}/manifests/{digest}?tag=new&tag=rel-1", manifest, kind), 412)
    assert admin.registry("GET", f"/v2/{app}/tags/list").json()["tags"] == ["free", "rel-1"]


def test_the_same_rule_twice(admin: Client, rules: str) -> None:
    location(admin, "POST", rules, rule())
    assert message(admin, 409, "POST", rules, rule()) == "immutable rule already exists"
    number = int(location(admin, "POST", rules, rule("v*")).rpartition("/")[2])
    assert message(admin, 409, "PUT", f"{rules}/{number}", rule(id=number)) == "immutable rule already exists"
    expect(admin.api("PUT", f"{rules}/{number}", rule("v*", id=number)), 200)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"action": "retain"}, "invalid action of an immutable rule: retain"),
        ({"template": "always"}, "invalid template of an immutable rule: always"),
        ({"tag_selectors": []}, "an immutable rule without tag_selectors protects nothing"),
        ({"scope_selectors": {}}, "an immutable rule without scope_selectors.repository protects nothing"),
        ({"scope_selectors": {"planet": selector("repoMatches", "**")}}, "invalid scope of an immutable rule: planet"),
        ({"tag_selectors": selector("repoMatches", "**")}, "invalid decoration in tag_selectors: repoMatches"),
        ({"tag_selectors": selector("matches", "[a")}, "invalid pattern in tag_selectors: [a: a class is"),
        ({"tag_selectors": [{"kind": "regex", "decoration": "matches"}]}, "invalid kind in tag_selectors: regex"),
    ],
)
def test_what_is_no_rule(admin: Client, rules: str, members: dict[str, Any], told: str) -> None:
    assert message(admin, 400, "POST", rules, rule(**members)).startswith(told)
    number = int(location(admin, "POST", rules, rule("v*")).rpartition("/")[2])
    assert message(admin, 400, "PUT", f"{rules}/{number}", rule(id=number, **members)).startswith(told)
    assert len(expect(admin.api("GET", rules), 200).json()) == 1


def test_the_id_in_the_body_is_that_of_the_path(admin: Client, rules: str) -> None:
    number = int(location(admin, "POST", rules, rule()).rpartition("/")[2])
    told = "the immutable_rule_id doesn't match the id in the payload body of ImmutableRule"
    assert message(admin, 400, "PUT", f"{rules}/{number}", rule(id=number + 1)) == told
    assert message(admin, 400, "PUT", f"{rules}/{number}", rule()) == told


def test_rules_go_with_their_project(admin: Client, project: str, rules: str) -> None:
    location(admin, "POST", rules, rule())
    expect(admin.api("DELETE", f"/projects/{project}"), 200)
    expect(admin.api("POST", "/projects", {"project_name": project}), 201)
    assert expect(admin.api("GET", rules), 200).json() == []
