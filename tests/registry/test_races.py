"""Many at once on the same things: each request is answered as if it had been alone, before or after the others."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.crash.leftovers import check_rows
from tests.parts.client import Answer, Client, digest_of, expect
from tests.parts.server import Server, every_database
from tests.registry.contents import files, query
from tests.registry.manifests import descriptor, encoded, image, index, put

THREADS = 8
ROUNDS = 12

Act = Callable[[int], Answer]


def at_once(*acts: Act) -> list[int]:
    """Do the acts in turn, from many threads at once; the statuses."""
    with ThreadPoolExecutor(THREADS) as threads:
        answers = threads.map(lambda number: acts[number % len(acts)](number), range(THREADS * ROUNDS))
        return [answer.status for answer in answers]


@pytest.fixture(autouse=True)
def token(client: Client, repository: str) -> None:
    """Taken once, not by each thread."""
    client.bearer(f"repository:{repository}:pull,push,delete")


@every_database
def test_the_same_blob(client: Client, server: Server, repository: str) -> None:
    before = files(server)
    data = random.Random(repository).randbytes(50_000)
    digest = digest_of(data)
    path = f"/v2/{repository}/blobs/uploads/?digest={digest}"
    assert set(at_once(lambda _: client.registry("POST", path, data))) == {201}
    assert len(query(server, "SELECT id FROM blob WHERE digest = ?", digest)) == 1
    assert len(files(server)) == len(before) + 1
    assert client.registry("GET", f"/v2/{repository}/blobs/{digest}").body == data


@every_database
def test_the_first_manifests_of_a_repository(client: Client, server: Server, repository: str) -> None:
    document = image(client, repository, b"layer")
    assert set(at_once(lambda number: put(client, repository, f"v{number % 3}", document))) == {201}
    assert len(query(server, "SELECT id FROM repository WHERE name = ?", repository)) == 1
    assert client.registry("GET", f"/v2/{repository}/tags/list").json()["tags"] == ["v0", "v1", "v2"]


@every_database
def test_several_tags_in_either_order(client: Client, repository: str) -> None:
    one, two = image(client, repository, b"one"), image(client, repository, b"two")

    def push(number: int) -> Answer:
        document, tags = (one, "tag=a&tag=b&tag=c") if number % 2 else (two, "tag=c&tag=b&tag=a")
        return put(client, repository, f"{digest_of(encoded(document))}?{tags}", document)

    assert set(at_once(push)) == {201}
    found = [client.registry("GET", f"/v2/{repository}/manifests/{tag}").body for tag in "abc"]
    assert found in ([encoded(one)] * 3, [encoded(two)] * 3)


@every_database
def test_pushed_and_deleted(client: Client, server: Server, repository: str) -> None:
    document = image(client, repository, b"layer")
    path = f"/v2/{repository}/manifests/{digest_of(encoded(document))}"
    statuses = at_once(
        lambda _: put(client, repository, "v1", document),
        lambda _: client.registry("DELETE", path),
        lambda _: client.registry("GET", f"/v2/{repository}/manifests/v1"),
        lambda _: client.registry("DELETE", f"/v2/{repository}/manifests/v1"),
    )
    assert set(statuses) <= {200, 201, 202, 404}
    check_rows(server)


@every_database
def test_an_index_while_its_children_go(client: Client, server: Server, repository: str) -> None:
    child = image(client, repository, b"child")
    parent = index(descriptor(child))
    child_path, parent_path = (f"/v2/{repository}/manifests/{digest_of(encoded(one))}" for one in (child, parent))
    statuses = at_once(
        lambda _: put(client, repository, digest_of(encoded(child)), child),
        lambda _: put(client, repository, "all", parent),
        lambda _: client.registry("DELETE", child_path),
        lambda _: client.registry("DELETE", parent_path),
    )
    assert set(statuses) <= {201, 202, 400, 404, 412}
    loose = "SELECT child_digest FROM artifact_reference WHERE child_id IS NULL"
    assert query(server, loose) == []


@every_database
def test_accessories_find_subjects_that_come_with_them(client: Client, server: Server, repository: str) -> None:
    common = image(client, repository, b"layer")
    subjects = [common | {"annotations": {"number": str(number)}} for number in range(THREADS * ROUNDS // 2)]

    def push(number: int) -> Answer:
        subject = subjects[number // 2]
        document = common | {"subject": descriptor(subject)} if number % 2 else subject
        return put(client, repository, digest_of(encoded(document)), document)

    assert set(at_once(push)) == {201}
    statement = """
        SELECT subject_digest FROM artifact_accessory JOIN repository ON repository.id = repository_id
        WHERE repository.name = ? AND subject_id IS NULL
    """
    assert query(server, statement, repository) == []


@every_database
def test_accessories_and_their_subject(client: Client, server: Server, repository: str) -> None:
    subject = image(client, repository, b"subject")
    accessory = image(client, repository, b"signature", config=b'{"a":1}') | {"subject": descriptor(subject)}
    path = f"/v2/{repository}/manifests/{digest_of(encoded(subject))}"
    statuses = at_once(
        lambda _: put(client, repository, "v1", subject),
        lambda _: put(client, repository, digest_of(encoded(accessory)), accessory),
        lambda _: client.registry("DELETE", path),
    )
    assert set(statuses) <= {201, 202, 404}
    for document in (subject, accessory):
        expect(put(client, repository, digest_of(encoded(document)), document), 201)
    listed = client.registry("GET", f"/v2/{repository}/referrers/{digest_of(encoded(subject))}").json()["manifests"]
    assert [one["digest"] for one in listed] == [digest_of(encoded(accessory))]
    linked = "SELECT subject_id FROM artifact_accessory WHERE subject_digest = ? AND subject_id IS NULL"
    assert query(server, linked, digest_of(encoded(subject))) == []
