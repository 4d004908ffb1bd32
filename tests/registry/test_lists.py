"""Tags, the catalog and referrers, page by page."""

from collections.abc import Iterator

import pytest

from tests.parts.client import OCI_INDEX, OCI_MANIFEST, Answer, Client, digest_of, expect
from tests.parts.server import Server, every_database
from tests.registry.manifests import Document, descriptor, encoded, image, put
from tests.registry.people import person, robot

TAGS = ["0", "A", "B", "Z", "_", "a", "a-1", "a.1", "a_1", "latest", "v1", "v10", "v2"]  # in byte order


def pages(client: Client, path: str, headers: dict[str, str]) -> Iterator[Answer]:
    """Follow Link until there is none."""
    while path:
        answer = expect(client.send("GET", path, headers=headers), 200)
        yield answer
        link = answer.headers["Link"]
        assert link is None or (link.startswith("<") and link.endswith('>; rel="next"'))
        path = link[1:].partition(">")[0] if link else ""


@pytest.fixture
def pushed(client: Client, repository: str) -> Document:
    """An image under all TAGS."""
    document = image(client, repository, b"layer")
    for tag in reversed(TAGS):
        expect(put(client, repository, tag, document), 201)
    return document


class TestTags:
    @every_database
    def test_all_in_byte_order(self, client: Client, repository: str, pushed: Document) -> None:
        answer = expect(client.registry("GET", f"/v2/{repository}/tags/list"), 200)
        assert answer.json() == {"name": repository, "tags": TAGS}
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        assert answer.headers["Link"] is None

    @every_database
    @pytest.mark.parametrize("count", [1, 2, 5, 12, 13, 14, 1 << 40])
    def test_page_by_page(self, client: Client, repository: str, pushed: Document, count: int) -> None:
        headers = client.bearer(f"repository:{repository}:pull")
        answers = list(pages(client, f"/v2/{repository}/tags/list?n={count}", headers))
        assert [tag for answer in answers for tag in answer.json()["tags"]] == TAGS
        assert len(answers) == -(-len(TAGS) // count)
        assert all(len(answer.json()["tags"]) == count for answer in answers[:-1])

    @pytest.mark.parametrize(
        ("last", "first"), [("A", "B"), ("C", "Z"), ("", "0"), ("v2", None), ("~", None), ("a-0", "a-1")]
    )
    def test_behind_a_tag_that_need_not_be_there(
        self, client: Client, repository: str, pushed: Document, last: str, first: str | None
    ) -> None:
        tags = expect(client.registry("GET", f"/v2/{repository}/tags/list?last={last}"), 200).json()["tags"]
        assert tags == (TAGS[TAGS.index(first) :] if first else [])

    def test_none(self, client: Client, repository: str, pushed: Document) -> None:
        assert client.registry("GET", f"/v2/{repository}/tags/list?n=0").json()["tags"] == []
        missing = client.registry("GET", f"/v2/{repository}-other/tags/list")
        assert (missing.status, missing.codes()) == (404, ["NAME_UNKNOWN"])


class TestCatalog:
    @every_database
    def test_page_by_page_for_administrators(self, client: Client, server: Server) -> None:
        project = server.create_project()
        names = [f"{project}/{name}" for name in ("a", "a-b", "a/b", "b", "b.c")]
        for name in names:
            client.push_image(name, "v1", b"layer")
        client.push_blob(f"{project}/without-a-tag", b"blob")
        found = [
            name
            for answer in pages(client, "/v2/_catalog?n=2", client.basic())
            for name in answer.json()["repositories"]
        ]
        assert [name for name in found if name.startswith(f"{project}/")] == sorted(names)
        assert (
            found
            == sorted(found)
            == expect(client.send("GET", "/v2/_catalog", headers=client.basic()), 200).json()["repositories"]
        )

    def test_nobody_else_lists_it(self, client: Client, server: Server, repository: str) -> None:
        machine, _ = robot(server, repository.partition("/")[0], "pull")
        callers = [person(server).basic(), machine.basic(), {}, client.bearer("registry:catalog:*")]
        for headers in callers:
            answer = client.send("GET", "/v2/_catalog", headers=headers)
            assert (answer.status, answer.headers["Www-Authenticate"]) == (401, 'Basic realm="harbor"')


class TestReferrers:
    @pytest.fixture
    def subject(self, client: Client, repository: str) -> Document:
        document = image(client, repository, b"subject")
        expect(put(client, repository, "v1", document), 201)
        return document

    def refer(self, client: Client, repository: str, subject: Document, number: int, kind: str) -> Document:
        members = {"artifactType": kind, "annotations": {"number": str(number)}, "subject": descriptor(subject)}
        document = image(client, repository, bytes([number])) | members
        expect(put(client, repository, digest_of(encoded(document)), document), 201)
        return descriptor(document, artifactType=kind, annotations=document["annotations"])

    @every_database
    def test_all_and_of_one_type(self, client: Client, repository: str, subject: Document) -> None:
        path = f"/v2/{repository}/referrers/{digest_of(encoded(subject))}"
        wanted = [self.refer(client, repository, subject, number, f"text/{number % 2}") for number in range(6)]
        answer = expect(client.registry("GET", path), 200)
        assert answer.headers["Content-Type"] == OCI_INDEX
        assert answer.json() == {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": wanted}
        assert (answer.headers["X-Total-Count"], answer.headers["OCI-Filters-Applied"]) == ("6", None)
        one = expect(client.registry("GET", f"{path}?artifactType=text/1"), 200)
        assert one.json()["manifests"] == wanted[1::2]
        assert (one.headers["X-Total-Count"], one.headers["OCI-Filters-Applied"]) == ("6", "artifactType")

    @every_database
    def test_page_by_page(self, client: Client, repository: str, subject: Document) -> None:
        wanted = [self.refer(client, repository, subject, number, f"text/{number % 2}") for number in range(7)]
        headers = client.bearer(f"repository:{repository}:pull")
        path = f"/v2/{repository}/referrers/{digest_of(encoded(subject))}"
        for query, expected, count in (("n=3", wanted, 3), ("n=2&artifactType=text/0", wanted[::2], 2)):
            answers = list(pages(client, f"{path}?{query}", headers))
            assert [one for answer in answers for one in answer.json()["manifests"]] == expected
            assert len(answers) == -(-len(expected) // count)

    def test_pages_of_what_is_long(self, client: Client, repository: str, subject: Document) -> None:
        """Otherwise a thousand of these would be an answer of 4 GB."""
        wanted = []
        for number in range(5):
            members = {"annotations": {"long": str(number) * 4_000_000}, "subject": descriptor(subject)}
            document = image(client, repository, b"layer") | members
            expect(put(client, repository, digest_of(encoded(document)), document), 201)
            wanted.append(digest_of(encoded(document)))
        path = f"/v2/{repository}/referrers/{digest_of(encoded(subject))}"
        answers = list(pages(client, path, client.bearer(f"repository:{repository}:pull")))
        found = [[each["digest"] for each in answer.json()["manifests"]] for answer in answers]
        assert found == [wanted[:4], wanted[4:]]

    @pytest.mark.parametrize("name", ["known", "unknown"])
    def test_of_what_nothing_refers_to(self, client: Client, repository: str, subject: Document, name: str) -> None:
        """Never 404: clients would take the interface for missing and fall back to tags."""
        repository = repository if name == "known" else f"{repository}/unknown"
        for digest in (digest_of(encoded(subject)), digest_of(b"unknown"), digest_of(b"unknown", "sha512")):
            answer = expect(client.registry("GET", f"/v2/{repository}/referrers/{digest}"), 200)
            assert answer.json()["manifests"] == []

    def test_not_of_another_repository(
        self, client: Client, server: Server, repository: str, subject: Document
    ) -> None:
        self.refer(client, repository, subject, 1, "text/1")
        other = f"{server.create_project()}/app"
        client.push_image(other, "v1", b"layer")
        answer = expect(client.registry("GET", f"/v2/{other}/referrers/{digest_of(encoded(subject))}"), 200)
        assert answer.json()["manifests"] == []

    def test_gone_when_deleted(self, client: Client, repository: str, subject: Document) -> None:
        one = self.refer(client, repository, subject, 1, "text/1")
        expect(client.registry("DELETE", f"/v2/{repository}/manifests/{one['digest']}"), 202)
        path = f"/v2/{repository}/referrers/{digest_of(encoded(subject))}"
        assert expect(client.registry("GET", path), 200).json()["manifests"] == []
        assert one["mediaType"] == OCI_MANIFEST
