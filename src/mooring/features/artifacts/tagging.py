"""Giving tags to artifacts and taking them away. What a push does with tags is in service.py."""

from typing import Any

from sqlalchemy import Connection, delete
from sqlalchemy.exc import IntegrityError

from mooring.core.actor import Actor
from mooring.core.clock import now
from mooring.core.errors import BadRequest, Conflict, NotFound
from mooring.core.events import TagCreated, TagDeleted
from mooring.core.reference import is_tag
from mooring.db.events import emit
from mooring.db.turns import take_turns
from mooring.features.artifacts import queries, statements
from mooring.features.artifacts.queries import Found
from mooring.features.artifacts.service import turns
from mooring.features.artifacts.tables import tag
from mooring.features.immutability import service as immutability
from mooring.features.repositories import service as repositories


def create_tag(connection: Connection, actor: Actor, repository: str, found: Found, name: str) -> None:
    """Tag an artifact with a name that the repository does not use yet. Raises BadRequest, Conflict."""
    if not is_tag(name):
        raise BadRequest(f"bad request: invalid tag name: {name}")
    _take_turn(connection, found)
    moment = now()
    values = {"repository_id": found.repository_id, "artifact_id": found.id, "name": name, "push_time": moment}
    try:
        connection.execute(tag.insert().values(**values, pull_time=0))
    except IntegrityError:
        raise Conflict(f"tag {name} already exists under the repository {found.repository_id}") from None
    statements.RELIST.run(connection, of=found.id)
    repositories.touch(connection, {found.repository_id: moment})
    emit(connection, TagCreated(**_what(repository, found), actor=actor, tag=name))


def untag(connection: Connection, actor: Actor, repository: str, found: Found, name: str) -> None:
    """Take a tag from an artifact, which stays. Raises NotFound when it is not this artifact's, Precondition when it is
    immutable.
    """
    _take_turn(connection, found)
    statement = delete(tag).where(tag.c.artifact_id == found.id, tag.c.name == name)
    if not connection.execute(statement).rowcount:
        raise NotFound(f"tag {name} attached to artifact {found.id} not found")
    immutability.check(connection, found.project_id, repository, [name], "deleted")
    statements.RELIST.run(connection, of=found.id)
    repositories.touch(connection, {found.repository_id: now()})
    emit(connection, TagDeleted(**_what(repository, found), actor=actor, tag=name))


def delete_tag(connection: Connection, actor: Actor, repository: str, repository_id: int, name: str) -> bool:
    """Take a tag away, whatever artifact it names, which stays. False when there is none."""
    found = queries.find(connection, repository_id, name)
    if found is None:
        return False
    untag(connection, actor, repository, found, name)
    return True


def _take_turn(connection: Connection, found: Found) -> None:
    """Let nothing else happen to the artifact until this transaction ends. Raises NotFound when it has just gone."""
    repositories.share(connection, found.repository_id)
    take_turns(connection, turns(found.repository_id, found.digest))
    row = statements.FIND_ARTIFACT.one(connection, repository=found.repository_id, digest=found.digest)
    if row is None or row[0] != found.id:
        raise NotFound(f"artifact {found.digest} not found")


def _what(repository: str, found: Found) -> dict[str, Any]:
    project = repository.partition("/")[0]
    return {"project_id": found.project_id, "project": project, "repository": repository, "digest": found.digest}
