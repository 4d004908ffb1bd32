"""Who is in a project: /projects/{project}/members."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from mooring.core.errors import BadRequest, NotFound
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.projects import queries, service
from mooring.features.projects.queries import Project
from mooring.features.projects.wire import ProjectMember, ProjectMemberEntity, RoleRequest, UserGroup
from mooring.http.access import project as within
from mooring.http.links import created, listed


@get("/projects/{project_name_or_id:str}/members", access=within("member", "list"))
async def list_members(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    listing: NamedDependency[Listing],
    entityname: FromQuery[str] = "",
) -> Response[Sequence[ProjectMemberEntity]]:
    members, total = await db.read(queries.members, project.id, listing, entityname)
    return listed(request, [ProjectMemberEntity.of(member) for member in members], total, listing)


@post("/projects/{project_name_or_id:str}/members", access=within("member", "create"), body="projectMember")
async def add_member(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    project: NamedDependency[Project],
    data: JSONBody[ProjectMember],
) -> Response[None]:
    user = data.member_user
    if user is None or not (user.user_id or user.username):
        raise _unknown_group(data.member_group)
    member_id = await db.write(
        service.add_member, project.id, data.role_id, user_id=user.user_id, username=user.username
    )
    return created(request, member_id)


@get("/projects/{project_name_or_id:str}/members/{mid:str}", access=within("member", "read"))
async def read_member(
    db: NamedDependency[Database], project: NamedDependency[Project], mid: FromPath[int]
) -> ProjectMemberEntity:
    if mid == 0:
        raise BadRequest("the member id can not be empty!")
    member = await db.read(queries.find_member, project.id, mid)
    if member is None:
        raise service.unknown_member(project.id, mid)
    return ProjectMemberEntity.of(member)


@put("/projects/{project_name_or_id:str}/members/{mid:str}", access=within("member", "update"), body="role")
async def change_member(
    db: NamedDependency[Database], project: NamedDependency[Project], mid: FromPath[int], data: JSONBody[RoleRequest]
) -> None:
    _require_id(mid)
    await db.write(service.change_role, project.id, mid, data.role_id)


@delete("/projects/{project_name_or_id:str}/members/{mid:str}", access=within("member", "delete"), status_code=200)
async def remove_member(db: NamedDependency[Database], project: NamedDependency[Project], mid: FromPath[int]) -> None:
    _require_id(mid)
    await db.write(service.remove_member, project.id, mid)


def _require_id(member_id: int) -> None:
    if member_id == 0:
        raise BadRequest("member id can not be empty")


def _unknown_group(group: UserGroup | None) -> BadRequest | NotFound:
    """Why nobody can be taken in: accounts come from the database, which has no groups."""
    if group is not None and group.id:
        return BadRequest(f"Group {group.id} not found")
    if group is not None and (group.group_name or group.ldap_group_dn):
        return NotFound(f"{group.group_name or group.ldap_group_dn} not found: not supported")
    return BadRequest("at least one of member_user or member_group must be provided")


HANDLERS: Final = (list_members, add_member, read_member, change_member, remove_member)
