"""What a push makes of a manifest: the rows of the artifact model (Harbor's)."""

import json
from typing import Any

import pytest

from tests.parts.client import OCI_INDEX, OCI_MANIFEST, Client, digest_of, expect
from tests.parts.server import Server, every_database
from tests.registry.contents import query
from tests.registry.manifests import CONFIG, LAYER, Document, descriptor, encoded, image, index, put

CHART = "application/vnd.cncf.helm.config.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
COSIGN_LAYER = "application/vnd.dev.cosign.simplesigning.v1+json"
SUBJECT = {"mediaType": OCI_MANIFEST, "digest": digest_of(b"subject"), "size": 7}


def artifact(server: Server, repository: str, document: Document) -> dict[str, Any]:
    """The row of a manifest."""
    statement = """
        SELECT artifact.* FROM artifact JOIN repository ON repository.id = artifact.repository_id
        WHERE repository.name = ? AND artifact.digest = ?
    """
    (row,) = query(server, statement, repository, digest_of(encoded(document)))
    return row


def accessories(server: Server, repository: str) -> list[dict[str, Any]]:
    """The rows of accessories in the repository, in order."""
    statement = """
        SELECT artifact_accessory.* FROM artifact_accessory
        JOIN repository ON repository.id = artifact_accessory.repository_id
        WHERE repository.name = ? ORDER BY artifact_accessory.id
    """
    return query(server, statement, repository)


def tag(server: Server, repository: str, name: str) -> dict[str, Any]:
    statement = """
        SELECT tag.* FROM tag JOIN repository ON repository.id = tag.repository_id
        WHERE repository.name = ? AND tag.name = ?
    """
    (row,) = query(server, statement, repository, name)
    return row


@pytest.mark.parametrize(
    ("config_type", "artifact_type", "config", "kind", "attributes"),
    [
        (
            CONFIG,
            "",
            {
                "created": "2026-01-01T00:00:00Z",
                "architecture": "arm64",
                "os": "linux",
                "author": "me",
                "config": {"Cmd": ["x"]},
            },
            "IMAGE",
            {
                "created": "2026-01-01T00:00:00Z",
                "architecture": "arm64",
                "os": "linux",
                "author": "me",
                "config": {"Cmd": ["x"]},
            },
        ),
        (
            DOCKER_CONFIG,
            "",
            {"config": {"Labels": {"maintainer": "she"}}},
            "IMAGE",
            {
                "created": None,
                "architecture": "",
                "os": "",
                "author": "she",
                "config": {"Labels": {"maintainer": "she"}},
            },
        ),
        (
            CHART,
            "",
            {"name": "c", "version": "1"},
            "CHART",
            {"name": "c", "version": "1"},
        ),
        ("application/vnd.cncf.model.manifest.v1+json", "", {"a": 1}, "CNAI", {"a": 1}),
        ("application/vnd.caicloud.model.config.v1alpha1+json", "", {"a": 1}, "MODEL", {"a": 1}),
        ("application/vnd.sylabs.sif.config.v1+json", "", {"a": 1}, "SIF", {"a": 1}),
        ("application/vnd.oci.empty.v1+json", "application/vnd.example.thing", {}, "UNKNOWN", {}),
        ("text/plain", "", {"a": 1}, "UNKNOWN", {}),
        (CONFIG, "application/vnd.example.thing", {"os": "linux"}, "IMAGE", {"os": "linux"}),
        # What would make lists long, or cannot be shown, is left out.
        (CHART, "", {"name": "c", "long": "x" * 300_000, "version": "1"}, "CHART", {"name": "c", "version": "1"}),
        (CHART, "", {"name": "c", "deep": json.loads("[" * 40 + "]" * 40)}, "CHART", {"name": "c"}),
    ],
)
def test_types_and_attributes(
    client: Client,
    server: Server,
    repository: str,
    config_type: str,
    artifact_type: str,
    config: Document,
    kind: str,
    attributes: Document,
) -> None:
    members = {"artifactType": artifact_type} if artifact_type else {}
    document = image(
        client, repository, b"layer", config=json.dumps(config).encode(), annotations={"a": "b"}, **members
    )
    document["config"]["mediaType"] = config_type
    expect(put(client, repository, "tag", document), 201)
    row = artifact(server, repository, document)
    assert (row["type"], row["media_type"], row["artifact_type"]) == (kind, config_type, artifact_type or config_type)
    assert row["manifest_media_type"] == OCI_MANIFEST
    assert row["manifest_size"] == len(encoded(document))
    assert row["size"] == len(encoded(document)) + document["config"]["size"] + len(b"layer")
    found = json.loads(row["extra_attrs"] or "{}")
    assert found == attributes or (kind == "IMAGE" and found | attributes == found)
    assert json.loads(row["annotations"]) == {"a": "b"}


