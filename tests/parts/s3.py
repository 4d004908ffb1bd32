"""S3 servers for the tests: moto and versitygw, and a line to them that can be made to fail."""

import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import boto3  # type: ignore[import-untyped]

from tests.parts import process, tools

REGION = "us-east-1"


class Bucket(NamedTuple):
    """An empty bucket on a server of ours, and the key to it."""

    endpoint: str
    name: str
    access_key: str
    secret_key: str

    def client(self) -> Any:
        """A client that is not the one under test, to look at what is in the bucket."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
        )

    def open_uploads(self) -> list[str]:
        """The keys of multipart uploads that were neither completed nor aborted."""
        return [each["Key"] for each in self.client().list_multipart_uploads(Bucket=self.name).get("Uploads", [])]


@contextmanager
def moto() -> Iterator[Bucket]:
    """A bucket of moto, which keeps it in memory."""
    port = process.free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with _running(command, port):
        yield _bucket(Bucket(f"http://127.0.0.1:{port}", "mooring", "moto", "moto-secret"))


@contextmanager
def versitygw() -> Iterator[Bucket]:
    """A bucket of versitygw, which keeps it in a folder and checks signatures. Raises tools.Missing."""
    program, port = tools.path("versitygw"), process.free_port()
    access_key, secret_key = "versity", "versity-secret"
    with tempfile.TemporaryDirectory(prefix="versitygw-") as folder:
        command = [program, "--access", access_key, "--secret", secret_key, "--port", f"127.0.0.1:{port}", "--quiet"]
        with _running([*command, "--keep-alive", "posix", folder], port):
            yield _bucket(Bucket(f"http://127.0.0.1:{port}", "mooring", access_key, secret_key))


def _bucket(bucket: Bucket) -> Bucket:
    bucket.client().create_bucket(Bucket=bucket.name)
    return bucket


@contextmanager
def _running(command: Sequence[str], port: int) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="s3-") as folder:
        server = process.Process(command, Path(folder, "log"))
        try:
            process.wait_for(lambda: process.answers(port), f"S3 on port {port}", process=server)
            yield
        finally:
            # versitygw waits for the connections that clients keep alive.
            server.stop(by=signal.SIGKILL)


class Line:
    """A TCP line to a server. `state` is what happens to requests: passed on, answered 503, or never answered."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.state: Literal["up", "busy", "silent"] = "up"
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @classmethod
    def to(cls, bucket: Bucket) -> "Line":
        address = urlsplit(bucket.endpoint)
        return cls((str(address.hostname), int(address.port or 80)))

    @property
    def endpoint(self) -> str:
        host, port = self._listener.getsockname()
        return f"http://{host}:{port}"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection that is open now."""
        for each in tuple(self._open):
            _shut(each)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._open.add(client)
        with client, socket.create_connection(self._server) as server:
            self._open.add(server)
            threading.Thread(target=self._copy, args=(server, client), daemon=True).start()
            self._copy(client, server, requests=True)
            self._open -= {client, server}

    def _copy(self, source: socket.socket, target: socket.socket, *, requests: bool = False) -> None:
        try:
            while data := source.recv(1 << 16):
                if requests and self.state == "busy":
                    source.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    break
                if self.state != "silent":
                    target.sendall(data)
        except OSError:
            return
        finally:
            _shut(source)
            _shut(target)


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
