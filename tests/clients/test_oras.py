"""oras: log in, push, list, copy with a mount, pull, attach to a subject and discover."""

import json
from collections.abc import Callable

import pytest

from tests.clients.conftest import Images, Shell
from tests.parts.server import Server


@pytest.fixture
def oras(tool: Callable[[str], str], shell: Shell, server: Server) -> str:
    program = tool("oras")
    shell(
        program, "login", "--plain-http", "-u", server.username, "--password-stdin", server.host, typed=server.password
    )
    return program


@pytest.mark.parametrize("tag", ["single", "multi", "big"])
def test_what_is_pushed_can_be_copied_and_comes_back_the_same(
    oras: str, shell: Shell, place: str, images: Images, tag: str
) -> None:
    digest = getattr(images, tag)
    shell(oras, "cp", "--from-oci-layout", "--to-plain-http", f"{images.layout.folder}:{tag}", f"{place}/app:{tag}")
    shell(oras, "cp", "--from-plain-http", "--to-plain-http", f"{place}/app:{tag}", f"{place}/copy:{tag}")
    assert shell(oras, "resolve", "--plain-http", f"{place}/copy:{tag}") == digest
    assert shell(oras, "repo", "tags", "--plain-http", f"{place}/copy") == tag
    shell(oras, "cp", "--from-plain-http", "--to-oci-layout", f"{place}/copy@{digest}", f"{shell.home}/back:{tag}")
    assert shell(oras, "resolve", "--oci-layout", f"{shell.home}/back:{tag}") == digest


def test_files_come_back_and_an_attached_file_is_discovered(oras: str, shell: Shell, place: str) -> None:
    (shell.home / "data.txt").write_text("some data\n")
    (shell.home / "report.txt").write_text("all is well\n")
    push = [
        oras,
        "push",
        "--plain-http",
        "--artifact-type=application/example.data",
        f"{place}/files:1",
        "data.txt:text/plain",
    ]
    shell(*push)
    shell(
        oras, "attach", "--plain-http", "--artifact-type=application/example.report", f"{place}/files:1", "report.txt"
    )
    found = json.loads(shell(oras, "discover", "--plain-http", "--format=json", f"{place}/files:1"))
    (referrer,) = found["referrers"]
    assert referrer["artifactType"] == "application/example.report"
    for reference in (f"{place}/files:1", referrer["reference"]):
        shell(oras, "pull", "--plain-http", "--output=back", reference)
    assert (shell.home / "back" / "data.txt").read_text() == "some data\n"
    assert (shell.home / "back" / "report.txt").read_text() == "all is well\n"
    assert shell(oras, "repo", "tags", "--plain-http", f"{place}/files") == "1", (
        "the client fell back to a tag for its referrers"
    )


def test_a_copy_takes_the_referrers_along(oras: str, shell: Shell, place: str) -> None:
    (shell.home / "data.txt").write_text("some data\n")
    shell(oras, "push", "--plain-http", f"{place}/files:1", "data.txt")
    shell(oras, "attach", "--plain-http", "--artifact-type=application/example.report", f"{place}/files:1", "data.txt")
    shell(oras, "cp", "--recursive", "--from-plain-http", "--to-plain-http", f"{place}/files:1", f"{place}/copy:1")
    found = json.loads(shell(oras, "discover", "--plain-http", "--format=json", f"{place}/copy:1"))
    assert [each["artifactType"] for each in found["referrers"]] == ["application/example.report"]


def test_blobs_go_in_and_out_and_manifests_are_deleted(oras: str, shell: Shell, place: str) -> None:
    (shell.home / "data.txt").write_text("some data\n")
    shell(oras, "push", "--plain-http", f"{place}/files:1", "data.txt")
    pushed = json.loads(shell(oras, "blob", "push", "--plain-http", "--descriptor", f"{place}/files", "data.txt"))
    fetched = shell(oras, "blob", "fetch", "--plain-http", "--output=-", f"{place}/files@{pushed['digest']}")
    assert fetched == "some data"
    shell(oras, "manifest", "delete", "--plain-http", "--force", f"{place}/files:1")
    assert shell.attempt(oras, "resolve", "--plain-http", f"{place}/files:1").returncode != 0
