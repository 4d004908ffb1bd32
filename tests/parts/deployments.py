"""The kinds of server that tests run against: what differs is the database and the place of the bytes."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.parts.server import Server


class Deployments:
    """One running server of each kind that was asked for: `sqlite`, `postgresql`, `s3`.

    `part` gives a real part by the name of its fixture, so that a run which needs no PostgreSQL starts none.
    """

    def __init__(self, folder: Path, part: Callable[[str], Any]) -> None:
        self._folder = folder
        self._part = part
        self._running: dict[str, Server] = {}

    def get(self, kind: str) -> Server:
        """The server of that kind, started at the first call."""
        if kind not in self._running:
            self._running[kind] = self.start(kind, self._folder / kind)
        return self._running[kind]

    def start(self, kind: str, folder: Path) -> Server:
        """A server of that kind for one test alone, which stops it."""
        return Server(folder, environment=self._environment(kind))

    def stop(self) -> None:
        """Stop all."""
        for server in self._running.values():
            server.stop()

    def _environment(self, kind: str) -> Mapping[str, str]:
        match kind:
            case "postgresql":
                postgres = self._part("postgres")
                return {"MOORING_DATABASE__URL": postgres.url(postgres.create())}
            case "s3":
                return dict(self._part("s3_settings"))
            case _:
                return {}
