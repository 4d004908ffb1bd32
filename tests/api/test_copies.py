"""Copying artifacts between repositories and projects."""

from urllib.parse import quote

import pytest

from tests.api.conftest import NewUser
from tests.api.test_artifacts import manifest_of, push_accessory, push_index
from tests.parts.client import Answer, Client, expect
from tests.parts.server import Server


@pytest.fixture
def target(server: Server) -> str:
    """A second private project."""
    return server.create_project()


def copy(client: Client, project: str, repository: str, source: str) -> Answer:
    return client.api("POST", f"/projects/{project}/repositories/{repository}/artifacts?from={quote(source)}")


def tags_in(client: Client, project: str, repository: str) -> dict[str, str]:
    """The digests in a repository by their tags."""
    found = expect(client.api("GET", f"/projects/{project}/repositories/{repository}/tags?page_size=0"), 200).json()
    return {each["name"]: each["digest"] for each in found}


def test_what_belongs_to_an_artifact_comes_along(admin: Client, project: str, target: str) -> None:
    source = f"{project}/app"
    child_digest = admin.push_image(source, "child", b"layer")
    child = manifest_of(admin, source, "child")
    index = push_index(admin, source, "multi", child)
    signature = push_accessory(admin, source, child)
    made = expect(copy(admin, target, "deep%252Fer", f"{source}:multi"), 201)
    assert made.headers["Location"] == f"/api/v2.0/projects/{target}/repositories/deep%2Fer/artifacts/multi"
    assert tags_in(admin, target, "deep%2Fer") == {"multi": index, "child": child_digest}
    shown = expect(admin.api("GET", f"/projects/{target}/repositories/deep%2Fer/artifacts/multi"), 200).json()
    assert [each["child_digest"] for each in shown["references"]] == [child_digest]
    accessories = f"/projects/{target}/repositories/deep%2Fer/artifacts/{child_digest}/accessories"
    assert [each["digest"] for each in expect(admin.api("GET", accessories), 200).json()] == [signature]
    for reference in ("multi", child_digest, signature):
        expect(admin.registry("GET", f"/v2/{target}/deep/er/manifests/{reference}"), 200)
    (layer,) = expect(admin.registry("GET", f"/v2/{target}/deep/er/manifests/{child_digest}"), 200).json()["layers"]
    assert expect(admin.registry("GET", f"/v2/{target}/deep/er/blobs/{layer['digest']}"), 200).body == b"layer"


def test_copying_again_moves_the_tags(admin: Client, project: str, target: str) -> None:
    first = admin.push_image(f"{project}/app", "v1", b"one")
    expect(copy(admin, target, "app", f"{project}/app:v1"), 201)
    expect(copy(admin, target, "app", f"{project}/app:v1"), 201)
    second = admin.push_image(f"{project}/app", "v1", b"two")
    assert tags_in(admin, target, "app") == {"v1": first}
    expect(copy(admin, target, "app", f"{project}/app:v1"), 201)
    assert tags_in(admin, target, "app") == {"v1": second}
    expect(admin.registry("GET", f"/v2/{target}/app/manifests/{first}"), 200)


def test_a_copy_outlives_its_source(admin: Client, project: str, target: str) -> None:
    digest = admin.push_image(f"{project}/app", "v1", b"layer")
    expect(copy(admin, target, "app", f"{project}/app@{digest}"), 201)
    expect(admin.api("DELETE", f"/projects/{project}/repositories/app"), 200)
    (layer,) = expect(admin.registry("GET", f"/v2/{target}/app/manifests/{digest}"), 200).json()["layers"]
    assert expect(admin.registry("GET", f"/v2/{target}/app/blobs/{layer['digest']}"), 200).body == b"layer"


def test_who_may_copy(admin: Client, anonymous: Client, new_user: NewUser, project: str, target: str) -> None:
    admin.push_image(f"{project}/app", "v1", b"layer")
    both, reader, writer = new_user(), new_user(), new_user()
    roles = [(both, project, 3), (both, target, 2), (reader, project, 2), (reader, target, 3), (writer, target, 1)]
    for client, home, role in roles:
        member = {"role_id": role, "member_user": {"username": client.username}}
        expect(admin.api("POST", f"/projects/{home}/members", member), 201)
    source = f"{project}/app:v1"
    expect(copy(both, target, "app", source), 201)
    expect(copy(reader, target, "other", source), 403)
    expect(copy(writer, target, "other", source), 403)
    expect(copy(anonymous, target, "other", source), 401)
    expect(admin.api("GET", f"/projects/{target}/repositories/other"), 404)
    expect(admin.api("PUT", f"/projects/{project}", {"metadata": {"public": "true"}}), 200)
    expect(copy(writer, target, "other", source), 201)


def test_what_cannot_be_copied(admin: Client, project: str, target: str) -> None:
    source = f"{project}/app"
    admin.push_image(source, "v1", b"layer")
    signature = push_accessory(admin, source, manifest_of(admin, source, "v1"))
    expect(copy(admin, target, "app", f"{source}@{signature}"), 403)
    for nothing in (f"{source}:nope", source, f"{project}/nope:v1", "nope/app:v1", "!!!", f"{source}@sha256:abc"):
        expect(copy(admin, target, "app", nothing), 400)
    expect(copy(admin, target, "BAD", f"{source}:v1"), 400)
    expect(admin.api("POST", f"/projects/{target}/repositories/app/artifacts"), 422)
    expect(admin.api("GET", f"/projects/{target}/repositories/app"), 404)
