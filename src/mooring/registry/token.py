"""GET /service/token (Docker token specification), as Harbor answers it."""

import time
from datetime import UTC, datetime
from typing import Final

import msgspec

from mooring.core.access import Role, allowed, repository_actions
from mooring.core.actor import ANONYMOUS, Actor
from mooring.features.projects.queries import BY_NAME, read_roles
from mooring.features.signin.service import parse_basic
from mooring.http.exchange import JSON, Headers, Request, Response
from mooring.registry.bearer import SERVICE, Access
from mooring.registry.context import Registry

_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")


async def token(registry: Registry, request: Request) -> Response:
    """A token with all that the account may do on each project that a scope names; the actions that were asked for do
    not limit it.

    Wrong credentials with a scope give an anonymous token, since a public pull may still work; without one they are
    401, which is how `docker login` learns that the password is wrong. Only GET: clients that POST fall back to it on
    405.
    """
    if request.method != "GET":
        return Response(405, [_TEXT], b"Method Not Allowed\n")
    query = request.query()
    service = next((value for name, value in query if name == "service"), "")
    if service != SERVICE:
        return Response(400, [_TEXT], f"Unable to handle service: {service}".encode())
    scopes = [scope for name, value in query if name == "scope" for scope in value.split(" ")]
    pair = parse_basic(request.header(b"authorization"))
    actor = (await registry.signin.basic(*pair) if pair else None) or ANONYMOUS
    if actor.is_anonymous and not scopes:
        return Response(401)
    issued = int(time.time())
    lifetime = (await registry.configuration.read()).token_expiration * 60
    access = [await _grant(registry, actor, scope) for scope in scopes if scope]
    body = {
        "token": registry.tokens.sign(actor, access, issued, lifetime),
        "access_token": "",
        "expires_in": lifetime,
        "issued_at": datetime.fromtimestamp(issued, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    headers: Headers = [JSON, (b"cache-control", b"no-store")]
    return Response(200, headers, msgspec.json.encode(body))


async def _grant(registry: Registry, actor: Actor, scope: str) -> Access:
    kind, name, asked = _parse(scope)
    if kind == "registry" and name == "catalog" and actor.is_admin and allowed(actor, name, "read", project=None):
        return Access(kind, name, asked)
    project_name, slash, _ = name.partition("/")
    if kind != "repository" or not slash:
        return Access(kind, name, [])
    row = await registry.db.reader.one(BY_NAME, name=project_name)
    if row is None:
        return Access(kind, name, [])
    project_id, is_public = row[0], bool(row[3])
    roles: frozenset[Role] = frozenset()
    if actor.kind == "user":
        roles = await read_roles(registry.db.reader, actor.id, project_id)
    return Access(kind, name, list(repository_actions(actor, project_id, roles, is_public)))


def _parse(scope: str) -> tuple[str, str, list[str]]:
    """Type, name and actions: `repository:p/a:pull,push`; the name may hold colons."""
    parts = scope.split(":")
    if len(parts) < 3:
        return parts[0], parts[1] if len(parts) == 2 else "", []
    return parts[0], ":".join(parts[1:-1]), parts[-1].split(",")
