"""What the jobs processes are at: pools, their workers, queues, schedules."""

from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, func, select

from mooring.core.clock import SECOND, now
from mooring.core.page import Listing
from mooring.db import query
from mooring.jobs.kinds import Status
from mooring.jobs.tables import paused_queue, schedule, task, worker

# Every job type that an administrator can hold back, whatever of it waits (Harbor's list).
QUEUES: Final = (
    "AUDIT_LOGS_GDPR_COMPLIANT",
    "EXECUTION_SWEEP",
    "GARBAGE_COLLECTION",
    "IMAGE_SCAN",
    "P2P_PREHEAT",
    "PURGE_AUDIT_LOG",
    "REPLICATION",
    "RETENTION",
    "SCAN_DATA_EXPORT",
    "SCHEDULER",
    "SLACK",
    "SYSTEM_ARTIFACT_CLEANUP",
    "WEBHOOK",
)
_SCHEDULES: Final = {name: schedule.c[name] for name in ("id", "vendor_type", "vendor_id", "cron", "update_time")}


class Pool(Struct, frozen=True):
    """A jobs process; `concurrency` is how many tasks it runs at once."""

    id: str
    pid: int
    concurrency: int
    started: int
    heartbeat: int


class Busy(Struct, frozen=True):
    """A task that a pool runs just now."""

    pool: str
    kind: str
    job_id: str
    start_time: int
    update_time: int


class Queue(Struct, frozen=True):
    """What waits of a job type: `oldest` is the moment since when, 0 when nothing does."""

    kind: str
    waiting: int
    oldest: int
    is_paused: bool


class Plan(Struct, frozen=True):
    """A schedule."""

    id: int
    vendor_type: str
    vendor_id: int
    cron: str
    update_time: int


def pools(connection: Connection) -> list[Pool]:
    """The jobs processes, the longest running first."""
    columns = (worker.c.id, worker.c.pid, worker.c.concurrency, worker.c.started, worker.c.heartbeat)
    return [Pool(*row) for row in connection.execute(select(*columns).order_by(worker.c.started, worker.c.id))]


def busy(connection: Connection) -> list[Busy]:
    """What runs, the longest running first."""
    columns = (task.c.worker, task.c.kind, task.c.job_id, task.c.start_time, task.c.update_time)
    running = select(*columns).where(task.c.status == Status.RUNNING).order_by(task.c.start_time, task.c.id)
    return [Busy(*row) for row in connection.execute(running)]


def queues(connection: Connection) -> list[Queue]:
    """Every job type, by name."""
    paused = set(connection.execute(select(paused_queue.c.kind)).scalars())
    waits = select(task.c.kind, func.count(), func.min(task.c.run_at)).where(task.c.status == Status.PENDING)
    waiting: dict[str, tuple[int, int]] = {
        kind: (count, oldest) for kind, count, oldest in connection.execute(waits.group_by(task.c.kind))
    }
    return [Queue(kind, *waiting.get(kind, (0, 0)), kind in paused) for kind in QUEUES]


def seconds_since(moment: int) -> int:
    """Whole seconds from the moment until now; 0 for none."""
    return max(now() - moment, 0) // SECOND if moment else 0


def is_paused(connection: Connection, kind: str) -> bool:
    """Whether the job type is held back."""
    return connection.execute(select(paused_queue.c.kind).where(paused_queue.c.kind == kind)).first() is not None


def plans(connection: Connection, listing: Listing) -> tuple[list[Plan], int]:
    """One page of the schedules, the oldest first, and how many there are."""
    columns: list[Any] = list(_SCHEDULES.values())
    rows, total = query.page(connection, select(*columns), listing, _SCHEDULES, schedule.c.id)
    return [Plan(*row) for row in rows], total
