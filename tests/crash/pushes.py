"""Concurrent pushes, and what the server has acknowledged of them."""

import json
import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException

from tests.parts.client import OCI_MANIFEST, Answer, Client, digest_of, expect
from tests.registry.manifests import CONFIG, LAYER, Document
from tests.registry.uploads import Upload


class Refused(Exception):
    """The server said that it cannot just now."""


class Ledger:
    """What was answered with 201, and what a tag may therefore name. Threads share it.

    `excused` are statuses that a push may end with while something is broken; any other than 201 is a failure.
    """

    def __init__(self, *excused: int) -> None:
        self.excused = excused
        self.blobs: set[tuple[str, str]] = set()
        self.manifests: dict[tuple[str, str], bytes] = {}
        self.tags: dict[tuple[str, str], set[str]] = {}
        self.failures: list[str] = []

    def push(self, client: Client, repository: str, seed: int, stop: threading.Event) -> None:
        """Push images one after the other until the server is gone or `stop` is set."""
        noise = random.Random(seed)
        tag = f"tag-{seed}"
        try:
            while not stop.is_set():
                with suppress(Refused):
                    self._image(client, repository, tag, noise)
        except (OSError, HTTPException):
            return
        except AssertionError as error:
            self.failures.append(str(error))

    def _image(self, client: Client, repository: str, tag: str, noise: random.Random) -> None:
        config = json.dumps({"architecture": "amd64", "os": "linux", "seed": noise.random()}).encode()
        layers = [noise.randbytes(noise.choice([1, 1000, 70_000, 400_000])) for _ in range(2)]
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self._blob(client, repository, config, CONFIG, noise),
            "layers": [self._blob(client, repository, data, LAYER, noise) for data in layers],
        }
        data = json.dumps(manifest).encode()
        digest = digest_of(data)
        may = self.tags.setdefault((repository, tag), set())
        may.add(digest)
        headers = {"Content-Type": OCI_MANIFEST}
        self._taken(client.registry("PUT", f"/v2/{repository}/manifests/{tag}", data, headers), 201)
        self.manifests[repository, digest] = data
        may.intersection_update({digest})

    def _blob(self, client: Client, repository: str, data: bytes, kind: str, noise: random.Random) -> Document:
        digest = digest_of(data)
        self._upload(client, repository, data, digest, noise.choice(["post", "put", "stream", "chunks"]))
        self.blobs.add((repository, digest))
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    def _upload(self, client: Client, repository: str, data: bytes, digest: str, how: str) -> None:
        path = f"/v2/{repository}/blobs/uploads/"
        if how == "post":
            self._taken(client.registry("POST", f"{path}?digest={digest}", data), 201)
            return
        upload = Upload(client, repository, started=self._taken(client.registry("POST", path), 202))
        if how == "put":
            self._taken(upload.put(digest, data), 201)
            return
        if how == "stream":
            self._taken(upload.patch(_pieces(data)), 202)
            self._taken(upload.put(digest), 201)
            return
        half = len(data) // 2
        if half:
            self._taken(upload.patch(data[:half], f"0-{half - 1}"), 202)
        self._taken(upload.put(digest, data[half:], f"{half}-{len(data) - 1}"), 201)

    def _taken(self, answer: Answer, status: int) -> Answer:
        if answer.status in self.excused:
            raise Refused
        return expect(answer, status)


def _pieces(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), 30_000):
        yield data[start : start + 30_000]


def check(client: Client, ledger: Ledger) -> None:
    """Everything acknowledged is whole, and everything listed can be pulled."""
    assert not ledger.failures
    for repository, digest in sorted(ledger.blobs):
        _is_whole(client, f"/v2/{repository}/blobs/{digest}", digest)
    for (repository, digest), data in sorted(ledger.manifests.items()):
        assert expect(client.registry("GET", f"/v2/{repository}/manifests/{digest}"), 200).body == data
    for repository in sorted({name for name, _ in ledger.tags}):
        listed = _tags(client, repository)
        for (_, tag), may in ledger.tags.items():
            if any((repository, digest) in ledger.manifests for digest in may):
                assert tag in listed
        for tag in listed:
            digest = pull(client, repository, tag)
            assert digest in ledger.tags[repository, tag]


def _tags(client: Client, repository: str) -> list[str]:
    """The repository's tags; none where a crash came before the first push."""
    answer = client.registry("GET", f"/v2/{repository}/tags/list")
    if answer.status == 404:
        return []
    tags: list[str] = expect(answer, 200).json()["tags"]
    return tags


def pull(client: Client, repository: str, tag: str) -> str:
    """Pull an image with all its blobs; returns the manifest's digest."""
    manifest = expect(client.registry("GET", f"/v2/{repository}/manifests/{tag}"), 200)
    digest = manifest.headers["Docker-Content-Digest"]
    assert digest_of(manifest.body) == digest
    document = manifest.json()
    for blob in [document["config"], *document["layers"]]:
        _is_whole(client, f"/v2/{repository}/blobs/{blob['digest']}", blob["digest"])
    return str(digest)


def _is_whole(client: Client, path: str, digest: str) -> None:
    assert digest_of(expect(client.registry("GET", path), 200).body) == digest
