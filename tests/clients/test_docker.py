"""docker's own conversations, sent as dockerd sends them: log in, push five layers at once, resume a pull, mount."""

import http.client
import json
import random
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

import pytest

from tests.parts.client import Answer, Body, Client, digest_of, expect
from tests.parts.server import Server, every_deployment

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
ACCEPTED = [
    "application/vnd.oci.image.index.v1+json",
    MANIFEST,
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/json",
]
AGENT = "docker/27.3.1 go/go1.22.7 kernel/6.1.0 os/linux arch/amd64 UpstreamClient(Docker-Client/27.3.1 \\(linux\\))"


class Docker:
    """dockerd's registry client: asks the ping how to sign in, then sends a token for the scopes with every request."""

    def __init__(self, server: Server) -> None:
        self._client = server.client()
        self._token = ""

    def log_in(self) -> None:
        """`docker login`: the ping names the token service, which checks the password; the token passes the ping."""
        self.ask({"client_id": "docker", "offline_token": "true"})
        expect(self.send("GET", "/v2/"), 200)

    def ask(self, query: Mapping[str, str | list[str]]) -> None:
        """Take a token as the challenge of the ping says."""
        challenge = expect(self._client.send("GET", "/v2/", headers={"User-Agent": AGENT}), 401).headers[
            "Www-Authenticate"
        ]
        named = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        assert challenge.startswith("Bearer ")
        parameters = urlencode({"account": self._client.username, **query, "service": named["service"]}, doseq=True)
        answer = self._client.send(
            "GET", f"{named['realm']}?{parameters}", headers={"User-Agent": AGENT} | self._client.basic()
        )
        self._token = expect(answer, 200).json()["token"]

    def send(
        self,
        method: str,
        path: str,
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        *,
        lines: tuple[str, ...] = (),
    ) -> Answer:
        """One request with the token. `lines` are Accept headers, each in a line of its own."""
        connection = self._client.connection()
        try:
            self._put(connection, method, path, {"Authorization": f"Bearer {self._token}", **(headers or {})}, lines)
            if body is None or isinstance(body, bytes):
                connection.putheader("Content-Length", str(len(body or b"")))
                connection.endheaders(body)
            else:
                connection.putheader("Transfer-Encoding", "chunked")
                connection.endheaders(body, encode_chunked=True)
            response = connection.getresponse()
            return Answer(response.status, response.msg, response.read())
        finally:
            connection.close()

    def read_half(self, path: str) -> bytes:
        """Begin a download and drop the connection in the middle of it."""
        connection = self._client.connection()
        self._put(connection, "GET", path, {"Authorization": f"Bearer {self._token}"}, ())
        connection.endheaders()
        response = connection.getresponse()
        assert response.status == 200
        half = response.read(int(response.headers["Content-Length"]) // 2)
        connection.close()
        return half

    def _put(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        headers: Mapping[str, str],
        lines: tuple[str, ...],
    ) -> None:
        connection.putrequest(method, path.removeprefix(self._client.url), skip_accept_encoding=True)
        for name, value in {"User-Agent": AGENT, "Accept-Encoding": "identity", **headers}.items():
            connection.putheader(name, value)
        for value in lines:
            connection.putheader("Accept", value)

    def push_layer(self, repository: str, data: bytes) -> dict[str, str | int]:
        """HEAD, POST, one PATCH streamed without a length, an empty PUT, HEAD; returns the layer's descriptor."""
        digest = digest_of(data)
        expect(self.send("HEAD", f"/v2/{repository}/blobs/{digest}"), 404)
        location = expect(self.send("POST", f"/v2/{repository}/blobs/uploads/"), 202).headers["Location"]
        sent = expect(self.send("PATCH", location, pieces(data)), 202)
        assert sent.headers["Range"] == f"0-{len(data) - 1}"
        location = sent.headers["Location"]
        location += ("&" if urlsplit(location).query else "?") + urlencode({"digest": digest})
        assert expect(self.send("PUT", location), 201).headers["Docker-Content-Digest"] == digest
        assert expect(self.send("HEAD", f"/v2/{repository}/blobs/{digest}"), 200).headers["Content-Length"] == str(
            len(data)
        )
        return {"mediaType": LAYER, "digest": digest, "size": len(data)}


def pieces(data: bytes) -> Iterator[bytes]:
    """The data as Go's io.Copy sends it."""
    for start in range(0, len(data), 32 << 10):
        yield data[start : start + (32 << 10)]


@pytest.fixture
def docker(server: Server) -> Docker:
    docker = Docker(server)
    docker.log_in()
    return docker


@pytest.fixture(scope="module")
def layers(full: bool) -> list[bytes]:
    noise = random.Random(5)
    return [noise.randbytes((200 << 20) if full else (4 << 20) + number) for number in range(5)]


def push(docker: Docker, repository: str, layers: list[bytes]) -> bytes:
    """`docker push`: five layers at once, the config, the manifest by its tag; returns the manifest."""
    docker.ask({"scope": f"repository:{repository}:pull,push"})
    with ThreadPoolExecutor(5) as threads:
        descriptors = list(threads.map(lambda data: docker.push_layer(repository, data), layers))
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
    described = docker.push_layer(repository, config) | {"mediaType": CONFIG}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": descriptors}
    data = json.dumps(manifest, indent=3).encode()
    put = expect(docker.send("PUT", f"/v2/{repository}/manifests/latest", data, {"Content-Type": MANIFEST}), 201)
    assert put.headers["Docker-Content-Digest"] == digest_of(data)
    return data


@every_deployment
def test_what_is_pushed_in_five_streams_is_pulled_with_interruptions(
    docker: Docker, server: Server, project: str, layers: list[bytes]
) -> None:
    repository = f"{project}/team/app"
    manifest = push(docker, repository, layers)
    docker.ask({"scope": f"repository:{repository}:pull"})
    head = expect(docker.send("HEAD", f"/v2/{repository}/manifests/latest", lines=tuple(ACCEPTED)), 200)
    digest = head.headers["Docker-Content-Digest"]
    assert (head.headers["Content-Type"], head.headers["Content-Length"]) == (MANIFEST, str(len(manifest)))
    pulled = expect(
        docker.send("GET", f"/v2/{repository}/manifests/{digest}", headers={"Accept": ", ".join(ACCEPTED)}), 200
    )
    assert pulled.body == manifest
    for layer, data in zip(pulled.json()["layers"], layers, strict=True):
        path = f"/v2/{repository}/blobs/{layer['digest']}"
        half = docker.read_half(path)
        rest = expect(docker.send("GET", path, headers={"Range": f"bytes={len(half)}-"}), 206)
        assert rest.headers["Content-Range"] == f"bytes {len(half)}-{len(data) - 1}/{len(data)}"
        assert half + rest.body == data


def test_layers_of_another_repository_are_mounted(docker: Docker, server: Server, layers: list[bytes]) -> None:
    source, target = f"{server.create_project()}/app", f"{server.create_project()}/app"
    manifest = push(docker, source, layers[:1])
    docker.ask({"scope": [f"repository:{target}:pull,push", f"repository:{source}:pull"]})
    for blob in [json.loads(manifest)["config"], *json.loads(manifest)["layers"]]:
        query = urlencode({"from": source, "mount": blob["digest"]})
        mounted = expect(docker.send("POST", f"/v2/{target}/blobs/uploads/?{query}"), 201)
        assert mounted.headers["Docker-Content-Digest"] == blob["digest"]
        assert mounted.headers["Location"].endswith(f"/v2/{target}/blobs/{blob['digest']}")
    expect(docker.send("PUT", f"/v2/{target}/manifests/latest", manifest, {"Content-Type": MANIFEST}), 201)
    layer = expect(docker.send("GET", f"/v2/{target}/blobs/{digest_of(layers[0])}"), 200)
    assert layer.body == layers[0]


def test_a_wrong_password_does_not_log_in(server: Server) -> None:
    stranger = Client(server.url, "nobody-here", "wrong")
    assert stranger.token().status == 401
