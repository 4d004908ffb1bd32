"""Acts that came to nothing. Their transactions have left no trace, so that they are recorded by themselves when the
answer is known: those that Harbor records.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog
from msgspec import structs
from sqlalchemy import Connection

from mooring.core.actor import Actor
from mooring.core.errors import MooringError
from mooring.db.engine import Database
from mooring.features.audit import entries
from mooring.features.audit.records import Entry
from mooring.features.audit.service import Log
from mooring.features.projects import membership
from mooring.features.projects import queries as projects
from mooring.features.projects.queries import Project
from mooring.features.projects.tables import GROUP
from mooring.features.users import queries as users
from mooring.http.api import PREFIX
from mooring.http.exchange import ASGIApp, Message, Receive, Scope, Send

Identify = Callable[[Scope], Awaitable[Actor]]

_OPERATIONS: Final = {"POST": "create", "PUT": "update", "DELETE": "delete"}
_CHANGES: Final = {"password": "password", "sysadmin": "sysadmin flag"}


class Failures:
    """The control API, watched for refusals. Who is nobody did nothing: an answer of 401 is no act."""

    def __init__(self, app: ASGIApp, db: Database, log: Log, identify: Identify) -> None:
        self._app = app
        self._db = db
        self._log = log
        self._identify = identify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400 and message["status"] != 401:
                await self._failed(scope)
            await send(message)

        is_act = scope["type"] == "http" and scope["method"] in _OPERATIONS
        await self._app(scope, receive, watched if is_act else send)

    async def _failed(self, scope: Scope) -> None:
        """The answer goes out whatever becomes of this."""
        parts = [part for part in scope["path"].removeprefix(PREFIX).split("/") if part]
        try:
            actor = await self._identify(scope)
            await self._db.write(self._record, actor, _OPERATIONS[scope["method"]], parts)
        except MooringError as error:
            structlog.get_logger().error("a failed act could not be recorded", reason=str(error))

    def _record(self, connection: Connection, actor: Actor, operation: str, parts: Sequence[str]) -> None:
        entry = _entry(connection, operation, parts)
        if entry is not None:
            self._log.write(connection, actor, structs.replace(entry, succeeded=False))


def _entry(connection: Connection, operation: str, parts: Sequence[str]) -> Entry | None:
    """What the act would have been; None for one that is not recorded."""
    match operation, parts:
        case "create", ["users"]:
            return entries.user(operation, "")
        case "update" | "delete", ["users", number] if _is_id(number):
            return entries.user(operation, _username(connection, number))
        case "update", ["users", number, ("password" | "sysadmin") as what] if _is_id(number):
            return entries.user(operation, _username(connection, number), _CHANGES[what])
        case "update", ["configurations"]:
            return entries.configuration()
        case "create", ["projects", key, "members"]:
            return _member(connection, operation, key)
        case "update" | "delete", ["projects", key, "members", number] if _is_id(number):
            return _member(connection, operation, key, number)
        case ("update", ["projects", key]) | ("create", ["projects", key, "metadatas"]):
            return _project(connection, key)
        case "update" | "delete", ["projects", key, "metadatas", _]:
            return _project(connection, key)
    return None


def _is_id(text: str) -> bool:
    """Whether the text may be an id; a number that no database holds is none."""
    return text.isdecimal() and len(text) < 19


def _username(connection: Connection, number: str) -> str:
    """The name of a user, or the number where nobody has it."""
    found = users.profile(connection, int(number))
    return found.username if found else number


def _project(connection: Connection, key: str) -> Entry | None:
    found = _find(connection, key)
    return entries.project("update", found.name, found.id) if found else None


def _member(connection: Connection, operation: str, key: str, number: str = "") -> Entry:
    project = _find(connection, key)
    project_id, name = (project.id, project.name) if project else (0, key)
    member = membership.find(connection, project_id, int(number)) if number and operation == "delete" else None
    if member is not None:
        is_group = member.entity_type == GROUP
        return entries.member(operation, member.name, name, project_id, is_group=is_group)
    whom = f"member {number}" if number else "member"
    return entries.unknown_member(operation, whom, number, name, project_id)


def _find(connection: Connection, key: str) -> Project | None:
    """As Harbor looks for it: by the id that the key may be, or else by name."""
    found = projects.by_id(connection, int(key)) if _is_id(key) else None
    return found or projects.find(connection, key)
