"""The jobs dashboard: /jobservice and /schedules."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import MediaType, Request, Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy import Connection

from mooring.core.errors import BadRequest, NotFound
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.operations import queries, service
from mooring.features.operations.wire import (
    ActionRequest,
    JobQueue,
    SchedulerStatus,
    ScheduleTask,
    Worker,
    WorkerPool,
)
from mooring.http.access import SIGNED_IN, system
from mooring.http.links import listed
from mooring.jobs import logs, schedules

_SEES: Final = system("jobservice-monitor", "list")
_STOPS: Final = system("jobservice-monitor", "stop")


@get("/jobservice/pools", access=_SEES, operation_id="getWorkerPools")
async def list_pools(db: NamedDependency[Database]) -> list[WorkerPool]:
    """The jobs processes that are alive."""
    return [WorkerPool.of(pool) for pool in await db.read(queries.pools)]


@get("/jobservice/pools/{pool_id:str}/workers", access=_SEES, operation_id="getWorkers")
async def list_workers(db: NamedDependency[Database], pool_id: FromPath[str]) -> list[Worker]:
    """The places of a pool, or of `all`, with what they are at."""

    def work(connection: Connection) -> list[Worker]:
        busy = queries.busy(connection)
        chosen = [pool for pool in queries.pools(connection) if pool_id in (service.ALL, pool.id)]
        return [worker for pool in chosen for worker in Worker.of(pool, busy)]

    return await db.read(work)


@put("/jobservice/jobs/{job_id:str}", access=_STOPS, operation_id="stopRunningJob")
async def stop_job(db: NamedDependency[Database], job_id: FromPath[str]) -> None:
    """Stop a job, or with `all` every one that runs; one that is not there is no error."""
    await db.write(service.stop_job, job_id)


@get(
    "/jobservice/jobs/{job_id:str}/log",
    access=_SEES,
    produces="text/plain",
    media_type=MediaType.TEXT,
    operation_id="actionGetJobLog",
    refuses=(404,),
)
async def read_log(db: NamedDependency[Database], job_id: FromPath[str]) -> str:
    """What a job has said so far."""

    def work(connection: Connection) -> str:
        task_id = logs.task_of(connection, job_id)
        if task_id is None:
            raise NotFound(f'{{"code":10010,"message":"object is not found","details":"{job_id}"}}')
        return logs.read(connection, task_id) or ""

    return await db.read(work)


@get("/jobservice/queues", access=_SEES, operation_id="listJobQueues")
async def list_queues(db: NamedDependency[Database]) -> list[JobQueue]:
    """What waits, by the type of job."""
    return [JobQueue.of(queue) for queue in await db.read(queries.queues)]


@put(
    "/jobservice/queues/{job_type:str}",
    access=_STOPS,
    body="actionRequest",
    operation_id="actionPendingJobs",
    refuses=(400,),
)
async def act_on_queue(db: NamedDependency[Database], job_type: FromPath[str], data: JSONBody[ActionRequest]) -> None:
    """Stop what waits of a type of job, hold it back (pause), or let it go on (resume); `all` is every type."""
    await db.write(service.act_on_queue, job_type, data.action)


@get("/schedules", access=_SEES, tag="schedule", operation_id="listSchedules")
async def list_schedules(
    request: Request[Any, Any, Any], db: NamedDependency[Database], listing: NamedDependency[Listing]
) -> Response[Sequence[ScheduleTask]]:
    """What is done again and again."""
    plans, total = await db.read(queries.plans, listing)
    return listed(request, [ScheduleTask.of(plan) for plan in plans], total, listing)


@get(
    "/schedules/{job_type:str}/paused",
    access=SIGNED_IN,
    tag="schedule",
    operation_id="getSchedulePaused",
    refuses=(400,),
)
async def read_paused(db: NamedDependency[Database], job_type: FromPath[str]) -> SchedulerStatus:
    """Whether the schedules stand still; they do while the queue SCHEDULER is paused."""
    if job_type != service.ALL:
        raise BadRequest("job_type can only be 'all'")
    return SchedulerStatus(paused=await db.read(queries.is_paused, schedules.QUEUE))


HANDLERS: Final = (
    list_pools,
    list_workers,
    stop_job,
    read_log,
    list_queues,
    act_on_queue,
    list_schedules,
    read_paused,
)
