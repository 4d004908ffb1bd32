"""People: /users."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from mooring.core.access import allowed, refusal
from mooring.core.actor import Actor
from mooring.core.errors import BadRequest, Forbidden, NotFound, Precondition
from mooring.core.page import Fuzzy, Listing
from mooring.db.engine import Database
from mooring.features.configuration.queries import Current
from mooring.features.users import queries, service
from mooring.features.users.passwords import Passwords
from mooring.features.users.wire import (
    OIDCCliSecretReq,
    PasswordReq,
    UserCreationReq,
    UserProfile,
    UserResp,
    UserSearchRespItem,
    UserSysAdminFlag,
)
from mooring.http.access import ANYBODY, SIGNED_IN, system
from mooring.http.cookies import SESSION, cookies
from mooring.http.links import created, listed


@get("/users", access=system("user", "list"), operation_id="listUsers")
async def list_users(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    listing: NamedDependency[Listing],
    username: FromQuery[str] = "",
    email: FromQuery[str] = "",
) -> Response[Sequence[UserResp]]:
    wanted = listing.asking(username=Fuzzy(username) if username else None, email=Fuzzy(email) if email else None)
    users, total = await db.read(queries.page, wanted)
    return listed(request, [UserResp.of(user) for user in users], total, listing)


@post("/users", access=ANYBODY, body="userReq", refuses=(401, 409), operation_id="createUser")
async def create_user(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    configuration: NamedDependency[Current],
    passwords: NamedDependency[Passwords],
    data: JSONBody[UserCreationReq],
) -> Response[None]:
    """Where self-registration is on, visitors do so for themselves, with a browser."""
    if not allowed(actor, "user", "create", project=None):
        if not (await configuration.read()).self_registration:
            raise refusal(actor)
        if SESSION not in cookies(request.scope):
            raise Forbidden("self-registration cannot be triggered via API")
    service.check_secret(data.password)
    service.check_username(data.username)
    service.check_profile(data.email, data.realname, data.comment)
    user_id = await db.write(
        service.create,
        actor,
        username=data.username,
        email=data.email,
        realname=data.realname,
        comment=data.comment,
        password=await passwords.hash(data.password),
    )
    return created(request, user_id)


@get("/users/current", access=SIGNED_IN, operation_id="getCurrentUserInfo", refuses=(412,))
async def read_current_user(actor: NamedDependency[Actor], db: NamedDependency[Database]) -> UserResp:
    if actor.kind != "user":
        raise Precondition(f"get current user not available for security context: {actor.kind}")
    return UserResp.of(await db.read(service.read, actor.id))


@get("/users/search", access=SIGNED_IN, operation_id="searchUsers")
async def search_users(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    paging: NamedDependency[Listing],
    username: FromQuery[str],
) -> Response[Sequence[UserSearchRespItem]]:
    users, total = await db.read(queries.search, username, paging)
    return listed(request, [UserSearchRespItem(user.id, user.username) for user in users], total, paging)


@get("/users/{user_id:str}", access=SIGNED_IN, operation_id="getUser", refuses=(403,))
async def read_user(actor: NamedDependency[Actor], db: NamedDependency[Database], user_id: FromPath[int]) -> UserResp:
    _require_self_or(actor, "read", user_id)
    return UserResp.of(await db.read(service.read, user_id))


@put("/users/{user_id:str}", access=SIGNED_IN, body="profile", operation_id="updateUserProfile", refuses=(409,))
async def change_user(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    user_id: FromPath[int],
    data: JSONBody[UserProfile],
) -> None:
    _require_self_or(actor, "update", user_id)
    service.check_profile(data.email, data.realname, data.comment)
    profile = {"email": data.email, "realname": data.realname, "comment": data.comment}
    await db.write(service.change_profile, actor, user_id, **profile)


@delete("/users/{user_id:str}", access=system("user", "delete"), status_code=200, operation_id="deleteUser")
async def delete_user(actor: NamedDependency[Actor], db: NamedDependency[Database], user_id: FromPath[int]) -> None:
    await db.write(service.delete, actor, user_id)


@put(
    "/users/{user_id:str}/sysadmin",
    access=system("user", "update"),
    body="sysadminFlag",
    operation_id="setUserSysAdmin",
)
async def change_administrator(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    user_id: FromPath[int],
    data: JSONBody[UserSysAdminFlag],
) -> None:
    """Administrators alone: nobody is to raise themselves by what they were given."""
    _require_administrator(actor)
    await db.write(service.make_administrator, actor, user_id, data.sysadmin_flag)


@put("/users/{user_id:str}/password", access=SIGNED_IN, body="password", operation_id="updateUserPassword")
async def change_password(
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    passwords: NamedDependency[Passwords],
    user_id: FromPath[int],
    data: JSONBody[PasswordReq],
) -> None:
    _require_self_or(actor, "update", user_id)
    account = await queries.by_id(db.reader, user_id)
    if account is None:
        raise NotFound(f"user {user_id} not found")
    if account.actor.is_admin and not _is_self(actor, user_id):
        _require_administrator(actor)
    if _is_self(actor, user_id) and not await passwords.verify(account.password, data.old_password):
        raise Forbidden("Current password is incorrect")
    service.check_secret(data.new_password)
    if await passwords.verify(account.password, data.new_password):
        raise BadRequest("New password is identical to old password")
    await db.write(service.change_password, actor, user_id, await passwords.hash(data.new_password))


@put(
    "/users/{user_id:str}/cli_secret",
    access=ANYBODY,
    body="secret",
    refuses=(401, 412),
    operation_id="setCliSecret",
)
async def change_cli_secret(
    configuration: NamedDependency[Current], user_id: FromPath[int], data: JSONBody[OIDCCliSecretReq]
) -> None:
    """For who signs in by OIDC. Everybody else has personal tokens."""
    mode = (await configuration.read()).auth_mode
    raise Precondition(f"unable to update CLI secret under authmode: {mode}")


def _is_self(actor: Actor, user_id: int) -> bool:
    return actor.kind == "user" and actor.id == user_id


def _require_self_or(actor: Actor, action: str, user_id: int) -> None:
    """Raise Forbidden unless it is about the caller, or the caller may act on others."""
    if _is_self(actor, user_id):
        if actor.scope is not None and action != "read":
            raise Forbidden("a personal token does not change its owner; use the password, or a browser's session")
    elif not allowed(actor, "user", action, project=None):
        raise Forbidden(actor.name)


def _require_administrator(actor: Actor) -> None:
    """Raise Forbidden for a robot, and for a personal token that leaves its owner only some rights: whoever may change
    users would otherwise become an administrator.
    """
    if not actor.is_admin or (actor.scope and actor.scope.permissions):
        raise Forbidden(actor.name)


HANDLERS: Final = (
    list_users,
    create_user,
    read_current_user,
    search_users,
    read_user,
    change_user,
    delete_user,
    change_administrator,
    change_password,
    change_cli_secret,
)
