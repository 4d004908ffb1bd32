"""Tag retention: /retentions. Whom a route lets in depends on the policy's project, so the service asks."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import MediaType, Request, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy import Connection

from mooring.core.actor import Actor
from mooring.core.clock import now
from mooring.core.errors import BadRequest, NotFound
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.repositories import queries as repositories
from mooring.features.retention import plan, queries, service
from mooring.features.retention.wire import (
    OperateRetentionExecutionBody,
    RetentionExecution,
    RetentionExecutionTask,
    RetentionMetadata,
    RetentionPolicy,
    RetentionPreview,
    TriggerRetentionExecutionBody,
)
from mooring.http.access import SIGNED_IN
from mooring.http.links import created, listed
from mooring.jobs import logs
from mooring.jobs.kinds import MANUAL

_POLICY: Final = "/retentions/{id:str}"
_RUNS: Final = f"{_POLICY}/executions"
_RUN: Final = f"{_RUNS}/{{eid:str}}"
_TASKS: Final = f"{_RUN}/tasks"


@get("/retentions/metadatas", access=SIGNED_IN, operation_id="getRentenitionMetadata")
async def read_metadata() -> RetentionMetadata:
    """What rules can be made of."""
    return RetentionMetadata.known()


@post("/retentions", access=SIGNED_IN, body="policy", operation_id="createRetention", refuses=(403, 409))
async def create_policy(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    data: JSONBody[RetentionPolicy],
) -> Response[None]:
    """Give a project its policy. What its rules keep stays; the rest of the repositories that they are about goes."""

    def work(connection: Connection) -> int:
        scope = data.home()
        home = service.home_of(connection, actor, "create", scope.level, scope.ref)
        return service.create(connection, home, data.content())

    return created(request, await db.write(work))


@post(
    "/retentions/preview",
    access=SIGNED_IN,
    body="policy",
    status_code=200,
    operation_id="previewRetention",
    refuses=(403, 404, 409),
    while_read_only=True,
)
async def preview_policy(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    listing: NamedDependency[Listing],
    data: JSONBody[RetentionPolicy],
    repository: FromQuery[str],
) -> RetentionPreview:
    """What a policy, kept or not, would do to a repository now, artifact by artifact, and by which rules."""

    def work(connection: Connection) -> RetentionPreview:
        scope = data.home()
        home = service.home_of(connection, actor, "read", scope.level, scope.ref)
        content = data.content()
        service.check(content)
        found = repositories.find(connection, home.id, f"{home.name}/{repository}")
        if found is None:
            raise NotFound(f"repository {home.name}/{repository} not found")
        made = plan.make(connection, content.rules, home.id, found.id, found.name, now())
        return RetentionPreview.of(repository, made, listing.offset, listing.size)

    return await db.read(work)


@get(_POLICY, access=SIGNED_IN, operation_id="getRetention", refuses=(403, 404))
async def read_policy(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    id: FromPath[int],
) -> RetentionPolicy:
    return RetentionPolicy.of(await db.read(service.read, actor, "read", id))


@put(_POLICY, access=SIGNED_IN, body="policy", operation_id="updateRetention", refuses=(403, 404, 409))
async def change_policy(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    id: FromPath[int],
    data: JSONBody[RetentionPolicy],
) -> None:
    """Replace what a policy says. Its project stays the same."""

    def work(connection: Connection) -> None:
        absent = NotFound(f"resource not found: the retention policy id {id} does not match")
        scope = data.home()
        if queries.find(connection, id) is None:
            raise absent
        policy = service.read(connection, actor, "update", id)
        if (scope.level, scope.ref) != ("project", policy.project_id):
            raise absent
        service.change(connection, policy, data.content())

    await db.write(work)


@delete(_POLICY, access=SIGNED_IN, status_code=200, operation_id="deleteRetention", refuses=(403, 412))
async def delete_policy(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    id: FromPath[int],
) -> None:
    """Delete a policy with what is kept of its runs."""

    def work(connection: Connection) -> None:
        service.remove(connection, service.use(connection, actor, "delete", id))

    await db.write(work)


@get(_RUNS, access=SIGNED_IN, operation_id="listRetentionExecutions", refuses=(403,))
async def list_runs(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    listing: NamedDependency[Listing],
    id: FromPath[int],
) -> Response[Sequence[RetentionExecution]]:
    """The runs of a policy, the newest first."""

    def work(connection: Connection) -> tuple[list[queries.Run], int]:
        return queries.runs(connection, service.use(connection, actor, "list", id).id, listing)

    runs, total = await db.read(work)
    return listed(request, [RetentionExecution.of(run) for run in runs], total, listing)


@post(_RUNS, access=SIGNED_IN, operation_id="triggerRetentionExecution", refuses=(403, 409))
async def start_run(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    id: FromPath[int],
    data: JSONBody[TriggerRetentionExecutionBody],
) -> Response[None]:
    """Carry a policy out now; a dry run says what would go and deletes nothing."""

    def work(connection: Connection) -> int:
        policy = service.use(connection, actor, "update", id)
        return service.start(connection, policy, MANUAL, dry_run=data.dry_run, operator=actor.name)

    return created(request, await db.write(work))


@patch(_RUN, access=SIGNED_IN, operation_id="operateRetentionExecution", refuses=(403, 404))
async def stop_run(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    id: FromPath[int],
    eid: FromPath[int],
    data: JSONBody[OperateRetentionExecutionBody],
) -> None:
    """Stop a run. What it has deleted by then is gone."""

    def work(connection: Connection) -> None:
        service.stop(connection, service.use(connection, actor, "update", id), eid)

    if data.action != "stop":
        raise BadRequest("bad request: action should be 'stop'")
    await db.write(work)


@get(_TASKS, access=SIGNED_IN, operation_id="listRetentionTasks", refuses=(403, 404))
async def list_tasks(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    listing: NamedDependency[Listing],
    id: FromPath[int],
    eid: FromPath[int],
) -> Response[Sequence[RetentionExecutionTask]]:
    """The repositories that a run is about."""

    def work(connection: Connection) -> tuple[list[queries.Piece], int]:
        service.require_run(connection, service.use(connection, actor, "list", id), eid)
        return queries.pieces(connection, eid, listing)

    pieces, total = await db.read(work)
    return listed(request, [RetentionExecutionTask.of(piece) for piece in pieces], total, listing)


@get(
    f"{_TASKS}/{{tid:str}}",
    access=SIGNED_IN,
    produces="text/plain",
    media_type=MediaType.TEXT,
    operation_id="getRetentionTaskLog",
    refuses=(403, 404),
)
async def read_log(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    id: FromPath[int],
    eid: FromPath[int],
    tid: FromPath[int],
) -> str:
    """What a run has said of one repository so far: every artifact, with what becomes of it."""

    def work(connection: Connection) -> str:
        service.require_run(connection, service.use(connection, actor, "read", id), eid, tid)
        return logs.read(connection, tid) or ""

    return await db.read(work)


HANDLERS: Final = (
    read_metadata,
    create_policy,
    preview_policy,
    read_policy,
    change_policy,
    delete_policy,
    list_runs,
    start_run,
    stop_run,
    list_tasks,
    read_log,
)
