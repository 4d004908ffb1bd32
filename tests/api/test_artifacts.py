"""Repositories and artifacts with their tags and accessories."""

import json

import pytest

from tests.api.conftest import NewUser, location
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


def test_labels_of_an_artifact(admin: Client, project: str, word: str) -> None:
    admin.push_image(f"{project}/app", "v1", b"one")
    admin.push_image(f"{project}/app", "v2", b"two")
    artifacts = f"/projects/{project}/repositories/app/artifacts"
    ids = [
        int(location(admin, "POST", "/labels", {"name": f"{word}{n}", "scope": "g"}).rpartition("/")[2])
        for n in range(2)
    ]
    for label in ids:
        expect(admin.api("POST", f"{artifacts}/v1/labels", {"id": label}), 200)
    expect(admin.api("POST", f"{artifacts}/v2/labels", {"id": ids[0]}), 200)
    expect(admin.api("POST", f"{artifacts}/v2/labels", {"id": ids[0]}), 409)
    shown = expect(admin.api("GET", f"{artifacts}/v1?with_label=true"), 200).json()
    assert [label["id"] for label in shown["labels"]] == ids
    assert expect(admin.api("GET", f"{artifacts}/v1"), 200).json()["labels"] is None

    def carrying(*labels: int) -> set[str]:
        asked = f"{artifacts}?q=labels%3D({'%20'.join(map(str, labels))})"
        return {each["tags"][0]["name"] for each in expect(admin.api("GET", asked), 200).json()}

    assert carrying(ids[0]) == {"v1", "v2"}
    assert carrying(*ids) == {"v1"}
    expect(admin.api("DELETE", f"{artifacts}/v1/labels/{ids[0]}"), 200)
    expect(admin.api("DELETE", f"{artifacts}/v1/labels/{ids[0]}"), 404)
    assert carrying(*ids) == set()
    expect(admin.api("DELETE", f"{artifacts}/v1"), 200)
    assert carrying(ids[0]) == {"v2"}


def test_all_tags_of_a_repository_with_what_they_name(admin: Client, project: str, word: str) -> None:
    repository = f"{project}/app"
    image = admin.push_image(repository, "v1", b"layer")
    index = push_index(admin, repository, "multi", manifest_of(admin, repository, "v1"))
    artifacts = f"/projects/{project}/repositories/app/artifacts"
    expect(admin.api("POST", f"{artifacts}/v1/tags", {"name": "latest"}), 201)
    label = int(location(admin, "POST", "/labels", {"name": word, "scope": "g"}).rpartition("/")[2])
    expect(admin.api("POST", f"{artifacts}/multi/labels", {"id": label}), 200)
    rule = {
        "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "v*"}],
        "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]},
        "action": "immutable",
        "template": "immutable_template",
    }
    expect(admin.api("POST", f"/projects/{project}/immutabletagrules", rule), 201)
    tags = f"/projects/{project}/repositories/app/tags"
    listed = expect(admin.api("GET", tags), 200)
    assert listed.headers["X-Total-Count"] == "3"
    latest, multi, first = listed.json()
    assert [each["name"] for each in (latest, multi, first)] == ["latest", "multi", "v1"]
    assert latest["digest"] == first["digest"] == image
    assert multi["digest"] == index
    assert [each["immutable"] for each in (latest, multi, first)] == [False, False, True]
    platform = {"architecture": "amd64", "os": "linux", "OsFeatures": None}
    assert latest["platforms"] == multi["platforms"] == [platform]
    assert [each["id"] for each in multi["labels"]] == [label]
    assert first["labels"] == []
    assert first["size"] > 0

    def names(query: str) -> list[str]:
        return [each["name"] for each in expect(admin.api("GET", f"{tags}?{query}"), 200).json()]

    assert names("sort=name") == ["latest", "multi", "v1"]
    assert names("q=name%3D~V") == ["v1"]
    assert names(f"q=digest%3D{index}") == ["multi"]
    assert names(f"q=labels%3D({label})") == ["multi"]
    assert names("sort=-size,name") == ["multi", "latest", "v1"]
    assert names("page=2&page_size=2") == ["v1"]
    expect(admin.api("GET", f"{tags}?q=labels%3Dx"), 400)
    expect(admin.api("GET", f"/projects/{project}/repositories/nope/tags"), 404)


def test_all_artifacts_of_a_project(admin: Client, anonymous: Client, project: str) -> None:
    for repository, tag in (("a", "v1"), ("a", "v2"), ("b", "v3")):
        admin.push_image(f"{project}/{repository}", tag, tag.encode())
    everything = f"/projects/{project}/artifacts"
    listed = expect(admin.api("GET", f"{everything}?sort=push_time"), 200)
    assert [each["tags"][0]["name"] for each in listed.json()] == ["v1", "v2", "v3"]
    assert [each["repository_name"] for each in listed.json()] == [f"{project}/a"] * 2 + [f"{project}/b"]
    one_type = "q=media_type%3Dapplication/vnd.oci.image.config.v1%252Bjson"
    latest = expect(admin.api("GET", f"{everything}?latest_in_repository=true&{one_type}&sort=push_time"), 200)
    assert [each["tags"][0]["name"] for each in latest.json()] == ["v2", "v3"]
    expect(admin.api("GET", f"{everything}?latest_in_repository=true"), 400)
    expect(admin.api("PUT", f"/projects/{project}", {"metadata": {"public": "true"}}), 200)
    expect(anonymous.api("GET", everything), 401)


def test_accessories_of_the_index_that_names_an_artifact(admin: Client, project: str) -> None:
    repository = f"{project}/app"
    admin.push_image(repository, "v1", b"layer")
    push_index(admin, repository, "multi", manifest_of(admin, repository, "v1"))
    accessory = push_accessory(admin, repository, manifest_of(admin, repository, "multi"))
    shown = f"/projects/{project}/repositories/app/artifacts/v1"
    inherited = expect(admin.api("GET", f"{shown}?with_inherited_accessory=true"), 200).json()
    assert [each["digest"] for each in inherited["inherited_accessories"]] == [accessory]
    assert "inherited_accessories" not in expect(admin.api("GET", shown), 200).json()


def test_repositories_are_found_by_a_blob_that_can_be_mounted_from_there(admin: Client, project: str) -> None:
    for name, layer in (("one", b"shared"), ("two", b"shared"), ("three", b"other")):
        admin.push_image(f"{project}/{name}", "v1", layer)

    def holding(digest: str, path: str = f"/projects/{project}/repositories") -> list[str]:
        listed = expect(admin.api("GET", f"{path}?q=blob_digest%3D{digest}&sort=name&page_size=0"), 200).json()
        return [each["name"].removeprefix(f"{project}/") for each in listed if each["name"].startswith(project)]

    assert holding(digest_of(b"shared")) == holding(digest_of(b"shared"), "/repositories") == ["one", "two"]
    assert holding(digest_of(b"other")) == ["three"]
    assert holding(digest_of(b"nowhere")) == []
    expect(admin.api("DELETE", f"/projects/{project}/repositories/one/artifacts/v1"), 200)
    assert holding(digest_of(b"shared")) == ["two"]
