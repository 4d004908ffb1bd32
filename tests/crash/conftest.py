"""How long the run is, and a server that may be killed."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.parts.deployments import Deployments
from tests.parts.server import Server

Start = Callable[[str], Server]


@pytest.fixture
def rounds(full: bool) -> int:
    """How often the server is killed: MOORING_CRASH_ROUNDS, or 200 in the long form and 20 in the short."""
    return int(os.environ.get("MOORING_CRASH_ROUNDS") or (200 if full else 20))


@pytest.fixture
def start(deployments: Deployments, tmp_path: Path) -> Iterator[Start]:
    """Start a server of a kind for this test alone; it is stopped behind it."""
    started: list[Server] = []

    def start(kind: str) -> Server:
        server = deployments.start(kind, tmp_path / kind)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()
