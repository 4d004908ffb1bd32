"""Garbage collection: /system/gc."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import MediaType, Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec.structs import asdict

from mooring.core.errors import BadRequest, NotFound
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.gc.jobs import NAME
from mooring.features.gc.wire import Parameters, hours, of_schedule
from mooring.features.operations import history
from mooring.features.operations.history import ExecHistory, Schedule
from mooring.http.access import system
from mooring.http.links import begun, listed
from mooring.settings import Settings

_RUNS: Final = "/system/gc"
_RUN: Final = f"{_RUNS}/{{gc_id:str}}"
_SCHEDULE: Final = f"{_RUNS}/schedule"


@get(_RUNS, access=system("garbage-collection", "list"), operation_id="getGCHistory")
async def list_runs(
    request: Request[Any, Any, Any], db: NamedDependency[Database], listing: NamedDependency[Listing]
) -> Response[Sequence[ExecHistory]]:
    """The collections that were started, the newest first, with what each has freed."""
    runs, total = await db.read(history.page, NAME, listing)
    return listed(request, [run.shown() for run in runs], total, listing)


@get(_RUN, access=system("garbage-collection", "read"), operation_id="getGC")
async def read_run(db: NamedDependency[Database], gc_id: FromPath[int]) -> ExecHistory:
    run = await db.read(history.find, NAME, gc_id)
    if run is None:
        raise NotFound(f"garbage collection execution {gc_id} not found")
    return run.shown()


@put(_RUN, access=system("garbage-collection", "stop"), operation_id="stopGC")
async def stop_run(db: NamedDependency[Database], gc_id: FromPath[int]) -> None:
    """Stop a collection. What it has let go of and not deleted yet is deleted by the next one."""
    await db.write(history.stop, NAME, gc_id)


@get(
    f"{_RUN}/log",
    access=system("garbage-collection", "read"),
    produces="text/plain",
    media_type=MediaType.TEXT,
    operation_id="getGCLog",
)
async def read_log(db: NamedDependency[Database], gc_id: FromPath[int]) -> str:
    """What a collection has said so far; a dry run says what would go, and why."""
    log = await db.read(history.log, NAME, gc_id)
    if log is None:
        raise NotFound(f"garbage collection {gc_id} log is not found")
    return log


@get(_SCHEDULE, access=system("garbage-collection", "read"), operation_id="getGCSchedule")
async def read_schedule(db: NamedDependency[Database]) -> ExecHistory | None:
    """When collections are due; an empty body when they are not."""
    known = await db.read(history.scheduled, NAME)
    return None if known is None else history.shown(known, of_schedule(known.parameters))


@post(_SCHEDULE, access=system("garbage-collection", "create"), body="schedule", operation_id="createGCSchedule")
async def create_schedule(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    data: JSONBody[Schedule],
) -> Response[None]:
    """Collect now (Manual), by a schedule from now on, or not any more (None)."""
    return begun(request, await _follow(db, settings, data))


@put(_SCHEDULE, access=system("garbage-collection", "update"), body="schedule", operation_id="updateGCSchedule")
async def change_schedule(
    db: NamedDependency[Database], settings: NamedDependency[Settings], data: JSONBody[Schedule]
) -> None:
    """The same."""
    await _follow(db, settings, data)


async def _follow(db: Database, settings: Settings, wanted: Schedule) -> int:
    if wanted.schedule is None:
        raise BadRequest("schedule required in body")
    sent = wanted.parameters if wanted.schedule.type != "None" else None
    parameters = asdict(Parameters.of(sent or {})) | {"time_window": hours(settings.gc_time_window)}
    return await db.write(history.follow, NAME, wanted.schedule, parameters, "gc")


HANDLERS: Final = (list_runs, read_schedule, create_schedule, change_schedule, read_run, stop_run, read_log)
