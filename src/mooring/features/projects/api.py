"""Projects: /projects."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response, delete, get, head, post, put
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody
from msgspec import structs
from sqlalchemy import Connection

from mooring.core.access import allowed
from mooring.core.actor import SYSTEM, Actor
from mooring.core.errors import BadRequest, Forbidden, NotFound
from mooring.core.page import Exact, Fuzzy, Listing
from mooring.db.engine import Database
from mooring.features.allowlists import service as allowlists
from mooring.features.configuration.queries import Current
from mooring.features.configuration.service import check_storage
from mooring.features.projects import queries, service, wire
from mooring.features.projects.membership import role_counts
from mooring.features.projects.queries import BeginQuota, CountRepositories, ReadQuota
from mooring.features.projects.queries import Project as Found
from mooring.features.projects.values import normal_all
from mooring.features.projects.wire import ProjectDeletable, ProjectReq, ProjectSummary, ProjectSummaryQuota
from mooring.http.access import ANYBODY, SIGNED_IN, project
from mooring.http.links import created, listed
from mooring.http.parameters import is_true

# What clients send along without meaning to set it: the retention's id, and what is for proxy projects alone.
_NOT_SENT: Final = frozenset(
    {"retention_id", "proxy_speed_kb", "max_upstream_conn", "proxy_cache_filter_pattern", "proxy_cache_filter_kind"}
)


@get("/projects", access=ANYBODY, operation_id="listProjects", refuses=(401,))
async def list_projects(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    listing: NamedDependency[Listing],
    count_repositories: NamedDependency[CountRepositories],
    name: FromQuery[str] = "",
    owner: FromQuery[str] = "",
    public: FromQuery[str] = "",
    with_detail: FromQuery[str] = "true",
) -> Response[Sequence[wire.Project]]:
    wanted = listing.asking(
        name=Fuzzy(name) if name else None,
        owner=Exact(owner) if owner else None,
        public=Exact(str(is_true(public))) if public else None,
    )
    views, total = await db.read(queries.page, actor, wanted, count_repositories)
    shown = [wire.Project.of(view, with_detail=is_true(with_detail)) for view in views]
    return listed(request, shown, total, listing)


@head("/projects", access=SIGNED_IN, operation_id="headProject", refuses=(404,))
async def head_project(db: NamedDependency[Database], project_name: FromQuery[str]) -> None:
    if await queries.read(db.reader, project_name, by_name=True) is None:
        raise service.missing(project_name)


@post(
    "/projects",
    access=SIGNED_IN,
    body="project",
    operation_id="createProject",
    refuses=(404, 409),
    headers=("X-Resource-Name-In-Location",),
)
async def create_project(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    configuration: NamedDependency[Current],
    begin_quota: NamedDependency[BeginQuota],
    data: JSONBody[ProjectReq],
) -> Response[None]:
    """Only who may make projects for the system sets a limit; others' is the configured one."""
    _check_creation(actor, data, (await configuration.read()).project_creation_restriction)
    metadata = {service.PUBLIC: str(bool(data.public)).lower()} | _metadata(data)
    limit = (data.storage_limit or None) if allowed(actor, "project", "create", project=None) else None

    def work(connection: Connection) -> int:
        made = service.create(connection, actor, data.project_name, metadata)
        begin_quota(connection, made, limit)
        return made

    project_id = await db.write(work)
    by_name = is_true(request.headers.get("x-resource-name-in-location", ""))
    return created(request, data.project_name if by_name else project_id)


@get("/projects/{project_name_or_id:str}", access=project("project", "read"), operation_id="getProject")
async def read_project(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    project: NamedDependency[Found],
    count_repositories: NamedDependency[CountRepositories],
) -> wire.Project:
    views = await db.read(queries.views, actor, [project], count_repositories)
    return wire.Project.of(views[0])


