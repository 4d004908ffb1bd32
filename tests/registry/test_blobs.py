"""Pulling blobs, whole and in ranges (OCI distribution specification, "Pulling blobs"; RFC 9110, section 14)."""

import random

import pytest

from tests.parts.client import Client, digest_of, expect
from tests.parts.server import Server, every_deployment
from tests.registry.uploads import Upload

DATA = random.Random(4).randbytes(2_500_000)


@pytest.fixture
def path(client: Client, repository: str) -> str:
    """A blob that came in chunks, so that in a bucket it is several objects."""
    upload = Upload(client, repository)
    for start in range(0, len(DATA), 1_000_000):
        expect(upload.patch(DATA[start : start + 1_000_000]), 202)
    expect(upload.put(digest_of(DATA)), 201)
    return f"/v2/{repository}/blobs/{digest_of(DATA)}"


@every_deployment
def test_ranges(client: Client, path: str) -> None:
    ranges = [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, len(DATA)),
        ("bytes=500-1499", 500, 1500),
        ("bytes=999999-1000000", 999_999, 1_000_001),
        ("bytes=900000-2100000", 900_000, 2_100_001),
        ("bytes=-500", len(DATA) - 500, len(DATA)),
        ("bytes=-99999999", 0, len(DATA)),
        (f"bytes={len(DATA) - 1}-", len(DATA) - 1, len(DATA)),
        ("bytes=2499999-99999999", 2_499_999, len(DATA)),
        ("bytes= 5 - 9", 5, 10),
    ]
    for header, start, stop in ranges:
        answer = expect(client.registry("GET", path, headers={"Range": header}), 206)
        assert answer.body == DATA[start:stop], header
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(DATA)}"
        assert answer.headers["Content-Length"] == str(stop - start)
        assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    "header",
    [
        "bytes=2500000-",
        "bytes=5-4",
        "bytes=-0",
        "bytes=-",
        "bytes=a-b",
        "bytes=",
        "pieces=0-1",
        "bytes=0",
        "bytes=1e3-",
        "bytes=\xb2-",
        "bytes=" + "9" * 5000 + "-",
        "bytes=-" + "9" * 5000,
        "bytes=0-" + "9" * 5000,
    ],
    ids=lambda header: header[:20],
)
def test_ranges_that_cannot_be(client: Client, path: str, header: str) -> None:
    answer = client.registry("GET", path, headers={"Range": header})
    assert (answer.status, answer.codes()) == (416, ["RANGE_INVALID"])
    assert answer.headers["Content-Range"] == f"bytes */{len(DATA)}"


def test_several_ranges_at_once_are_answered_whole(client: Client, path: str) -> None:
    answer = expect(client.registry("GET", path, headers={"Range": "bytes=0-1,5-6"}), 200)
    assert answer.body == DATA


@every_deployment
def test_what_the_client_has_already(client: Client, path: str) -> None:
    digest = path.rpartition("/")[2]
    for value in (digest, f'"{digest}"', f'W/"{digest}"', f'"other", "{digest}"', "*"):
        answer = client.registry("GET", path, headers={"If-None-Match": value})
        assert (answer.status, answer.body) == (304, b"")
    assert client.registry("GET", path, headers={"If-None-Match": '"other"'}).body == DATA


def test_a_range_of_what_the_client_took_for_another_blob_is_the_whole(client: Client, path: str) -> None:
    tag = f'"{digest_of(DATA)}"'
    assert expect(client.registry("GET", path, headers={"Range": "bytes=0-1", "If-Range": tag}), 206).body == DATA[:2]
    assert expect(client.registry("GET", path, headers={"Range": "bytes=0-1", "If-Range": '"x"'}), 200).body == DATA


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-1023", "bytes=-5"])
def test_any_range_of_nothing_is_nothing(client: Client, repository: str, header: str) -> None:
    path = f"/v2/{repository}/blobs/{client.push_blob(repository, b'')}"
    assert expect(client.registry("GET", path, headers={"Range": header}), 200).body == b""


def test_headers(client: Client, path: str) -> None:
    for method in ("GET", "HEAD"):
        answer = expect(client.registry(method, path), 200)
        assert answer.headers["Content-Length"] == str(len(DATA))
        assert answer.headers["Etag"] == f'"{digest_of(DATA)}"'
        assert answer.headers["Cache-Control"] == "max-age=31536000"
        assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert client.registry("HEAD", path).body == b""


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_a_digest_of_another_repository_is_not_enough(client: Client, server: Server, path: str, method: str) -> None:
    """Content is a repository's: who knows a digest from elsewhere does not get it here."""
    project = path.split("/")[2]
    for other in (f"{project}/other", f"{server.create_project()}/app"):
        answer = client.registry(method, f"/v2/{other}/blobs/{digest_of(DATA)}")
        assert answer.status == 404
        assert method == "HEAD" or answer.codes() == ["BLOB_UNKNOWN"]
