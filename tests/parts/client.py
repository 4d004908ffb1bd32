"""A small HTTP client for raw requests, with the token flow of the distribution specification."""

import base64
import contextlib
import hashlib
import http.client
import json
import re
import ssl
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"

Body = bytes | Iterable[bytes] | None


class Answer(NamedTuple):
    """What the server answered, to the byte."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """The body decoded. Raises ValueError."""
        return json.loads(self.body)

    def codes(self) -> list[str]:
        """The codes of an error answer."""
        return [error["code"] for error in self.json()["errors"]]


class Client:
    """One account's view of a server. Every request has a connection of its own, so nothing hangs on the one before."""

    def __init__(
        self,
        url: str,
        username: str = "",
        password: str = "",
        *,
        timeout: float = 120,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        address = urlsplit(url)
        self.url = url.rstrip("/")
        self.host = address.netloc
        self.username = username
        self.password = password
        self._secure = address.scheme == "https"
        self._timeout = timeout
        self._tls = tls
        self._tokens: dict[str, str] = {}

    def connection(self) -> http.client.HTTPConnection:
        """A new connection, for a test that speaks HTTP itself."""
        if self._secure:
            return http.client.HTTPSConnection(self.host, timeout=self._timeout, context=self._tls)
        return http.client.HTTPConnection(self.host, timeout=self._timeout)

    def send(self, method: str, path: str, body: Body = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request as it is, without credentials. A whole address serves as a path; an iterable goes chunked."""
        target = path.removeprefix(self.url) if path.startswith("http") else path
        connection = self.connection()
        try:
            with contextlib.suppress(BrokenPipeError):  # an answer may come before all was sent
                connection.request(
                    method, target, body, dict(headers or {}), encode_chunked=not isinstance(body, bytes | None)
                )
            response = connection.getresponse()
            return Answer(response.status, response.msg, response.read())
        finally:
            connection.close()

    def api(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """A call of the control API with Basic credentials and a JSON body."""
        data = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        return self.send(method, "/api/v2.0" + path, data, self.basic() | kind | dict(headers or {}))

    def registry(
        self, method: str, path: str, body: Body = None, headers: Mapping[str, str] | None = None, *, scope: str = ""
    ) -> Answer:
        """A call of the data plane with a token for the scope; without one, for the repository in the path."""
        found = re.match(r"/v2/(.+)/(?:blobs|manifests|tags|referrers)/", urlsplit(path).path)
        scope = scope or (f"repository:{found[1]}:pull,push,delete" if found else "")
        return self.send(method, path, body, self.bearer(scope) | dict(headers or {}))

    def basic(self) -> dict[str, str]:
        """The Authorization header of Basic, or none for an anonymous client."""
        if not self.username:
            return {}
        return {"Authorization": "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()}

    def bearer(self, scope: str) -> dict[str, str]:
        """The Authorization header of a token for the scopes, which are separated by spaces. Tokens are kept."""
        if scope not in self._tokens:
            self._tokens[scope] = self.token(scope).json()["token"]
        return {"Authorization": f"Bearer {self._tokens[scope]}"}

    def token(self, scope: str = "") -> Answer:
        """Ask the token service."""
        query = [("service", "harbor-registry"), *(("scope", each) for each in scope.split())]
        return self.send("GET", "/service/token?" + urlencode(query), headers=self.basic())

    def push_blob(self, repository: str, data: bytes, *, digest: str = "") -> str:
        """Upload a blob by POST and PUT; returns its digest."""
        digest = digest or digest_of(data)
        started = self.registry("POST", f"/v2/{repository}/blobs/uploads/")
        expect(started, 202)
        location = started.headers["Location"]
        location += ("&" if "?" in location else "?") + "digest=" + quote(digest)
        expect(
            self.registry("PUT", location.removeprefix(self.url), data, {"Content-Type": "application/octet-stream"}),
            201,
        )
        return digest

    def push_manifest(self, repository: str, reference: str, manifest: bytes, media_type: str = OCI_MANIFEST) -> str:
        """Put a manifest under a tag or digest; returns its digest."""
        expect(
            self.registry("PUT", f"/v2/{repository}/manifests/{reference}", manifest, {"Content-Type": media_type}), 201
        )
        return digest_of(manifest)

    def push_image(self, repository: str, tag: str, *layers: bytes) -> str:
        """Push a small image of these layers; returns the manifest's digest."""
        config = json.dumps(
            {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
        ).encode()
        kinds = ["application/vnd.oci.image.config.v1+json"] + ["application/vnd.oci.image.layer.v1.tar"] * len(layers)
        blobs = [
            {"mediaType": kind, "digest": self.push_blob(repository, data), "size": len(data)}
            for kind, data in zip(kinds, (config, *layers), strict=True)
        ]
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": blobs[0], "layers": blobs[1:]}
        return self.push_manifest(repository, tag, json.dumps(manifest).encode())


def is_served(url: str) -> bool:
    """Whether a registry answers its ping at the address."""
    try:
        return Client(url, timeout=30).send("GET", "/v2/").status == 401
    except OSError:
        return False


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    """The digest as the OCI image specification spells it."""
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def expect(answer: Answer, status: int) -> Answer:
    """The answer, if it has that status. Raises AssertionError that shows what came instead."""
    assert answer.status == status, f"{status} expected, got {answer.status}: {answer.body[:500]!r}"
    return answer
