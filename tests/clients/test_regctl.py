"""regctl: log in, push, list, copy with a mount, pull, referrers, deleting tags."""

import json
from collections.abc import Callable

import pytest

from tests.clients.conftest import Images, Shell
from tests.parts.server import Server


@pytest.fixture
def regctl(tool: Callable[[str], str], shell: Shell, server: Server) -> str:
    program = tool("regctl")
    shell(program, "registry", "set", "--tls=disabled", "--skip-check", server.host)
    shell(program, "registry", "login", "--user", server.username, "--pass-stdin", server.host, typed=server.password)
    return program


@pytest.mark.parametrize("tag", ["single", "multi", "big"])
def test_what_is_pushed_can_be_copied_and_comes_back_the_same(
    regctl: str, shell: Shell, place: str, images: Images, tag: str
) -> None:
    digest = getattr(images, tag)
    shell(regctl, "image", "copy", f"ocidir://{images.layout.folder}:{tag}", f"{place}/app:{tag}")
    shell(regctl, "image", "copy", f"{place}/app:{tag}", f"{place}/copy:{tag}")
    assert shell(regctl, "image", "digest", f"{place}/copy:{tag}") == digest
    assert shell(regctl, "tag", "ls", f"{place}/copy") == tag
    shell(regctl, "image", "copy", f"{place}/copy@{digest}", f"ocidir://{shell.home}/back:{tag}")
    assert shell(regctl, "image", "digest", f"ocidir://{shell.home}/back:{tag}") == digest


def test_an_artifact_with_a_subject_is_found_by_it(regctl: str, shell: Shell, place: str, images: Images) -> None:
    shell(regctl, "image", "copy", f"ocidir://{images.layout.folder}:single", f"{place}/app:1")
    shell(
        regctl,
        "artifact",
        "put",
        "--artifact-type=application/example.report",
        f"--subject={place}/app:1",
        typed="all is well",
    )
    found = json.loads(shell(regctl, "artifact", "list", "--format={{json .}}", f"{place}/app:1"))
    (referrer,) = found["descriptors"]
    assert referrer["artifactType"] == "application/example.report"
    assert shell(regctl, "artifact", "get", f"{place}/app@{referrer['digest']}") == "all is well"
    assert shell(regctl, "tag", "ls", f"{place}/app") == "1", "the client fell back to a tag for its referrers"


def test_a_deleted_tag_is_gone_and_its_image_stays(regctl: str, shell: Shell, place: str, images: Images) -> None:
    for tag in ("keep", "drop"):
        shell(regctl, "image", "copy", f"ocidir://{images.layout.folder}:single", f"{place}/app:{tag}")
    shell(regctl, "tag", "delete", f"{place}/app:drop")
    assert shell(regctl, "tag", "ls", f"{place}/app") == "keep"
    shell(regctl, "manifest", "delete", f"{place}/app@{images.single}")
    assert shell.attempt(regctl, "manifest", "head", f"{place}/app:keep").returncode != 0