@every_database
def test_an_index_names_its_children(client: Client, server: Server, repository: str) -> None:
    platform = {"architecture": "amd64", "os": "linux"}
    children = [image(client, repository, data) for data in (b"one", b"two")]
    for child in children:
        expect(put(client, repository, digest_of(encoded(child)), child), 201)
    document = index(
        descriptor(children[0], platform=platform, annotations={"a": "b"}), descriptor(children[1]), artifactType="x/y"
    )
    expect(put(client, repository, "all", document), 201)
    row = artifact(server, repository, document)
    rows = [artifact(server, repository, child) for child in children]
    assert (row["type"], row["media_type"], row["artifact_type"]) == ("UNKNOWN", OCI_INDEX, "x/y")
    assert row["size"] == len(encoded(document)) + sum(child["size"] for child in rows)
    references = query(server, "SELECT * FROM artifact_reference WHERE parent_id = ? ORDER BY id", row["id"])
    assert [one["child_id"] for one in references] == [child["id"] for child in rows]
    assert json.loads(references[0]["platform"]) == platform
    assert json.loads(references[0]["annotations"]) == {"a": "b"}

    refused = client.registry("DELETE", f"/v2/{repository}/manifests/{rows[0]['digest']}")
    assert (refused.status, refused.codes()) == (412, ["VIOLATE_FOREIGN_KEY_CONSTRAINT"])
    expect(client.registry("DELETE", f"/v2/{repository}/manifests/{row['digest']}"), 202)
    for child in rows:
        assert client.registry("GET", f"/v2/{repository}/manifests/{child['digest']}").status == 404


def test_nested_and_empty_indexes(client: Client, server: Server, repository: str) -> None:
    inner = index()
    expect(put(client, repository, "inner", inner), 201)
    outer = index(descriptor(inner))
    expect(put(client, repository, "outer", outer), 201)
    expect(client.registry("DELETE", f"/v2/{repository}/manifests/{digest_of(encoded(outer))}"), 202)
    expect(client.registry("GET", f"/v2/{repository}/manifests/inner"), 200)  # it has a tag of its own


