"""The upload machine against a model: several uploads at once, right and wrong requests in any order, two servers.

The model knows what a client was told. Whatever it does, the server's answers follow from that alone.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.parts.client import Answer, Client, digest_of, expect
from tests.parts.deployments import Deployments
from tests.parts.server import Server
from tests.registry.contents import files

DATA = st.binary(max_size=40) | st.integers(1, 9).map(lambda number: bytes([number]) * (number * 17_000))
ALGORITHMS = st.sampled_from(["sha256", "sha512", "sha384"])


class Model:
    """An upload as its client knows it: the bytes that were taken, and the address to go on at."""

    def __init__(self, upload_id: str, location: str) -> None:
        self.id = upload_id
        self.location = location
        self.data = b""
        self.is_open = True


class Uploads(RuleBasedStateMachine):
    """Drives uploads to one repository through any of `clients`, which are of one account on several servers."""

    clients: list[Client]
    repository: str

    uploads = Bundle("uploads")
    stale = Bundle("stale")

    def __init__(self) -> None:
        super().__init__()
        self.blobs: dict[str, bytes] = {}
        self.begun = 0

    def send(self, which: int, method: str, path: str, body: bytes | None = None, content_range: str = "") -> Answer:
        headers = {"Content-Type": "application/octet-stream"} | (
            {"Content-Range": content_range} if content_range else {}
        )
        client = self.clients[which % len(self.clients)]
        return client.registry(method, path, body, headers, scope=f"repository:{self.repository}:pull,push,delete")

    def path(self, answer: Answer) -> str:
        location = answer.headers["Location"]
        return location[location.index("/v2/") :]

    @initialize(target=uploads, which=st.integers(0, 3), algorithm=ALGORITHMS)
    def begin_first(self, which: int, algorithm: str) -> Model:
        return self.begin_one(which, algorithm)

    @rule(target=uploads, which=st.integers(0, 3), algorithm=ALGORITHMS)
    def begin(self, which: int, algorithm: str) -> Model:
        return self.begin_one(which, algorithm)

    def begin_one(self, which: int, algorithm: str) -> Model:
        path = f"/v2/{self.repository}/blobs/uploads/?digest-algorithm={algorithm}"
        answer = expect(self.send(which, "POST", path), 202)
        self.begun += 1
        return Model(answer.headers["Docker-Upload-UUID"], self.path(answer))

    @precondition(lambda self: self.begun > 1)
    @rule(which=st.integers(0, 3), data=DATA, algorithm=ALGORITHMS, is_right=st.booleans())
    def whole(self, which: int, data: bytes, algorithm: str, is_right: bool) -> None:
        digest = digest_of(data if is_right else data + b"other", algorithm)
        answer = self.send(which, "POST", f"/v2/{self.repository}/blobs/uploads/?digest={digest}", data)
        assert answer.status == (201 if is_right else 400)
        if is_right:
            self.blobs[digest] = data

    @rule(target=stale, upload=uploads, which=st.integers(0, 3), data=DATA, has_range=st.booleans())
    def add(self, upload: Model, which: int, data: bytes, has_range: bool) -> object:
        before, start = upload.location, len(upload.data)
        content_range = f"{start}-{start + len(data) - 1}" if has_range and data else ""
        answer = self.send(which, "PATCH", before, data, content_range)
        if not upload.is_open:
            assert answer.codes() == ["BLOB_UPLOAD_UNKNOWN"]
            return multiple()
        expect(answer, 202)
        upload.data += data
        upload.location = self.path(answer)
        assert answer.headers["Range"] == f"0-{max(0, len(upload.data) - 1)}"
        return (upload, before) if data else multiple()

    @rule(upload=uploads, which=st.integers(0, 3), data=DATA.filter(bool), offset=st.integers(-50, 50).filter(bool))
    def add_elsewhere(self, upload: Model, which: int, data: bytes, offset: int) -> None:
        start = max(0, len(upload.data) + offset)
        if not upload.is_open or start == len(upload.data):
            return
        content_range = f"{start}-{start + len(data) - 1}"
        assert self.send(which, "PATCH", upload.location, data, content_range).status == 416
        address = f"{upload.location}&digest={digest_of(upload.data + data)}"
        assert self.send(which, "PUT", address, data, content_range).status == 416

    @rule(upload=uploads, which=st.integers(0, 3), data=DATA.filter(bool), difference=st.integers(-3, 3).filter(bool))
    def add_another_length(self, upload: Model, which: int, data: bytes, difference: int) -> None:
        start, length = len(upload.data), len(data) + difference
        if upload.is_open and length > 0:
            answer = self.send(which, "PATCH", upload.location, data, f"{start}-{start + length - 1}")
            assert (answer.status, answer.codes()) == (400, ["SIZE_INVALID"])

    @rule(old=stale, which=st.integers(0, 3), method=st.sampled_from(["PATCH", "PUT", "GET", "DELETE"]))
    def go_back(self, old: tuple[Model, str], which: int, method: str) -> None:
        upload, location = old
        address = f"{location}&digest={digest_of(upload.data)}" if method == "PUT" else location
        answer = self.send(which, method, address, b"again" if method == "PATCH" else None)
        expected = "BLOB_UPLOAD_INVALID" if upload.is_open else "BLOB_UPLOAD_UNKNOWN"
        assert (answer.status, answer.codes()) == (404, [expected])

    @rule(upload=uploads, which=st.integers(0, 3))
    def ask(self, upload: Model, which: int) -> None:
        answer = self.send(which, "GET", upload.location)
        if upload.is_open:
            assert expect(answer, 204).headers["Range"] == f"0-{max(0, len(upload.data) - 1)}"
            assert self.path(answer) == upload.location
        else:
            assert answer.codes() == ["BLOB_UPLOAD_UNKNOWN"]

    @rule(upload=uploads, which=st.integers(0, 3), data=DATA, algorithm=ALGORITHMS, is_right=st.booleans())
    def close(self, upload: Model, which: int, data: bytes, algorithm: str, is_right: bool) -> None:
        digest = digest_of(upload.data + data + (b"" if is_right else b"other"), algorithm)
        answer = self.send(which, "PUT", f"{upload.location}&digest={digest}", data)
        if not upload.is_open:
            assert answer.codes() == ["BLOB_UPLOAD_UNKNOWN"]
        elif is_right:
            assert expect(answer, 201).headers["Docker-Content-Digest"] == digest
            self.blobs[digest] = upload.data + data
            upload.is_open = False
        else:
            assert answer.codes() == ["DIGEST_INVALID"]
            upload.is_open = not data  # with a body the upload has taken bytes that cannot be right

    @precondition(lambda self: self.begun > 2)
    @rule(upload=uploads, which=st.integers(0, 3))
    def cancel(self, upload: Model, which: int) -> None:
        answer = self.send(which, "DELETE", upload.location)
        if upload.is_open:
            expect(answer, 204)
        else:
            assert answer.codes() == ["BLOB_UPLOAD_UNKNOWN"]
        upload.is_open = False

    def teardown(self) -> None:
        for which, (digest, data) in enumerate(self.blobs.items()):
            assert self.send(which, "GET", f"/v2/{self.repository}/blobs/{digest}").body == data
            expect(self.send(which, "DELETE", f"/v2/{self.repository}/blobs/{digest}"), 202)


def run(clients: list[Client], repository: str, full: bool) -> None:
    """The short form is the same every time; the long one looks for something new."""
    in_use = {"clients": clients, "repository": repository}
    machine = type("Machine", (Uploads,), in_use)
    count = int(os.environ.get("MOORING_MACHINE_RUNS") or (600 if full else 25))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=count,
            stateful_step_count=30,
            derandomize=not full,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_one_server_of_two_processes(server: Server, repository: str, full: bool) -> None:
    run([server.client()], repository, full)


@pytest.fixture
def two(deployments: Deployments, tmp_path: Path) -> Iterator[list[Server]]:
    """Two servers over one PostgreSQL and one folder."""
    first = deployments.start("postgresql", tmp_path / "first")
    shared = {name: first.settings[name] for name in ("MOORING_DATABASE__URL",)}
    second = Server(tmp_path / "second", environment=shared | {"MOORING_STORAGE__ROOT": str(first.data)})
    yield [first, second]
    second.stop()
    first.stop()


def test_two_servers_on_one_database_and_folder(two: list[Server], full: bool) -> None:
    repository = f"{two[0].create_project()}/app"
    run([server.client() for server in two], repository, full)
    for server in two:
        assert "Traceback" not in server.log()
    assert files(two[1]) == {}
