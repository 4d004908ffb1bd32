"""Personal tokens: /users/current/tokens, and for administrators /users/{user_id}/tokens."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy import Connection

from mooring.core.actor import Actor
from mooring.core.clock import rfc3339
from mooring.core.errors import Forbidden, Precondition
from mooring.core.page import Listing
from mooring.db.engine import Database
from mooring.features.robots.service import Wish
from mooring.features.signin import tokens
from mooring.features.signin.tokens import PersonalToken
from mooring.features.signin.wire import (
    PersonalTokenCreated,
    PersonalTokenReq,
    PersonalTokenResp,
    TokenPermission,
    expiry,
)
from mooring.features.users import service as users
from mooring.http.access import SIGNED_IN, system
from mooring.http.links import created, listed


@get("/users/current/tokens", access=SIGNED_IN, refuses=(403, 412))
async def list_own_tokens(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    listing: NamedDependency[Listing],
) -> Response[Sequence[PersonalTokenResp]]:
    """Expired ones too. Their texts are shown nowhere."""
    return await _listed(request, db, _owner(actor), listing)


@post("/users/current/tokens", access=SIGNED_IN, body="token", refuses=(409, 412))
async def create_token(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    data: JSONBody[PersonalTokenReq],
) -> Response[PersonalTokenCreated]:
    """The token's text comes this once. It is sent in the place of the password."""
    _owner(actor)
    wishes = [_wish(permission) for permission in data.permissions]

    def work(connection: Connection) -> tuple[PersonalToken, str]:
        permissions = tokens.permissions(connection, actor, wishes)
        return tokens.create(
            connection,
            actor,
            name=data.name,
            days=data.duration,
            is_read_only=data.read_only,
            permissions=permissions,
        )

    made, text = await db.write(work)
    body = PersonalTokenCreated(
        id=made.id,
        name=made.name,
        token=text,
        creation_time=rfc3339(made.creation_time),
        expires_at=expiry(made),
    )
    return created(request, made.id, body)


@get("/users/current/tokens/{token_id:str}", access=SIGNED_IN, refuses=(403, 412))
async def read_own_token(
    actor: NamedDependency[Actor], db: NamedDependency[Database], token_id: FromPath[int]
) -> PersonalTokenResp:
    return await db.read(_shown, _owner(actor), token_id)


@delete("/users/current/tokens/{token_id:str}", access=SIGNED_IN, refuses=(412,), status_code=200)
async def revoke_own_token(
    actor: NamedDependency[Actor], db: NamedDependency[Database], token_id: FromPath[int]
) -> None:
    """The bearer tokens that were made from it end as well, at once."""
    await db.write(tokens.revoke, actor, _owner(actor), token_id)


@get("/users/{user_id:str}/tokens", access=system("user", "read"))
async def list_tokens(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    listing: NamedDependency[Listing],
    user_id: FromPath[int],
) -> Response[Sequence[PersonalTokenResp]]:
    await db.read(users.read, user_id)
    return await _listed(request, db, user_id, listing)


@delete("/users/{user_id:str}/tokens/{token_id:str}", access=system("user", "update"), status_code=200)
async def revoke_token(
    actor: NamedDependency[Actor], db: NamedDependency[Database], user_id: FromPath[int], token_id: FromPath[int]
) -> None:
    """The bearer tokens that were made from it end as well, at once."""
    await db.write(tokens.revoke, actor, user_id, token_id)


def _owner(actor: Actor) -> int:
    """Whose tokens the caller sees to. Raises Precondition, Forbidden."""
    if actor.kind != "user":
        raise Precondition(f"personal tokens are people's; a {actor.kind} has none")
    if actor.scope is not None:
        raise Forbidden("a personal token does not see to personal tokens; use the password, or a browser's session")
    return actor.id


async def _listed(
    request: Request[Any, Any, Any], db: Database, user_id: int, listing: Listing
) -> Response[Sequence[PersonalTokenResp]]:
    def work(connection: Connection) -> tuple[list[PersonalTokenResp], int]:
        found, total = tokens.page(connection, user_id, listing)
        namespaces = tokens.namespaces(connection, found)
        return [PersonalTokenResp.of(token, namespaces) for token in found], total

    shown, total = await db.read(work)
    return listed(request, shown, total, listing)


def _shown(connection: Connection, user_id: int, token_id: int) -> PersonalTokenResp:
    found = tokens.read(connection, user_id, token_id)
    return PersonalTokenResp.of(found, tokens.namespaces(connection, [found]))


def _wish(permission: TokenPermission) -> Wish:
    access = [(each.resource, each.action, "") for each in permission.access]
    return Wish(permission.kind, permission.namespace, access)


HANDLERS: Final = (
    list_own_tokens,
    create_token,
    read_own_token,
    revoke_own_token,
    list_tokens,
    revoke_token,
)
