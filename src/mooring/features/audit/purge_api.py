"""Purges of the audit log: /system/purgeaudit."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from litestar import MediaType, Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from mooring.core.errors import BadRequest, NotFound
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.audit.purge import NAME, Purge
from mooring.features.operations import history
from mooring.features.operations.history import ExecHistory, Schedule, ScheduleObj
from mooring.http.access import system
from mooring.http.links import begun, listed

_WHAT: Final = "log rotation purge"
_SCHEDULE: Final = "/system/purgeaudit/schedule"
_RUN: Final = "/system/purgeaudit/{purge_id:str}"


@get("/system/purgeaudit", access=system("purge-audit", "list"), operation_id="getPurgeHistory")
async def list_purges(
    request: Request[Any, Any, Any], db: NamedDependency[Database], listing: NamedDependency[Listing]
) -> Response[Sequence[ExecHistory]]:
    """The runs, the newest first."""
    runs, total = await db.read(history.page, NAME, listing)
    return listed(request, [run.shown() for run in runs], total, listing)


@get(_RUN, access=system("purge-audit", "read"), operation_id="getPurgeJob")
async def read_purge(db: NamedDependency[Database], purge_id: FromPath[int]) -> ExecHistory:
    run = await db.read(history.find, NAME, purge_id)
    if run is None:
        raise NotFound(f"execution {purge_id} not found")
    return run.shown()


@put(_RUN, access=system("purge-audit", "stop"), operation_id="stopPurge")
async def stop_purge(db: NamedDependency[Database], purge_id: FromPath[int]) -> None:
    """Stop a run. What it has deleted is gone."""
    await db.write(history.stop, NAME, purge_id)


@get(
    f"{_RUN}/log",
    access=system("purge-audit", "read"),
    produces="text/plain",
    media_type=MediaType.TEXT,
    operation_id="getPurgeJobLog",
)
async def read_purge_log(db: NamedDependency[Database], purge_id: FromPath[int]) -> str:
    """What a run has said so far."""
    log = await db.read(history.log, NAME, purge_id)
    if log is None:
        raise NotFound(f"purge job with execution ID: {purge_id} taskLog is not found")
    return log


@get(_SCHEDULE, access=system("purge-audit", "read"), operation_id="getPurgeSchedule")
async def read_schedule(db: NamedDependency[Database]) -> ExecHistory | None:
    """When the log is purged; nothing when it is not."""
    known = await db.read(history.scheduled, NAME)
    return history.shown(known, known.parameters) if known else None


@post(_SCHEDULE, access=system("purge-audit", "create"), body="schedule", operation_id="createPurgeSchedule")
async def create_schedule(
    request: Request[Any, Any, Any], db: NamedDependency[Database], data: JSONBody[Schedule]
) -> Response[None]:
    """Purge the log by this schedule, or once, now, when its type is Manual."""
    return begun(request, await db.write(history.follow, NAME, *_asked(data), _WHAT))


@put(_SCHEDULE, access=system("purge-audit", "update"), body="schedule", operation_id="updatePurgeSchedule")
async def update_schedule(db: NamedDependency[Database], data: JSONBody[Schedule]) -> None:
    """Change the schedule; the type None removes it."""
    await db.write(history.follow, NAME, *_asked(data), _WHAT)


def _asked(data: Schedule) -> tuple[ScheduleObj, Mapping[str, Any]]:
    if data.schedule is None:
        raise BadRequest("bad request: schedule cann't be empty")
    if not data.parameters:
        raise BadRequest("bad request: schedule parameter cann't be empty")
    purge = Purge.of(data.parameters)
    return data.schedule, purge.parameters() if data.schedule.type == "Manual" else data.parameters


HANDLERS: Final = (
    list_purges,
    read_purge,
    stop_purge,
    read_purge_log,
    read_schedule,
    create_schedule,
    update_schedule,
)
