"""Names, tags and parameters that cannot be, and the oddest that can (OCI distribution specification, "Endpoints")."""

import pytest

from tests.parts.client import Client, digest_of, expect
from tests.parts.server import Server, every_database
from tests.registry.contents import nothing_stored
from tests.registry.manifests import Document, encoded, image, put

SOMEWHERE = digest_of(b"content that nobody has pushed")
LONG = "library/" + "x" * 292


@pytest.fixture
def good(client: Client, repository: str) -> Document:
    """A manifest that would be taken; its blobs are there."""
    return image(client, repository, b"layer")


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("library/../etc", 400, "NAME_INVALID"),
        ("library/..", 400, "NAME_INVALID"),
        ("../library/a", 400, "NAME_INVALID"),
        ("library/./a", 400, "NAME_INVALID"),
        ("library/.hidden", 400, "NAME_INVALID"),
        ("library/Upper", 400, "NAME_INVALID"),
        ("LIBRARY/a", 400, "NAME_INVALID"),
        ("library/a___b", 400, "NAME_INVALID"),
        ("library/a..b", 400, "NAME_INVALID"),
        ("library/a-", 400, "NAME_INVALID"),
        ("library/%2e%2e", 400, "NAME_INVALID"),
        ("library%2fa", 400, "NAME_INVALID"),
        ("library/a%2fb", 400, "NAME_INVALID"),
        ("library/a%252fb", 400, "NAME_INVALID"),
        ("library/nul%00", 400, "NAME_INVALID"),
        ("library/new%0aline", 400, "NAME_INVALID"),
        ("library/%C3%A9", 400, "NAME_INVALID"),
        ("library/%ff", 400, "NAME_INVALID"),
        ("library/a%20b", 400, "NAME_INVALID"),
        ("library/a:b", 400, "NAME_INVALID"),
        ("library/a%zz", 400, "BAD_REQUEST"),
        ("library/a%", 400, "BAD_REQUEST"),
        (LONG, 400, "NAME_INVALID"),
        ("x" * 300 + "/a", 400, "NAME_INVALID"),
        ("/".join("x" * 150), 400, "NAME_INVALID"),
        ("alone", 400, "BAD_REQUEST"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_names_that_cannot_be(client: Client, server: Server, name: str, status: int, code: str) -> None:
    requests = [
        ("POST", f"/v2/{name}/blobs/uploads/"),
        ("PATCH", f"/v2/{name}/blobs/uploads/1234?_state=a"),
        ("GET", f"/v2/{name}/blobs/{SOMEWHERE}"),
        ("PUT", f"/v2/{name}/manifests/latest"),
        ("GET", f"/v2/{name}/manifests/latest"),
        ("DELETE", f"/v2/{name}/manifests/{SOMEWHERE}"),
        ("GET", f"/v2/{name}/tags/list"),
        ("GET", f"/v2/{name}/referrers/{SOMEWHERE}"),
    ]
    with nothing_stored(server):
        for method, path in requests:
            answer = client.send(method, path, b"{}" if method in ("PUT", "PATCH") else None, client.basic())
            assert (answer.status, answer.codes()) == (status, [code]), (method, path)


@pytest.mark.parametrize("rest", ["a", "a/b/c/d/e/f", "0", "a__b/c-----d/e.f_g", "x" * 246])
def test_the_longest_and_oddest_names(client: Client, server: Server, rest: str) -> None:
    project = server.create_project()
    name = f"{project}/{rest}"[:255]
    client.push_image(name, "v1", b"layer")
    assert client.registry("GET", f"/v2/{name}/tags/list").json() == {"name": name, "tags": ["v1"]}


@pytest.mark.parametrize(
    "word",
    ["manifests", "blobs", "uploads", "tags", "list", "referrers", "blobs/uploads", "tags/list", "manifests/latest"],
)
def test_names_made_of_the_words_of_paths(client: Client, server: Server, word: str) -> None:
    name = f"{server.create_project()}/{word}"
    scope = f"repository:{name}:pull,push"
    data = b"layer"
    expect(client.registry("POST", f"/v2/{name}/blobs/uploads/?digest={digest_of(data)}", data, scope=scope), 201)
    assert client.registry("GET", f"/v2/{name}/blobs/{digest_of(data)}", scope=scope).body == data


@pytest.mark.parametrize(
    ("reference", "status", "code"),
    [
        (SOMEWHERE, 400, "DIGEST_INVALID"),
        (digest_of(b"other", "sha512"), 400, "DIGEST_INVALID"),
        ("sha256:baddigeststring", 400, "BAD_REQUEST"),
        ("sha256:" + "A" * 64, 400, "BAD_REQUEST"),
        ("md5:" + "0" * 32, 400, "BAD_REQUEST"),
        ("t" * 129, 400, "BAD_REQUEST"),
        (".hidden", 400, "BAD_REQUEST"),
        ("-dash", 400, "BAD_REQUEST"),
        ("sp%20ace", 400, "BAD_REQUEST"),
        ("sla%2fsh", 400, "BAD_REQUEST"),
        ("nul%00", 400, "BAD_REQUEST"),
        ("%C3%A9t%C3%A9", 400, "BAD_REQUEST"),
        ("%ff", 400, "BAD_REQUEST"),
        ("100%25", 400, "BAD_REQUEST"),
        ("%", 400, "BAD_REQUEST"),
        ("%zz", 400, "BAD_REQUEST"),
        ("..", 400, "BAD_REQUEST"),
        ("a,b", 400, "BAD_REQUEST"),
    ],
)
def test_references_that_cannot_be(
    client: Client, server: Server, repository: str, good: Document, reference: str, status: int, code: str
) -> None:
    with nothing_stored(server):
        answer = put(client, repository, reference, good)
    assert (answer.status, answer.codes()) == (status, [code])


@pytest.mark.parametrize("tag", ["t" * 128, "A", "_", "0.1-2_3.x-", "latest"])
def test_the_longest_and_oddest_tags(client: Client, repository: str, good: Document, tag: str) -> None:
    expect(put(client, repository, tag, good), 201)
    assert client.registry("GET", f"/v2/{repository}/manifests/{tag}").body == encoded(good)


@every_database
@pytest.mark.parametrize("reference", ["nul%00", "t" * 5000, "sha256:" + "0" * 5000, "%2e%2e", "a/b", "%ff%fe"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_what_cannot_be_is_not_there(
    client: Client, repository: str, good: Document, method: str, reference: str
) -> None:
    expect(put(client, repository, "there", good), 201)
    path = f"/v2/{repository}/manifests/{reference}"
    status = client.registry(method, path, scope=f"repository:{repository}:pull,delete").status
    assert status in ((400, 401, 404) if reference == "a/b" else (400, 404))


@every_database
@pytest.mark.parametrize(
    "path",
    [
        "blobs/sha256:%00",
        "blobs/sha256:" + "0" * 63,
        "blobs/sha512:" + "0" * 64,
        "blobs/md5:" + "0" * 32,
        "blobs/uploads/%00?_state=x",
        "blobs/uploads/%00?_state=ADow",  # what was given out for that id
        "blobs/uploads/" + "1" * 5000 + "?_state=x",
        "tags/list?last=%00",
        "tags/list?n=-1",
        "tags/list?n=x",
        "tags/list?n=" + "9" * 5000,
        "tags/list?n=%C2%B2",
        f"referrers/{SOMEWHERE}?artifactType=%00",
        f"referrers/{SOMEWHERE}?last=%00",
        f"referrers/{SOMEWHERE}?n=-1",
        "referrers/sha256:bad",
        "referrers/%00",
    ],
    ids=lambda path: path[:40],
)
def test_parameters_that_cannot_be(client: Client, repository: str, good: Document, path: str) -> None:
    """What is only compared with names finds nothing; what must be a number or a digest is refused."""
    expect(put(client, repository, "there", good), 201)
    answer = client.registry("GET", f"/v2/{repository}/{path}", scope=f"repository:{repository}:pull")
    is_compared = path.startswith(("tags/list?last", f"referrers/{SOMEWHERE}?artifactType"))
    assert answer.status in ((200,) if is_compared else (400, 404)), answer.body


@every_database
@pytest.mark.parametrize(
    "scope", ["repository:a%00b/c:pull", "repository:%00:pull", "%00", ":::", "repository::", "repository:x:y:z/a:pull"]
)
def test_scopes_that_cannot_be_grant_nothing(client: Client, scope: str) -> None:
    expect(client.send("GET", f"/service/token?service=harbor-registry&scope={scope}", headers=client.basic()), 200)


@every_database
def test_a_catalog_behind_what_cannot_be(client: Client, server: Server) -> None:
    answer = client.send("GET", "/v2/_catalog?last=%00", headers=client.basic())
    assert (answer.status, answer.codes()) == (400, ["BAD_REQUEST"])


@pytest.mark.parametrize(
    "tags", [["ok", "t" * 129], ["ok", ""], ["ok", "a/b"], ["ok", "nul%00"], [f"t{n}" for n in range(11)]]
)
def test_one_wrong_tag_of_several_refuses_all(
    client: Client, server: Server, repository: str, good: Document, tags: list[str]
) -> None:
    query = "&".join(f"tag={tag}" for tag in tags)
    with nothing_stored(server):
        answer = put(client, repository, f"{digest_of(encoded(good))}?{query}", good)
    assert (answer.status, answer.codes()) == (400, ["BAD_REQUEST"])
