"""cosign with a key of its own: both forms of signature, attestations, and a copy that takes them along."""

import json
from collections.abc import Callable

import pytest

from tests.clients.conftest import Images, Shell
from tests.parts.server import Server

NO_PASSWORD = {"COSIGN_PASSWORD": ""}
OFFLINE = ["--tlog-upload=false", "--use-signing-config=false", "--yes"]
PLAIN = "--allow-http-registry"


@pytest.fixture
def cosign(tool: Callable[[str], str], shell: Shell, server: Server) -> str:
    program = tool("cosign")
    shell(program, "login", "-u", server.username, "--password-stdin", server.host, typed=server.password)
    shell(program, "generate-key-pair", environment=NO_PASSWORD)
    return program


@pytest.fixture
def image(cosign: str, tool: Callable[[str], str], shell: Shell, place: str, images: Images) -> str:
    """A pushed image by its digest."""
    copy = [tool("skopeo"), "copy", "--all", "--preserve-digests", "--dest-tls-verify=false"]
    shell(*copy, images.at("multi"), f"docker://{place}/app:1")
    return f"{place}/app@{images.multi}"


@pytest.mark.parametrize("form", ["bundle", "tag"])
def test_a_signature_is_verified_and_only_with_its_key(cosign: str, shell: Shell, image: str, form: str) -> None:
    new = f"--new-bundle-format={str(form == 'bundle').lower()}"
    verify = [cosign, "verify", "--insecure-ignore-tlog=true", new, PLAIN]
    assert shell.attempt(*verify, "--key=cosign.pub", image).returncode != 0
    shell(cosign, "sign", "--key=cosign.key", *OFFLINE, new, PLAIN, image, environment=NO_PASSWORD)
    assert json.loads(shell(*verify, "--key=cosign.pub", image))
    shell(cosign, "generate-key-pair", "--output-key-prefix=other", environment=NO_PASSWORD)
    assert shell.attempt(*verify, "--key=other.pub", image).returncode != 0


def test_the_bundle_form_is_a_referrer_and_the_tag_form_a_tag(
    cosign: str, shell: Shell, image: str, server: Server, project: str, images: Images
) -> None:
    client = server.client()
    sign = [cosign, "sign", "--key=cosign.key", *OFFLINE, PLAIN]
    shell(*sign, "--new-bundle-format=true", image, environment=NO_PASSWORD)
    assert client.registry("GET", f"/v2/{project}/app/tags/list").json()["tags"] == ["1"]
    referrers = client.registry("GET", f"/v2/{project}/app/referrers/{images.multi}").json()["manifests"]
    assert [each["artifactType"] for each in referrers] == ["application/vnd.dev.sigstore.bundle.v0.3+json"]
    shell(*sign, "--new-bundle-format=false", image, environment=NO_PASSWORD)
    signature = images.multi.replace(":", "-") + ".sig"
    assert client.registry("GET", f"/v2/{project}/app/tags/list").json()["tags"] == ["1", signature]


def test_an_attestation_is_verified(cosign: str, shell: Shell, image: str) -> None:
    (shell.home / "predicate.json").write_text('{"tests": "passed"}')
    attest = [cosign, "attest", "--key=cosign.key", "--predicate=predicate.json", "--type=custom", *OFFLINE, PLAIN]
    shell(*attest, image, environment=NO_PASSWORD)
    verify = [cosign, "verify-attestation", "--key=cosign.pub", "--type=custom", "--insecure-ignore-tlog=true", PLAIN]
    assert shell(*verify, image)


def test_a_copy_takes_the_signature_along(cosign: str, shell: Shell, image: str, place: str, images: Images) -> None:
    old = "--new-bundle-format=false"
    shell(cosign, "sign", "--key=cosign.key", *OFFLINE, old, PLAIN, image, environment=NO_PASSWORD)
    shell(cosign, "copy", PLAIN, image, f"{place}/copy:1")
    verify = [cosign, "verify", "--key=cosign.pub", "--insecure-ignore-tlog=true", old, PLAIN]
    assert json.loads(shell(*verify, f"{place}/copy@{images.multi}"))
