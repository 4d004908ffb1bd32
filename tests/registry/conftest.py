"""One repository and one client for each test of the data plane, and a look at what the server made of it."""

from collections.abc import Iterator

import pytest

from tests.parts.client import Client
from tests.parts.server import Server


@pytest.fixture
def client(server: Server) -> Client:
    """The administrator's."""
    return server.client()


@pytest.fixture
def repository(server: Server) -> str:
    """A repository's name in a private project of its own; nothing is in it."""
    return f"{server.create_project()}/app"


@pytest.fixture(autouse=True)
def no_failure_is_logged(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a client sends, the server does not fail over it."""
    if "server" not in request.fixturenames:
        yield
        return
    server: Server = request.getfixturevalue("server")
    before = len(server.log())
    yield
    written = server.log()[before:]
    assert "Traceback" not in written, written
    assert "a request failed" not in written, written
