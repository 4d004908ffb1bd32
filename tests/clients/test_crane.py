"""crane: log in, push, list, copy with a mount, pull, validate, delete."""

import json
from collections.abc import Callable

import pytest

from tests.clients.conftest import Images, Shell
from tests.parts.server import Server


@pytest.fixture
def crane(tool: Callable[[str], str], shell: Shell, server: Server) -> str:
    program = tool("crane")
    shell(program, "auth", "login", "-u", server.username, "--password-stdin", server.host, typed=server.password)
    return program


@pytest.fixture
def everything(crane: str, shell: Shell, place: str, images: Images) -> str:
    """A repository that holds every image of the layout, pushed as one index."""
    shell(crane, "push", "--index", str(images.layout.folder), f"{place}/everything:latest")
    return f"{place}/everything"


@pytest.mark.parametrize("tag", ["single", "multi", "big"])
def test_what_is_pushed_can_be_copied_and_comes_back_the_same(
    crane: str, shell: Shell, place: str, everything: str, images: Images, tag: str
) -> None:
    digest = getattr(images, tag)
    copied = shell.attempt(crane, "copy", "--verbose", f"{everything}@{digest}", f"{place}/app:{tag}")
    assert copied.returncode == 0, copied.stderr
    assert "mount=sha256" in copied.stderr
    assert "PATCH" not in copied.stderr, "the layers were uploaded again instead of mounted"
    assert shell(crane, "digest", f"{place}/app:{tag}") == digest
    assert shell(crane, "ls", f"{place}/app") == tag
    shell(crane, "validate", "--remote", f"{place}/app:{tag}")
    shell(crane, "pull", "--format=oci", f"{place}/app:{tag}", "back")
    back = json.loads((shell.home / "back" / "index.json").read_text())
    assert [each["digest"] for each in back["manifests"]] == [digest]


def test_an_image_made_by_append_is_tagged_and_exported(
    crane: str, shell: Shell, place: str, everything: str, images: Images
) -> None:
    (shell.home / "added").write_text("more\n")
    shell("tar", "--create", "--file=layer.tar", "added")
    shell(crane, "append", f"--base={everything}@{images.single}", "--new_layer=layer.tar", f"--new_tag={place}/app:1")
    shell(crane, "tag", f"{place}/app:1", "2")
    assert shell(crane, "digest", f"{place}/app:1") == shell(crane, "digest", f"{place}/app:2")
    assert shell(crane, "ls", f"{place}/app").split() == ["1", "2"]
    shell(crane, "export", f"{place}/app:2", "files.tar")
    assert {"etc/greeting", "added"} <= set(shell("tar", "--list", "--file=files.tar").split())


def test_a_deleted_tag_is_gone_and_its_image_stays(
    crane: str, shell: Shell, place: str, everything: str, images: Images
) -> None:
    for tag in ("keep", "drop"):
        shell(crane, "copy", f"{everything}@{images.single}", f"{place}/app:{tag}")
    shell(crane, "delete", f"{place}/app:drop")
    assert shell(crane, "ls", f"{place}/app") == "keep"
    assert shell(crane, "digest", f"{place}/app@{images.single}") == images.single
