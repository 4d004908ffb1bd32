"""skopeo: log in, push, list, copy with a mount, pull."""

import json
from collections.abc import Callable

import pytest

from tests.clients.conftest import Images, Shell
from tests.parts.server import Server


@pytest.fixture
def skopeo(tool: Callable[[str], str], shell: Shell, server: Server) -> str:
    program = tool("skopeo")
    shell(
        program,
        "login",
        "--tls-verify=false",
        "-u",
        server.username,
        "--password-stdin",
        server.host,
        typed=server.password,
    )
    return program


@pytest.mark.parametrize("tag", ["single", "multi", "big"])
def test_what_is_pushed_can_be_copied_and_comes_back_the_same(
    skopeo: str, shell: Shell, place: str, images: Images, tag: str
) -> None:
    digest = getattr(images, tag)
    insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"]
    copy = [skopeo, "copy", "--all", "--preserve-digests"]
    shell(*copy, "--dest-tls-verify=false", images.at(tag), f"docker://{place}/app:{tag}")
    shell(*copy, *insecure, f"docker://{place}/app:{tag}", f"docker://{place}/copy:{tag}")
    shell(*copy, "--src-tls-verify=false", f"docker://{place}/copy@{digest}", f"oci:{shell.home}/back:{tag}")
    for repository in ("app", "copy"):
        raw = [skopeo, "inspect", "--tls-verify=false", f"docker://{place}/{repository}:{tag}", "--format={{.Digest}}"]
        assert shell(*raw) == digest
    back = json.loads((shell.home / "back" / "index.json").read_text())
    assert [each["digest"] for each in back["manifests"]] == [digest]
    tags = json.loads(shell(skopeo, "list-tags", "--tls-verify=false", f"docker://{place}/app"))["Tags"]
    assert tags == [tag]


def test_a_wrong_password_does_not_log_in(tool: Callable[[str], str], shell: Shell, server: Server) -> None:
    login = [tool("skopeo"), "login", "--tls-verify=false", "-u", "nobody-here", "--password-stdin", server.host]
    refused = shell.attempt(*login, typed="wrong")
    assert refused.returncode != 0
    assert "invalid username/password" in refused.stderr


def test_a_deleted_image_is_gone(skopeo: str, shell: Shell, place: str, images: Images) -> None:
    shell(
        skopeo,
        "copy",
        "--dest-tls-verify=false",
        "--preserve-digests",
        images.at("single"),
        f"docker://{place}/app:gone",
    )
    shell(skopeo, "delete", "--tls-verify=false", f"docker://{place}/app:gone")
    assert shell.attempt(skopeo, "inspect", "--tls-verify=false", f"docker://{place}/app:gone").returncode != 0
