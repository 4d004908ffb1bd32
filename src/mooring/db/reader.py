"""Point reads of the data plane, on the event loop: no thread, no transaction, prepared text.

Two implementations: sqlite3 inline (a read takes microseconds), psycopg awaiting the socket.
"""

import asyncio
import sqlite3
from typing import Any, Protocol
from urllib.parse import quote

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from mooring.core.errors import DatabaseUnavailable
from mooring.db.prepared import Prepared, Row


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
    def __init__(self, conninfo: str, connections: int = 8) -> None:
        self._conninfo = conninfo
        self._size = connections
        self._pool: AsyncConnectionPool | None = None
        self._opening = asyncio.Lock()

    async def _open(self) -> AsyncConnectionPool:
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    pool = AsyncConnectionPool(
                        self._conninfo,
                        min_size=1,
                        max_size=self._size,
                        timeout=5,
                        open=False,
                        kwargs={"autocommit": True, "prepare_threshold": 0},
                    )
                    await pool.open()
                    self._pool = pool
        return self._pool

    async def one(self, statement: Prepared, **params: Any) -> Row | None:
        rows = await self.all(statement, **params)
        return rows[0] if rows else None

    async def all(self, statement: Prepared, **params: Any) -> list[Row]:
        pool = await self._open()
        bound = statement.bind(params)
        for attempt in (1, 2):
            try:
                async with pool.connection() as connection:
                    cursor = await connection.execute(statement.text["postgresql"], bound)
                    return await cursor.fetchall()
            except psycopg.DataError as error:
                if error.sqlstate is not None:
                    raise
                return []  # a parameter holds a NUL, which no text of PostgreSQL's does: nothing is called so
            except (psycopg.OperationalError, PoolTimeout) as error:
                # A connection that the server closed while it lay in the pool fails once; a second failure is the
                # database's.
                if attempt == 2:
                    raise DatabaseUnavailable(f"the database does not answer: {error}") from error
        raise AssertionError

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None
