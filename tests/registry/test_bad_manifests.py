"""Manifests that are none: the right code, and nothing is stored."""

import json
from typing import Any

import pytest

from tests.parts.client import OCI_INDEX, OCI_MANIFEST, Client, digest_of, expect
from tests.parts.server import Server, every_database
from tests.registry.contents import nothing_stored
from tests.registry.manifests import CONFIG, LAYER, Document, descriptor, encoded, image, index, put

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
SOMEWHERE = digest_of(b"content that nobody has pushed")


@pytest.fixture
def good(client: Client, repository: str) -> Document:
    """A manifest that would be taken; its blobs are there."""
    return image(client, repository, b"layer")


def refused(
    client: Client,
    server: Server,
    repository: str,
    document: Document | bytes,
    code: str,
    media_type: str | None = None,
) -> None:
    """The manifest is refused with the code, by tag and by digest, and leaves nothing."""
    data = document if isinstance(document, bytes) else encoded(document)
    with nothing_stored(server):
        for reference in ("tag", digest_of(data)):
            answer = put(client, repository, reference, document, media_type)
            assert (answer.status, answer.codes()[0]) == (400, code), answer.body[:500]
    assert client.registry("GET", f"/v2/{repository}/manifests/tag").status == 404


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"1",
        b"{ }",
        b"\xff\xfe{}",
        b'{"schemaVersion": 2, "config": "\xff"}',
        '{"schemaVersion": 2}'.encode("utf-16"),
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"schemaVersion": 2, "x": ' + b"9" * 10_000 + b"}",
    ],
    ids=lambda data: f"{data[:20]!r}-{len(data)}",
)
def test_what_is_no_manifest(client: Client, server: Server, repository: str, data: bytes) -> None:
    refused(client, server, repository, data, "MANIFEST_INVALID")


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "application/json",
        "application/octet-stream",
        "application/vnd.oci.artifact.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "x" * 5000,
        OCI_INDEX,
        DOCKER_LIST,
        DOCKER_MANIFEST,
    ],
)
def test_another_media_type_than_the_body_s(
    client: Client, server: Server, repository: str, good: Document, media_type: str
) -> None:
    refused(client, server, repository, good, "MANIFEST_INVALID", media_type)


@pytest.mark.parametrize("declared", [OCI_INDEX, OCI_MANIFEST, "text/plain", "", None, 7])
def test_a_docker_manifest_that_says_otherwise(
    client: Client, server: Server, repository: str, good: Document, declared: Any
) -> None:
    refused(client, server, repository, good | {"mediaType": declared}, "MANIFEST_INVALID", DOCKER_MANIFEST)


@pytest.mark.parametrize(
    "members",
    [
        {"schemaVersion": 1},
        {"schemaVersion": "2"},
        {"schemaVersion": None},
        {"schemaVersion": 2.5},
        {"config": None},
        {"config": []},
        {"layers": {}},
        {"layers": [None]},
        {"layers": ["sha256"]},
        {"manifests": []},
        {"annotations": []},
        {"annotations": {"a": 1}},
        {"artifactType": 1},
        {"artifactType": "x" * 256},
        {"subject": {"mediaType": OCI_MANIFEST, "digest": "sha256:short", "size": 1}},
        {"subject": "sha256:" + "0" * 64},
    ],
    ids=str,
)
def test_a_member_of_the_wrong_kind(
    client: Client, server: Server, repository: str, good: Document, members: Document
) -> None:
    refused(client, server, repository, good | members, "MANIFEST_INVALID")


@pytest.mark.parametrize("where", ["config", "layers", "subject", "manifests"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"digest": ""},
        {"digest": "sha256:" + "0" * 63},
        {"digest": "sha256:" + "A" * 64},
        {"digest": "md5:" + "0" * 32},
        {"digest": "sha512:" + "0" * 64},
        {"digest": "0" * 64},
        {"digest": "sha256:../../" + "0" * 58},
        {"digest": None},
        {"size": -1},
        {"size": -(1 << 63)},
        {"size": 1 << 63},
        {"size": 1 << 64},
        {"size": 10**100},
        {"size": "5"},
        {"size": 5.5},
        {"size": None},
        {"mediaType": "x" * 256},
        {"mediaType": 1},
    ],
    ids=str,
)
def test_a_wrong_descriptor(
    client: Client, server: Server, repository: str, good: Document, where: str, wrong: Document
) -> None:
    one = good["layers"][0] | wrong
    document = index(one) if where == "manifests" else good | {where: [one] if where == "layers" else one}
    refused(client, server, repository, document, "MANIFEST_INVALID")


