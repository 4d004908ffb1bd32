"""helm: log in, push a chart, list its versions, pull it."""

from collections.abc import Callable

import pytest

from tests.clients.conftest import Shell
from tests.parts.server import Server


@pytest.fixture
def helm(tool: Callable[[str], str], shell: Shell, server: Server) -> str:
    program = tool("helm")
    login = [program, "registry", "login", "--plain-http", "-u", server.username, "--password-stdin", server.host]
    shell(*login, typed=server.password)
    return program


def test_a_chart_comes_back_the_same_and_versions_are_chosen(
    helm: str, shell: Shell, server: Server, project: str, place: str
) -> None:
    (shell.home / "back").mkdir()
    shell(helm, "create", "greeter")
    packed = {}
    for version in ("1.2.3", "1.3.0+build.1"):
        shell(helm, "package", "greeter", f"--version={version}")
        packed[version] = (shell.home / f"greeter-{version}.tgz").read_bytes()
        shell(helm, "push", "--plain-http", f"greeter-{version}.tgz", f"oci://{place}/charts")
    tags = server.client().registry("GET", f"/v2/{project}/charts/greeter/tags/list").json()["tags"]
    assert tags == ["1.2.3", "1.3.0_build.1"]
    for wanted, version in (("~1.2", "1.2.3"), (">=1.0.0", "1.3.0+build.1")):
        shown = shell(helm, "show", "chart", "--plain-http", f"oci://{place}/charts/greeter", f"--version={wanted}")
        assert f"version: {version}" in shown
        shell(
            helm, "pull", "--plain-http", f"oci://{place}/charts/greeter", f"--version={wanted}", "--destination=back"
        )
        assert (shell.home / "back" / f"greeter-{version}.tgz").read_bytes() == packed[version]
    rendered = shell(helm, "template", "hello", "--plain-http", f"oci://{place}/charts/greeter", "--version=1.2.3")
    assert "kind: Deployment" in rendered
