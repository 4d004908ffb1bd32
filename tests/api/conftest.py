"""The control API on both databases: accounts and projects of each test's own."""

import secrets
from collections.abc import Callable, Iterator

import pytest

from tests.parts.client import Client, expect
from tests.parts.deployments import Deployments
from tests.parts.server import Server

PASSWORD = "Pass-word-12345"

NewUser = Callable[[], Client]


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, deployments: Deployments) -> Iterator[Server]:
    """A server that the tests of the run share; whatever a client sends, it does not fail over it."""
    shared = deployments.get(request.param)
    before = len(shared.log())
    yield shared
    written = shared.log()[before:]
    assert "Traceback" not in written, written
    assert "a request failed" not in written, written


@pytest.fixture
def admin(server: Server) -> Client:
    return server.client()


@pytest.fixture
def anonymous(server: Server) -> Client:
    return server.client("", "")


@pytest.fixture
def word() -> str:
    """A word that no other test uses."""
    return f"w{secrets.token_hex(4)}"


@pytest.fixture
def new_user(server: Server, admin: Client) -> NewUser:
    """Makes a user and returns their client."""

    def make() -> Client:
        name = f"u{secrets.token_hex(4)}"
        user = {"username": name, "email": f"{name}@example.org", "realname": "R", "password": PASSWORD}
        expect(admin.api("POST", "/users", user), 201)
        return server.client(name, PASSWORD)

    return make


@pytest.fixture
def user(new_user: NewUser) -> Client:
    """Somebody who is in no project."""
    return new_user()


@pytest.fixture
def project(server: Server) -> str:
    """The name of a private project, which the administrator made."""
    return server.create_project()


def user_id(client: Client) -> int:
    number: int = expect(client.api("GET", "/users/current"), 200).json()["user_id"]
    return number


def location(client: Client, method: str, path: str, body: object) -> str:
    """The path, below /api/v2.0, of what a POST has made."""
    made = expect(client.api(method, path, body), 201).headers["Location"]
    assert made.startswith("/api/v2.0/")
    return made.removeprefix("/api/v2.0")
