"""notation: sign with a test certificate, list, verify."""

import json
from collections.abc import Callable

import pytest

from tests.clients.conftest import Images, Shell
from tests.parts.server import Server

PLAIN = "--insecure-registry"

# notation keeps passwords only in a store that speaks as docker-credential-helpers do; this one knows one server.
STORE = """#!/bin/sh
case $1 in
    store) exec cat > "$HOME/credential" ;;
    get) exec cat "$HOME/credential" ;;
    erase) exec rm -f "$HOME/credential" ;;
esac
"""


@pytest.fixture
def notation(tool: Callable[[str], str], shell: Shell, server: Server) -> str:
    program = tool("notation")
    store = shell.home / "bin" / "docker-credential-tests"
    store.write_text(STORE)
    store.chmod(0o700)
    (shell.home / "docker" / "config.json").write_text('{"credsStore": "tests"}')
    shell(program, "login", PLAIN, "-u", server.username, "--password-stdin", server.host, typed=server.password)
    shell(program, "cert", "generate-test", "--default", "tests")
    policy = {
        "version": "1.0",
        "trustPolicies": [
            {
                "name": "everything",
                "registryScopes": ["*"],
                "signatureVerification": {"level": "strict"},
                "trustStores": ["ca:tests"],
                "trustedIdentities": ["*"],
            }
        ],
    }
    (shell.home / "policy.json").write_text(json.dumps(policy))
    shell(program, "policy", "import", "policy.json")
    return program


@pytest.mark.parametrize("by_tag", [True, False])
def test_a_signature_is_listed_and_verified(
    notation: str, tool: Callable[[str], str], shell: Shell, server: Server, project: str, images: Images, by_tag: bool
) -> None:
    name = f"{server.host}/{project}/app"
    copy = [tool("skopeo"), "copy", "--all", "--preserve-digests", "--dest-tls-verify=false"]
    login = [f"--dest-creds={server.username}:{server.password}"]
    shell(*copy, *login, images.at("multi"), f"docker://{name}:1")
    image = f"{name}@{images.multi}"
    assert shell.attempt(notation, "verify", PLAIN, image).returncode != 0
    shell(notation, "sign", PLAIN, f"--force-referrers-tag={str(by_tag).lower()}", image)
    assert "application/vnd.cncf.notary.signature" in shell(notation, "list", PLAIN, image)
    assert "Successfully verified" in shell(notation, "verify", PLAIN, image)
    tags = server.client().registry("GET", f"/v2/{project}/app/tags/list").json()["tags"]
    assert tags == ["1", images.multi.replace(":", "-")] if by_tag else tags == ["1"]
