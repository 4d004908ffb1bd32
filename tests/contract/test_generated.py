"""Generated calls, as an administrator, as somebody and as nobody: the server never fails, and answers what is written.

Schemathesis makes them of Harbor's contract and of what the server publishes of itself.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.contract import listed
from tests.contract.world import World, prepared, told
from tests.parts.client import Client, expect
from tests.parts.deployments import Deployments
from tests.parts.server import Server

CHECKS = "not_a_server_error,status_code_conformance,response_schema_conformance"


@pytest.fixture(scope="module")
def running(deployments: Deployments, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own, since generated calls change whatever they can."""
    server = deployments.start("sqlite", tmp_path_factory.mktemp("generated"))
    yield server
    server.stop()
    faults = [line for line in server.log().splitlines() if "Traceback" in line or "a request failed" in line]
    assert not faults, "\n".join(faults)


@pytest.fixture
def world(running: Server) -> World:
    """Something of everything, whatever the calls before have left."""
    return World(running)


@pytest.mark.parametrize("caller", ["admin", "user", "anonymous"])
def test_harbors_contract_holds(
    contract: dict[str, Any], caller: str, world: World, tmp_path: Path, full: bool
) -> None:
    run(prepared(contract, world, listed()), CHECKS, world.callers()[caller], tmp_path, full=full)


@pytest.mark.parametrize("caller", ["admin", pytest.param("user", marks=pytest.mark.slow)])
def test_the_server_keeps_to_what_it_publishes(caller: str, world: World, tmp_path: Path, full: bool) -> None:
    published = expect(world.admin.api("GET", "/swagger.json"), 200).json()
    checks = f"{CHECKS},content_type_conformance,response_headers_conformance"
    run(told(published, world), checks, world.callers()[caller], tmp_path, full=full)


def run(document: dict[str, Any], checks: str, client: Client, folder: Path, *, full: bool) -> None:
    """Call every operation of the document. The short form makes the same calls every time, the long one new ones."""
    file = folder / "document.json"
    file.write_text(json.dumps(document))
    program = Path(sys.executable).with_name("schemathesis")
    length = (
        ["--phases=coverage,fuzzing", "--max-examples=30"]
        if full
        else ["--phases=fuzzing", "--max-examples=2", "--seed=1"]
    )
    credentials = [f"--auth={client.username}:{client.password}"] if client.username else []
    done = subprocess.run(
        [
            *(program, "run", file, f"--url={client.url}/api/v2.0", f"--checks={checks}"),
            *("--warnings=off", "--continue-on-failure", "--suppress-health-check=all", "--request-timeout=120"),
            *length,
            *credentials,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    shutil.rmtree(folder / ".schemathesis", ignore_errors=True)
