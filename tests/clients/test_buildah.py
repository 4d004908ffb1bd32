"""buildah: build an image from nothing, push it, pull it."""

import pytest

from tests.clients.conftest import Images, Shell
from tests.parts.server import Server

pytestmark = pytest.mark.parametrize("engine", ["buildah"], indirect=True)

INSECURE = "--tls-verify=false"


@pytest.fixture
def buildah(engine: list[str], shell: Shell, server: Server) -> list[str]:
    shell(engine[0], "login", INSECURE, "-u", server.username, "--password-stdin", server.host, typed=server.password)
    return engine


def test_what_is_built_can_be_pushed_copied_and_pulled(
    buildah: list[str], shell: Shell, server: Server, project: str
) -> None:
    (shell.home / "greeting").write_text("hello\n")
    container = shell(*buildah, "from", "scratch")
    shell(*buildah, "copy", container, "greeting", "/etc/greeting")
    image = shell(*buildah, "commit", "--quiet", container, "built")
    digests = {}
    for repository in ("app", "copy"):
        name = f"{server.host}/{project}/{repository}:1"
        shell(*buildah, "push", INSECURE, f"--digestfile={shell.home}/digest", "built", f"docker://{name}")
        digests[repository] = (shell.home / "digest").read_text()
        head = server.client().registry("HEAD", f"/v2/{project}/{repository}/manifests/1")
        assert head.headers["Docker-Content-Digest"] == digests[repository]
    shell(*buildah, "rm", container)
    shell(*buildah, "rmi", "--all", "--force")
    assert shell(*buildah, "pull", "--quiet", INSECURE, f"{server.host}/{project}/app@{digests['app']}") == image


def test_an_image_with_a_big_layer_is_the_base_of_another(
    buildah: list[str], shell: Shell, place: str, images: Images
) -> None:
    base = shell(*buildah, "pull", "--quiet", images.at("big"))
    shell(*buildah, "push", INSECURE, base, f"docker://{place}/base:1")
    shell(*buildah, "rmi", "--all", "--force")
    (shell.home / "Containerfile").write_text(f"FROM {place}/base:1\nCOPY greeting /etc/greeting\n")
    (shell.home / "greeting").write_text("hello\n")
    shell(*buildah, "bud", INSECURE, "--quiet", f"--tag={place}/app:1", str(shell.home))
    shell(*buildah, "push", INSECURE, f"{place}/app:1")
    shell(*buildah, "rmi", "--all", "--force")
    container = shell(*buildah, "from", INSECURE, f"{place}/app:1")
    mounted = shell(*buildah, "mount", container)
    assert shell("cat", f"{mounted}/etc/greeting") == "hello"