@every_database
@pytest.mark.parametrize("where", ["config", "layers", "layers with urls", "subject", "manifests"])
def test_sizes_that_no_sum_can_hold(
    client: Client, server: Server, repository: str, good: Document, where: str
) -> None:
    """Each is a length, but an artifact of all of them cannot be."""
    huge = {"mediaType": LAYER, "size": (1 << 63) - 1}
    three = [huge | {"digest": digest_of(bytes([number]))} for number in range(3)]
    match where:
        case "config":
            document = good | {"config": good["config"] | {"size": (1 << 63) - 1}}
        case "layers":
            document = good | {"layers": [good["layers"][0] | {"size": (1 << 63) - 1}] * 3}
        case "layers with urls":
            document = good | {"layers": [one | {"urls": ["https://example.com/"]} for one in three]}
        case "subject":
            document = good | {"subject": three[0]}
            expect(put(client, repository, "fine", document), 201)
            return
        case _:
            document = index(*three)
    with nothing_stored(server):
        answer = put(client, repository, "tag", document)
    assert answer.status == 400
    assert answer.codes()[0] in ("MANIFEST_INVALID", "MANIFEST_BLOB_UNKNOWN", "SIZE_INVALID")


@pytest.mark.parametrize("where", ["config", "layers", "manifests"])
def test_a_size_that_the_content_does_not_have(
    client: Client, server: Server, repository: str, good: Document, where: str
) -> None:
    """No client could pull it: each compares what it reads with the descriptor."""
    if where == "manifests":
        expect(put(client, repository, "child", good), 201)
        document = index(descriptor(good, size=1))
    else:
        one = good["config"] if where == "config" else good["layers"][0]
        wrong = one | {"size": one["size"] + 1}
        document = good | {where: wrong if where == "config" else [wrong]}
    with nothing_stored(server):
        answer = put(client, repository, "tag", document)
        assert (answer.status, answer.codes()) == (400, ["SIZE_INVALID"])


@pytest.mark.parametrize(
    "text",
    [
        '{"schemaVersion": 2, "schemaVersion": 2, "config": %(config)s, "layers": []}',
        '{"schemaVersion": 2, "config": %(config)s, "config": %(config)s, "layers": []}',
        '{"schemaVersion": 2, "config": %(config)s, "layers": [], "manifests": null, "manifests": null}',
        '{"schemaVersion": 2, "config": %(config)s, "layers": [], "annotations": {"a": "b", "a": "c"}}',
        '{"schemaVersion": 2, "config": %(config)s, "layers": [], "unknown": [{"a": {"b": 1, "b": 1}}]}',
        '{"schemaVersion": 2, "config": %(config)s, "layers": [], "layer\\u0073": []}',
    ],
)
def test_a_key_that_stands_twice(client: Client, server: Server, repository: str, good: Document, text: str) -> None:
    document = (text % {"config": json.dumps(good["config"])}).encode()
    refused(client, server, repository, document, "MANIFEST_INVALID")


def test_a_key_that_stands_twice_among_very_many_is_found_at_once(
    client: Client, repository: str, good: Document
) -> None:
    many = ", ".join(f'"{number}": 1' for number in range(250_000))
    document = f'{{"schemaVersion": 2, "config": {json.dumps(good["config"])}, "layers": [], {many}, "249999": 1}}'
    answer = put(client, repository, "tag", document.encode())
    assert (answer.status, answer.codes()) == (400, ["MANIFEST_INVALID"])


class TestMissing:
    """MANIFEST_BLOB_UNKNOWN for each: docker and containerd key on it and upload again."""

    @every_database
    @pytest.mark.parametrize("where", ["config", "layers", "manifests"])
    def test_what_was_never_pushed(
        self, client: Client, server: Server, repository: str, good: Document, where: str
    ) -> None:
        one = {"mediaType": LAYER, "digest": SOMEWHERE, "size": 3}
        document = index(one) if where == "manifests" else good | {where: [one] if where == "layers" else one}
        refused(client, server, repository, document, "MANIFEST_BLOB_UNKNOWN")

    def test_each_of_several(self, client: Client, repository: str, good: Document) -> None:
        digests = [digest_of(bytes([number])) for number in range(3)]
        layers = [{"mediaType": LAYER, "digest": digest, "size": 1} for digest in digests]
        answer = expect(put(client, repository, "tag", good | {"layers": good["layers"] + layers}), 400)
        assert [(error["code"], error["detail"]) for error in answer.json()["errors"]] == [
            ("MANIFEST_BLOB_UNKNOWN", digest) for digest in digests
        ]

    @every_database
    def test_of_a_repository_that_the_manifest_is_not_for(
        self, client: Client, server: Server, repository: str, good: Document
    ) -> None:
        """Even one that the caller may read: a blob comes by push or mount, or knowing its digest would be enough."""
        for other in (f"{server.create_project()}/other", f"{repository.partition('/')[0]}/sibling"):
            refused(client, server, other, good, "MANIFEST_BLOB_UNKNOWN")

    def test_children_of_another_repository(
        self, client: Client, server: Server, repository: str, good: Document
    ) -> None:
        expect(put(client, repository, "child", good), 201)
        other = f"{repository.partition('/')[0]}/sibling"
        refused(client, server, other, index(descriptor(good)), "MANIFEST_BLOB_UNKNOWN")

    def test_a_blob_that_the_repository_has_let_go(
        self, client: Client, server: Server, repository: str, good: Document
    ) -> None:
        expect(client.registry("DELETE", f"/v2/{repository}/blobs/{good['layers'][0]['digest']}"), 202)
        refused(client, server, repository, good, "MANIFEST_BLOB_UNKNOWN")

    @every_database
    def test_tens_of_thousands(self, client: Client, server: Server, repository: str, good: Document) -> None:
        """As many as fit into 4 MiB: more than a statement takes parameters."""
        layers = [{"digest": digest_of(number.to_bytes(4)), "size": 1} for number in range(40_000)]
        with nothing_stored(server):
            for document in (good | {"layers": layers}, index(*layers)):
                answer = put(
                    client,
                    repository,
                    "tag",
                    json.dumps(document, separators=(",", ":")).encode(),
                    document["mediaType"],
                )
                assert answer.status == 400
                assert set(answer.codes()) == {"MANIFEST_BLOB_UNKNOWN"}


