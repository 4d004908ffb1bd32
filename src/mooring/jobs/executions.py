"""Starting and ending executions. Every function here is part of the caller's transaction."""

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Text, bindparam, func, literal, select, true, update
from sqlalchemy.exc import IntegrityError

from mooring.core.clock import now
from mooring.core.errors import Conflict, NotFound, Precondition
from mooring.db.prepared import Prepared
from mooring.jobs.kinds import OPEN, Status
from mooring.jobs.tables import execution, task
from mooring.observe.logging import REQUEST_ID

CHANNEL: Final = "mooring_task"  # that PostgreSQL's NOTIFY wakes the jobs processes on

_NOTIFY: Final = Prepared(select(func.pg_notify(literal(CHANNEL, Text), literal("", Text))))
_OPEN_TASK: Final = Prepared(
    select(task.c.id)
    .where(task.c.execution_id == bindparam("execution"), task.c.status.in_([literal(each.value) for each in OPEN]))
    .limit(1)
)


class NewTask(Struct, frozen=True):
    """A task to be made. `kind` differs from the execution's own where the job has another name."""

    payload: Mapping[str, Any] = {}
    extra_attrs: Mapping[str, Any] = {}
    kind: str = ""


def start(
    connection: Connection,
    vendor_type: str,
    vendor_id: int,
    trigger: str,
    tasks: Sequence[NewTask] = (NewTask(),),
    *,
    extra_attrs: Mapping[str, Any] | None = None,
    flight: str | None = None,
) -> int:
    """Make an execution and its tasks, which begin once the transaction commits; the execution's id.

    `flight` names what only one execution may be about at a time. Raises Conflict when one is under way.
    """
    moment = now()
    values = {
        "vendor_type": vendor_type,
        "vendor_id": vendor_id,
        "trigger": trigger,
        "status": Status.RUNNING,
        "extra_attrs": json.dumps(extra_attrs or {}),
        "flight": flight,
        "start_time": moment,
        "update_time": moment,
    }
    try:
        # Only a flight can be another's already, and a savepoint costs two round trips.
        with connection.begin_nested() if flight else nullcontext():
            execution_id: int = connection.execute(
                execution.insert().values(**values).returning(execution.c.id)
            ).scalar_one()
    except IntegrityError:
        raise Conflict("a previous run is not finished yet") from None
    add_tasks(connection, execution_id, vendor_type, tasks)
    return execution_id


def add_tasks(connection: Connection, execution_id: int, vendor_type: str, tasks: Sequence[NewTask]) -> None:
    """Add tasks to an execution and wake whoever runs them. They bear the id of the request that this is part of."""
    if not tasks:
        return
    moment = now()
    request_id = REQUEST_ID.get() or None
    rows = [
        {
            "execution_id": execution_id,
            "kind": each.kind or vendor_type,
            "job_id": secrets.token_hex(12),
            "status": Status.PENDING,
            "payload": json.dumps(each.payload),
            "extra_attrs": json.dumps(each.extra_attrs),
            "request_id": request_id,
            "run_at": moment,
            "creation_time": moment,
            "update_time": moment,
        }
        for each in tasks
    ]
    connection.execute(task.insert(), rows)
    wake(connection)


def wake(connection: Connection) -> None:
    """Tell the jobs processes, when this commits, that there is something for them."""
    if connection.dialect.name == "postgresql":
        _NOTIFY.one(connection)


def finish(connection: Connection, execution_id: int, status: Status, message: str = "") -> None:
    """End an execution that has no tasks, or that has ended otherwise than they did."""
    moment = now()
    connection.execute(
        update(execution)
        .where(execution.c.id == execution_id, execution.c.status == Status.RUNNING)
        .values(status=status, status_message=message, flight=None, update_time=moment, end_time=moment)
    )


def settle(connection: Connection, execution_id: int) -> None:
    """End the execution if all its tasks have ended, with the worst of their ends. Raises NotFound.

    Two last tasks that end at once wait for each other here, or neither would see the other's end.
    """
    statement = select(execution.c.status).where(execution.c.id == execution_id).with_for_update()
    status = connection.execute(statement).scalar()
    if status is None:
        raise NotFound(f"execution {execution_id} not found")
    if Status(status).is_final or _OPEN_TASK.one(connection, execution=execution_id):
        return
    statement = select(task.c.status).where(task.c.execution_id == execution_id).distinct()
    ends = set(connection.execute(statement).scalars())
    for end in (Status.ERROR, Status.STOPPED, Status.SUCCESS):
        if end in ends:
            finish(connection, execution_id, end)
            return


def stop(connection: Connection, execution_id: int) -> None:
    """Stop what waits at once, and tell the workers to stop what runs. What has ended stays as it is."""
    mine = task.c.execution_id == execution_id
    _end_waiting(connection, mine)
    _stop_running(connection, mine)
    if _OPEN_TASK.one(connection, execution=execution_id):
        return
    if connection.execute(select(task.c.id).where(mine).limit(1)).first():
        settle(connection, execution_id)
    else:
        finish(connection, execution_id, Status.STOPPED)


def policy_of(connection: Connection, execution_id: int) -> tuple[str, int] | None:
    """The vendor type and id that the execution is of; None where there is no such execution."""
    mine = execution.c.id == execution_id
    row = connection.execute(select(execution.c.vendor_type, execution.c.vendor_id).where(mine)).one_or_none()
    return None if row is None else (row.vendor_type, row.vendor_id)


def of_task(connection: Connection, task_id: int) -> int | None:
    """The id of the execution that the task is of; None where there is no such task."""
    found: int | None = connection.execute(select(task.c.execution_id).where(task.c.id == task_id)).scalar()
    return found


def stop_task(connection: Connection, task_id: int) -> None:
    """Stop one task."""
    mine = task.c.id == task_id
    ended = _end_waiting(connection, mine)
    _stop_running(connection, mine)
    for execution_id in ended:
        settle(connection, execution_id)


def stop_running(connection: Connection) -> None:
    """Stop every task that runs."""
    _stop_running(connection, true())


def stop_kind(connection: Connection, kind: str) -> None:
    """Stop every task of a kind that waits; what runs goes on."""
    for execution_id in _end_waiting(connection, task.c.kind == kind):
        settle(connection, execution_id)


def _end_waiting(connection: Connection, which: ColumnElement[bool]) -> list[int]:
    """End those of the tasks that wait; the executions that they are of."""
    moment = now()
    ended = connection.execute(
        update(task)
        .where(which, task.c.status.in_([Status.PENDING, Status.SCHEDULED]))
        .values(status=Status.STOPPED, update_time=moment, end_time=moment)
        .returning(task.c.execution_id)
    ).scalars()
    return sorted(set(ended))


def _stop_running(connection: Connection, which: ColumnElement[bool]) -> None:
    """Tell the workers to stop those of the tasks that run."""
    connection.execute(update(task).where(which, task.c.status == Status.RUNNING).values(is_stopping=True))
    wake(connection)


def delete(connection: Connection, vendor_type: str, vendor_id: int) -> None:
    """Delete the executions of a policy. Raises Precondition while one is under way."""
    mine = (execution.c.vendor_type == vendor_type) & (execution.c.vendor_id == vendor_id)
    if connection.execute(select(execution.c.id).where(mine, execution.c.status == Status.RUNNING).limit(1)).first():
        raise Precondition("contains executions that aren't in final status, stop the execution first")
    connection.execute(execution.delete().where(mine))
