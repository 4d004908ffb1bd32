"""Requests that are refused before anything else is looked at, and whether the client hears of it."""

import socket
from contextlib import closing

import pytest

from tests.parts.client import OCI_MANIFEST, Client, digest_of, expect
from tests.parts.server import Server, every_database
from tests.registry.people import GUEST, person
from tests.registry.uploads import Upload

MIB = 1 << 20


def sent_whole(client: Client, path: str, body: bytes) -> int:
    """The status, when the whole body could be sent before the answer was read."""
    connection = client.connection()
    try:
        connection.request("PUT", path, body, client.basic() | {"Content-Type": OCI_MANIFEST})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("size", [MIB, 5 * MIB, 12 * MIB])
def test_who_is_still_sending_gets_the_answer(client: Client, server: Server, repository: str, size: int) -> None:
    guest = person(server, repository.partition("/")[0], GUEST)
    assert sent_whole(guest, f"/v2/{repository}/manifests/v1", bytes(size)) == 401
    assert sent_whole(client, f"/v2/{repository}/manifests/v1", bytes(size)) == (413 if size > 4 * MIB else 400)
    assert sent_whole(client, f"/v2/{repository}/manifests/-", bytes(size)) == 400


def test_chunks_that_are_none_are_400(client: Client, server: Server, repository: str) -> None:
    head = f"PUT /v2/{repository}/manifests/v1 HTTP/1.1\r\nHost: {server.host}\r\nTransfer-Encoding: chunked\r\n"
    credentials = f"Authorization: {client.basic()['Authorization']}\r\n"
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=120)) as connection:
        connection.sendall(f"{head}{credentials}\r\nzz\r\n".encode())
        assert connection.recv(12) == b"HTTP/1.1 400"


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "SEARCH"])
@pytest.mark.parametrize("path", ["tags/list", "manifests/v1", "blobs/uploads/", "blobs/uploads/1", "_catalog"])
def test_a_method_of_no_registry(client: Client, repository: str, method: str, path: str) -> None:
    target = "/v2/_catalog" if path == "_catalog" else f"/v2/{repository}/{path}"
    answer = expect(client.send(method, target, headers=client.basic()), 401)
    assert answer.json()["errors"][0]["message"].startswith(f"un-recognized request: {method} {target}")
    assert answer.headers["WWW-Authenticate"] == ""


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_nobody_is_told_how_the_catalog_is_asked(client: Client, server: Server, method: str) -> None:
    answer = expect(server.client("").send(method, "/v2/_catalog"), 401)
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="harbor"'
    expect(client.send(method, "/v2/_catalog", headers=client.basic()), 200 if method == "GET" else 405)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"])
def test_the_uploads_without_their_slash_lead_on_who_may_go_there(
    client: Client, server: Server, repository: str, method: str
) -> None:
    path = f"/v2/{repository}/blobs/uploads"
    expect(server.client("").send(method, path), 401)
    answer = expect(client.registry(method, f"{path}?mount=x"), 301)
    assert answer.headers["Location"] == f"{path}/?mount=x"


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_the_uploads_themselves_are_none(client: Client, server: Server, repository: str, method: str) -> None:
    path = f"/v2/{repository}/blobs/uploads/"
    expect(server.client("").send(method, path), 401)
    answer = client.registry(method, path)
    assert (answer.status, answer.codes()) == (404, ["BLOB_UPLOAD_UNKNOWN"])


def test_head_of_an_upload_is_its_status(client: Client, repository: str) -> None:
    upload = Upload(client, repository)
    expect(upload.patch(b"12345"), 202)
    answer = expect(client.registry("HEAD", upload.location), 204)
    assert answer.headers["Range"] == "0-4"


@pytest.mark.parametrize("state", ["x", "abcd", "%00", "=", "MTE6MA", "9" * 5000])
def test_a_state_that_was_not_given_out(client: Client, repository: str, state: str) -> None:
    upload = Upload(client, repository)
    for path in (upload.location, f"/v2/{repository}/blobs/uploads/11111111-2222-3333-4444-555555555555"):
        answer = client.registry("GET", f"{path.partition('?')[0]}?_state={state}")
        assert answer.json()["errors"] == [
            {"code": "BLOB_UPLOAD_INVALID", "message": "blob upload invalid", "detail": {}}
        ]


def test_of_equal_parameters_the_first_counts(client: Client, repository: str) -> None:
    upload = Upload(client, repository)
    address = f"{upload.location}&digest={digest_of(b'12')}&digest={digest_of(b'other')}"
    expect(client.registry("PUT", address, b"12"), 201)
    assert expect(client.registry("GET", f"/v2/{repository}/tags/list?n=0&n=x"), 200).json()["tags"] == []


@pytest.mark.parametrize("path", ["tags/list?n=1;last=x", "manifests/v1?;", "blobs/uploads/?mount=x;from=y"])
def test_a_semicolon_divides_no_parameters(client: Client, repository: str, path: str) -> None:
    answer = expect(client.registry("GET", f"/v2/{repository}/{path}"), 400)
    assert answer.json()["errors"] == [{"code": "BAD_REQUEST", "message": "invalid semicolon separator in query"}]


class TestMountsFromOddNames:
    """As in Harbor the source's project decides; what can be no repository of it holds nothing."""

    @every_database
    @pytest.mark.parametrize(
        ("source", "status"),
        [("{}/BAD", 202), ("{}/", 202), ("{}/a%00", 202), ("NOPE/x", 401), ("%00/x", 401), ("/", 401), ("alone", 400)],
    )
    def test_with_a_digest(self, client: Client, repository: str, source: str, status: int) -> None:
        digest = client.push_blob(repository, b"mounted")
        named = source.format(repository.partition("/")[0])
        answer = client.send(
            "POST", f"/v2/{repository}/blobs/uploads/?mount={digest}&from={named}", headers=client.basic()
        )
        assert answer.status == status, answer.body

    @pytest.mark.parametrize("source", ["alone", "BAD/x"])
    def test_without_one_it_is_an_upload(self, client: Client, repository: str, source: str) -> None:
        expect(client.registry("POST", f"/v2/{repository}/blobs/uploads/?from={source}"), 202)


def test_who_may_not_delete_a_blob_is_not_told_about_digests(server: Server, repository: str) -> None:
    guest = person(server, repository.partition("/")[0], GUEST)
    expect(guest.send("DELETE", f"/v2/{repository}/blobs/sha256:abc", headers=guest.basic()), 401)
