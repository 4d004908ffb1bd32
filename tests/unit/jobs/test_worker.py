"""How a task ended is written when the database is back: nobody takes over the tasks of a worker that lives."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mooring.core.errors import DatabaseUnavailable
from mooring.db.engine import Database
from mooring.jobs import worker
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
