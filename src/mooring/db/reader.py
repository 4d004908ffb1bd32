"""Point reads of the data plane, on the event loop: no thread, no transaction, prepared text.

Two implementations: sqlite3 inline (a read takes microseconds), psycopg's libpq pipelines.
"""

import asyncio
import sqlite3
from typing import Any, Final, Protocol
from urllib.parse import quote

import psycopg

from mooring.core.errors import DatabaseUnavailable
from mooring.db.pipeline import Aborted, Pipeline, Unanswered
from mooring.db.prepared import Prepared, Row

_MANY: Final = 64  # reads on one connection before another one is used


class Reader(Protocol):
    async def one(self, statement: Prepared, **params: Any) -> Row | None:
        """The first row or None. Raises DatabaseUnavailable."""

    async def all(self, statement: Prepared, **params: Any) -> list[Row]:
        """Every row. Raises DatabaseUnavailable."""

    async def close(self) -> None: ...


class SqliteReader:
    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"file:{quote(self._path)}?mode=rw", uri=True, isolation_level=None, cached_statements=256
            )
            self._connection.execute("PRAGMA query_only = ON")
            self._connection.execute("PRAGMA cache_size = -8000")
        return self._connection

    async def one(self, statement: Prepared, **params: Any) -> Row | None:
        try:
            cursor = self._open().execute(statement.text["sqlite"], {**statement.constants, **params})
            row: Row | None = cursor.fetchone()
            cursor.close()  # an unfinished cursor would hold back the write-ahead log's checkpoint
        except sqlite3.OperationalError as error:
            raise DatabaseUnavailable(f"the database does not answer: {error}") from error
        return row

    async def all(self, statement: Prepared, **params: Any) -> list[Row]:
        try:
            return self._open().execute(statement.text["sqlite"], {**statement.constants, **params}).fetchall()
        except sqlite3.OperationalError as error:
            raise DatabaseUnavailable(f"the database does not answer: {error}") from error

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresReader:
    """Few connections, each with many reads on their way."""

    def __init__(self, conninfo: str, connections: int = 4) -> None:
        self._conninfo = conninfo
        self._most = connections
        self._pipelines: list[Pipeline] = []
        self._opening: asyncio.Task[None] | None = None

    async def one(self, statement: Prepared, **params: Any) -> Row | None:
        rows = await self.all(statement, **params)
        return rows[0] if rows else None

    async def all(self, statement: Prepared, **params: Any) -> list[Row]:
        bound = statement.bind(params)
        failures = 0
        while True:
            try:
                while (pipeline := self._free()) is None:
                    await self._opened()
                return await pipeline.all(statement, bound)
            except Aborted:
                continue
            except psycopg.DataError as error:
                if error.sqlstate is not None:
                    raise
                return []  # a parameter holds a NUL, which no text of PostgreSQL's does: nothing is called so
            except (psycopg.OperationalError, Unanswered) as error:
                # A connection that the server closed while nobody asked fails once; a second failure is the database's.
                failures += 1
                if failures == 2:
                    raise DatabaseUnavailable(f"the database does not answer: {error}") from error

    def _free(self) -> Pipeline | None:
        """The connection to ask: the first that is not held up, so that many reads go together and few of the server's
        processes are at work, which compete for the cores.
        """
        for pipeline in self._pipelines:
            if pipeline.is_open and pipeline.waiting < _MANY and not pipeline.is_held_up:
                return pipeline
        self._pipelines = [pipeline for pipeline in self._pipelines if pipeline.is_open]
        if len(self._pipelines) < self._most:
            return None
        return min(self._pipelines, key=lambda pipeline: pipeline.waiting)

    async def _opened(self) -> None:
        """One more connection. Whoever asks while it is made waits for the same one."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        await asyncio.shield(self._opening)

    async def _open(self) -> None:
        try:
            connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True, connect_timeout=5)
            self._pipelines.append(Pipeline(connection))
        finally:
            self._opening = None

    async def close(self) -> None:
        for pipeline in self._pipelines:
            await pipeline.close()
        self._pipelines = []
