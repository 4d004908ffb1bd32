"""Every way in which a blob may come (OCI distribution specification, "Pushing Blobs")."""

import random
from collections.abc import Iterator

import pytest

from tests.parts.client import Client, digest_of, expect
from tests.parts.server import Server, every_deployment
from tests.registry.contents import contents, files, query
from tests.registry.uploads import Upload

NOISE = random.Random(8).randbytes(3 << 20)


def pieces(data: bytes, size: int = 50_000) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def pulled(client: Client, repository: str, digest: str) -> bytes:
    """The blob as a GET gives it, which is what HEAD says."""
    path = f"/v2/{repository}/blobs/{digest}"
    got = expect(client.registry("GET", path), 200)
    head = expect(client.registry("HEAD", path), 200)
    assert got.headers["Docker-Content-Digest"] == head.headers["Docker-Content-Digest"] == digest
    assert got.headers["Content-Length"] == head.headers["Content-Length"] == str(len(got.body))
    assert got.headers["Content-Type"] == "application/octet-stream"
    return got.body


@every_deployment
@pytest.mark.parametrize("data", [b"", b"x", NOISE], ids=len)
def test_in_one_post(client: Client, repository: str, data: bytes) -> None:
    digest = digest_of(data)
    answer = expect(client.registry("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", data), 201)
    assert answer.headers["Location"] == f"{client.url}/v2/{repository}/blobs/{digest}"
    assert answer.headers["Docker-Content-Digest"] == digest
    assert pulled(client, repository, digest) == data


@every_deployment
@pytest.mark.parametrize("data", [b"", b"x", NOISE], ids=len)
def test_as_one_stream_and_an_empty_put(client: Client, repository: str, data: bytes) -> None:
    upload = Upload(client, repository)
    sent = expect(upload.patch(pieces(data)), 202)
    assert sent.headers["Range"] == f"0-{max(0, len(data) - 1)}"
    assert sent.headers["Docker-Upload-UUID"] == upload.id
    answer = expect(upload.put(digest_of(data)), 201)
    assert answer.headers["Docker-Content-Digest"] == digest_of(data)
    assert pulled(client, repository, digest_of(data)) == data


@every_deployment
def test_in_chunks_with_ranges_the_last_in_the_put(client: Client, repository: str) -> None:
    upload = Upload(client, repository)
    ends = [1_000_000, 1_000_001, 2_500_000]
    start = 0
    for end in ends:
        sent = expect(upload.patch(NOISE[start:end], f"{start}-{end - 1}"), 202)
        assert sent.headers["Range"] == f"0-{end - 1}"
        assert expect(upload.status(), 204).headers["Range"] == f"0-{end - 1}"
        start = end
    expect(upload.put(digest_of(NOISE), NOISE[start:], f"{start}-{len(NOISE) - 1}"), 201)
    assert pulled(client, repository, digest_of(NOISE)) == NOISE


@every_deployment
@pytest.mark.parametrize(
    "content_range", ["5-9", "11-15", "0-4", "9-5", "10-", "-5", "bytes", "ten-15", "10-99999999999999999999"]
)
def test_a_chunk_elsewhere_is_416_and_the_upload_goes_on(client: Client, repository: str, content_range: str) -> None:
    upload = Upload(client, repository)
    expect(upload.patch(NOISE[:10], "0-9"), 202)
    for refused in (
        upload.patch(NOISE[10:15], content_range),
        upload.put(digest_of(NOISE[:15]), NOISE[10:15], content_range),
    ):
        assert (refused.status, refused.codes()) == (416, ["RANGE_INVALID"])
        assert refused.headers["Range"] == "0-9"
    assert expect(upload.status(), 204).headers["Range"] == "0-9"
    expect(upload.patch(NOISE[10:20], "10-19"), 202)
    expect(upload.put(digest_of(NOISE[:20])), 201)
    assert pulled(client, repository, digest_of(NOISE[:20])) == NOISE[:20]


@every_deployment
def test_a_first_chunk_that_does_not_begin_at_0_is_416(client: Client, repository: str) -> None:
    upload = Upload(client, repository)
    assert upload.patch(b"12345", "5-9").status == 416
    assert upload.put(digest_of(b"12345"), b"12345", "1-5").status == 416
    expect(upload.put(digest_of(b"12345"), b"12345", "0-4"), 201)


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("announced", [True, False])
def test_a_blob_stays_under_the_algorithm_of_its_client(
    client: Client, repository: str, algorithm: str, announced: bool
) -> None:
    digest = digest_of(NOISE, algorithm)
    upload = Upload(client, repository, algorithm if announced else "")
    expect(upload.patch(NOISE[: 1 << 20]), 202)
    expect(upload.patch(NOISE[1 << 20 :]), 202)
    answer = expect(upload.put(digest), 201)
    assert answer.headers["Docker-Content-Digest"] == digest
    assert answer.headers["Location"].endswith(f"/blobs/{digest}")
    assert pulled(client, repository, digest) == NOISE
    other = "sha512" if algorithm == "sha256" else "sha256"
    assert client.registry("HEAD", f"/v2/{repository}/blobs/{digest_of(NOISE, other)}").status == 404


@pytest.mark.parametrize("how", ["post", "put", "put last chunk"])
def test_sha512_without_a_word_before(client: Client, repository: str, how: str) -> None:
    digest = digest_of(NOISE, "sha512")
    if how == "post":
        expect(client.registry("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", NOISE), 201)
    else:
        upload = Upload(client, repository)
        half = len(NOISE) // 2 if how == "put last chunk" else 0
        if half:
            expect(upload.patch(NOISE[:half]), 202)
        expect(upload.put(digest, NOISE[half:]), 201)
    assert pulled(client, repository, digest) == NOISE


