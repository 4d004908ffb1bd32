"""Who is in a project: /projects/{project}/members."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy import Connection

from mooring.core.actor import Actor
from mooring.core.errors import BadRequest
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.projects import membership
from mooring.features.projects.membership import Entity
from mooring.features.projects.queries import Project
from mooring.features.projects.wire import ProjectMember, ProjectMemberEntity, RoleRequest, UserEntity, UserGroup
from mooring.http.access import project as within
from mooring.http.links import created, listed


@get("/projects/{project_name_or_id:str}/members", access=within("member", "list"), operation_id="listProjectMembers")
async def list_members(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    paging: NamedDependency[Listing],
    entityname: FromQuery[str] = "",
) -> Response[Sequence[ProjectMemberEntity]]:
    members, total = await db.read(membership.page, project.id, paging, entityname)
    return listed(request, [ProjectMemberEntity.of(member) for member in members], total, paging)


@post(
    "/projects/{project_name_or_id:str}/members",
    access=within("member", "create"),
    body="projectMember",
    operation_id="createProjectMember",
    refuses=(409,),
)
async def add_member(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    data: JSONBody[ProjectMember | None] = None,
) -> Response[None]:
    wanted = data or ProjectMember()

    def work(connection: Connection) -> int:
        return membership.add(connection, actor, project, wanted.role_id, _entity(connection, wanted))

    return created(request, await db.write(work))


@get(
    "/projects/{project_name_or_id:str}/members/{mid:str}",
    access=within("member", "read"),
    operation_id="getProjectMember",
)
async def read_member(
    db: NamedDependency[Database], project: NamedDependency[Project], mid: FromPath[int]
) -> ProjectMemberEntity:
    if mid == 0:
        raise BadRequest("the member id can not be empty!")
    return ProjectMemberEntity.of(await db.read(membership.read, project.id, mid))


@put(
    "/projects/{project_name_or_id:str}/members/{mid:str}",
    access=within("member", "update"),
    body="role",
    operation_id="updateProjectMember",
)
async def change_member(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    mid: FromPath[int],
    data: JSONBody[RoleRequest | None] = None,
) -> None:
    _require_id(mid)
    await db.write(membership.change_role, actor, project, mid, data.role_id if data else 0)


@delete(
    "/projects/{project_name_or_id:str}/members/{mid:str}",
    access=within("member", "delete"),
    status_code=200,
    operation_id="deleteProjectMember",
)
async def remove_member(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    mid: FromPath[int],
) -> None:
    _require_id(mid)
    await db.write(membership.remove, actor, project, mid)


def _require_id(member_id: int) -> None:
    if member_id == 0:
        raise BadRequest("member id can not be empty")


def _entity(connection: Connection, data: ProjectMember) -> Entity:
    """Whom the request names: of several ways to do so the surest. Raises BadRequest, NotFound."""
    user, group = data.member_user or UserEntity(), data.member_group or UserGroup()
    if user.user_id > 0:
        return membership.user_entity(connection, user_id=user.user_id)
    if group.id > 0:
        return membership.group_entity(connection, group_id=group.id)
    if user.username:
        return membership.user_entity(connection, username=user.username)
    if group.ldap_group_dn or group.group_name:
        dn, name, kind = group.ldap_group_dn, group.group_name, group.group_type
        return membership.group_entity(connection, dn=dn, name=name, kind=kind)
    raise BadRequest("at least one of member_user or member_group must be provided")


HANDLERS: Final = (list_members, add_member, read_member, change_member, remove_member)
