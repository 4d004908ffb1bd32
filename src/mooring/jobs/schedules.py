"""What is to be done again and again, when people choose. The rows are changed with the policies they serve."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog
from msgspec import Struct
from sqlalchemy import Connection, bindparam, delete, select, update

from mooring.core.clock import SECOND, now
from mooring.core.errors import WireError
from mooring.db.prepared import Prepared
from mooring.jobs import executions
from mooring.jobs.cron import next_after, six_fields
from mooring.jobs.kinds import SCHEDULE
from mooring.jobs.tables import paused_queue, schedule

QUEUE: Final = "SCHEDULER"
LATE: Final = 300 * SECOND  # microseconds after which a time that nobody was there for is let pass, as in Harbor

DUE: Final = Prepared(select(schedule.c.id).where(schedule.c.next_run <= bindparam("moment")).limit(1))


class Own(Struct, frozen=True):
    """A schedule that the system itself keeps."""

    vendor_type: str
    cron: str
    vendor_id: int


class Schedule(Struct, frozen=True):
    id: int
    vendor_type: str
    vendor_id: int
    cron_type: str
    cron: str
    parameters: Mapping[str, Any]
    next_run: int
    creation_time: int
    update_time: int


# Starts what a schedule is for, in the tick's transaction.
Start = Callable[[Connection, Schedule], None]


def put(
    connection: Connection,
    vendor_type: str,
    vendor_id: int,
    cron: str,
    *,
    cron_type: str = "Custom",
    parameters: Mapping[str, Any] | None = None,
    what: str = "job",
) -> int:
    """Set when it is due from now on; the schedule's id. `what` is what BadRequest calls it, which is raised for what
    is no cron.
    """
    text = six_fields(cron, what)
    moment = now()
    values = {
        "cron_type": cron_type,
        "cron": text,
        "parameters": json.dumps(parameters or {}),
        "next_run": next_after(text, moment),
        "update_time": moment,
    }
    mine = (schedule.c.vendor_type == vendor_type) & (schedule.c.vendor_id == vendor_id)
    changed = update(schedule).where(mine).values(**values).returning(schedule.c.id)
    known: int | None = connection.execute(changed).scalar()
    if known is not None:
        return known
    statement = schedule.insert().values(vendor_type=vendor_type, vendor_id=vendor_id, creation_time=moment, **values)
    made: int = connection.execute(statement.returning(schedule.c.id)).scalar_one()
    return made


def remove(connection: Connection, vendor_type: str, vendor_id: int) -> None:
    """It is due no more. None that is there is no error."""
    connection.execute(delete(schedule).where(schedule.c.vendor_type == vendor_type, schedule.c.vendor_id == vendor_id))


def find(connection: Connection, vendor_type: str, vendor_id: int) -> Schedule | None:
    statement = select(schedule).where(schedule.c.vendor_type == vendor_type, schedule.c.vendor_id == vendor_id)
    row = connection.execute(statement).first()
    return _schedule(row) if row else None


def ensure(connection: Connection, own: Sequence[Own]) -> None:
    """Make the system's own schedules where they are not there, or have another cron."""
    for each in own:
        known = find(connection, each.vendor_type, each.vendor_id)
        if known is None or known.cron != each.cron:
            put(connection, each.vendor_type, each.vendor_id, each.cron)


def tick(connection: Connection, starts: Mapping[str, Start]) -> list[Schedule]:
    """Start what is due; what was. Two nodes that tick at once start each once: whoever moves the row on does it.
    While the queue SCHEDULER is paused, what would be due is let pass.
    """
    moment = now()
    paused = connection.execute(select(paused_queue.c.kind).where(paused_queue.c.kind == QUEUE)).first()
    started = []
    for row in connection.execute(select(schedule).where(schedule.c.next_run <= moment).order_by(schedule.c.id)).all():
        due = _schedule(row)
        moved = connection.execute(
            update(schedule)
            .where(schedule.c.id == due.id, schedule.c.next_run == due.next_run)
            .values(next_run=next_after(due.cron, moment))
        )
        if moved.rowcount == 0 or paused or moment - due.next_run > LATE or due.vendor_type not in starts:
            continue
        try:
            with connection.begin_nested():
                starts[due.vendor_type](connection, due)
        except WireError as error:  # one run is not over yet, for example: the others go on
            structlog.get_logger().warning("a schedule was not followed", vendor=due.vendor_type, reason=error.message)
            continue
        started.append(due)
    return started


def _schedule(row: Any) -> Schedule:
    values = dict(row._mapping)
    return Schedule(**{**values, "parameters": json.loads(values["parameters"])})


def start(connection: Connection, due: Schedule) -> None:
    """Start one task of the schedule's own kind with its parameters."""
    task = executions.NewTask(payload=due.parameters)
    executions.start(connection, due.vendor_type, due.vendor_id, SCHEDULE, [task], extra_attrs=due.parameters)
