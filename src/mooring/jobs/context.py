"""What a task has at hand while it runs."""

import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Table, select, update

from mooring.core.clock import now
from mooring.db.engine import Database
from mooring.jobs.logs import Log, append
from mooring.jobs.tables import execution, task


class Claimed(Struct, frozen=True):
    """A task that is a worker's. The name of its run is the same however often it is begun after a crash."""

    id: int
    execution_id: int
    kind: str
    job_id: str
    run_count: int
    payload: Mapping[str, Any]
    request_id: str | None = None

    @property
    def run_name(self) -> str:
        return run_name(self.job_id, self.run_count)


def run_name(job_id: str, number: int) -> str:
    """What the engine calls a run of a task; the first is number 1."""
    return f"{job_id}.{number}"


class Context:
    """One run of one task. It is stopped by cancelling it: whatever it awaits raises CancelledError."""

    def __init__(self, db: Database, claimed: Claimed) -> None:
        self.db = db
        self.task_id = claimed.id
        self.execution_id = claimed.execution_id
        self.job_id = claimed.job_id
        self.run_count = claimed.run_count
        self.payload = claimed.payload
        self.log = Log(claimed.id)

    async def note(self, **attributes: Any) -> None:
        """Keep attributes with the task, for the API to show."""
        await self.db.write(_merge, task, self.task_id, attributes)

    async def note_execution(self, **attributes: Any) -> None:
        """Keep attributes with the execution."""
        await self.db.write(_merge, execution, self.execution_id, attributes)

    async def flush(self) -> None:
        """Keep what was said so far."""
        if content := self.log.take():
            await self.db.write(append, self.task_id, content)


def _merge(connection: Connection, table: Table, row_id: int, attributes: Mapping[str, Any]) -> None:
    known = connection.execute(select(table.c.extra_attrs).where(table.c.id == row_id).with_for_update()).scalar()
    if known is not None:
        merged = json.dumps(json.loads(known) | dict(attributes))
        connection.execute(update(table).where(table.c.id == row_id).values(extra_attrs=merged, update_time=now()))
