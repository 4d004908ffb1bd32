"""Signing in and out with a browser: /c. The answers have Harbor's statuses, and mostly no body."""

from typing import Any, Final
from urllib.parse import parse_qsl

from litestar import MediaType, Request, Response, get, post
from litestar.di import NamedDependency
from msgspec import structs

from mooring.core.access import allowed
from mooring.core.actor import ANONYMOUS, Actor
from mooring.core.errors import BadRequest
from mooring.db.engine import Database
from mooring.features.configuration.queries import Current
from mooring.features.signin import sessions
from mooring.features.signin.service import SignIn
from mooring.features.users import queries as users
from mooring.http.access import ANYBODY
from mooring.http.cookies import SESSION, cookies, setting
from mooring.http.exchange import Origin
from mooring.http.exchange import Request as Exchange
from mooring.http.links import Answer

_TARGETS: Final = ("username", "email")
_LONGEST: Final = 255  # characters of a name or an address


@post(
    "/c/login", access=ANYBODY, consumes="", produces="", while_read_only=True, status_code=200, include_in_schema=False
)
async def sign_in(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    configuration: NamedDependency[Current],
    signin: NamedDependency[SignIn],
    origin: NamedDependency[Origin],
) -> Response[None]:
    """A form with `principal`, which is a user name or a mail address, and `password`. The session's cookie is new."""
    form = await _form(request)
    principal = form.get("principal", "")
    if "\0" in principal:
        return Answer(None, status_code=401)
    account = await signin.password(principal, form.get("password", ""))
    if account is None:
        named = principal[:_LONGEST] or "unknown"  # the log keeps no megabytes for anybody
        await db.write(sessions.refuse, structs.replace(ANONYMOUS, address=actor.address), named)
        return Answer(None, status_code=401)
    lifetime = (await configuration.read()).session_timeout * 60
    previous = cookies(request.scope).get(SESSION, "")
    cookie = await db.write(sessions.start, structs.replace(account, address=actor.address), previous, lifetime)
    return _with_cookie(request, origin, cookie)


@get("/c/log_out", access=ANYBODY, produces="", include_in_schema=False)
async def sign_out(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    origin: NamedDependency[Origin],
) -> Response[None]:
    """Also where there is no session any more."""
    cookie = cookies(request.scope).get(SESSION, "")
    found = await sessions.find(db.reader, cookie)
    if found is not None:
        await db.write(sessions.end, structs.replace(found.actor, address=actor.address), cookie)
    return _with_cookie(request, origin, "", max_age=0)


@post(
    "/c/userExists",
    access=ANYBODY,
    consumes="",
    produces="",
    while_read_only=True,
    status_code=200,
    include_in_schema=False,
)
async def is_taken(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    configuration: NamedDependency[Current],
) -> Response[Any]:
    """Whether somebody has the name or the mail address that is about to be registered: a form with `target`, which is
    `username` or `email`, and `value`.
    """
    if not allowed(actor, "user", "list", project=None) and not (await configuration.read()).self_registration:
        text = "self registration deactivated, only sysadmin can check user existence"
        return Response(text, status_code=412, media_type=MediaType.TEXT)
    form = await _form(request)
    if form.get("target") not in _TARGETS:
        raise BadRequest(f"the target is one of {' and '.join(_TARGETS)}")
    return Response(await users.by_login(db.reader, form.get("value", "").casefold()) is not None)


async def _form(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The form's fields; those that it lacks may stand in the query."""
    query = parse_qsl(request.scope["query_string"].decode("latin-1"))
    return dict(query) | dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))


def _with_cookie(
    request: Request[Any, Any, Any], origin: Origin, value: str, max_age: int | None = None
) -> Response[None]:
    exchange = Exchange(request.scope, request.receive)
    cookie = setting(SESSION, value, secure=origin.is_secure(exchange), max_age=max_age)
    return Answer(None, headers={"Set-Cookie": cookie})


HANDLERS: Final = (sign_in, sign_out, is_taken)
