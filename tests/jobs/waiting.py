"""What tests wait for, and what they see of tasks."""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, func, select, text

from mooring.db.engine import Database
from mooring.jobs.tables import execution, worker


def eventually(db: Database, condition: Callable[[Connection], Any], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not db.read_now(condition):
        assert time.monotonic() < deadline, "it has not come"
        time.sleep(0.02)


def status(execution_id: int) -> Callable[[Connection], Any]:
    return lambda connection: connection.execute(
        select(execution.c.status).where(execution.c.id == execution_id)
    ).scalar()


def has_status(execution_id: int, wanted: str) -> Callable[[Connection], bool]:
    return lambda connection: status(execution_id)(connection) == wanted


def runs(connection: Connection) -> int:
    return connection.execute(text("SELECT count(*) FROM ran")).scalar_one()


def is_running(connection: Connection) -> bool:
    return runs(connection) > 0


def living(count: int, *, since: int = 0) -> Callable[[Connection], bool]:
    """Whether so many workers have said that they live since that moment."""
    statement = select(func.count()).select_from(worker).where(worker.c.heartbeat > since)
    return lambda connection: connection.execute(statement).scalar_one() == count


def slowness() -> float:
    """How many times its processor time a calculation takes just now: 1 on a machine that is ours alone."""
    began, used = time.monotonic(), time.thread_time()
    while time.thread_time() - used < 0.02:
        pass
    return max(1.0, (time.monotonic() - began) / 0.02)