class TestAccessories:
    @pytest.mark.parametrize("first", ["subject", "accessory"])
    @pytest.mark.parametrize(
        ("artifact_type", "config_type", "kind"),
        [
            ("application/vnd.dev.sigstore.bundle.v0.3+json", CONFIG, "signature.cosign"),
            ("", "application/vnd.dev.cosign.artifact.sig.v1+json", "signature.cosign"),
            ("", "application/vnd.cncf.notary.signature", "signature.notation"),
            ("application/vnd.goharbor.harbor.sbom.v1", CONFIG, "sbom.harbor"),
            ("application/vnd.example.thing", CONFIG, "subject.accessory"),
        ],
    )
    def test_by_subject(
        self,
        client: Client,
        server: Server,
        repository: str,
        first: str,
        artifact_type: str,
        config_type: str,
        kind: str,
    ) -> None:
        subject = image(client, repository, b"subject")
        accessory = image(client, repository, b"signature", subject=descriptor(subject))
        if artifact_type:
            accessory["artifactType"] = artifact_type
        accessory["config"]["mediaType"] = config_type
        if first == "subject":
            expect(put(client, repository, "v1", subject), 201)
        pushed = expect(put(client, repository, digest_of(encoded(accessory)), accessory), 201)
        assert pushed.headers["OCI-Subject"] == digest_of(encoded(subject))
        if first == "accessory":
            assert accessories(server, repository)[0]["subject_id"] is None
            expect(put(client, repository, "v1", subject), 201)
        (row,) = accessories(server, repository)
        assert row["type"] == kind
        assert row["subject_id"] == artifact(server, repository, subject)["id"]
        assert row["artifact_id"] == artifact(server, repository, accessory)["id"]

    @every_database
    @pytest.mark.parametrize("first", ["subject", "accessory"])
    def test_by_cosigns_tag(self, client: Client, server: Server, repository: str, first: str) -> None:
        subject = image(client, repository, b"subject")
        digest = digest_of(encoded(subject))
        signature = image(client, repository, b"signature")
        signature["layers"][0]["mediaType"] = COSIGN_LAYER
        name = digest.replace(":", "-") + ".sig"
        order = [("v1", subject), (name, signature)]
        for reference, document in order if first == "subject" else reversed(order):
            expect(put(client, repository, reference, document), 201)
        (row,) = accessories(server, repository)
        assert (row["type"], row["subject_digest"]) == ("signature.cosign", digest)
        assert row["subject_id"] == artifact(server, repository, subject)["id"]
        listed = client.registry("GET", f"/v2/{repository}/referrers/{digest}").json()["manifests"]
        assert [one["digest"] for one in listed] == [digest_of(encoded(signature))]

    @pytest.mark.parametrize("name", ["sha256-short.sig", "sha256-" + "0" * 64 + ".att", "sha256-" + "0" * 64, "v1"])
    def test_other_tags_make_none(self, client: Client, server: Server, repository: str, name: str) -> None:
        document = image(client, repository, b"signature")
        document["layers"][0]["mediaType"] = COSIGN_LAYER
        expect(put(client, repository, name, document), 201)
        assert accessories(server, repository) == []

    @every_database
    def test_they_go_with_their_subject_and_may_have_their_own(
        self, client: Client, server: Server, repository: str
    ) -> None:
        chain = [image(client, repository, b"subject")]
        for number in range(3):
            chain.append(image(client, repository, bytes([number]), subject=descriptor(chain[-1])))
        for number, document in enumerate(chain):
            expect(put(client, repository, f"v{number}", document), 201)
        expect(client.registry("DELETE", f"/v2/{repository}/manifests/{digest_of(encoded(chain[0]))}"), 202)
        assert accessories(server, repository) == []
        assert client.registry("GET", f"/v2/{repository}/tags/list").json()["tags"] == []
        for document in reversed(chain):
            expect(put(client, repository, digest_of(encoded(document)), document), 201)
        assert [row["subject_id"] for row in accessories(server, repository)] == [
            artifact(server, repository, document)["id"] for document in reversed(chain[:-1])
        ]

    def test_a_chain_of_very_many_goes_at_once(self, client: Client, server: Server, repository: str) -> None:
        document = first = image(client, repository, b"subject")
        expect(put(client, repository, "first", first), 201)
        for _ in range(1100):
            document = document | {"subject": descriptor(document)}
            expect(put(client, repository, digest_of(encoded(document)), document), 201)
        expect(client.registry("DELETE", f"/v2/{repository}/manifests/{digest_of(encoded(first))}"), 202)
        assert accessories(server, repository) == []


