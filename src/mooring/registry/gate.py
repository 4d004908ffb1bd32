"""Who may do what on /v2: one query for the project, the account and what the request is about; then rights; then the
challenge.

Default deny: a route names the action it needs, and nothing reaches a handler without passing here.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from msgspec import Struct, structs
from sqlalchemy import BigInteger, FromClause, bindparam, cast, null, or_, select
from sqlalchemy.sql.elements import ColumnElement

from mooring.core.access import Role, repository_actions
from mooring.core.actor import ANONYMOUS, Actor
from mooring.core.clock import SECOND, now
from mooring.core.errors import Unauthorized
from mooring.core.reference import is_project
from mooring.db.engine import Database
from mooring.db.prepared import Prepared, Row
from mooring.features.projects.queries import read_roles
from mooring.features.projects.tables import project
from mooring.features.robots.tables import robot
from mooring.features.signin.service import SignIn, parse_basic
from mooring.features.signin.tables import personal_token
from mooring.features.users.tables import user
from mooring.http.exchange import Origin, Request
from mooring.registry.bearer import LEEWAY, Token, Tokens

CHALLENGE: Final = "www-authenticate"
VERSION: Final = "docker-distribution-api-version"
# The right that each method needs; others are no requests to a registry.
ACTIONS: Final = {"GET": "pull", "HEAD": "pull", "POST": "push", "PATCH": "push", "PUT": "push", "DELETE": "delete"}
_SCOPES: Final = {"pull": "pull", "push": "pull,push", "delete": "delete"}


class Lookup:
    """A query that answers for the project, the account and the request's subject at once: one statement for each
    kind of account.
    """

    def __init__(
        self, *columns: ColumnElement[Any], joins: Callable[[FromClause], FromClause] = lambda base: base
    ) -> None:
        """`columns` come from tables that `joins` adds to the project's; outer joins, or a missing subject looks like
        a missing project.
        """
        self.width: Final = len(columns)
        self.statements: Final = {
            kind: Prepared(
                select(*columns, project.c.id, project.c.is_public, project.c.creation_time, alive)
                .select_from(joins(project))
                .where(project.c.name == bindparam("project"), ~project.c.is_deleted)
            )
            for kind, alive in _ALIVE.items()
        }


def _alive() -> dict[str, ColumnElement[int]]:
    """The version of the account if it may act, else NULL: a disabled or deleted one ends here, whatever its token
    says.
    """
    robots = select(robot.c.version).where(
        robot.c.id == bindparam("account"),
        ~robot.c.is_disabled,
        or_(robot.c.expires_at < 0, robot.c.expires_at > bindparam("second")),
    )
    users = select(user.c.version).where(user.c.id == bindparam("account"), ~user.c.is_deleted)
    tokens = users.join(personal_token, personal_token.c.user_id == user.c.id).where(
        personal_token.c.id == bindparam("token"),
        or_(personal_token.c.expires_at == 0, personal_token.c.expires_at > bindparam("moment")),
    )
    return {
        "user": users.scalar_subquery(),
        "token": tokens.scalar_subquery(),
        "robot": robots.scalar_subquery(),
        "anonymous": cast(null(), BigInteger),
    }


_ALIVE: Final = _alive()
PROJECT: Final = Lookup()


class Caller(Struct, frozen=True):
    """Who sent a request, and how they said so. `token` is None for Basic and for nobody; `sent` tells whether
    anything was said.
    """

    actor: Actor
    token: Token | None
    sent: bool

    @property
    def account(self) -> str:
        """The account as uploads remember it."""
        return f"{self.actor.kind}:{self.actor.id}"


class Passed(Struct, frozen=True):
    """A request that may go on. `subject` holds the columns that the route's lookup added."""

    caller: Caller
    project_id: int
    project: str
    repository: str
    subject: Row


