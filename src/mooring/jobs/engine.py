"""DBOS, which runs the tasks: the only module that imports it, and only jobs processes import this one.

A run of a task is one DBOS workflow of one step. Its name is its identity: begun twice it runs once, and a run whose
process died is resumed by another. What a task does, and how it ended, is in our own rows (claims.py).

DBOS keeps its tables in a SQLite file of its own, or in the schema `dbos` of the same PostgreSQL database.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import sqlalchemy
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID
from sqlalchemy.engine import URL, make_url

from mooring.core.errors import DatabaseUnavailable
from mooring.db.engine import translated

Perform = Callable[[str], Awaitable[None]]

# The contract between runs and programs: a run of another version is not resumed. To be raised when the workflow below
# changes its shape, and never otherwise.
_VERSION: Final = "1"
_UNDER_WAY: Final = ("PENDING", "ENQUEUED", "DELAYED")
_RARELY: Final = 3600.0  # seconds between looks for DBOS's own schedules, of which there are none


class Engine:
    """One for each process: DBOS knows only one. `perform` is awaited on the loop that `start` was called on."""

    def __init__(self, url: str, worker: str, perform: Perform) -> None:
        self._perform = perform
        self._loop: asyncio.AbstractEventLoop | None = None
        logging.getLogger("dbos").setLevel(logging.CRITICAL)  # what fails is said by whoever asked
        own = _beside(make_url(url))
        config: DBOSConfig = {
            "name": "mooring",
            "system_database_url": own.render_as_string(hide_password=False),
            "system_database_engine": _sqlite(own) if own.get_backend_name() == "sqlite" else None,
            "application_version": _VERSION,
            "executor_id": worker,
            "serializer": DBOSPortableJSONSerializer(),
            "use_listen_notify": False,
            "sys_db_pool_size": 4,
            "log_level": "CRITICAL",
            "scheduler_polling_interval_sec": _RARELY,
        }
        DBOS(config=config)

        @DBOS.step(name="perform")
        def perform_it(name: str) -> None:
            self._wait(name)

        @DBOS.workflow(name="task")
        def run(name: str) -> None:
            perform_it(name)

        self._run = run

    async def start(self) -> None:
        """Raises DatabaseUnavailable; what was begun is then undone, and another engine may be made."""
        self._loop = asyncio.get_running_loop()
        try:
            with translated():
                await asyncio.to_thread(DBOS.launch)
        except DatabaseUnavailable:
            await self.close()
            raise

    async def begin(self, name: str) -> None:
        """Run what the name stands for; nothing when that was begun before."""
        await asyncio.to_thread(self._begin, name)

    async def resume(self, name: str) -> bool:
        """Go on with a run whose process died; False when DBOS has it down as ended."""
        return await asyncio.to_thread(self._resume, name)

    async def forget(self, names: Sequence[str]) -> None:
        """Delete what is kept of runs that have ended."""
        await asyncio.to_thread(DBOS.delete_workflows, list(names))

    async def close(self) -> None:
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)

    def _begin(self, name: str) -> None:
        with SetWorkflowID(name):
            DBOS.start_workflow(self._run, name)

    def _resume(self, name: str) -> bool:
        status = DBOS.get_workflow_status(name)
        if status is None:
            self._begin(name)
        elif status.status in _UNDER_WAY:
            DBOS.resume_workflow(name)
        else:
            return False
        return True

    def _wait(self, name: str) -> None:
        """In a thread of DBOS: the work itself is on our loop, where it can be cancelled."""
        assert self._loop is not None  # noqa: S101 - DBOS runs nothing before `start`
        asyncio.run_coroutine_threadsafe(_as_coroutine(self._perform(name)), self._loop).result()


async def _as_coroutine(work: Awaitable[None]) -> None:
    await work


def _beside(url: URL) -> URL:
    """Where DBOS keeps its tables. Its writers do not take turns with ours, so on SQLite not in the same file."""
    if url.get_backend_name() != "sqlite":
        return url.set(drivername="postgresql+psycopg")
    return url.set(database=str(Path(url.database or "").with_name("jobs.db")))


def _sqlite(url: URL) -> sqlalchemy.Engine:
    """As DBOS makes it itself, but with a write-ahead log. A run that a power cut takes out of it is begun again."""
    engine = sqlalchemy.create_engine(url, connect_args={"timeout": 30})

    @sqlalchemy.event.listens_for(engine, "connect")
    def configure(driver: sqlite3.Connection, _record: object) -> None:
        driver.isolation_level = "IMMEDIATE"
        driver.execute("PRAGMA journal_mode = WAL")
        driver.execute("PRAGMA synchronous = NORMAL")
        driver.execute("PRAGMA foreign_keys = ON")

    return engine
