"""The kinds of server that tests run against: what differs is the database and the place of the bytes."""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.parts import s3
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

    def start(self, kind: str, folder: Path, *, environment: Mapping[str, str] | None = None) -> Server:
        """A server of that kind, with further settings, for those who stop it themselves. It may send to 127.0.0.1, and
        is patient with receivers that are slow.
        """
        own = {
            "MOORING_HOSTNAME": "127.0.0.1",
            "MOORING_OUTGOING__ALLOW": "127.0.0.1/32",
            "MOORING_NOTIFICATION__WEBHOOK_JOB_HTTP_CLIENT_TIMEOUT": "60",
        }
        return Server(folder, environment={**own, **self._environment(kind), **(environment or {})})

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
                bucket = self._part("bucket")
                return {
                    "MOORING_STORAGE__KIND": "s3",
                    "MOORING_STORAGE__ENDPOINT": bucket.endpoint,
                    "MOORING_STORAGE__BUCKET": bucket.name,
                    "MOORING_STORAGE__PREFIX": secrets.token_hex(4),
                    "MOORING_STORAGE__REGION": s3.REGION,
                    "MOORING_STORAGE__ACCESS_KEY": bucket.access_key,
                    "MOORING_STORAGE__SECRET_KEY": bucket.secret_key,
                }
            case _:
                return {}
