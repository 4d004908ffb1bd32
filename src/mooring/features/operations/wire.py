"""Pools, workers, queues and schedules as the API spells them."""

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from mooring.core.clock import rfc3339
from mooring.features.operations.queries import Busy, Plan, Pool, Queue, seconds_since


class WorkerPool(Struct, kw_only=True):
    pid: int
    worker_pool_id: str
    start_at: str
    heartbeat_at: str
    concurrency: int

    @classmethod
    def of(cls, pool: Pool) -> "WorkerPool":
        return cls(
            pid=pool.pid,
            worker_pool_id=pool.id,
            start_at=rfc3339(pool.started),
            heartbeat_at=rfc3339(pool.heartbeat),
            concurrency=pool.concurrency,
        )


class Worker(Struct, omit_defaults=True):
    """A place of a pool; the job's members are absent while it is idle."""

    id: str
    pool_id: str
    job_name: str = ""
    job_id: str = ""
    start_at: str | None = None
    checkin_at: str | None = None

    @staticmethod
    def of(pool: Pool, busy: Sequence[Busy]) -> "Iterator[Worker]":
        """All places of the pool, those at work first."""
        mine = [each for each in busy if each.pool == pool.id]
        for number in range(max(pool.concurrency, len(mine))):
            worker = Worker(f"{pool.id}-{number}", pool.id)
            if number < len(mine):
                job = mine[number]
                worker.job_name, worker.job_id = job.kind, job.job_id
                worker.start_at, worker.checkin_at = rfc3339(job.start_time), rfc3339(job.update_time)
            yield worker


class JobQueue(Struct, omit_defaults=True, kw_only=True):
    """`count` jobs wait, the first of them for `latency` seconds."""

    job_type: str
    count: int = 0
    latency: int = 0
    paused: bool

    @classmethod
    def of(cls, queue: Queue) -> "JobQueue":
        latency = seconds_since(queue.oldest)
        return cls(job_type=queue.kind, count=queue.waiting, latency=latency, paused=queue.is_paused)


class ActionRequest(Struct):
    action: Literal["stop", "pause", "resume"] | None = None


class ScheduleTask(Struct, omit_defaults=True, kw_only=True):
    id: int
    vendor_type: str
    vendor_id: int = 0
    cron: str
    update_time: str

    @classmethod
    def of(cls, plan: Plan) -> "ScheduleTask":
        return cls(
            id=plan.id,
            vendor_type=plan.vendor_type,
            vendor_id=plan.vendor_id,
            cron=plan.cron,
            update_time=rfc3339(plan.update_time),
        )


class SchedulerStatus(Struct):
    paused: bool
