"""Repositories and artifacts with their tags and accessories."""

import json

import pytest

from tests.api.conftest import NewUser
from tests.parts.client import OCI_INDEX, OCI_MANIFEST, Client, digest_of, expect

EMPTY = b"{}"
ABSENT = "sha256:" + "ab" * 32


def descriptor(data: bytes, media_type: str, **more: object) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data), **more}


def push_index(client: Client, repository: str, tag: str, *children: bytes) -> str:
    manifests = [
        descriptor(child, OCI_MANIFEST, platform={"architecture": "amd64", "os": "linux"}) for child in children
    ]
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}).encode()
    return client.push_manifest(repository, tag, index, OCI_INDEX)


def push_accessory(client: Client, repository: str, subject: bytes) -> str:
    client.push_blob(repository, EMPTY)
    empty = descriptor(EMPTY, "application/vnd.oci.empty.v1+json")
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.example.note",
        "config": empty,
        "layers": [empty],
        "subject": descriptor(subject, OCI_MANIFEST),
    }
    content = json.dumps(manifest).encode()
    return client.push_manifest(repository, digest_of(content), content)


def manifest_of(client: Client, repository: str, reference: str) -> bytes:
    return expect(client.registry("GET", f"/v2/{repository}/manifests/{reference}"), 200).body


@pytest.mark.parametrize("escape", ["%2F", "%252F"])
def test_nested_repositories_are_reached_by_either_escape(admin: Client, project: str, escape: str) -> None:
    admin.push_image(f"{project}/deep/er/app", "v1", b"layer")
    path = f"/projects/{project}/repositories/deep{escape}er{escape}app"
    shown = expect(admin.api("GET", path), 200).json()
    assert (shown["name"], shown["artifact_count"], shown["pull_count"]) == (f"{project}/deep/er/app", 1, 0)
    expect(admin.api("PUT", path, {"description": "words", "name": "ignored"}), 200)
    assert expect(admin.api("GET", path), 200).json()["description"] == "words"
    assert len(expect(admin.api("GET", f"{path}/artifacts"), 200).json()) == 1
    expect(admin.api("DELETE", path), 200)
    expect(admin.api("GET", path), 404)


def test_lists_of_repositories(admin: Client, anonymous: Client, user: Client, project: str) -> None:
    for name in ("b", "a"):
        admin.push_image(f"{project}/{name}", "v1", b"layer")
    listed = expect(admin.api("GET", f"/projects/{project}/repositories?sort=name"), 200)
    assert [repository["name"] for repository in listed.json()] == [f"{project}/a", f"{project}/b"]
    assert listed.headers["X-Total-Count"] == "2"
    everywhere = f"/repositories?q=name%3D~{project}"
    assert len(expect(admin.api("GET", everywhere), 200).json()) == 2
    for client in (anonymous, user):
        assert expect(client.api("GET", everywhere), 200).json() == []
    expect(admin.api("PUT", f"/projects/{project}", {"metadata": {"public": "true"}}), 200)
    assert len(expect(anonymous.api("GET", everywhere), 200).json()) == 2
    expect(anonymous.api("GET", f"/projects/{project}/repositories"), 200)
    expect(anonymous.api("GET", f"/projects/{project}/repositories/a"), 401)
    expect(user.api("GET", f"/projects/{project}/repositories/a"), 403)


def test_an_artifact_by_tag_and_by_digest(admin: Client, project: str) -> None:
    digest = admin.push_image(f"{project}/app", "v1", b"layer")
    artifacts = f"/projects/{project}/repositories/app/artifacts"
    shown = expect(admin.api("GET", f"{artifacts}/v1"), 200).json()
    assert shown == expect(admin.api("GET", f"{artifacts}/{digest}"), 200).json()
    assert shown["digest"] == digest
    assert (shown["type"], shown["manifest_media_type"], shown["repository_name"]) == (
        "IMAGE",
        OCI_MANIFEST,
        f"{project}/app",
    )
    assert shown["pull_time"] == "0001-01-01T00:00:00.000Z"
    assert [shown[name] for name in ("references", "labels", "accessories")] == [None, None, None]
    assert [tag["name"] for tag in shown["tags"]] == ["v1"]
    assert shown["extra_attrs"]["architecture"] == "amd64"
    assert shown["addition_links"] == {
        "build_history": {
            "href": f"/api/v2.0{artifacts}/{digest}/additions/build_history",
            "absolute": False,
        }
    }
    bare = expect(admin.api("GET", f"{artifacts}/v1?with_tag=false"), 200).json()
    assert bare["tags"] is None
    for absent, shown_as in (("nope", ":nope"), (ABSENT, f"@{ABSENT}")):
        missing = expect(admin.api("GET", f"{artifacts}/{absent}"), 404)
        assert missing.json()["errors"][0]["message"] == f"artifact {project}/app{shown_as} not found"


