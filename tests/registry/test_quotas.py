"""Quotas on pushes: what fits comes in, what does not is refused and leaves nothing, however many push at once."""

import itertools
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.parts.client import OCI_MANIFEST, Answer, Client, digest_of, expect
from tests.parts.deployments import Deployments
from tests.parts.server import Server, every_database
from tests.registry.contents import execute, query
from tests.registry.manifests import encoded, image, index, put

AT_ONCE = 64


def quota(client: Client, repository: str) -> dict[str, int]:
    """The quota of the repository's project: its `id`, the limit `hard` and what is `used`."""
    project = expect(client.api("GET", f"/projects/{repository.partition('/')[0]}"), 200).json()
    path = f"/quotas?reference=project&reference_id={project['project_id']}"
    (found,) = expect(client.api("GET", path), 200).json()
    return {"id": found["id"], "hard": found["hard"]["storage"], "used": found["used"]["storage"]}


def limit(client: Client, repository: str, storage: int) -> None:
    path = f"/quotas/{quota(client, repository)['id']}"
    expect(client.api("PUT", path, {"hard": {"storage": storage}}), 200)


def upload(client: Client, repository: str, data: bytes) -> Answer:
    """A blob in one request."""
    return client.registry("POST", f"/v2/{repository}/blobs/uploads/?digest={digest_of(data)}", data)


def begin(client: Client, repository: str) -> Answer:
    return client.registry("POST", f"/v2/{repository}/blobs/uploads/")


def message(answer: Answer) -> str:
    (error,) = answer.json()["errors"]
    assert error["code"] == "DENIED"
    return str(error["message"])


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def servers(
    request: pytest.FixtureRequest, deployments: Deployments, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Server]]:
    """Two servers over one database and folder, each of two web processes."""
    tmp_path = tmp_path_factory.mktemp("quotas")
    workers = {"MOORING_HTTP__WORKERS": "2"}
    first = deployments.start(request.param, tmp_path / "first", environment=workers)
    address = first.settings.get("MOORING_DATABASE__URL", f"sqlite:///{first.data}/mooring.db")
    shared = {"MOORING_DATABASE__URL": address, "MOORING_STORAGE__ROOT": str(first.data)}
    second = Server(tmp_path / "second", environment=workers | shared)
    yield [first, second]
    second.stop()
    first.stop()
    assert "Traceback" not in first.log() + second.log()


