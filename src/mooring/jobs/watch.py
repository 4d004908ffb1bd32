"""Learning that another process has committed something, without asking the tables again and again."""

import asyncio
import contextlib
import sqlite3
from typing import Any, Final, Protocol
from urllib.parse import quote

import psycopg

from mooring.db.engine import Database
from mooring.jobs.executions import CHANNEL

_LOOK: Final = 0.1  # seconds between two looks at SQLite's counter, each some microseconds
_AGAIN: Final = 1.0  # seconds until a lost connection is tried again


class Watch(Protocol):
    async def changed(self) -> None:
        """Return when something may have changed since the last return."""

    async def close(self) -> None: ...


def watch(db: Database) -> Watch:
    if db.is_sqlite:
        return SqliteWatch(db.url.database or "")
    return PostgresWatch(db.url.set(drivername="postgresql").render_as_string(hide_password=False))


class SqliteWatch:
    """`PRAGMA data_version` grows with every commit of another connection, whatever the process."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, isolation_level=None)
        self._seen = 0

    async def changed(self) -> None:
        while True:
            version = self._version()
            if version != self._seen:
                self._seen = version
                return
            await asyncio.sleep(_LOOK)

    def _version(self) -> int:
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version

    async def close(self) -> None:
        self._connection.close()


class PostgresWatch:
    """LISTEN on a connection of its own, opened again when it is lost."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def changed(self) -> None:
        try:
            if self._connection is None:
                connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
                await connection.execute(f"LISTEN {CHANNEL}")
                self._connection = connection
                return  # what was committed before there was somebody to hear it
            async for _ in self._connection.notifies(stop_after=1):
                pass
        except psycopg.OperationalError:
            await self.close()
            await asyncio.sleep(_AGAIN)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                await connection.close()
