"""Who calls the control API, and whether a route lets them in."""

from typing import Any, Final

from litestar import Request
from msgspec import structs

from mooring.core.access import Role, allowed, refusal
from mooring.core.actor import ANONYMOUS, Actor
from mooring.core.errors import Denied, Unauthorized
from mooring.db.engine import Database
from mooring.features.configuration.queries import Current
from mooring.features.projects import queries as projects
from mooring.features.projects.queries import Project
from mooring.features.projects.service import missing
from mooring.features.signin.service import SignIn, parse_basic
from mooring.http.access import READ_ONLY, SAFE, Access, Realm
from mooring.http.cookies import SESSION, cookies
from mooring.http.exchange import Origin, Scope
from mooring.http.exchange import Request as Exchange
from mooring.http.parameters import is_true

_NO_PROJECT: Final = 0


class Gate:
    """Lets requests in. http/api.py calls it before every handler; `actor` and `project` hand on what it found out."""

    def __init__(self, db: Database, configuration: Current, signin: SignIn, origin: Origin) -> None:
        self._db = db
        self._configuration = configuration
        self._signin = signin
        self._origin = origin

    async def __call__(self, request: Request[Any, Any, Any]) -> None:
        """Raises Denied in read-only mode, Unauthorized, Forbidden, NotFound.

        The option `while_read_only` marks the routes that write nothing of what is kept, or end the mode.
        """
        access: Access = request.route_handler.opt["access"]
        caller = await self._caller(request)
        request.scope["actor"] = caller  # type: ignore[typeddict-unknown-key]
        is_held = request.method not in SAFE and not request.route_handler.opt.get("while_read_only")
        if is_held and await self._configuration.is_read_only():
            raise Denied(READ_ONLY)
        if caller.scope and caller.scope.is_read_only and request.method not in SAFE:
            raise refusal(caller)
        if caller.is_anonymous and (access.signed_in or access.realm is Realm.SIGNED_IN):
            raise Unauthorized
        match access.realm:
            case Realm.SYSTEM if not allowed(caller, access.resource, access.action, project=None):
                raise refusal(caller)
            case Realm.PROJECT:
                project = await self._project(request, caller, access)
                request.scope["project"] = project  # type: ignore[typeddict-unknown-key]

    async def identify(self, scope: Scope) -> Actor:
        """Who sent a request, even one that was refused before it came here."""
        known: Actor | None = scope.get("actor")
        return known or await self._caller(Request(scope))  # type: ignore[arg-type]

    async def _caller(self, request: Request[Any, Any, Any]) -> Actor:
        """Wrong credentials make nobody, not an error: what is public stays readable, and a session goes on."""
        credentials = parse_basic(request.headers.get("authorization", ""))
        caller = await self._signin.basic(*credentials) if credentials else None
        cookie = cookies(request.scope).get(SESSION)
        if caller is None and cookie:
            caller = await self._signin.session(cookie, renew=not request.headers.get("x-harbor-no-session-renewal"))
        address = self._origin.client(Exchange(request.scope, request.receive))
        return structs.replace(caller or ANONYMOUS, address=address)

    async def _project(self, request: Request[Any, Any, Any], caller: Actor, access: Access) -> Project:
        """The project in the path, if it exists as far as the caller is concerned."""
        key: str = request.path_params[access.parameter]
        by_name = access.by_name or is_true(request.headers.get("x-is-resource-name", ""))
        project = await projects.read(self._db.reader, key, by_name=by_name)
        roles: frozenset[Role] = frozenset()
        if project and caller.kind == "user":
            roles = await projects.read_roles(self._db.reader, caller.id, project.id)
        number, is_public = (project.id, project.is_public) if project else (_NO_PROJECT, False)
        if not allowed(caller, access.resource, access.action, project=number, roles=roles, is_public=is_public):
            raise refusal(caller, "forbidden")
        if project is None:
            raise missing(key)
        return project


def actor(request: Request[Any, Any, Any]) -> Actor:
    """Who calls."""
    caller: Actor = request.scope["actor"]  # type: ignore[typeddict-item]
    return caller


def project(request: Request[Any, Any, Any]) -> Project:
    """The project that the path names, on a route whose access is `project` or `named_project`."""
    found: Project = request.scope["project"]  # type: ignore[typeddict-item]
    return found