def test_what_a_list_shows(admin: Client, project: str) -> None:
    repository = f"{project}/app"
    artifacts = f"/projects/{project}/repositories/app/artifacts"
    child_digest = admin.push_image(repository, "moving", b"child")
    child = manifest_of(admin, repository, "moving")
    tagged = admin.push_image(repository, "moving", b"tagged")
    index = push_index(admin, repository, "multi", child)
    accessory = push_accessory(admin, repository, manifest_of(admin, repository, "moving"))

    def digests(query: str = "") -> set[str]:
        found = expect(admin.api("GET", f"{artifacts}?{query}"), 200)
        assert found.headers["X-Total-Count"] == str(len(found.json()))
        return {artifact["digest"] for artifact in found.json()}

    assert digests() == {tagged, index}
    assert digests("q=base%3D*") == {tagged, index, child_digest}
    assert digests("q=tags%3Dmulti") == {index}
    assert digests("q=tags%3D~OV") == {tagged}
    assert digests("q=tags%3Dnil") == set()
    assert digests("q=tags%3D*") == {tagged, index}
    assert digests("q=type%3DCHART") == set()
    assert digests(f"q=digest%3D~{tagged[7:20]}") == {tagged}
    assert digests("q=labels%3D(1)") == set()
    for refused in ("tags%3D%7Ba%20b%7D", "labels%3Dx"):
        expect(admin.api("GET", f"{artifacts}?q={refused}"), 400)
    (reference,) = expect(admin.api("GET", f"{artifacts}/multi"), 200).json()["references"]
    assert reference["child_digest"] == child_digest
    assert reference["platform"] == {"architecture": "amd64", "os": "linux", "OsFeatures": None}
    (shown,) = expect(admin.api("GET", f"{artifacts}/moving?with_accessory=true"), 200).json()["accessories"]
    (listed,) = expect(admin.api("GET", f"{artifacts}/moving/accessories"), 200).json()
    assert shown == listed
    assert (shown["digest"], shown["type"], shown["subject_artifact_digest"]) == (
        accessory,
        "subject.accessory",
        tagged,
    )
    counted = expect(admin.api("GET", f"/projects/{project}/repositories/app"), 200).json()
    assert counted["artifact_count"] == 2


def test_deleting_takes_what_belongs_to_it(admin: Client, project: str) -> None:
    repository = f"{project}/app"
    artifacts = f"/projects/{project}/repositories/app/artifacts"
    child_digest = admin.push_image(repository, "moving", b"child")
    child = manifest_of(admin, repository, "moving")
    admin.push_image(repository, "moving", b"tagged")
    push_index(admin, repository, "multi", child)
    refused = expect(admin.api("DELETE", f"{artifacts}/{child_digest}"), 412)
    assert refused.codes() == ["VIOLATE_FOREIGN_KEY_CONSTRAINT"]
    expect(admin.api("DELETE", f"{artifacts}/multi"), 200)
    expect(admin.api("GET", f"{artifacts}/{child_digest}"), 404)
    expect(admin.registry("GET", f"/v2/{repository}/manifests/multi"), 404)
    expect(admin.registry("GET", f"/v2/{repository}/manifests/moving"), 200)
    expect(admin.api("DELETE", f"{artifacts}/multi"), 404)


def test_tags_come_and_go(admin: Client, new_user: NewUser, project: str) -> None:
    digest = admin.push_image(f"{project}/app", "v1", b"layer")
    artifacts = f"/projects/{project}/repositories/app/artifacts"
    developer, guest = new_user(), new_user()
    for client, role in ((developer, 2), (guest, 3)):
        member = {"role_id": role, "member_user": {"username": client.username}}
        expect(admin.api("POST", f"/projects/{project}/members", member), 201)
    expect(guest.api("POST", f"{artifacts}/v1/tags", {"name": "v2"}), 403)
    made = expect(developer.api("POST", f"{artifacts}/v1/tags", {"name": "v2"}), 201)
    assert "Location" not in made.headers
    expect(developer.api("POST", f"{artifacts}/v1/tags", {"name": "v2"}), 409)
    expect(developer.api("POST", f"{artifacts}/v1/tags", {"name": "-bad"}), 400)
    expect(developer.api("POST", f"{artifacts}/v1/tags", {"name": ""}), 422)
    listed = expect(guest.api("GET", f"{artifacts}/{digest}/tags?sort=-name"), 200)
    assert [tag["name"] for tag in listed.json()] == ["v2", "v1"]
    assert all(tag["immutable"] is False for tag in listed.json())
    expect(guest.registry("GET", f"/v2/{project}/app/manifests/v2"), 200)
    expect(developer.api("DELETE", f"{artifacts}/v1/tags/v2"), 403)
    expect(admin.api("DELETE", f"{artifacts}/v1/tags/v2"), 200)
    expect(admin.api("DELETE", f"{artifacts}/v1/tags/v2"), 404)
    expect(admin.api("DELETE", f"{artifacts}/v1/tags/v1"), 200)
    assert expect(admin.api("GET", f"{artifacts}/{digest}"), 200).json()["tags"] is None


def test_a_deleted_repository_takes_its_artifacts(admin: Client, project: str) -> None:
    admin.push_image(f"{project}/app", "v1", b"layer")
    expect(admin.api("DELETE", f"/projects/{project}/repositories/app"), 200)
    expect(admin.registry("GET", f"/v2/{project}/app/manifests/v1"), 404)
    assert expect(admin.api("GET", f"/projects/{project}/repositories/app/artifacts"), 200).json() == []
    admin.push_image(f"{project}/app", "v1", b"layer")
    expect(admin.registry("GET", f"/v2/{project}/app/manifests/v1"), 200)


def test_strangers_see_nothing(admin: Client, anonymous: Client, user: Client, project: str) -> None:
    admin.push_image(f"{project}/app", "v1", b"layer")
    artifacts = f"/projects/{project}/repositories/app/artifacts"
    for path in (
        artifacts,
        f"{artifacts}/v1",
        f"{artifacts}/nope",
        f"{artifacts}/v1/tags",
        f"{artifacts}/v1/accessories",
    ):
        expect(anonymous.api("GET", path), 401)
        expect(user.api("GET", path), 403)
    expect(user.api("DELETE", f"{artifacts}/v1"), 403)