@every_database
@pytest.mark.parametrize(
    "members",
    [
        {"artifactType": "application/vnd.\0.nul"},
        {"config": {"mediaType": "application/vnd.\0.nul"}},
        {"annotations": {"a\0b": "c\0d", "org.opencontainers.artifactType": "\0"}},
        {"layers": [{"mediaType": "\0"}]},
        {"annotations": {"a": "\U0001f433" * 1000, "\ud7ff": "\uffff"}},
        {"subject": {"mediaType": "\0", "digest": SOMEWHERE, "size": 1}},
        {"unknown": "\0"},
    ],
    ids=ascii,
)
def test_odd_characters_are_kept_or_refused(
    client: Client, server: Server, repository: str, good: Document, members: Document
) -> None:
    for name in ("config", "layers"):
        if name in members:
            own = [good[name] | members[name]] if name == "config" else [good[name][0] | members[name][0]]
            members = members | {name: own[0] if name == "config" else own}
    document = good | members
    answer = put(client, repository, "tag", document)
    if answer.status == 201:
        assert client.registry("GET", f"/v2/{repository}/manifests/tag").body == encoded(document)
    else:
        assert (answer.status, answer.codes()) == (400, ["MANIFEST_INVALID"])
        with nothing_stored(server):
            put(client, repository, "tag", document)


@every_database
def test_an_index_of_an_odd_type_is_refused(client: Client, server: Server, repository: str) -> None:
    for kind in ("application/vnd.\0.nul", "x" * 256):
        document = index(annotations={"org.opencontainers.artifactType": kind})
        refused(client, server, repository, document, "MANIFEST_INVALID")


def test_a_lone_surrogate_is_refused(client: Client, server: Server, repository: str, good: Document) -> None:
    document = encoded(good | {"annotations": {"a": "\ud800"}})
    refused(client, server, repository, document, "MANIFEST_INVALID")


@every_database
@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b"\xff\xff",
        b'{"config": []}',
        b'{"config": {"Labels": []}}',
        b'{"config": {"Labels": ["maintainer"]}}',
        b'{"config": {"Labels": "maintainer"}}',
        b'{"config": {"Labels": {"maintainer": 7}}}',
        b'{"author": {"a": 1}, "created": [], "architecture": {}, "os": 1e400}',
        b'{"author": "\\u0000", "created": "\\ud800"}',
        b'{"a": NaN}',
        b'{"config": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        *(b'{"config": ' + b"[" * depth + b"]" * depth + b"}" for depth in range(900, 1000, 7)),
    ],
    ids=lambda config: f"{config[:40]!r}-{len(config)}",
)
def test_configs_that_say_nothing_are_taken(client: Client, server: Server, repository: str, config: bytes) -> None:
    """A config is content like any other: what cannot be read of it is not shown."""
    for kind in (CONFIG, "application/vnd.cncf.helm.config.v1+json"):
        document = image(client, repository, config=config)
        document["config"]["mediaType"] = kind
        expect(put(client, repository, "tag", document), 201)
        assert client.registry("GET", f"/v2/{repository}/manifests/tag").body == encoded(document)


class TestSize:
    LIMIT = 4 << 20

    def padded(self, document: Document, size: int) -> bytes:
        short = encoded(document | {"annotations": {"a": ""}})
        return encoded(document | {"annotations": {"a": "x" * (size - len(short))}})

    def test_4_mib_are_taken(self, client: Client, repository: str, good: Document) -> None:
        data = self.padded(good, self.LIMIT)
        assert len(data) == self.LIMIT
        expect(put(client, repository, "tag", data), 201)
        assert client.registry("GET", f"/v2/{repository}/manifests/tag").body == data

    @pytest.mark.parametrize("chunked", [False, True])
    def test_a_byte_more_is_413(
        self, client: Client, server: Server, repository: str, good: Document, chunked: bool
    ) -> None:
        data = self.padded(good, self.LIMIT + 1)
        body = iter([data[: 1 << 20], data[1 << 20 :]]) if chunked else data
        with nothing_stored(server):
            answer = client.registry("PUT", f"/v2/{repository}/manifests/tag", body, {"Content-Type": OCI_MANIFEST})
        assert (answer.status, answer.codes()) == (413, ["REQUEST_ENTITY_TOO_LARGE"])
