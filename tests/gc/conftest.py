"""Servers that leave nothing alone, and a hand in their database."""

from collections.abc import Iterator

import pytest

from mooring.db.engine import Database
from tests.parts.deployments import Deployments
from tests.parts.server import Server


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "s3"])
def server(
    request: pytest.FixtureRequest, deployments: Deployments, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One that leaves nothing alone: whatever no artifact names is garbage at once."""
    folder = tmp_path_factory.mktemp("gc")
    server = deployments.start(request.param, folder, environment={"MOORING_GC_TIME_WINDOW": "0"})
    yield server
    server.stop()


@pytest.fixture
def db(server: Server) -> Iterator[Database]:
    database = Database(server.settings.get("MOORING_DATABASE__URL", f"sqlite:///{server.data}/mooring.db"))
    yield database
    database.close_now()
