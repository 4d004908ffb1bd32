"""The way to the database: transactions in threads, point reads on the loop.

SQLite: WAL, one writer thread a process that commits what has queued up together; the writers of all processes take
turns on a file lock, so that none sleeps in SQLite's own back-off. PostgreSQL: a pool of threads for each, reads and
writes, every thread with its connection.
"""

import asyncio
import contextlib
import contextvars
import fcntl
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Concatenate, Final, NamedTuple, ParamSpec, Protocol, TypeVar

import psycopg
from psycopg.errors import DeadlockDetected
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from mooring.core.errors import DatabaseUnavailable, StorageFull
from mooring.core.threads import pool
from mooring.db.events import OPTION, Listeners
from mooring.db.places import POSTGRESQL_STATE, SQLITE_STATE, STATE
from mooring.db.reader import PostgresReader, Reader, SqliteReader

P = ParamSpec("P")
T = TypeVar("T")

_BATCH: Final = 64  # writes that one SQLite transaction may take along
_DEADLOCKS: Final = 3  # times that a transaction which PostgreSQL gave up for another one is tried again


class Database:
    """One database for one process.

    `write` runs a function in a transaction of its own: it commits when the function returns and leaves nothing when
    it raises. `read` runs one on a snapshot that cannot write. Both take the function first and hand it a Connection.
    `follow` says who follows the events that are emitted in transactions that write. Of PostgreSQL's connections up to
    `connections` write, half as many read in threads, and half as many on the loop: more would compete for one
    interpreter.
    """

    def __init__(self, url: str, *, synchronous: str = "FULL", connections: int = 8) -> None:
        self.url: URL = make_url(url)
        self.is_sqlite: Final = self.url.get_backend_name() == "sqlite"
        few = max(1, connections // 2)
        self._readers = pool(connections if self.is_sqlite else few, "db-read")
        self._writer: Writer
        self.reader: Reader
        if self.is_sqlite:
            path = self.url.database or ""
            self.engine = _sqlite_engine(self.url, synchronous)
            self.read_engine = _sqlite_engine(self.url, synchronous, read_only=True)
            self.read_engine.update_execution_options(**{STATE: SQLITE_STATE})
            self._writer = _SqliteWriter(self.engine, Path(path + ".lock"))
            self.reader = SqliteReader(path)
        else:
            self.url = self.url.set(drivername="postgresql+psycopg")
            self.engine = create_engine(self.url, pool_size=connections, max_overflow=0, pool_pre_ping=True)
            self.read_engine = _postgres_read_engine(self.url, few)
            self._writer = _PooledWriter(self.engine, connections)
            conninfo = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
            self.reader = PostgresReader(conninfo, few)

    def follow(self, listeners: Listeners) -> None:
        """From now on call these in the transactions of the events."""
        self.engine.update_execution_options(**{OPTION: listeners})

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the function over a reading connection in a thread. Raises DatabaseUnavailable."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, lambda: self.read_now(function, *args, **kwargs))

    async def write(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the function in a transaction; its result comes once that is durable. Raises DatabaseUnavailable."""
        run = contextvars.copy_context().run  # the request that this is for is known there too
        return await asyncio.wrap_future(self._submit(lambda connection: run(function, connection, *args, **kwargs)))

    def read_now(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `read`, in the calling thread."""
        with translated():
            try:
                return self._read(function, *args, **kwargs)
            except _Lost:
                return self._read(function, *args, **kwargs)

    def _read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        with self.read_engine.connect() as connection:
            try:
                return function(connection, *args, **kwargs)
            except (OperationalError, psycopg.OperationalError) as error:
                if not _is_lost(connection):
                    raise
                # Closed while it lay in the pool, and so most likely are the others there.
                connection.invalidate()
                self.read_engine.dispose()
                raise _Lost(str(error)) from error

    def write_now(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `write`, waiting in the calling thread."""
        return self._submit(lambda connection: function(connection, *args, **kwargs)).result()

    def _submit(self, work: Callable[[Connection], T]) -> "Future[T]":
        return self._writer.submit(work)

    async def close(self) -> None:
        """Finish the writes under way and close every connection."""
        await self.reader.close()
        self.close_now()

    def close_now(self) -> None:
        self._writer.close()
        self._readers.shutdown()
        self.engine.dispose()
        self.read_engine.dispose()


class _Lost(psycopg.OperationalError):
    """The connection was closed by the server, so that another one may do."""


def _is_lost(connection: Connection) -> bool:
    if connection.invalidated:
        return True
    driver = connection.connection.driver_connection
    return isinstance(driver, psycopg.Connection) and driver.closed


class Writer(Protocol):
    def submit(self, work: "Work") -> "Future[Any]": ...

    def close(self) -> None: ...


Work = Callable[[Connection], Any]


class _Job(NamedTuple):
    work: Work
    future: "Future[Any]"


class _SqliteWriter:
    """One thread; a transaction takes along all that has queued up, each job in a savepoint of its own."""

    def __init__(self, engine: Engine, lock: Path) -> None:
        self._engine = engine
        self._lock = lock
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="db-write", daemon=True)
        self._thread.start()

    def submit(self, work: Work) -> "Future[Any]":
        future: Future[Any] = Future()
        self._jobs.put(_Job(work, future))
        return future

    def close(self) -> None:
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            done: list[tuple[Future[Any], Any]] = []
            try:
                with translated(), _turn(self._lock), self._engine.begin() as connection:
                    self._batch(connection, job, done)
            except Exception as error:
                for future, _ in done:
                    future.set_exception(error)
            else:
                for future, result in done:
                    future.set_result(result)

    def _batch(self, connection: Connection, job: _Job | None, done: list[tuple["Future[Any]", Any]]) -> None:
        driver: Any = connection.connection.driver_connection
        while job is not None:
            if job.future.set_running_or_notify_cancel():
                driver.execute("SAVEPOINT job")
                try:
                    result = job.work(connection)
                except Exception as error:
                    if not driver.in_transaction:  # the database gave up itself, on a full disk for example
                        done.append((job.future, None))
                        raise
                    driver.execute("ROLLBACK TO job")
                    driver.execute("RELEASE job")
                    job.future.set_exception(error)
                else:
                    driver.execute("RELEASE job")
                    done.append((job.future, result))
            job = self._next() if len(done) < _BATCH else None

    def _next(self) -> _Job | None:
        """The next job if one waits. The mark that ends the thread is put back for its loop to see."""
        try:
            job = self._jobs.get_nowait()
        except queue.Empty:
            return None
        if job is None:
            self._jobs.put(None)
        return job


class _PooledWriter:
    def __init__(self, engine: Engine, connections: int) -> None:
        self._engine = engine
        self._threads = pool(connections, "db-write")

    def submit(self, work: Work) -> "Future[Any]":
        return self._threads.submit(self._run, work)

    def close(self) -> None:
        self._threads.shutdown()

    def _run(self, work: Work) -> Any:
        with translated():
            for _ in range(_DEADLOCKS):
                try:
                    return self._attempt(work)
                except (OperationalError, DeadlockDetected) as error:
                    if not isinstance(error, DeadlockDetected) and not isinstance(error.orig, DeadlockDetected):
                        raise
            return self._attempt(work)

    def _attempt(self, work: Work) -> Any:
        with self._engine.begin() as connection:
            return work(connection)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """What the drivers raise when the database is away or full, in Mooring's words."""
    try:
        yield
    except (OperationalError, sqlite3.OperationalError, psycopg.OperationalError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if "full" in str(cause) and isinstance(cause, sqlite3.OperationalError):
            raise StorageFull("the disk that holds the database is full") from error
        raise DatabaseUnavailable(f"the database does not answer: {cause}") from error


@contextlib.contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Wait for this process's turn to write. The kernel wakes the waiters; SQLite's busy handler would sleep and
    poll.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sqlite_engine(url: URL, synchronous: str, *, read_only: bool = False) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def configure(driver: sqlite3.Connection, _record: object) -> None:
        # The driver must not open transactions by itself: it would do so after the first SELECT, which loses updates.
        driver.isolation_level = None
        driver.execute("PRAGMA journal_mode = WAL")
        driver.execute(f"PRAGMA synchronous = {synchronous}")
        driver.execute("PRAGMA foreign_keys = ON")
        driver.execute("PRAGMA cache_size = -8000")
        driver.execute("PRAGMA temp_store = MEMORY")
        if read_only:
            driver.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _postgres_read_engine(url: URL, connections: int) -> Engine:
    """Each statement sees what is committed when it begins, in a transaction or not; so none is begun or ended, and
    whether a connection still stands is found out by using it.
    """
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        pool_reset_on_return=None,
    )
    engine.update_execution_options(**{STATE: POSTGRESQL_STATE})
    return engine
