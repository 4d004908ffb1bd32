"""What is recorded of each event."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from msgspec import structs
from sqlalchemy import Connection

from mooring.core import events
from mooring.core.events import Event
from mooring.db.events import Listeners
from mooring.features.audit import entries
from mooring.features.audit.records import Entry
from mooring.features.audit.service import Log


def listeners(log: Log) -> Listeners:
    """What follows each event that is recorded. Pulls are not among them: they come many at a time, each a record."""
    recorded: dict[type[Event], tuple[Callable[..., None]]] = {
        kind: (partial(_record, log, describe),) for kind, describe in _ENTRIES.items()
    }
    return recorded | {events.SignedIn: (partial(_signed_in, log),), events.SignedOut: (partial(_signed_out, log),)}


def _record(log: Log, describe: Callable[[Any], Entry], connection: Connection, event: Event) -> None:
    log.write(connection, event.actor, describe(event))


def _signed_in(log: Log, connection: Connection, event: events.SignedIn) -> None:
    """Who signs in is nobody yet: the record is of the name they gave."""
    person = structs.replace(event.actor, kind="user", id=event.user_id, name=event.username)
    log.write(connection, person, entries.session("login", event.username, succeeded=event.succeeded))


def _signed_out(log: Log, connection: Connection, event: events.SignedOut) -> None:
    log.write(connection, event.actor, entries.session("logout", event.username))


def _project(operation: str, event: events.ProjectEvent) -> Entry:
    return entries.project(operation, event.project, event.project_id)


def _member(operation: str, event: events.MemberEvent) -> Entry:
    return entries.member(operation, event.name, event.project, event.project_id, is_group=event.is_group)


def _user(operation: str, event: events.UserEvent) -> Entry:
    return entries.user(operation, event.username)


def _user_changed(event: events.UserChanged) -> Entry:
    return entries.user("update", event.username, event.what)


def _personal_token(operation: str, event: events.PersonalTokenEvent) -> Entry:
    return entries.personal_token(operation, event.name, event.username)


def _robot(operation: str, event: events.RobotEvent) -> Entry:
    return entries.robot(operation, event.name, event.project_id)


def _configuration(_event: events.ConfigurationChanged) -> Entry:
    return entries.configuration()


def _repository(event: events.RepositoryDeleted) -> Entry:
    return entries.repository("delete", event.repository, event.project_id)


def _pushed(event: events.ArtifactPushed) -> Entry:
    return entries.pushed(event.repository, event.digest, event.tags[0] if event.tags else "", event.project_id)


def _deleted(event: events.ArtifactDeleted) -> Entry:
    return entries.deleted(event.repository, event.digest, event.project_id)


def _tag(operation: str, event: events.TagEvent) -> Entry:
    return entries.tag(operation, event.repository, event.tag, event.project_id)


_ENTRIES: Final[Mapping[type[Event], Callable[[Any], Entry]]] = {
    events.ProjectCreated: partial(_project, "create"),
    events.ProjectChanged: partial(_project, "update"),
    events.ProjectDeleted: partial(_project, "delete"),
    events.MemberCreated: partial(_member, "create"),
    events.MemberChanged: partial(_member, "update"),
    events.MemberDeleted: partial(_member, "delete"),
    events.UserCreated: partial(_user, "create"),
    events.UserChanged: _user_changed,
    events.UserDeleted: partial(_user, "delete"),
    events.PersonalTokenCreated: partial(_personal_token, "create"),
    events.PersonalTokenDeleted: partial(_personal_token, "delete"),
    events.RobotCreated: partial(_robot, "create"),
    events.RobotDeleted: partial(_robot, "delete"),
    events.ConfigurationChanged: _configuration,
    events.RepositoryDeleted: _repository,
    events.ArtifactPushed: _pushed,
    events.ArtifactDeleted: _deleted,
    events.TagCreated: partial(_tag, "create"),
    events.TagDeleted: partial(_tag, "delete"),
}
