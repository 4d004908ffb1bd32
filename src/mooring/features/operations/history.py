"""Work of the system that is started by hand or by a schedule, garbage collection and purges for example: its schedule
and its runs, as the API has them in common.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct
from sqlalchemy import Connection, select

from mooring.core.clock import NEVER, now, rfc3339
from mooring.core.errors import NotFound
from mooring.core.page import Listing
from mooring.db import query
from mooring.jobs import executions, logs, schedules
from mooring.jobs.cron import next_after
from mooring.jobs.kinds import MANUAL
from mooring.jobs.tables import execution, task

NOBODYS: Final = -1  # the vendor id of what is the system's own

_RUNNING: Final = "Running"  # what Harbor says of a schedule that is there
_SHOWN: Final = (
    execution.c.id,
    execution.c.vendor_type,
    execution.c.trigger,
    execution.c.status,
    execution.c.extra_attrs,
    execution.c.start_time,
    execution.c.update_time,
)
_NAMES: Final = {
    name: execution.c[name] for name in ("id", "trigger", "status", "extra_attrs", "start_time", "end_time")
}

ScheduleType = Literal["Hourly", "Daily", "Weekly", "Custom", "Manual", "None", "Schedule"]


class ScheduleObj(Struct, omit_defaults=True):
    """`cron` has six fields, seconds first, or the usual five."""

    type: ScheduleType | None = None
    cron: str = ""
    next_scheduled_time: str = ""


class Schedule(Struct, omit_defaults=True):
    """What is to be done when: by schedule, now (Manual), or not any more (None)."""

    schedule: ScheduleObj | None = None
    parameters: dict[str, Any] | None = None


class ExecHistory(Struct, omit_defaults=True, kw_only=True):
    """A run, or the schedule; `job_parameters` is JSON."""

    id: int
    job_name: str = ""
    job_kind: str
    job_parameters: str
    schedule: ScheduleObj
    job_status: str
    deleted: bool = False
    creation_time: str
    update_time: str


class Run(Struct, frozen=True):
    """An execution; `parameters` are those that it was started with, and what it has noted since."""

    id: int
    vendor_type: str
    trigger: str
    status: str
    parameters: Mapping[str, Any]
    start_time: int
    update_time: int

    def shown(self) -> ExecHistory:
        return ExecHistory(
            id=self.id,
            job_name=self.vendor_type,
            job_kind=self.trigger,
            job_parameters=encoded(self.parameters),
            schedule=ScheduleObj("Manual" if self.trigger == MANUAL else "Schedule", next_scheduled_time=NEVER),
            job_status=self.status,
            creation_time=rfc3339(self.start_time),
            update_time=rfc3339(self.update_time),
        )


def shown(known: schedules.Schedule, parameters: Mapping[str, Any]) -> ExecHistory:
    """A schedule with those of its parameters that are shown."""
    kind: Any = known.cron_type
    due = next_after(known.cron, now())
    return ExecHistory(
        id=known.id,
        job_kind=known.cron,
        job_parameters=encoded(parameters),
        schedule=ScheduleObj(kind, known.cron, rfc3339(due)),
        job_status=_RUNNING,
        creation_time=rfc3339(known.creation_time),
        update_time=rfc3339(known.update_time),
    )


def encoded(parameters: Mapping[str, Any]) -> str:
    """Parameters as Go writes them."""
    return json.dumps(parameters, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def follow(
    connection: Connection, vendor_type: str, wanted: ScheduleObj, parameters: Mapping[str, Any], what: str
) -> int:
    """Do what a Schedule says; the id of the execution that was started, 0 when none was. `what` is what Harbor's
    messages call it. Raises BadRequest for a cron that is none.
    """
    if wanted.type == "Manual":
        job = executions.NewTask(payload=parameters)
        return executions.start(connection, vendor_type, NOBODYS, MANUAL, [job], extra_attrs=parameters)
    if wanted.type == "None":
        schedules.remove(connection, vendor_type, NOBODYS)
    else:
        kind = wanted.type or "Custom"
        schedules.put(connection, vendor_type, NOBODYS, wanted.cron, cron_type=kind, parameters=parameters, what=what)
    return 0


def scheduled(connection: Connection, vendor_type: str) -> schedules.Schedule | None:
    """When it is due; None when it is not."""
    return schedules.find(connection, vendor_type, NOBODYS)


def page(connection: Connection, vendor_type: str, listing: Listing) -> tuple[list[Run], int]:
    """One page of the runs, the newest first, and how many there are."""
    statement = select(*_SHOWN).where(execution.c.vendor_type == vendor_type)
    order = (execution.c.start_time.desc(), execution.c.id.desc())
    rows, total = query.page(connection, statement, listing, _NAMES, *order)
    return [_run(row) for row in rows], total


def find(connection: Connection, vendor_type: str, execution_id: int) -> Run | None:
    """A run; None when it has none of this id."""
    statement = select(*_SHOWN).where(execution.c.vendor_type == vendor_type, execution.c.id == execution_id)
    row = connection.execute(statement).first()
    return _run(row) if row else None


def stop(connection: Connection, vendor_type: str, execution_id: int) -> None:
    """Stop a run; one that has ended stays as it is. Raises NotFound."""
    if find(connection, vendor_type, execution_id) is None:
        raise NotFound(f"execution {execution_id} not found")
    executions.stop(connection, execution_id)


def log(connection: Connection, vendor_type: str, execution_id: int) -> str | None:
    """What a run has said so far; None when there is no run of this id."""
    statement = select(task.c.id).join(execution, execution.c.id == task.c.execution_id)
    mine = statement.where(execution.c.vendor_type == vendor_type, execution.c.id == execution_id)
    task_id = connection.execute(mine.order_by(task.c.id).limit(1)).scalar()
    return None if task_id is None else logs.read(connection, task_id) or ""


def _run(row: Any) -> Run:
    values = dict(row._mapping)
    parameters = json.loads(values.pop("extra_attrs"))
    return Run(**values, parameters=parameters)
