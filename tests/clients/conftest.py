"""What every client test needs: a home of its own for the client, and images to push."""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.parts.client import OCI_MANIFEST, digest_of
from tests.parts.images import Layout
from tests.parts.server import Server


class Shell:
    """Runs a client with nothing of ours in its home, so that it finds no credentials and no configuration."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._environment = {
            "PATH": f"{home}/bin:{os.environ['PATH']}",
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "DOCKER_CONFIG": str(home / "docker"),
            "REGISTRY_AUTH_FILE": str(home / "auth.json"),
            "TMPDIR": str(home),
        }
        for folder in ("bin", "docker"):
            (home / folder).mkdir()

    def __call__(self, *command: str, typed: str = "", environment: Mapping[str, str] | None = None) -> str:
        """Run to success; returns what it printed. `typed` is its standard input."""
        done = self.attempt(*command, typed=typed, environment=environment)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def attempt(
        self, *command: str, typed: str = "", environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run, and let the caller look at how it ended."""
        return subprocess.run(
            command,
            input=typed,
            env=self._environment | dict(environment or {}),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
        )


class Images(NamedTuple):
    """A layout: an image of one architecture (`single`), an index of two (`multi`), an image with a big layer (`big`).

    `single` and `other` are the images of the index.
    """

    layout: Layout
    single: str
    multi: str
    big: str

    def at(self, tag: str) -> str:
        """The image as skopeo, podman and buildah name it."""
        return f"oci:{self.layout.folder}:{tag}"


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory, full: bool) -> Images:
    layout = Layout(tmp_path_factory.mktemp("images") / "layout")
    layers = [layout.layer({"etc/greeting": b"hello\n"}), layout.layer({"bin/true": b"#!/bin/sh\n"})]
    single = layout.image(layers)
    other = layout.image([layout.layer({"etc/greeting": b"moin\n"})], architecture="arm64")
    multi = layout.index([single, other])
    big = layout.image([layout.big_layer(2 << 30 if full else 64 << 20)])
    layout.tag("other", other)
    return Images(layout, layout.tag("single", single), layout.tag("multi", multi), layout.tag("big", big))


@pytest.fixture
def shell() -> Iterator[Shell]:
    """A home for one test. Its path is short: podman refuses a run folder of more than 50 characters."""
    with tempfile.TemporaryDirectory(prefix="mooring-", ignore_cleanup_errors=True) as home:
        yield Shell(Path(home))


@pytest.fixture
def project(server: Server) -> str:
    """A private project of the test's own."""
    return server.create_project()


@pytest.fixture
def place(server: Server, project: str) -> str:
    """The project as clients name it: host, port and project."""
    return f"{server.host}/{project}"


class Signed(NamedTuple):
    """An image that has a tag, `1.0`, and a signature."""

    repository: str
    digest: str


@pytest.fixture
def signed(server: Server, project: str, images: Images) -> Signed:
    client, repository = server.client(), f"{project}/source"
    manifest = images.layout.read(images.single)
    described = json.loads(manifest)
    for each in (described["config"], *described["layers"]):
        client.push_blob(repository, images.layout.read(each["digest"]))
    digest = client.push_manifest(repository, "1.0", manifest)
    empty = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": client.push_blob(repository, b"{}"), "size": 2}
    signature = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.cncf.notary.signature",
        "config": empty,
        "layers": [empty],
        "subject": {"mediaType": OCI_MANIFEST, "digest": digest, "size": len(manifest)},
    }
    packed = json.dumps(signature).encode()
    client.push_manifest(repository, digest_of(packed), packed)
    return Signed(repository, digest)


@pytest.fixture
def engine(shell: Shell, tool: Callable[[str], str], request: pytest.FixtureRequest) -> list[str]:
    """How a podman or buildah command begins, with storage of the test's own; the parameter names the program."""
    return [tool(request.param), "--storage-driver=vfs", f"--root={shell.home}/root", f"--runroot={shell.home}/run"]
