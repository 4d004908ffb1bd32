"""Projects that let only signed artifacts be pulled."""

from collections.abc import Callable

import pytest

from tests.parts.client import Answer, Client, digest_of, expect
from tests.parts.server import Server, every_database
from tests.registry.manifests import descriptor, encoded, image, put
from tests.registry.people import GUEST, person

COSIGN = "application/vnd.dev.cosign.artifact.sig.v1+json"
NOTATION = "application/vnd.cncf.notary.signature"

Switch = Callable[..., None]


@pytest.fixture
def switch(client: Client, repository: str) -> Switch:
    """Sets the project's metadata."""

    def change(**metadata: str) -> None:
        project = repository.partition("/")[0]
        expect(client.api("PUT", f"/projects/{project}", {"metadata": metadata}), 200)

    return change


def pull(client: Client, repository: str, reference: str, method: str = "GET") -> Answer:
    return client.registry(method, f"/v2/{repository}/manifests/{reference}", scope=f"repository:{repository}:pull")


def refused(answer: Answer, signer: str) -> None:
    (error,) = expect(answer, 412).json()["errors"]
    assert error == {"code": "PROJECTPOLICYVIOLATION", "message": f"The image is not signed by {signer}."}


def sign(client: Client, repository: str, document: dict[str, object], kind: str) -> str:
    """Push a signature of the image; its digest."""
    signature = image(client, repository, kind.encode(), artifactType=kind, subject=descriptor(document))
    expect(put(client, repository, digest_of(encoded(signature)), signature), 201)
    return digest_of(encoded(signature))


@every_database
def test_only_what_is_signed(client: Client, server: Server, repository: str, switch: Switch) -> None:
    document = image(client, repository, b"layer")
    expect(put(client, repository, "v1", document), 201)
    expect(pull(client, repository, "v1"), 200)
    switch(enable_content_trust_cosign="true")
    refused(pull(client, repository, "v1"), "cosign")
    refused(pull(client, repository, digest_of(encoded(document))), "cosign")
    expect(pull(client, repository, "v1", "HEAD"), 412)
    known = {"If-None-Match": digest_of(encoded(document))}
    expect(client.registry("GET", f"/v2/{repository}/manifests/v1", headers=known), 412)
    signature = sign(client, repository, document, COSIGN)
    expect(pull(client, repository, "v1"), 200)
    expect(pull(client, repository, signature), 200)
    switch(enable_content_trust="true")
    refused(pull(client, repository, "v1"), "notation")
    sign(client, repository, document, NOTATION)
    expect(pull(client, repository, "v1"), 200)


@every_database
@pytest.mark.parametrize("way", ["put", "metadata", "deleted"])
def test_the_switch_acts_at_once_however_it_is_set(
    client: Client, server: Server, repository: str, switch: Switch, way: str
) -> None:
    project = repository.partition("/")[0]
    expect(put(client, repository, "v1", image(client, repository, b"layer")), 201)
    path = f"/projects/{project}/metadatas"
    expect(client.api("POST", f"{path}/", {"enable_content_trust": "1"}), 200)
    refused(pull(client, repository, "v1"), "notation")
    match way:
        case "put":
            switch(enable_content_trust="false")
        case "metadata":
            expect(client.api("PUT", f"{path}/enable_content_trust", {"enable_content_trust": "false"}), 200)
        case _:
            expect(client.api("DELETE", f"{path}/enable_content_trust"), 200)
    expect(pull(client, repository, "v1"), 200)


@every_database
def test_from_the_start_of_a_project(client: Client, server: Server, repository: str) -> None:
    name = f"{repository.partition('/')[0]}-trust"
    project = {"project_name": name, "metadata": {"enable_content_trust_cosign": "true"}}
    expect(client.api("POST", "/projects", project), 201)
    client.push_image(f"{name}/app", "v1", b"layer")
    refused(pull(client, f"{name}/app", "v1"), "cosign")


@every_database
def test_who_signs_can_pull_what_is_not_signed_yet(
    client: Client, server: Server, repository: str, switch: Switch
) -> None:
    expect(put(client, repository, "v1", image(client, repository, b"layer")), 201)
    switch(enable_content_trust_cosign="true")
    path = f"/v2/{repository}/manifests/v1"
    signer = {"User-Agent": "cosign/v2.4.1"}
    expect(client.registry("GET", path, headers=signer, scope=f"repository:{repository}:pull,push"), 200)
    guest = person(server, repository.partition("/")[0], GUEST)
    refused(guest.registry("GET", path, headers=signer, scope=f"repository:{repository}:pull"), "cosign")
    refused(client.send("GET", path, headers=client.basic() | signer), "cosign")
