"""Uploads that go wrong: the right code, and nothing is stored."""

import base64
import random
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import unquote

import pytest

from tests.parts.client import Client, digest_of, expect
from tests.parts.process import wait_for
from tests.parts.server import Server, every_database
from tests.registry.contents import contents, files, nothing_stored, query
from tests.registry.people import MAINTAINER, person, robot
from tests.registry.uploads import Upload

DATA = random.Random(9).randbytes(300_000)
LONG = random.Random(10).randbytes(4 << 20)  # so long that the half of it can be seen on the disk
HALF = len(LONG) // 2

WRONG_DIGESTS = [
    "sha256:" + "0" * 63,
    "sha256:" + "0" * 65,
    "sha256:" + "G" * 64,
    "sha256:" + "A" * 64,
    "sha512:" + "0" * 64,
    "md5:" + "0" * 32,
    "sha1:" + "0" * 40,
    "sha256",
    "sha256:",
    ":" + "0" * 64,
    "0" * 64,
    "sha256:%00",
    "sha256:..%2f..%2fetc",
    "x" * 3000,
]


@every_database
@pytest.mark.parametrize(
    "digest", [digest_of(b"other"), digest_of(b"other", "sha512"), *WRONG_DIGESTS], ids=lambda text: text[:20]
)
def test_a_wrong_digest(client: Client, server: Server, repository: str, digest: str) -> None:
    with nothing_stored(server):
        answer = client.registry("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", DATA)
        assert (answer.status, answer.codes()) == (400, ["DIGEST_INVALID"])
        upload = Upload(client, repository)
        answer = client.registry("PUT", f"{upload.location}&digest={digest}", DATA)
        assert (answer.status, answer.codes()) == (400, ["DIGEST_INVALID"])
        if upload.status().status == 204:  # what cannot be a digest costs nothing that was sent before
            expect(upload.cancel(), 204)


@every_database
def test_a_wrong_digest_behind_chunks_ends_the_upload(client: Client, server: Server, repository: str) -> None:
    with nothing_stored(server):
        upload = Upload(client, repository)
        expect(upload.patch(DATA), 202)
        assert upload.put(digest_of(DATA), b"more").codes() == ["DIGEST_INVALID"]
        assert upload.status().codes() == ["BLOB_UPLOAD_UNKNOWN"]


def test_no_digest(client: Client, repository: str) -> None:
    upload = Upload(client, repository)
    for query_string in ("", "&digest="):
        answer = client.registry("PUT", f"{upload.location}{query_string}", DATA)
        assert (answer.status, answer.codes()) == (400, ["BAD_REQUEST"])
    expect(upload.put(digest_of(DATA), DATA), 201)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "SHA256", "sha256 ", "", "x" * 3000])
def test_an_algorithm_that_is_not_offered(client: Client, server: Server, repository: str, algorithm: str) -> None:
    with nothing_stored(server):
        answer = client.registry(
            "POST", f"/v2/{repository}/blobs/uploads/?digest-algorithm={algorithm.replace(' ', '%20')}"
        )
        assert (answer.status, answer.codes()) == (400, ["DIGEST_INVALID"])


@every_database
@pytest.mark.parametrize("start", [0, 1000])
@pytest.mark.parametrize("claimed", [1, DATA.__len__() - 1, len(DATA) + 1, 1 << 59])
def test_another_length_than_the_range_announces(
    client: Client, server: Server, repository: str, start: int, claimed: int
) -> None:
    """Also where the body comes without a length, and is only counted."""
    upload = Upload(client, repository)
    if start:
        expect(upload.patch(DATA[:start]), 202)
    content_range = f"{start}-{start + claimed - 1}"
    with nothing_stored(server):
        for body in (DATA, iter([DATA[:100_000], DATA[100_000:]])):
            answer = upload.patch(body, content_range)
            assert (answer.status, answer.codes()) == (400, ["SIZE_INVALID"])
        answer = upload.put(digest_of(DATA), DATA, content_range)
        assert (answer.status, answer.codes()) == (400, ["SIZE_INVALID"])
    expect(upload.patch(DATA, f"{start}-{start + len(DATA) - 1}"), 202)
    expect(upload.put(digest_of(DATA[:start] + DATA)), 201)


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "application/vnd.oci.image.manifest.v1+json", "x" * 3000]
)
def test_chunks_of_another_type(client: Client, server: Server, repository: str, kind: str) -> None:
    upload = Upload(client, repository)
    with nothing_stored(server):
        answer = client.registry("PATCH", upload.location, DATA, {"Content-Type": kind})
    assert (answer.status, answer.codes()) == (400, ["UNSUPPORTED"])


