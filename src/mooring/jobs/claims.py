"""Who runs which task: workers claim what waits, and take over what the dead have left."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, literal, or_, select, update

from mooring.core.clock import SECOND, now
from mooring.core.errors import JobsUnavailable
from mooring.db.prepared import Prepared
from mooring.db.reader import Reader
from mooring.db.turns import take_turns
from mooring.jobs import executions
from mooring.jobs.context import Claimed
from mooring.jobs.kinds import Kinds, Status
from mooring.jobs.tables import paused_queue, task, worker

SILENCE: Final = 30 * SECOND  # microseconds without a heartbeat, after which a worker is not believed to be alive

_COLUMNS: Final = (
    task.c.id, task.c.execution_id, task.c.kind, task.c.job_id, task.c.run_count, task.c.payload, task.c.request_id,
)  # fmt: skip
_WAITING: Final = task.c.status.in_([literal(Status.PENDING.value), literal(Status.SCHEDULED.value)])
_DUE: Final = Prepared(select(task.c.id).where(_WAITING, task.c.run_at <= bindparam("moment")).limit(1))
_NEXT: Final = Prepared(select(func.min(task.c.run_at)).where(_WAITING, task.c.run_at > bindparam("moment")))
_LATEST: Final = Prepared(select(func.max(worker.c.heartbeat)))
_STOPPING: Final = Prepared(
    select(task.c.id).where(
        task.c.status == literal(Status.RUNNING.value), task.c.worker == bindparam("worker"), task.c.is_stopping
    )
)


def claim(connection: Connection, name: str, kinds: Kinds, places: int) -> list[Claimed]:
    """Make up to so many waiting tasks this worker's, the longest waiting first."""
    moment = now()
    if _DUE.one(connection, moment=moment) is None:
        return []
    # Counting what runs of a kind and adding to it must not be done by two workers at once.
    take_turns(connection, ["claim tasks"])
    full = set(connection.execute(select(paused_queue.c.kind)).scalars())
    rest = {kind.name: kind.limit for kind in kinds if kind.limit}
    if rest:
        counts = select(task.c.kind, func.count()).where(task.c.status == Status.RUNNING).group_by(task.c.kind)
        for kind, count in connection.execute(counts):
            if kind in rest:
                rest[kind] -= count
    full |= {kind for kind, places_left in rest.items() if places_left <= 0}
    known = [kind.name for kind in kinds if kind.name not in full]
    chosen = _choose(connection, known, rest, places, moment)
    return [row for row in (_take(connection, task_id, name, moment) for task_id in chosen) if row]


def _choose(connection: Connection, kinds: Sequence[str], rest: dict[str, int], places: int, moment: int) -> list[int]:
    chosen: list[int] = []
    passed: set[str] = set()
    while len(chosen) < places:
        statement = (
            select(task.c.id, task.c.kind)
            .where(_WAITING, task.c.run_at <= moment, task.c.kind.in_([kind for kind in kinds if kind not in passed]))
            .where(task.c.id.not_in(chosen))
            .order_by(task.c.run_at, task.c.id)
            .limit(places - len(chosen))
        )
        found = connection.execute(statement).all()
        if not found:
            break
        for task_id, kind in found:
            if kind in rest and rest[kind] <= 0:
                passed.add(kind)
                continue
            if kind in rest:
                rest[kind] -= 1
            chosen.append(task_id)
    return chosen


def _take(connection: Connection, task_id: int, name: str, moment: int) -> Claimed | None:
    row = connection.execute(
        update(task)
        .where(task.c.id == task_id, _WAITING)
        .values(
            status=Status.RUNNING,
            worker=name,
            run_count=task.c.run_count + 1,
            start_time=moment,
            update_time=moment,
        )
        .returning(*_COLUMNS)
    ).first()
    return _claimed(row) if row else None


def take_over(connection: Connection, name: str, patience: int) -> list[Claimed]:
    """Make the tasks of workers that died this worker's. They go on in the run they were in. `patience` is after how
    many microseconds without a heartbeat a worker is dead; whoever asks lives, however late its own heartbeat is.
    """
    moment = now()
    living = select(worker.c.id).where(worker.c.heartbeat > moment - patience)
    orphaned = (task.c.status == Status.RUNNING) & task.c.worker.not_in(living) & (task.c.worker != name)
    if connection.execute(select(task.c.id).where(orphaned).limit(1)).first() is None:
        return []
    take_turns(connection, ["claim tasks"])
    rows = connection.execute(
        update(task).where(orphaned).values(worker=name, update_time=moment).returning(*_COLUMNS)
    ).all()
    connection.execute(delete(worker).where(worker.c.heartbeat <= moment - patience))
    return [_claimed(row) for row in rows]


