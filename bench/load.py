"""Load from outside: wrk for many small requests, curl for one long answer, sockets of our own for pushes."""

import http.client
import re
import secrets
import selectors
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tests.parts import tools

from bench.contenders import trusting

PIECE: Final = 1 << 20
_SCRIPTS: Final = Path(__file__).parent


def wrk(
    address: str,
    connections: int,
    seconds: int,
    headers: Sequence[str],
    script: str = "",
    arguments: Sequence[str] = (),
) -> float:
    """Requests a second over so many connections. Raises RuntimeError when any answer is not a success."""
    command = [tools.path("wrk"), "-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
    command += [word for header in headers for word in ("-H", header)]
    command += ["-s", str(_SCRIPTS / script)] if script else []
    output = _run([*command, address, *(["--", *arguments] if arguments else [])])
    failed = re.search(r"Non-2xx or 3xx responses: \d+|Socket errors: .*", output)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if failed or rate is None:
        raise RuntimeError(f"{address}: {failed[0] if failed else output}")
    return float(rate[1])


def heads(address: str, connections: int, seconds: int, headers: Sequence[str]) -> float:
    """Answers to HEAD a second over so many connections. wrk waits for the body that Content-Length announces.

    Raises RuntimeError when an answer is not 200 or a connection ends.
    """
    target = urlsplit(address)
    request = "\r\n".join([f"HEAD {target.path} HTTP/1.1", f"Host: {target.netloc}", *headers, "", ""]).encode()
    answered = 0
    with selectors.DefaultSelector() as selector, ExitStack() as opened:
        for _ in range(connections):
            connection = opened.enter_context(socket.create_connection((target.hostname, target.port)))
            connection.sendall(request)
            selector.register(connection, selectors.EVENT_READ, connection)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for key, _ in selector.select(1):
                connection = key.data
                answer = connection.recv(65_536)
                if not (answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"\r\n\r\n")):
                    raise RuntimeError(f"HEAD {address}: {answer[:300]!r}")
                answered += 1
                connection.sendall(request)
    return answered / seconds


def curl(address: str, headers: Sequence[str]) -> float:
    """Bytes a second of one answer."""
    command = ["curl", "--insecure", "--silent", "--show-error", "--fail", "--output", "/dev/null"]
    command += [word for header in headers for word in ("--header", header)]
    return float(_run([*command, "--write-out", "%{speed_download}", address]))


class Blob:
    """A piece of at most 1 MiB, repeated up to a size; its digest is known before the clock starts."""

    def __init__(self, piece: bytes, size: int) -> None:
        self._piece = piece
        self.size: Final = size
        digest = sha256()
        for each in self:
            digest.update(each)
        self.digest: Final = f"sha256:{digest.hexdigest()}"

    def __iter__(self) -> Iterator[memoryview]:
        piece = memoryview(self._piece)
        for start in range(0, self.size, len(piece)):
            yield piece[: min(len(piece), self.size - start)]


def noise(size: int) -> Blob:
    """A blob that no other equals, of bytes that do not compress."""
    return Blob(secrets.token_bytes(PIECE), size)


class Pusher:
    """Pushes blobs into a repository as docker does: POST, one streamed PATCH, PUT with the digest."""

    def __init__(self, url: str, token: str, repository: str) -> None:
        self._address = urlsplit(url)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._path = f"/v2/{repository}/blobs/uploads/"

    def push(self, blob: Blob) -> None:
        """Push one blob over a connection of its own. Raises RuntimeError when it is refused."""
        connection = self._connection()
        try:
            location = self._send(connection, "POST", self._path, None, 202)
            location = self._send(connection, "PATCH", location, blob, 202)
            mark = "&" if "?" in location else "?"
            self._send(connection, "PUT", f"{location}{mark}digest={blob.digest}", None, 201)
        finally:
            connection.close()

    def push_all(self, blobs: Sequence[Blob]) -> float:
        """Push all at once, each over its own connection; bytes a second of all together."""
        with ThreadPoolExecutor(len(blobs)) as threads:
            began = time.perf_counter()
            list(threads.map(self.push, blobs))
        return sum(blob.size for blob in blobs) / (time.perf_counter() - began)

    def _connection(self) -> http.client.HTTPConnection:
        if self._address.scheme == "https":
            return http.client.HTTPSConnection(self._address.netloc, timeout=120, context=trusting())
        return http.client.HTTPConnection(self._address.netloc, timeout=120)

    def _send(
        self, connection: http.client.HTTPConnection, method: str, target: str, body: Blob | None, status: int
    ) -> str:
        """The Location of the answer."""
        length = {"Content-Type": "application/octet-stream", "Content-Length": str(body.size)} if body else {}
        path = target[target.index("/v2/") :]
        connection.request(method, path, body, {**self._headers, **length})
        response = connection.getresponse()
        answer = response.read()
        if response.status != status:
            raise RuntimeError(f"{method} {target}: {response.status} {answer[:300]!r}")
        return response.headers.get("Location", "")


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr or done.stdout}")
    return done.stdout