class TestForeign:
    """An upload belongs to one account and one repository. For everybody else it does not exist."""

    def refused(self, client: Client, location: str) -> None:
        for method, query_string in (("GET", ""), ("PATCH", ""), ("PUT", f"&digest={digest_of(DATA)}"), ("DELETE", "")):
            body = DATA if method in ("PATCH", "PUT") else None
            answer = client.registry(
                method, location + query_string, body, {"Content-Type": "application/octet-stream"}
            )
            assert (answer.status, answer.codes()) == (404, ["BLOB_UPLOAD_UNKNOWN"]), method

    @every_database
    @pytest.mark.parametrize("sent", [b"", b"something"])
    def test_from_another_repository(self, client: Client, server: Server, repository: str, sent: bytes) -> None:
        upload = Upload(client, repository)
        if sent:
            expect(upload.patch(sent), 202)
        with nothing_stored(server):
            for other in (f"{repository}-sibling", f"{repository}/child", f"{server.create_project()}/app"):
                self.refused(client, upload.location.replace(f"/v2/{repository}/", f"/v2/{other}/"))
        expect(upload.put(digest_of(sent + DATA), DATA), 201)

    @every_database
    def test_by_another_account(self, client: Client, server: Server, repository: str) -> None:
        project = repository.partition("/")[0]
        member = person(server, project, MAINTAINER)
        machine, _ = robot(server, project, "pull", "push", "delete")
        upload = Upload(member, repository)
        expect(upload.patch(DATA), 202)
        with nothing_stored(server):
            self.refused(client, upload.location)
            self.refused(machine, upload.location)
        expect(upload.put(digest_of(DATA)), 201)

    def test_without_a_right_to_push(self, server: Server, client: Client, repository: str) -> None:
        upload = Upload(client, repository)
        stranger = person(server)
        with nothing_stored(server):
            for method in ("GET", "PATCH", "PUT", "DELETE"):
                answer = stranger.registry(method, upload.location)
                assert (answer.status, answer.codes()) == (401, ["UNAUTHORIZED"])

    @pytest.mark.parametrize(
        "upload_id", ["00000000-0000-4000-8000-000000000000", "x", "..", "%00", "%2e%2e%2fx", "a" * 3000, "~"]
    )
    def test_ids_that_nobody_was_given(self, client: Client, server: Server, repository: str, upload_id: str) -> None:
        state = base64.urlsafe_b64encode(f"{unquote(upload_id)}:0".encode()).decode()
        with nothing_stored(server):
            self.refused(client, f"/v2/{repository}/blobs/uploads/{upload_id}?_state={state}")


def stored(server: Server, upload: Upload) -> tuple[int, int]:
    """The upload's offset, and the bytes that lie there for it."""
    row = query(server, 'SELECT "offset", segments FROM upload WHERE id = ?', upload.id)[0]
    there = files(server)
    return row["offset"], sum(there[key] for key in there if key in row["segments"])


