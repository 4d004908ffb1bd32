"""Groups: /usergroups."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from mooring.core.actor import Actor
from mooring.core.errors import BadRequest
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.groups import queries, service
from mooring.features.groups.wire import UserGroup, UserGroupSearchItem
from mooring.http.access import SIGNED_IN, system
from mooring.http.links import created, listed


@get("/usergroups", access=system("user-group", "list"), operation_id="listUserGroups")
async def list_groups(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    paging: NamedDependency[Listing],
    group_name: FromQuery[str] = "",
    ldap_group_dn: FromQuery[str] = "",
) -> Response[Sequence[UserGroup]]:
    groups, total = await db.read(queries.page, paging, group_name, ldap_group_dn)
    return listed(request, [UserGroup.of(group) for group in groups], total, paging)


@post(
    "/usergroups",
    access=system("user-group", "create"),
    body="usergroup",
    operation_id="createUserGroup",
    refuses=(409,),
)
async def create_group(
    request: Request[Any, Any, Any], db: NamedDependency[Database], data: JSONBody[UserGroup | None] = None
) -> Response[None]:
    wanted = _named(data)
    group_id = await db.write(service.create, name=wanted.group_name, kind=wanted.group_type, dn=wanted.ldap_group_dn)
    return created(request, group_id)


@get("/usergroups/search", access=SIGNED_IN, operation_id="searchUserGroups")
async def search_groups(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    paging: NamedDependency[Listing],
    groupname: FromQuery[str],
) -> Response[Sequence[UserGroupSearchItem]]:
    groups, total = await db.read(queries.search, groupname, paging)
    return listed(request, [UserGroupSearchItem.of(group) for group in groups], total, paging)


@get("/usergroups/{group_id:str}", access=system("user-group", "read"), operation_id="getUserGroup")
async def read_group(db: NamedDependency[Database], group_id: FromPath[int]) -> UserGroup:
    return UserGroup.of(await db.read(service.read, group_id))


@put(
    "/usergroups/{group_id:str}",
    access=system("user-group", "update"),
    body="usergroup",
    operation_id="updateUserGroup",
)
async def change_group(
    db: NamedDependency[Database], group_id: FromPath[int], data: JSONBody[UserGroup | None] = None
) -> None:
    """Only the name changes."""
    if group_id <= 0:
        raise BadRequest(f"no group has the id {group_id}")
    await db.write(service.rename, group_id, _named(data).group_name)


@delete(
    "/usergroups/{group_id:str}", access=system("user-group", "delete"), status_code=200, operation_id="deleteUserGroup"
)
async def delete_group(actor: NamedDependency[Actor], db: NamedDependency[Database], group_id: FromPath[int]) -> None:
    await db.write(service.remove, actor, group_id)


def _named(group: UserGroup | None) -> UserGroup:
    """The group that was sent. Raises BadRequest when it has no name."""
    if group is None or not group.group_name:
        raise BadRequest("group_name cannot be empty")
    return group


HANDLERS: Final = (list_groups, create_group, search_groups, read_group, change_group, delete_group)