@pytest.mark.parametrize("room", [0, 1, 31, AT_ONCE])
def test_many_at_the_edge(servers: list[Server], room: int) -> None:
    """Of blobs of one size as many come in as there is room for, never more and never fewer."""
    size = 1000
    repository = f"{servers[0].create_project()}/app"
    clients = [server.client() for server in servers]
    limit(clients[0], repository, room * size + size // 2)
    for client in clients:
        client.bearer(f"repository:{repository}:pull,push,delete")
    blobs = [random.Random(number).randbytes(size) for number in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(upload, itertools.cycle(clients), itertools.repeat(repository), blobs))
    statuses = sorted(answer.status for answer in answers)
    assert statuses == [201] * room + [403] * (AT_ONCE - room)
    assert quota(clients[1], repository)["used"] == room * size
    found = [
        client.registry("HEAD", f"/v2/{repository}/blobs/{digest_of(blob)}").status
        for client, blob in zip(itertools.cycle(clients), blobs, strict=False)
    ]
    assert sorted(found) == [200] * room + [404] * (AT_ONCE - room)


def test_many_manifests_at_the_edge(servers: list[Server]) -> None:
    repository = f"{servers[0].create_project()}/app"
    clients = [server.client() for server in servers]
    documents = [image(clients[0], repository, annotations={"number": f"{each:02}"}) for each in range(AT_ONCE)]
    size = len(encoded(documents[0]))
    before = quota(clients[0], repository)["used"]
    limit(clients[0], repository, before + 20 * size)
    clients[1].bearer(f"repository:{repository}:pull,push,delete")

    def push(number: int) -> int:
        return put(clients[number % 2], repository, f"v{number}", documents[number]).status

    with ThreadPoolExecutor(AT_ONCE) as threads:
        statuses = sorted(threads.map(push, range(AT_ONCE)))
    assert statuses == [201] * 20 + [403] * (AT_ONCE - 20)
    assert quota(clients[0], repository)["used"] == before + 20 * size
    assert len(clients[0].registry("GET", f"/v2/{repository}/tags/list").json()["tags"]) == 20


@every_database
def test_what_counts(client: Client, server: Server, repository: str) -> None:
    """Blobs and manifests once each in a project, whatever its repositories and tags."""
    document = image(client, repository, b"layer" * 100)
    assert quota(client, repository)["used"] == 502
    expect(put(client, repository, "v1", document), 201)
    size = 502 + len(encoded(document))
    assert quota(client, repository)["used"] == size
    beside = f"{repository.partition('/')[0]}/beside"
    image(client, beside, b"layer" * 100)
    expect(put(client, beside, "v1", document), 201)
    expect(put(client, repository, "v2", document), 201)
    assert quota(client, repository)["used"] == size
    expect(client.registry("DELETE", f"/v2/{beside}/manifests/{digest_of(encoded(document))}"), 202)
    assert quota(client, repository)["used"] == size
    expect(client.registry("DELETE", f"/v2/{repository}/manifests/{digest_of(encoded(document))}"), 202)
    assert quota(client, repository)["used"] == 0


@every_database
def test_an_artifact_that_goes_leaves_what_others_name(client: Client, repository: str) -> None:
    one, two = image(client, repository, b"shared", b"one"), image(client, repository, b"shared", b"two")
    expect(put(client, repository, "one", one), 201)
    expect(put(client, repository, "two", two), 201)
    expect(client.registry("DELETE", f"/v2/{repository}/manifests/{digest_of(encoded(one))}"), 202)
    assert quota(client, repository)["used"] == len(b"{}shared" + b"two") + len(encoded(two))


@every_database
def test_what_was_let_go_can_be_named_again_and_counts_then(client: Client, repository: str) -> None:
    """Somebody who has just seen that a blob is there pushes its manifest, and meanwhile the artifact went."""
    document = image(client, repository, b"layer" * 100)
    expect(put(client, repository, "v1", document), 201)
    used = quota(client, repository)["used"]
    expect(client.registry("DELETE", f"/v2/{repository}/manifests/{digest_of(encoded(document))}"), 202)
    limit(client, repository, used - 1)
    expect(client.registry("HEAD", f"/v2/{repository}/blobs/{document['layers'][0]['digest']}"), 200)
    assert message(put(client, repository, "v1", document)).startswith(f"adding {used} B of storage resource")
    limit(client, repository, used)
    expect(put(client, repository, "v1", document), 201)
    assert quota(client, repository)["used"] == used


@every_database
def test_an_index_counts_what_it_weighs_itself(client: Client, repository: str) -> None:
    document = image(client, repository, b"layer")
    expect(put(client, repository, "v1", document), 201)
    used = quota(client, repository)["used"]
    child = {"mediaType": OCI_MANIFEST, "digest": digest_of(encoded(document)), "size": len(encoded(document))}
    expect(put(client, repository, "all", index(child)), 201)
    assert quota(client, repository)["used"] == used + len(encoded(index(child)))


@every_database
def test_a_refused_upload_goes_on_once_there_is_room(client: Client, repository: str) -> None:
    limit(client, repository, 10)
    location = expect(begin(client, repository), 202).headers["Location"]
    data = b"eleven byte"
    octets = {"Content-Type": "application/octet-stream"}
    location = expect(client.registry("PATCH", location, data, octets), 202).headers["Location"]
    refused = client.registry("PUT", f"{location}&digest={digest_of(data)}")
    assert message(expect(refused, 403)).startswith("adding 11 B of storage resource")
    limit(client, repository, 11)
    expect(client.registry("PUT", f"{location}&digest={digest_of(data)}"), 201)


@every_database
def test_above_the_limit_nothing_is_begun_and_what_is_there_stays_usable(client: Client, repository: str) -> None:
    document = image(client, repository, b"layer")
    expect(put(client, repository, "v1", document), 201)
    limit(client, repository, 1)
    assert message(expect(begin(client, repository), 403)).startswith("subtracting 0 B of storage resource")
    expect(put(client, repository, "v2", document), 201)
    expect(upload(client, repository, b"layer"), 201)
    expect(client.registry("GET", f"/v2/{repository}/manifests/v1"), 200)
    mounted = f"/v2/{repository}/blobs/uploads/?mount={digest_of(b'layer')}&from={repository}"
    expect(client.registry("POST", mounted), 201)
    assert message(expect(upload(client, repository, b"more"), 403)).startswith("adding 4 B")


@every_database
def test_a_mount_counts(client: Client, server: Server, repository: str) -> None:
    source = f"{server.create_project()}/app"
    client.push_blob(source, b"elsewhere")
    limit(client, repository, 8)
    scope = f"repository:{repository}:pull,push repository:{source}:pull"
    path = f"/v2/{repository}/blobs/uploads/?mount={digest_of(b'elsewhere')}&from={source}"
    assert message(expect(client.registry("POST", path, scope=scope), 403)).startswith("adding 9 B")
    limit(client, repository, 9)
    expect(client.registry("POST", path, scope=scope), 201)
    assert quota(client, repository)["used"] == 9


@every_database
def test_what_was_never_named_goes_with_the_project(client: Client, server: Server, repository: str) -> None:
    project = repository.partition("/")[0]
    digest = client.push_blob(repository, b"dangling")
    expect(client.api("DELETE", f"/projects/{project}"), 200)
    expect(client.api("POST", "/projects", {"project_name": project}), 201)
    assert quota(client, repository)["used"] == 0
    assert query(server, "SELECT repository FROM repository_blob WHERE repository = ?", repository) == []
    expect(server.client().registry("HEAD", f"/v2/{repository}/blobs/{digest}"), 404)


@every_database
def test_quotas_that_are_off_hold_nobody(client: Client, repository: str) -> None:
    limit(client, repository, 1)
    expect(client.api("PUT", "/configurations", {"quota_per_project_enable": False}), 200)
    try:
        expect(begin(client, repository), 202)
        client.push_image(repository, "v1", b"layer")
    finally:
        expect(client.api("PUT", "/configurations", {"quota_per_project_enable": True}), 200)
    assert quota(client, repository)["used"] > 1
    expect(begin(client, repository), 403)


@every_database
def test_a_project_waits_for_no_other(client: Client, server: Server, repository: str) -> None:
    """One that is full refuses while another takes as much as comes."""
    other = f"{server.create_project()}/app"
    limit(client, repository, 1)
    for name in (repository, other):
        client.bearer(f"repository:{name}:pull,push,delete")

    def push(number: int) -> tuple[int, int]:
        data = random.Random(f"{other}{number}").randbytes(100)
        return upload(client, repository, data).status, upload(client, other, data).status

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(push, range(40))) == {(403, 201)}
    assert quota(client, repository)["used"] == 0
    assert quota(client, other)["used"] == 4000


@every_database
def test_a_push_that_ended_after_its_project_leaves_nothing_in_the_way(client: Client, server: Server) -> None:
    project = server.create_project()
    repository, data = f"{project}/app", random.Random(5).randbytes(1000)
    client.push_blob(repository, data)
    (link,) = query(server, "SELECT blob_id, project_id FROM repository_blob WHERE repository = ?", repository)
    expect(client.api("DELETE", f"/projects/{project}"), 200)
    # What such a push leaves: a link of a project that is no more.
    left = "INSERT INTO repository_blob (repository, blob_id, project_id) VALUES (?, ?, ?)"
    execute(server, left, repository, link["blob_id"], link["project_id"])
    expect(client.api("POST", "/projects", {"project_name": project}), 201)
    fresh = server.client()
    fresh.push_blob(repository, data)
    expect(fresh.registry("HEAD", f"/v2/{repository}/blobs/{digest_of(data)}"), 200)
    assert quota(client, repository)["used"] == len(data)
