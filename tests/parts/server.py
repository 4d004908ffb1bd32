"""A real `mooring serve` with a data folder, a database and a port of its own."""

import os
import secrets
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.parts.client import Client, expect, is_served
from tests.parts.process import Process, free_port, wait_for

PASSWORD = "Sesame-opens-1"

every_database = pytest.mark.parametrize("server", ["sqlite", "postgresql"], indirect=True)
every_deployment = pytest.mark.parametrize("server", ["sqlite", "postgresql", "s3"], indirect=True)


class Server:
    """Mooring, started and waited for. `environment` adds settings, such as another password than PASSWORD."""

    def __init__(
        self, folder: Path, *, environment: Mapping[str, str] | None = None, arguments: Sequence[str] = ()
    ) -> None:
        self.data = folder / "data"
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self.username = "admin"
        self.settings = {
            "MOORING_HTTP__HOST": "127.0.0.1",
            "MOORING_HTTP__PORT": str(self.port),
            "MOORING_DATA_VOLUME": str(self.data),
            "MOORING_ADMIN_PASSWORD": PASSWORD,
            **(environment or {}),
        }
        self.password = self.settings["MOORING_ADMIN_PASSWORD"]
        self._arguments = list(arguments)
        self._log = folder / "server.log"
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self, *, seconds: float = 180) -> None:
        """Start and wait for the first answer. Raises RuntimeError with the log when it ends instead."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MOORING_")}
        command = [sys.executable, "-m", "mooring", "serve", *self._arguments]
        self.process = Process(command, self._log, environment=inherited | self.settings)
        wait_for(self.answers, "mooring serve", seconds=seconds, process=self.process)

    def stop(self) -> int:
        """SIGTERM, as an administrator would; returns the exit status."""
        return self.process.stop()

    def kill(self) -> None:
        """SIGKILL for every process of the server at once, as a machine that loses its power."""
        for process in [self.process.popen.pid, *descendants(self.process.popen.pid)]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.popen.wait()
        wait_for(lambda: not self.answers(), "the port to close")

    def client(self, username: str | None = None, password: str | None = None) -> Client:
        """A client of the administrator's, or of the named account; `""` is the anonymous one."""
        return Client(
            self.url, self.username if username is None else username, self.password if password is None else password
        )

    def create_project(self, *, public: bool = False) -> str:
        """Make a project of a new name; returns the name."""
        name = f"p{secrets.token_hex(4)}"
        project = {"project_name": name, "metadata": {"public": str(public).lower()}}
        expect(self.client().api("POST", "/projects", project), 201)
        return name

    def answers(self) -> bool:
        """Whether the registry answers its ping."""
        return is_served(self.url)

    def log(self) -> str:
        """All that the server has logged."""
        return self.process.log()


def descendants(process: int) -> list[int]:
    """The ids of the children of a process, and of theirs."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = [int(word) for word in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found