def adopt(connection: Connection, run_name: str, name: str) -> Claimed | None:
    """Make a run that is under way this worker's, which has been given it to go on with; None when it has ended."""
    job_id, _, run_count = run_name.partition(".")
    row = connection.execute(
        update(task)
        .where(task.c.job_id == job_id, task.c.run_count == int(run_count), task.c.status == Status.RUNNING)
        .values(worker=name, update_time=now())
        .returning(*_COLUMNS)
    ).first()
    return _claimed(row) if row else None


def renew(connection: Connection, claimed: Claimed, name: str) -> Claimed | None:
    """Begin a new run of a task whose last one the engine takes for ended, though the task is not."""
    row = connection.execute(
        update(task)
        .where(task.c.id == claimed.id, task.c.worker == name, task.c.status == Status.RUNNING)
        .values(run_count=task.c.run_count + 1, start_time=now())
        .returning(*_COLUMNS)
    ).first()
    return _claimed(row) if row else None


def end(connection: Connection, claimed: Claimed, name: str, status: Status, *, retry_at: int = 0) -> bool:
    """Write how the run ended, if the task is still this worker's; whether it was. With `retry_at` the task waits for
    its next run.
    """
    moment = now()
    values: dict[str, Any] = {"status": status, "update_time": moment, "worker": "", "is_stopping": False}
    values |= {"run_at": retry_at} if retry_at else {"end_time": moment}
    mine = (task.c.id == claimed.id, task.c.worker == name, task.c.run_count == claimed.run_count)
    if connection.execute(update(task).where(*mine, task.c.status == Status.RUNNING).values(**values)).rowcount == 0:
        return False
    executions.settle(connection, claimed.execution_id)
    return True


def beat(connection: Connection, name: str, host: str, pid: int, concurrency: int) -> None:
    """Say that this worker lives."""
    moment = now()
    if connection.execute(update(worker).where(worker.c.id == name).values(heartbeat=moment)).rowcount == 0:
        connection.execute(
            worker.insert().values(
                id=name, host=host, pid=pid, concurrency=concurrency, started=moment, heartbeat=moment
            )
        )


async def check_alive(reader: Reader) -> None:
    """Raise JobsUnavailable when no worker of the installation has given a sign of life lately."""
    row = await reader.one(_LATEST)
    if row is None or (row[0] or 0) + SILENCE < now():
        raise JobsUnavailable("no jobs process has given a sign of life; see its log, or start `mooring worker`")


def leave(connection: Connection, name: str) -> None:
    """This worker is no more; what it has not ended goes to the others at once."""
    connection.execute(delete(worker).where(worker.c.id == name))
    executions.wake(connection)


def is_due(connection: Connection) -> bool:
    """Whether a task waits whose time has come."""
    return _DUE.one(connection, moment=now()) is not None


def stopping(connection: Connection, name: str) -> list[int]:
    """Those of the worker's tasks that are to be stopped."""
    return [task_id for (task_id,) in _STOPPING.all(connection, worker=name)]


def next_due(connection: Connection) -> int | None:
    """The moment at which the next waiting task is due; None when none waits for its time."""
    row = _NEXT.one(connection, moment=now())
    return row[0] if row else None


def pause(connection: Connection, kinds: Iterable[str]) -> None:
    for kind in kinds:
        if not connection.execute(select(paused_queue).where(paused_queue.c.kind == kind)).first():
            connection.execute(paused_queue.insert().values(kind=kind, since=now()))


def resume(connection: Connection, kinds: Iterable[str]) -> None:
    connection.execute(delete(paused_queue).where(or_(*(paused_queue.c.kind == kind for kind in kinds))))
    executions.wake(connection)


def _claimed(row: Any) -> Claimed:
    task_id, execution_id, kind, job_id, run_count, payload, request_id = row
    return Claimed(task_id, execution_id, kind, job_id, run_count, json.loads(payload), request_id)