class TestCutOff:
    """A body that ends before its time leaves what was there before."""

    @pytest.fixture
    def upload(self, client: Client, repository: str) -> Upload:
        return Upload(client, repository)

    def begin(self, client: Client, method: str, path: str, header: str, body: bytes = LONG[:HALF]) -> socket.socket:
        """Send the head of a request and the first half of its body."""
        host, _, port = client.host.partition(":")
        connection = socket.create_connection((host, int(port)), timeout=120)
        credentials = client.bearer("repository:" + path[4:].partition("/blobs/")[0] + ":pull,push,delete")[
            "Authorization"
        ]
        head = [f"{method} {path} HTTP/1.1", f"Host: {client.host}", f"Authorization: {credentials}", header, "", ""]
        connection.sendall("\r\n".join(head).encode() + body)
        return connection

    @every_database
    @pytest.mark.parametrize("sent", [b"", b"before"])
    @pytest.mark.parametrize("method", ["PATCH", "PUT"])
    def test_the_upload_stands_where_it_stood(
        self, client: Client, server: Server, repository: str, upload: Upload, method: str, sent: bytes
    ) -> None:
        if sent:
            expect(upload.patch(sent), 202)
        before = contents(server)
        path = upload.location + (f"&digest={digest_of(LONG)}" if method == "PUT" else "")
        with closing(self.begin(client, method, path, f"Content-Length: {len(LONG)}")):
            wait_for(lambda: files(server) != before.files, "the first bytes")
        wait_for(lambda: contents(server) == before, "the bytes to go")
        assert expect(upload.status(), 204).headers["Range"] == f"0-{max(0, len(sent) - 1)}"
        expect(upload.put(digest_of(sent + LONG), LONG), 201)

    @every_database
    def test_a_blob_in_one_post(self, client: Client, server: Server, repository: str) -> None:
        before = contents(server)
        path = f"/v2/{repository}/blobs/uploads/?digest={digest_of(LONG)}"
        with closing(self.begin(client, "POST", path, f"Content-Length: {len(LONG)}")):
            wait_for(lambda: files(server) != before.files, "the first bytes")
        wait_for(lambda: contents(server) == before, "the bytes to go")
        assert client.registry("HEAD", f"/v2/{repository}/blobs/{digest_of(LONG)}").status == 404

    def test_a_stream_whose_last_chunk_does_not_come(self, client: Client, server: Server, upload: Upload) -> None:
        before = contents(server)
        piece = b"%x\r\n%b\r\n" % (HALF, LONG[:HALF])
        with closing(self.begin(client, "PATCH", upload.location, "Transfer-Encoding: chunked", piece)):
            wait_for(lambda: files(server) != before.files, "the first bytes")
        wait_for(lambda: contents(server) == before, "the bytes to go")
        assert stored(server, upload) == (0, 0)

    @pytest.mark.parametrize(
        "header",
        [
            "Content-Length: -1",
            "Content-Length: 99999999999999999999999",
            "Content-Length: x",
            "Content-Length: 5\r\nContent-Length: 6",
        ],
    )
    def test_lengths_that_are_none(self, client: Client, server: Server, upload: Upload, header: str) -> None:
        before = contents(server)
        with closing(self.begin(client, "PATCH", upload.location, header, b"")) as connection:
            assert connection.recv(100).startswith(b"HTTP/1.1 400")
        assert contents(server) == before


def test_a_slow_body_is_waited_for(client: Client, repository: str) -> None:
    """Each piece comes when the one before has been taken: no piece is asked to hurry."""
    upload = Upload(client, repository)

    def trickle() -> Iterator[bytes]:
        for number in range(40):
            expect(upload.client.registry("GET", upload.location), 204)
            yield DATA[number : number + 1]

    expect(upload.patch(trickle()), 202)
    expect(upload.put(digest_of(DATA[:40])), 201)


@every_database
def test_of_two_at_once_one_goes_on(client: Client, server: Server, repository: str) -> None:
    """The other is told, and nothing of its bytes stays."""
    upload = Upload(client, repository)
    expect(upload.patch(b"begin"), 202)
    location = upload.location

    def with_another_inside() -> Iterator[bytes]:
        yield LONG[:HALF]
        wait_for(lambda: stored(server, upload)[1] > len(b"begin"), "the first bytes")
        answer = client.registry("PATCH", location, b"other", {"Content-Type": "application/octet-stream"})
        assert (answer.status, answer.codes()) == (404, ["BLOB_UPLOAD_INVALID"])
        yield LONG[HALF:]

    expect(upload.patch(with_another_inside()), 202)
    assert stored(server, upload) == (5 + len(LONG), 5 + len(LONG))
    expect(upload.put(digest_of(b"begin" + LONG)), 201)


@every_database
@pytest.mark.parametrize("sent", [b"", b"begin"])
def test_cancelled_while_bytes_come(client: Client, server: Server, repository: str, sent: bytes) -> None:
    before = contents(server)
    upload = Upload(client, repository)
    if sent:
        expect(upload.patch(sent), 202)
    location = upload.location

    def cancelling() -> Iterator[bytes]:
        yield LONG[:HALF]
        wait_for(lambda: sum(files(server).values()) > sum(before.files.values()) + len(sent), "the first bytes")
        expect(client.registry("DELETE", location), 204)
        yield LONG[HALF:]

    answer = upload.patch(cancelling())
    assert (answer.status, answer.codes()[0][:11]) == (404, "BLOB_UPLOAD")
    assert contents(server) == before