@put(
    "/projects/{project_name_or_id:str}",
    access=project("project", "update"),
    body="project",
    operation_id="updateProject",
)
async def change_project(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    project: NamedDependency[Found],
    data: JSONBody[ProjectReq],
) -> None:
    """Metadata that is not sent stays, and so does the allowlist. The name, the limit and `public` beside the metadata
    do not count.
    """
    retention = data.metadata.retention_id if data.metadata else None
    metadata = _metadata(data)
    listed = data.cve_allowlist
    if listed and listed.project_id not in (0, project.id):
        raise BadRequest(f"project_id in cve_allowlist must be {project.id} but it's {listed.project_id}")

    def work(connection: Connection) -> None:
        if listed:
            ids = [item.cve_id for item in listed.items or ()]
            allowlists.replace(connection, project.id, ids, listed.expires_at)
        stored = queries.metadata_of(connection, [project])[project.id]
        if retention and retention != stored.get("retention_id"):
            raise BadRequest(
                "bad request: the retention_id in the request's payload when updating a project should be omitted, "
                "alternatively passing the one has already been associated to this project"
            )
        service.change(connection, actor, project, metadata)

    await db.write(work)


@delete(
    "/projects/{project_name_or_id:str}",
    access=project("project", "delete"),
    status_code=200,
    operation_id="deleteProject",
    refuses=(412,),
)
async def delete_project(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    project: NamedDependency[Found],
    count_repositories: NamedDependency[CountRepositories],
) -> None:
    await db.write(service.delete_project, actor, project, count_repositories)


@get(
    "/projects/{project_name_or_id:str}/_deletable",
    access=project("project", "delete"),
    operation_id="getProjectDeletable",
)
async def read_deletable(
    db: NamedDependency[Database],
    project: NamedDependency[Found],
    count_repositories: NamedDependency[CountRepositories],
) -> ProjectDeletable:
    deletable = await db.read(service.is_deletable, project.id, count_repositories)
    return ProjectDeletable(deletable=True) if deletable else ProjectDeletable(message=service.NOT_EMPTY)


@get("/projects/{project_name_or_id:str}/summary", access=project("project", "read"), operation_id="getProjectSummary")
async def read_summary(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    project: NamedDependency[Found],
    count_repositories: NamedDependency[CountRepositories],
    read_quota: NamedDependency[ReadQuota],
) -> ProjectSummary:
    """Members are counted for who may list them, the quota is shown to who may read it."""

    def work(connection: Connection) -> ProjectSummary:
        (view,) = queries.views(connection, actor, [project], count_repositories)
        summary = ProjectSummary(repo_count=view.repositories)
        quota = read_quota(connection, project.id)
        if quota and allowed(actor, "quota", "read", project=project.id, roles=view.roles):
            hard, used = quota
            summary.quota = ProjectSummaryQuota(hard={"storage": hard}, used={"storage": used})
        if allowed(actor, "member", "list", project=project.id, roles=view.roles):
            for role, number in role_counts(connection, project.id).items():
                setattr(summary, f"{role.name.lower()}_count", number)
        return summary

    return await db.read(work)


def _check_creation(actor: Actor, data: ProjectReq, restriction: str) -> None:
    """Raise Forbidden, BadRequest, NotFound for what may not be made, in Harbor's order."""
    if actor.kind == "robot" and actor.project:
        raise Forbidden("Only system level robot can create project")
    if actor.scope and not actor.scope.covers(SYSTEM, "project", "create"):
        raise Forbidden(actor.name)
    may_limit = allowed(actor, "project", "create", project=None)
    if restriction == "adminonly" and not may_limit:
        raise Forbidden("Only system admin can create project")
    if data.registry_id is not None:
        if not may_limit:
            raise Forbidden("Only system admin can create proxy cache project")
        if data.registry_id <= 0:
            raise BadRequest(
                f"bad request: {data.registry_id} is invalid value of registry_id, it should be geater than 0"
            )
        raise NotFound(f"registry {data.registry_id} not found")
    if data.metadata and data.metadata.retention_id:
        raise BadRequest(
            "bad request: the retention_id in the request's payload when creating a project should be omitted, "
            "alternatively passing an empty string"
        )
    if data.storage_limit and may_limit:
        check_storage(data.storage_limit, prefix="bad request: ")
    if data.metadata and data.metadata.public not in (None, "", "true", "false"):
        raise BadRequest(f"metadata.public should only be 'true' or 'false', but got: '{data.metadata.public}'")
    service.check_name(data.project_name)


def _metadata(data: ProjectReq) -> dict[str, str]:
    """What the request sets, in the spelling that is kept. Raises BadRequest."""
    given = structs.asdict(data.metadata) if data.metadata else {}
    return normal_all({name: value for name, value in given.items() if value and name not in _NOT_SENT})


HANDLERS: Final = (
    list_projects,
    head_project,
    create_project,
    read_project,
    change_project,
    delete_project,
    read_deletable,
    read_summary,
)
