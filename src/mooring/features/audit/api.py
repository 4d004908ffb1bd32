"""The audit log: /auditlog-exts, and in the shape that older clients know /audit-logs and /projects/{project}/logs."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from sqlalchemy import Connection

from mooring.core.actor import Actor
from mooring.core.errors import BadRequest, Unauthorized
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.audit import queries
from mooring.features.audit.kinds import LISTED
from mooring.features.audit.queries import Line
from mooring.features.audit.wire import AuditLog, AuditLogEventType, AuditLogExt
from mooring.features.projects.queries import Project
from mooring.http.access import ANYBODY, named_project, system
from mooring.http.links import listed

_MOST: Final = 100_000  # records of an answer that is not paged


@get("/auditlog-exts", access=ANYBODY, operation_id="listAuditLogExts", refuses=(401,))
async def list_records(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    listing: NamedDependency[Listing],
) -> Response[Sequence[AuditLogExt]]:
    """The audit log: all of it for administrators, that of their projects for those who administer some."""
    lines, total = await _read(db, listing, actor)
    return listed(request, [AuditLogExt.of(line) for line in lines], total, listing)


@get("/auditlog-exts/events", access=system("audit-log", "list"), operation_id="listAuditLogEventTypes")
async def list_kinds() -> list[AuditLogEventType]:
    """The kinds of acts that can be left out of the log or purged from it."""
    return [AuditLogEventType.of(kind) for kind in LISTED]


@get(
    "/projects/{project_name:str}/auditlog-exts",
    access=named_project("log", "list"),
    operation_id="getLogExts",
    tag="project",
)
async def list_project_records(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
) -> Response[Sequence[AuditLogExt]]:
    """A project's part of the audit log."""
    lines, total = await db.read(_page, listing, [project.id])
    return listed(request, [AuditLogExt.of(line) for line in lines], total, listing)


@get("/audit-logs", access=ANYBODY, operation_id="listAuditLogs", refuses=(401,))
async def list_old_records(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    listing: NamedDependency[Listing],
) -> Response[Sequence[AuditLog]]:
    """The audit log in its older shape."""
    lines, total = await _read(db, listing, actor)
    return listed(request, [AuditLog.of(line) for line in lines], total, listing)


@get("/projects/{project_name:str}/logs", access=named_project("log", "list"), operation_id="getLogs", tag="project")
async def list_old_project_records(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
) -> Response[Sequence[AuditLog]]:
    """A project's part of the audit log in its older shape."""
    lines, total = await db.read(_page, listing, [project.id])
    return listed(request, [AuditLog.of(line) for line in lines], total, listing)


async def _read(db: Database, listing: Listing, actor: Actor) -> tuple[list[Line], int]:
    """What the actor may see. Raises Unauthorized, in Harbor's words none."""
    if actor.is_anonymous:
        raise Unauthorized("")

    def work(connection: Connection) -> tuple[list[Line], int]:
        return _page(connection, listing, queries.readable(connection, actor))

    return await db.read(work)


def _page(connection: Connection, listing: Listing, projects: Collection[int] | None) -> tuple[list[Line], int]:
    """Raises BadRequest when more is asked for at once than an answer can hold."""
    if listing.size <= 0:
        _, total = queries.page(connection, Listing(1, 1, listing.filters), projects)
        if total > _MOST:
            raise BadRequest(f"{total} records are too many for one answer; ask for pages, or narrow it down with q")
    return queries.page(connection, listing, projects)


HANDLERS: Final = (list_records, list_kinds, list_project_records, list_old_records, list_old_project_records)