class Gate:
    """Authenticates and authorises. One for each process."""

    def __init__(self, db: Database, signin: SignIn, tokens: Tokens, origin: Origin) -> None:
        self._db = db
        self._signin = signin
        self._tokens = tokens
        self._origin = origin

    async def caller(self, request: Request) -> Caller:
        """Who sends this; what cannot be believed is nobody, as in Harbor."""
        header = request.headers.get(b"authorization")
        actor, token = ANONYMOUS, None
        if header is not None:
            token = self._tokens.known(header)
            if token is None and header[:7].lower() == b"bearer ":
                token = await self._tokens.verify(header)
            if token is not None:
                actor = token.actor
            elif pair := parse_basic(header.decode("latin-1")):
                actor = await self._signin.basic(*pair) or actor
        actor = structs.replace(actor, address=self._origin.client(request))
        return Caller(actor, token, sent=header is not None)

    async def enter(self, request: Request, repository: str, action: str, lookup: Lookup, **subject: Any) -> Passed:
        """Let the request through or raise Unauthorized with the challenge that the client needs."""
        caller = await self.caller(request)
        if not caller.sent and action == "pull":
            raise self._challenge(
                request, caller, _NEEDS_HEADER, [(repository, action)]
            )  # also in a public project: clients then fetch the anonymous token they need later
        name = repository.partition("/")[0]
        row = await self._row(caller, name, lookup, repository=repository, **subject)
        if row is None:
            raise Unauthorized(_twice(f"project {name} not found"), headers={CHALLENGE: "", VERSION: "registry/2.0"})
        if not await self._may(caller, name, row[lookup.width :], action):
            message = _twice(f"unauthorized to access repository: {repository}, action: {action}")
            raise self._challenge(request, caller, message, [(repository, action), *_source(request)])
        return Passed(caller, row[lookup.width], name, repository, row[: lookup.width])

    async def enter_source(self, request: Request, caller: Caller, repository: str, target: str) -> int:
        """The project of a repository that a blob is to be mounted from, if the caller may pull there. Raises
        Unauthorized.
        """
        name = repository.partition("/")[0]
        row = await self._row(caller, name, PROJECT) if is_project(name) else None
        if row is None:
            raise Unauthorized(_twice(f"project {name} not found"), headers={CHALLENGE: "", VERSION: "registry/2.0"})
        if not await self._may(caller, name, row, "pull"):
            message = _twice(f"unauthorized to access repository: {repository}, action: pull")
            raise self._challenge(request, caller, message, [(target, "push"), (repository, "pull")])
        project_id: int = row[0]
        return project_id

    async def may_pull(self, caller: Caller, project_id: int) -> bool:
        """Whether the caller may pull from a project known by its id."""
        row = await self._db.reader.one(_NAME, id=project_id)
        if row is None:
            return False
        found = await self._row(caller, row[0], PROJECT)
        return found is not None and await self._may(caller, row[0], found, "pull")

    async def is_alive(self, caller: Caller) -> bool:
        """Whether the account behind a token may still act; Basic has just been verified."""
        if caller.token is None:
            return True
        found = await self._signin.account(caller.actor)
        return found is not None and _is_as_it_was(caller.actor, found.version)

    def refuse(self, request: Request, caller: Caller) -> Unauthorized:
        """The answer to somebody who is nobody, where no repository is meant."""
        return self._challenge(request, caller, _twice("unauthorized"), [])

    def _row(self, caller: Caller, name: str, lookup: Lookup, **subject: Any) -> Awaitable[Row | None]:
        actor = caller.actor
        kind: str = actor.kind
        if kind != "anonymous":
            subject["account"] = actor.id
        if kind == "robot":
            subject["second"] = now() // SECOND
        elif actor.scope is not None:
            kind = "token"
            subject |= {"token": actor.scope.token, "moment": now()}
        return self._db.reader.one(lookup.statements[kind], project=name, **subject)

    async def _may(self, caller: Caller, name: str, found: Row, action: str) -> bool:
        project_id, is_public, created, version = found
        actor = caller.actor
        if not actor.is_anonymous and not _is_as_it_was(actor, version):
            return False
        if caller.token is not None:
            # A token from before the project was made was meant for another project of this name.
            return action in caller.token.actions.get(name, ()) and caller.token.issued + LEEWAY >= created // SECOND
        roles: frozenset[Role] = frozenset()
        if actor.kind == "user" and not actor.is_admin:
            roles = await read_roles(self._db.reader, actor.id, project_id)
        return action in repository_actions(actor, project_id, roles, bool(is_public))

    def _challenge(self, request: Request, caller: Caller, message: str, needed: list[tuple[str, str]]) -> Unauthorized:
        """401 with the way to get in: a token for who has not tried, Basic for who has."""
        challenge = 'Basic realm="harbor"'
        if not caller.sent:
            challenge = f'Bearer realm="{self._origin.base(request)}/service/token",service="harbor-registry"'
            if needed:
                scopes = " ".join(f"repository:{name}:{_SCOPES[action]}" for name, action in needed)
                challenge += f',scope="{scopes}"'
        return Unauthorized(message, headers={CHALLENGE: challenge, VERSION: "registry/2.0"})


_NAME: Final = Prepared(select(project.c.name).where(project.c.id == bindparam("id"), ~project.c.is_deleted))


def _is_as_it_was(actor: Actor, version: int | None) -> bool:
    """Whether the account may still act, and has the secrets and permissions that it had. What was sent for a personal
    token ends with that alone.
    """
    return version is not None and (actor.scope is not None or version == actor.version)


def _twice(text: str) -> str:
    """Harbor's permission check attaches its message to itself; clients and tests look for the result."""
    return f"{text}: {text}"


_NEEDS_HEADER: Final = _twice("authorize header needed to send HEAD to repository")


def _source(request: Request) -> list[tuple[str, str]]:
    """The scope of the repository that a mount reads from."""
    if request.method != "POST" or b"mount=" not in request.scope["query_string"]:
        return []
    query = request.parameters()
    return [(query["from"], "pull")] if query.get("mount") and query.get("from") else []