def test_a_new_upload_stands_at_0(client: Client, repository: str) -> None:
    started = expect(client.registry("POST", f"/v2/{repository}/blobs/uploads/"), 202)
    assert started.headers["Range"] == "0-0"
    assert started.headers["Location"].startswith(f"{client.url}/v2/{repository}/blobs/uploads/")
    assert "?" in started.headers["Location"]
    assert started.headers["Content-Length"] == "0"


def test_the_address_without_its_slash_leads_to_the_one_with(client: Client, repository: str) -> None:
    answer = expect(client.registry("POST", f"/v2/{repository}/blobs/uploads"), 301)
    assert answer.headers["Location"] == f"/v2/{repository}/blobs/uploads/"


@every_deployment
def test_cancelled_nothing_is_left(client: Client, server: Server, repository: str) -> None:
    before = contents(server)
    upload = Upload(client, repository)
    expect(upload.patch(NOISE), 202)
    expect(upload.cancel(), 204)
    assert contents(server) == before
    for answer in (upload.status(), upload.patch(b"more"), upload.put(digest_of(NOISE)), upload.cancel()):
        assert (answer.status, answer.codes()) == (404, ["BLOB_UPLOAD_UNKNOWN"])


@every_deployment
def test_a_wrong_digest_without_a_body_leaves_the_upload_open(client: Client, repository: str) -> None:
    upload = Upload(client, repository)
    expect(upload.patch(NOISE), 202)
    assert upload.put(digest_of(b"other")).codes() == ["DIGEST_INVALID"]
    expect(upload.put(digest_of(NOISE)), 201)


def test_an_address_from_before_the_last_chunk_is_refused_and_the_upload_goes_on(
    client: Client, repository: str
) -> None:
    upload = Upload(client, repository)
    old = upload.location
    expect(upload.patch(b"first"), 202)
    stale = client.registry("PATCH", old, b"again", {"Content-Type": "application/octet-stream"})
    assert (stale.status, stale.codes()) == (404, ["BLOB_UPLOAD_INVALID"])
    expect(upload.put(digest_of(b"firstsecond"), b"second"), 201)


@every_deployment
def test_content_is_stored_once_for_all_repositories(client: Client, server: Server, repository: str) -> None:
    data = random.Random(repository).randbytes(70_000)
    client.push_blob(repository, data)
    before = files(server)
    other = f"{server.create_project()}/other"
    client.push_blob(other, data)
    upload = Upload(client, repository)
    expect(upload.patch(data), 202)
    expect(upload.put(digest_of(data)), 201)
    expect(client.registry("POST", f"/v2/{other}/blobs/uploads/?digest={digest_of(data)}", data), 201)
    assert files(server) == before
    assert len(query(server, "SELECT id FROM blob WHERE digest = ?", digest_of(data))) == 1
    assert pulled(client, other, digest_of(data)) == pulled(client, repository, digest_of(data)) == data


class TestMounts:
    @every_deployment
    def test_from_a_named_repository(self, client: Client, server: Server, repository: str) -> None:
        digest = client.push_blob(repository, NOISE)
        target = f"{server.create_project()}/target"
        scope = f"repository:{target}:pull,push repository:{repository}:pull"
        path = f"/v2/{target}/blobs/uploads/?mount={digest}&from={repository}"
        answer = expect(client.registry("POST", path, scope=scope), 201)
        assert answer.headers["Docker-Content-Digest"] == digest
        assert answer.headers["Location"] == f"{client.url}/v2/{target}/blobs/{digest}"
        assert pulled(client, target, digest) == NOISE

    def test_from_anywhere_the_caller_may_read(self, client: Client, server: Server, repository: str) -> None:
        data = random.Random(repository).randbytes(100)
        client.push_blob(repository, data)
        target = f"{server.create_project()}/target"
        path = f"/v2/{target}/blobs/uploads/?mount={digest_of(data)}"
        both = f"repository:{target}:pull,push repository:{repository}:pull"
        alone = f"repository:{target}:pull,push"
        assert client.registry("POST", path, scope=alone).status == 202
        assert expect(client.registry("POST", path, scope=both), 201).headers["Docker-Content-Digest"] == digest_of(
            data
        )

    @pytest.mark.parametrize("source", ["named", "anywhere"])
    def test_what_is_not_there_begins_an_upload(self, client: Client, repository: str, source: str) -> None:
        query = f"mount={digest_of(repository.encode())}" + (f"&from={repository}" if source == "named" else "")
        answer = expect(client.registry("POST", f"/v2/{repository}/blobs/uploads/?{query}"), 202)
        assert "Docker-Upload-UUID" in answer.headers

    @pytest.mark.parametrize("source", ["no-such/thing", "UPPER/case", "a/../b", "a%2500/b", "x" * 300 + "/y"])
    def test_from_a_project_that_is_not_there_is_401(self, client: Client, repository: str, source: str) -> None:
        answer = client.registry("POST", f"/v2/{repository}/blobs/uploads/?mount={digest_of(b'')}&from={source}")
        assert answer.status == 401


@every_deployment
def test_a_deleted_blob_is_gone_from_its_repository_alone(client: Client, server: Server, repository: str) -> None:
    other = f"{server.create_project()}/other"
    digest = client.push_blob(repository, NOISE)
    client.push_blob(other, NOISE)
    path = f"/v2/{repository}/blobs/{digest}"
    expect(client.registry("DELETE", path), 202)
    for method in ("HEAD", "GET", "DELETE"):
        assert client.registry(method, path).status == 404
    assert pulled(client, other, digest) == NOISE
    client.push_blob(repository, NOISE)
    assert pulled(client, repository, digest) == NOISE
