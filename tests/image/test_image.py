"""deploy/Containerfile: built from a base that Mooring serves, pushed to Mooring, and run."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.clients.conftest import Shell
from tests.image import base
from tests.parts import tools, wheel
from tests.parts.client import Client, expect, is_served
from tests.parts.process import Process, free_port, wait_for
from tests.parts.server import Server, descendants

CONTAINERFILE = wheel.CHECKOUT / "deploy" / "Containerfile"
INSECURE = "--tls-verify=false"
USER = 10001


class Programs(NamedTuple):
    """How a command of each program begins: both share a storage of the test's own."""

    podman: list[str]
    buildah: list[str]


@pytest.fixture
def base_image(server: Server, shell: Shell, programs: Programs) -> str:
    """The base, pushed to the server and gone from here."""
    try:
        tarball = base.tarball()
    except tools.Missing as reason:
        pytest.skip(str(reason))
    name = f"{server.host}/{server.create_project()}/base:{base.SUITE}"
    login = [programs.podman[0], "login", INSECURE, "-u", server.username, "--password-stdin", server.host]
    shell(*login, typed=server.password)
    shell(*programs.podman, "import", "--quiet", str(tarball), name)
    shell(*programs.podman, "push", "--quiet", INSECURE, name)
    shell(*programs.podman, "rmi", "--all", "--force")
    return name


@pytest.fixture
def programs(shell: Shell, tool: Callable[[str], str]) -> Programs:
    """Overlay storage where the kernel lets us mount it: vfs copies the whole file system for every step."""
    podman, buildah = tool("podman"), tool("buildah")
    for driver in ("overlay", "vfs"):
        storage = [
            f"--storage-driver={driver}",
            f"--root={shell.home}/{driver}",
            f"--runroot={shell.home}/run-{driver}",
        ]
        if shell.attempt(buildah, *storage, "info").returncode == 0:
            break
    return Programs([podman, *storage], [buildah, *storage])


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A build context that holds all there is to install, so that the build reaches for no index."""
    dist = tmp_path / "dist"
    wheel.build(dist)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--only-binary=:all:"]
    command += ["--python-version=3.11", f"--requirement={wheel.requirements(dist)}", f"--dest={dist}"]
    subprocess.run(command, check=True)
    return dist


def test_the_image_is_built_from_mooring_pushed_to_it_and_serves(
    server: Server, shell: Shell, programs: Programs, base_image: str, context: Path, tmp_path: Path
) -> None:
    repository = f"{base_image.split('/')[1]}/mooring"
    name = f"{server.host}/{repository}:1"
    arguments = [f"--build-arg=BASE={base_image}", "--build-arg=PIP_NO_INDEX=1", f"--file={CONTAINERFILE}"]
    shell(*programs.buildah, "bud", "--isolation=chroot", INSECURE, *arguments, f"--tag={name}", str(context))
    shell(*programs.buildah, "push", "--quiet", INSECURE, name)
    shell(*programs.buildah, "rmi", "--all", "--force")

    config = _config(server.client(), repository)
    assert config["User"] == f"{USER}:{USER}"
    assert list(config["Volumes"]) == ["/data"]
    assert list(config["ExposedPorts"]) == ["8080/tcp"]

    port = free_port()
    command = _run(shell, programs, name, config, {"MOORING_HTTP__PORT": str(port), "MOORING_ADMIN_PASSWORD": "Port-1"})
    for process in _serving(command, port, tmp_path / "image.log"):
        client = Client(f"http://127.0.0.1:{port}", "admin", "Port-1")
        digest = client.push_image("library/hello", "1", b"a layer")
        found = expect(client.registry("HEAD", "/v2/library/hello/manifests/1"), 200)
        assert found.headers["Docker-Content-Digest"] == digest
        assert _stop(process) == 0, process.log()


def _config(client: Client, repository: str) -> Any:
    """What the image says about how it is run, as the registry has it."""
    manifest = expect(client.registry("GET", f"/v2/{repository}/manifests/1"), 200).json()
    blob = expect(client.registry("GET", f"/v2/{repository}/blobs/{manifest['config']['digest']}"), 200)
    return blob.json()["config"]


def _run(shell: Shell, programs: Programs, name: str, config: Any, environment: dict[str, str]) -> list[str]:
    """The command that runs the image: podman's where containers can run, else buildah's, which needs only chroot."""
    variables = [f"--env={key}={value}" for key, value in environment.items()]
    podman = [*programs.podman, "run", "--rm", "--network=host"]
    if shell.attempt(*podman, INSECURE, name, "version").returncode == 0:
        return [*podman, *variables, name]
    container = shell(*programs.buildah, "from", INSECURE, name)
    return [
        *programs.buildah,
        "run",
        "--isolation=chroot",
        *variables,
        container,
        "--",
        *config["Entrypoint"],
        *config["Cmd"],
    ]


def _serving(command: list[str], port: int, log: Path) -> Iterator[Process]:
    """The program of the image, while it answers."""
    process = Process(command, log)
    try:
        wait_for(lambda: is_served(f"http://127.0.0.1:{port}"), "the image", process=process)
        yield process
    finally:
        process.stop()


def _stop(process: Process) -> int:
    """SIGTERM to the server; podman passes it on, buildah would kill. Returns the exit status."""
    servers = [each for each in descendants(process.popen.pid) if _name_of(each).startswith("mooring")]
    if not servers:
        return process.stop()
    assert Path(f"/proc/{servers[0]}").stat().st_uid == USER
    os.kill(servers[0], signal.SIGTERM)
    return process.popen.wait(150)


def _name_of(process: int) -> str:
    return Path(f"/proc/{process}/comm").read_text()
