"""What a worker writes of a task though the database is away or slow: all that it said, and how it ended. Nobody takes
over the tasks of a worker that lives.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mooring.core.errors import DatabaseUnavailable
from mooring.db import schema
from mooring.db.engine import Database
from mooring.jobs import claims, executions, logs, worker
from mooring.jobs.context import Context
from mooring.jobs.kinds import Kind, Kinds
from mooring.jobs.worker import Worker


def test_a_database_that_is_away_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db = Database(f"sqlite:///{tmp_path}/mooring.db")
    write, refusals = db.write, [DatabaseUnavailable("away"), DatabaseUnavailable("still away")]

    async def failing(function: Callable[..., Any]) -> Any:
        if refusals:
            raise refusals.pop()
        return await write(function)

    monkeypatch.setattr(worker, "_PAUSE", 0.01)
    monkeypatch.setattr(db, "write", failing)
    written = asyncio.run(Worker(db, ())._surely(lambda connection: connection.exec_driver_sql("SELECT 7").scalar()))
    assert (written, refusals) == (7, [])
    db.close_now()


def test_nothing_is_lost_of_a_log_that_is_being_written_when_the_task_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = Database(f"sqlite:///{tmp_path}/mooring.db")
    schema.migrate(db)
    writes, write = asyncio.Event(), db.write

    async def slow(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if function is logs.append and not writes.is_set():
            writes.set()
            await asyncio.sleep(0.05)
        return await write(function, *args, **kwargs)

    async def talk(context: Context) -> None:
        context.log.info("first")
        await writes.wait()
        context.log.info("last")

    kind = Kind("TALK", talk)
    db.write_now(executions.start, kind.name, 7, "MANUAL")
    talking = Worker(db, [kind])
    (claimed,) = db.write_now(claims.claim, talking.name, Kinds([kind]), 1)
    monkeypatch.setattr(worker, "_LOG", 0.01)
    monkeypatch.setattr(db, "write", slow)
    asyncio.run(talking._perform(claimed.run_name))
    said = (db.read_now(logs.read, claimed.id) or "").splitlines()
    assert [line.rpartition(" ")[2] for line in said] == ["first", "last"]
    db.close_now()
