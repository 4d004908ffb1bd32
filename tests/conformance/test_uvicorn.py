"""The same application on another ASGI server: nothing in it may lean on the one that `mooring serve` runs."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from mooring.settings import SETTINGS_VARIABLE, Settings, encode
from tests.conformance import suite
from tests.parts.client import Client, is_served
from tests.parts.process import Process, free_port, wait_for
from tests.parts.server import Server


def test_the_stable_profile_passes_on_uvicorn(tool: Callable[[str], str], tmp_path: Path, figures: list[str]) -> None:
    server = Server(tmp_path)
    project = server.create_project()
    server.stop()
    port = free_port()
    environment = {**os.environ, SETTINGS_VARIABLE: encode(Settings(data_volume=str(server.data)))}
    command = [sys.executable, "-m", "uvicorn", "--factory", "mooring.app:web", "--port", str(port)]
    running = Process(command, tmp_path / "uvicorn.log", environment=environment)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: is_served(url), "uvicorn", process=running)
        client = Client(url, server.username, server.password)
        outcome = suite.run(tool("conformance"), client, project, "stable", {}, tmp_path / "stable")
    finally:
        running.stop()
    figures.append(f"conformance stable on uvicorn: {outcome}")
    assert not outcome.complaints, "\n".join(outcome.complaints)
    assert outcome.tests >= 850
