"""podman without a daemon: log in, push, list, pull, and a manifest list."""

import json

import pytest

from tests.clients.conftest import Images, Shell
from tests.parts.client import expect
from tests.parts.server import Server

pytestmark = pytest.mark.parametrize("engine", ["podman"], indirect=True)

INSECURE = "--tls-verify=false"


@pytest.fixture
def podman(engine: list[str], shell: Shell, server: Server) -> list[str]:
    shell(*engine, "login", INSECURE, "-u", server.username, "--password-stdin", server.host, typed=server.password)
    return engine


@pytest.mark.parametrize("tag", ["single", "big"])
def test_what_is_pushed_comes_back_the_same(
    podman: list[str], shell: Shell, place: str, images: Images, tag: str
) -> None:
    image = shell(*podman, "pull", "--quiet", images.at(tag))
    digests = []
    for repository in ("app", "copy"):  # the second push mounts the layers
        shell(*podman, "tag", image, f"{place}/{repository}:{tag}")
        shell(*podman, "push", INSECURE, f"--digestfile={shell.home}/digest", f"{place}/{repository}:{tag}")
        digests.append((shell.home / "digest").read_text())
    shell(*podman, "rmi", "--all", "--force")
    assert shell(*podman, "pull", "--quiet", INSECURE, f"{place}/copy@{digests[1]}") == image
    assert shell(*podman, "pull", "--quiet", INSECURE, f"{place}/app:{tag}") == image
    found = json.loads(shell(*podman, "search", INSECURE, "--list-tags", "--format=json", f"{place}/app"))
    assert found[0]["Tags"] == [tag]


def test_a_manifest_list_holds_its_images(
    podman: list[str], shell: Shell, server: Server, project: str, images: Images
) -> None:
    name = f"{server.host}/{project}/multi"
    shell(*podman, "manifest", "create", "both")
    for tag in ("single", "other"):
        shell(*podman, "manifest", "add", "both", images.at(tag))
    shell(*podman, "manifest", "push", INSECURE, "--all", "--format=oci", "both", f"docker://{name}:latest")
    answer = server.client().registry("GET", f"/v2/{project}/multi/manifests/latest")
    assert {each["platform"]["architecture"] for each in answer.json()["manifests"]} == {"amd64", "arm64"}
    shell(*podman, "pull", "--quiet", INSECURE, "--arch=arm64", f"{name}:latest")
    assert shell(*podman, "image", "inspect", "--format={{.Architecture}}", f"{name}:latest") == "arm64"


def test_a_robot_as_guides_make_it_signs_in_under_its_short_name(
    engine: list[str], shell: Shell, server: Server, project: str
) -> None:
    robot = {
        "name": "ci-robot",
        "duration": 365,
        "access": [{"resource": "repository", "action": action} for action in ("pull", "push")],
    }
    made = expect(server.client().api("POST", f"/projects/{project}/robots", robot), 201).json()
    assert made["token"] == made["secret"]
    for name in ("robot$ci-robot", made["name"]):
        shell(*engine, "login", INSECURE, "-u", name, "--password-stdin", server.host, typed=made["secret"])