class TestTags:
    @every_database
    def test_the_same_digest_again_changes_nothing(self, client: Client, server: Server, repository: str) -> None:
        document = image(client, repository, b"layer")
        expect(put(client, repository, "v1", document), 201)
        before = tag(server, repository, "v1"), artifact(server, repository, document)
        expect(put(client, repository, "v1", document), 201)
        expect(put(client, repository, "v2", document), 201)
        assert (tag(server, repository, "v1"), artifact(server, repository, document)) == before

    @every_database
    def test_another_digest_moves_it(self, client: Client, server: Server, repository: str) -> None:
        old, new = image(client, repository, b"old"), image(client, repository, b"new")
        expect(put(client, repository, "v1", old), 201)
        before = tag(server, repository, "v1")
        expect(put(client, repository, "v1", new), 201)
        after = tag(server, repository, "v1")
        assert (after["id"], after["artifact_id"]) == (before["id"], artifact(server, repository, new)["id"])
        assert after["push_time"] > before["push_time"]
        expect(client.registry("GET", f"/v2/{repository}/manifests/{digest_of(encoded(old))}"), 200)

    def test_several_in_one_push(self, client: Client, repository: str) -> None:
        document = image(client, repository, b"layer")
        names = [f"t{number}" for number in range(10)]
        parameters = "&".join(f"tag={name}" for name in names)
        pushed = expect(put(client, repository, f"{digest_of(encoded(document))}?{parameters}", document), 201)
        assert pushed.headers.get_all("OCI-Tag") == names
        assert client.registry("GET", f"/v2/{repository}/tags/list").json()["tags"] == names
        for name in names:
            assert client.registry("GET", f"/v2/{repository}/manifests/{name}").body == encoded(document)

    def test_deleted_the_artifact_stays(self, client: Client, repository: str) -> None:
        document = image(client, repository, b"layer")
        expect(put(client, repository, "v1", document), 201)
        expect(client.registry("DELETE", f"/v2/{repository}/manifests/v1"), 202)
        for method in ("GET", "HEAD", "DELETE"):
            assert client.registry(method, f"/v2/{repository}/manifests/v1").status == 404
        expect(client.registry("GET", f"/v2/{repository}/manifests/{digest_of(encoded(document))}"), 200)
        assert client.registry("GET", f"/v2/{repository}/tags/list").json()["tags"] == []

    def test_deleted_with_its_artifact_by_digest(self, client: Client, repository: str) -> None:
        document = image(client, repository, b"layer")
        digest = digest_of(encoded(document))
        for name in ("v1", "v2"):
            expect(put(client, repository, name, document), 201)
        expect(client.registry("DELETE", f"/v2/{repository}/manifests/{digest}"), 202)
        for reference in ("v1", "v2", digest):
            assert client.registry("GET", f"/v2/{repository}/manifests/{reference}").status == 404


def test_layers_with_addresses_of_their_own_need_not_be_here(client: Client, repository: str) -> None:
    elsewhere = {
        "mediaType": LAYER,
        "digest": digest_of(b"elsewhere"),
        "size": 9,
        "urls": ["https://example.com/layer"],
    }
    document = image(client, repository, b"layer")
    document["layers"].append(elsewhere)
    expect(put(client, repository, "v1", document), 201)


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_manifests_under_other_algorithms(client: Client, repository: str, algorithm: str) -> None:
    document = image(client, repository, b"layer")
    digest = digest_of(encoded(document), algorithm)
    pushed = expect(put(client, repository, digest, document), 201)
    assert pushed.headers["Docker-Content-Digest"] == digest
    got = expect(client.registry("GET", f"/v2/{repository}/manifests/{digest}"), 200)
    assert (got.body, got.headers["Docker-Content-Digest"]) == (encoded(document), digest)


def test_exact_bytes_whatever_they_are(client: Client, repository: str) -> None:
    document = image(client, repository, b"layer")
    data = (
        b"\n\t "
        + json.dumps(document, indent=7).encode().replace(b'"layers"', b'"x-unknown": [1.10, "\\u00e9"], "layers"')
        + b"\r\n"
    )
    expect(put(client, repository, "v1", data, OCI_MANIFEST + "; charset=utf-8"), 201)
    for headers in ({}, {"Accept": "text/html"}, {"Accept": "*/*"}, {"Accept": OCI_INDEX}):
        got = expect(client.registry("GET", f"/v2/{repository}/manifests/v1", headers=headers), 200)
        assert (got.body, got.headers["Content-Type"]) == (data, OCI_MANIFEST)
    head = expect(client.registry("HEAD", f"/v2/{repository}/manifests/v1"), 200)
    assert (head.headers["Content-Length"], head.headers["Docker-Content-Digest"]) == (str(len(data)), digest_of(data))
    for value in (f'"{digest_of(data)}"', digest_of(data), f'W/"x", "{digest_of(data)}"'):
        assert client.registry("GET", f"/v2/{repository}/manifests/v1", headers={"If-None-Match": value}).status == 304
    assert client.registry("GET", f"/v2/{repository}/manifests/v1", headers={"If-None-Match": '"x"'}).status == 200
