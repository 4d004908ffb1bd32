"""The wheel, in an environment that knows nothing of this checkout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mooring
from tests.parts import wheel
from tests.parts.client import Client, expect, is_served
from tests.parts.process import Process, free_port, wait_for

PASSWORD = "Port-of-call-1"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `mooring` of an environment with the wheel and what it names, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    built = wheel.build(folder / "dist")
    uv = str(Path(sys.executable).with_name("uv"))
    run([uv, "venv", "--quiet", f"--python={sys.executable}", "environment"], folder)
    install = [uv, "pip", "install", "--quiet", "--python=environment"]
    run([*install, "--require-hashes", f"--requirement={wheel.requirements(folder / 'dist')}"], folder)
    run([*install, "--no-deps", str(built)], folder)
    return folder / "environment" / "bin" / "mooring"


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def environment(**settings: str) -> dict[str, str]:
    """The environment without what leads to this checkout or to its settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MOORING_", "PYTHON", "VIRTUAL_"))}
    return kept | settings


def test_it_holds_the_program_and_its_licence(program: Path, tmp_path: Path) -> None:
    assert run([str(program), "--version"], tmp_path).strip() == mooring.__version__
    where = run([str(program.with_name("python")), "-c", "import mooring; print(mooring.__file__)"], tmp_path)
    assert Path(where.strip()).is_relative_to(program.parents[1])
    (metadata,) = program.parents[1].glob("lib/*/site-packages/mooring-*.dist-info")
    assert "Apache License" in (metadata / "licenses" / "LICENSE").read_text()


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "doctor", "scrub", "user", "version"])
def test_every_command_has_help(program: Path, tmp_path: Path, command: str) -> None:
    assert run([str(program), command, "--help"], tmp_path).startswith(f"Usage: mooring {command}")


def test_it_serves(program: Path, tmp_path: Path) -> None:
    port = free_port()
    settings = {"MOORING_HTTP__PORT": str(port), "MOORING_ADMIN_PASSWORD": PASSWORD}
    command = [str(program), "serve", "--data", str(tmp_path / "data")]
    process = Process(command, tmp_path / "log", environment=environment(**settings), folder=tmp_path)
    client = Client(f"http://127.0.0.1:{port}", "admin", PASSWORD)
    try:
        wait_for(lambda: is_served(client.url), "mooring serve", process=process)
        digest = client.push_image("library/hello", "1", b"a layer")
        found = expect(client.registry("HEAD", "/v2/library/hello/manifests/1"), 200)
        assert found.headers["Docker-Content-Digest"] == digest
        expect(client.send("GET", "/api/v2.0/docs/swagger-ui.css"), 200)
    finally:
        status = process.stop()
    assert status == 0, process.log()
