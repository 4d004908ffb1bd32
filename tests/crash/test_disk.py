"""A disk that fills up, with the database and the blobs on it, and has room again."""

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.leftovers import check_rows, check_swept, sweep
from tests.crash.pushes import pull
from tests.parts.client import Client, digest_of, expect
from tests.parts.server import Server
from tests.registry.contents import query
from tests.registry.manifests import index, put
from tests.registry.uploads import Upload

SIZE = 48 << 20
BALLAST = 12 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A server's folder whose data lies on a file system of its own, with little room."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system of its own")
    data = tmp_path / "data"
    data.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", data], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", data], check=True)


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    server = Server(folder)
    yield server
    server.stop()


def fill(client: Client, repository: str, noise: random.Random) -> dict[str, bytes]:
    """Push blobs in all ways until none of any size is taken; what was."""
    taken: dict[str, bytes] = {}
    for size in (3_000_000, 300_000, 30_000, 3_000, 100):
        while True:
            data = noise.randbytes(size)
            answer = client.registry("POST", f"/v2/{repository}/blobs/uploads/?digest={digest_of(data)}", data)
            if answer.status != 201:
                break
            taken[digest_of(data)] = data
        assert (answer.status, answer.codes()) == (507, ["UNAVAILABLE"])
    return taken


def fill_the_database(client: Client, repository: str) -> int:
    """Push manifests, whose bytes lie in the database, until none is taken; how many were."""
    for number in range(200):
        document = index(annotations={"padding": str(number) * 300_000})
        answer = put(client, repository, f"padding-{number}", document)
        if answer.status != 201:
            assert (answer.status, answer.codes()) == (507, ["UNAVAILABLE"])
            return number
    raise AssertionError("the disk is full, and still manifests are taken")


def test_it_is_told_and_nothing_is_lost_or_left(server: Server) -> None:
    client, repository = server.client(), f"{server.create_project()}/app"
    client.push_image(repository, "before", b"layer")
    upload = Upload(client, repository)
    expect(upload.patch(b"first"), 202)
    ballast = server.data / "ballast"
    ballast.write_bytes(bytes(BALLAST))
    noise = random.Random(6)
    taken = fill(client, repository, noise)
    assert taken

    pushed = fill_the_database(client, repository)
    more = noise.randbytes(1_000_000)
    for answer in (upload.patch(more), upload.patch(iter([more, more]))):
        assert (answer.status, answer.codes()) == (507, ["UNAVAILABLE"])
    check_rows(server)
    pull(client, repository, "before")
    for digest, data in taken.items():
        assert client.registry("GET", f"/v2/{repository}/blobs/{digest}").body == data

    ballast.unlink()
    assert expect(upload.status(), 204).headers["Range"] == "0-4"
    expect(upload.patch(more), 202)
    expect(upload.put(digest_of(b"first" + more)), 201)
    client.push_image(repository, "after", b"another layer")
    pull(client, repository, "after")
    tags = client.registry("GET", f"/v2/{repository}/tags/list").json()["tags"]
    assert set(tags) == {"before", "after", *(f"padding-{number}" for number in range(pushed))}
    assert len(query(server, "SELECT id FROM blob")) == len(taken) + 4
    assert "Traceback" not in server.log()

    server.kill()
    sweep(server)
    check_swept(server)
    server.start()
    for digest, data in taken.items():
        assert client.registry("GET", f"/v2/{repository}/blobs/{digest}").body == data
