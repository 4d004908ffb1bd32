"""What pulls leave behind: counts and times, a second later, and all of them at SIGTERM."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts.client import OCI_MANIFEST, Client, digest_of, expect
from tests.parts.deployments import Deployments
from tests.parts.process import wait_for
from tests.parts.server import Server, every_database
from tests.registry.contents import query
from tests.registry.manifests import descriptor, encoded, image, index, put


def pull_count(server: Server, repository: str) -> int:
    return int(query(server, "SELECT pull_count FROM repository WHERE name = ?", repository)[0]["pull_count"])


def pull_time(server: Server, digest: str) -> int:
    return int(query(server, "SELECT pull_time FROM artifact WHERE digest = ?", digest)[0]["pull_time"])


@every_database
def test_gets_of_manifests_are_counted(client: Client, server: Server, repository: str) -> None:
    document = image(client, repository, repository.encode())
    digest = digest_of(encoded(document))
    expect(put(client, repository, "v1", document), 201)
    tag = "SELECT tag.pull_time FROM tag JOIN repository ON repository.id = repository_id WHERE repository.name = ?"
    path = f"/v2/{repository}/manifests"
    before = time.time_ns() // 1000
    for _ in range(3):
        expect(client.registry("GET", f"{path}/{digest}"), 200)
    expect(client.registry("HEAD", f"{path}/v1"), 200)
    assert client.registry("GET", f"{path}/v1", headers={"If-None-Match": digest}).status == 304
    expect(client.registry("GET", f"/v2/{repository}/blobs/{document['config']['digest']}"), 200)
    wait_for(lambda: pull_count(server, repository) == 3, "the count")
    assert before <= pull_time(server, digest) <= time.time_ns() // 1000
    assert query(server, tag, repository)[0]["pull_time"] == 0
    expect(client.registry("GET", f"{path}/v1", headers={"Accept": OCI_MANIFEST}), 200)
    wait_for(lambda: pull_count(server, repository) == 4, "the count")
    assert query(server, tag, repository)[0]["pull_time"] > before


def test_an_index_is_pulled_with_its_children(client: Client, server: Server, repository: str) -> None:
    child = image(client, repository, repository.encode())
    expect(put(client, repository, "child", child), 201)
    parent = index(descriptor(child, annotations={"of": repository}))
    expect(put(client, repository, "parent", parent), 201)
    expect(client.registry("GET", f"/v2/{repository}/manifests/child"), 200)
    wait_for(lambda: pull_time(server, digest_of(encoded(parent))) > 0, "the time")
    assert pull_time(server, digest_of(encoded(parent))) == pull_time(server, digest_of(encoded(child)))


@every_database
def test_a_head_keeps_a_blob_from_being_collected(client: Client, server: Server, repository: str) -> None:
    """Clients skip the upload of what they have been told is here."""
    digest = client.push_blob(repository, repository.encode())
    used = "SELECT last_used FROM blob WHERE digest = ?"
    before = query(server, used, digest)[0]["last_used"]
    expect(client.registry("HEAD", f"/v2/{repository}/blobs/{digest}"), 200)
    wait_for(lambda: query(server, used, digest)[0]["last_used"] > before, "the time")


@pytest.fixture(params=["sqlite", "postgresql"])
def own(request: pytest.FixtureRequest, deployments: Deployments, tmp_path: Path) -> Iterator[Server]:
    """A server that this test may stop."""
    server = deployments.start(request.param, tmp_path)
    yield server
    server.stop()


def test_none_is_lost_at_sigterm(own: Server) -> None:
    client, repository = own.client(), f"{own.create_project()}/app"
    client.push_image(repository, "v1", b"layer")
    for count in (1, 20):
        before = pull_count(own, repository)
        for _ in range(count):
            expect(client.registry("GET", f"/v2/{repository}/manifests/v1"), 200)
        assert own.stop() == 0
        assert pull_count(own, repository) == before + count
        own.start()
