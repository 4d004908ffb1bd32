"""Making, changing and deleting projects."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, delete, exists, select, update
from sqlalchemy.exc import IntegrityError

from mooring.core.access import Role, allowed, refusal
from mooring.core.actor import EVERY_PROJECT, Actor
from mooring.core.clock import now
from mooring.core.errors import BadRequest, Conflict, NotFound, Precondition, WireError
from mooring.core.events import ProjectChanged, ProjectCreated, ProjectDeleted
from mooring.core.reference import MAX_NAME, is_project
from mooring.db.events import emit
from mooring.features.projects.queries import CountRepositories, Project, may, metadata_of
from mooring.features.projects.tables import USER, member, project, project_metadata
from mooring.features.users import queries as users

PUBLIC: Final = "public"  # the metadata that lives in the project's own row
# Metadata that lets only some artifacts be pulled: those that carry a signature.
BY_NOTATION: Final = "enable_content_trust"
BY_COSIGN: Final = "enable_content_trust_cosign"
GATES: Final = (BY_COSIGN, BY_NOTATION)
NOT_EMPTY: Final = "the project contains repositories, can not be deleted"


def require(
    connection: Connection, actor: Actor, resource: str, action: str, home: Project | None, wanted: str = ""
) -> None:
    """Raise Unauthorized or Forbidden unless the actor may act on the resource of the project, of the system when it is
    None.

    `wanted` names a project that is not there: who may see all projects hears that with NotFound.
    """
    if home is not None:
        if not may(connection, actor, resource, action, home):
            raise refusal(actor, "forbidden")
    elif wanted:
        if not allowed(actor, resource, action, project=EVERY_PROJECT):
            raise refusal(actor, "forbidden")
        raise missing(wanted)
    elif not allowed(actor, resource, action, project=None):
        raise refusal(actor)


def missing(key: str) -> WireError:
    """What to raise when there is no project whose id or name the key is."""
    return BadRequest(f"invalid project name: '{key}'") if " " in key else NotFound(f"project {key} not found")


def check_name(name: str) -> None:
    """Raise BadRequest for what cannot be a project's name."""
    if not 1 <= len(name) <= MAX_NAME:
        raise BadRequest(f"Project name {name} is illegal in length. (greater than 255 or less than 1)")
    if not is_project(name):
        raise BadRequest("project name is not in lower case or contains illegal characters")


def create(connection: Connection, actor: Actor, name: str, metadata: Mapping[str, str]) -> int:
    """Make a project that the actor owns and administers; its id. What a robot makes is the first administrator's.

    Raises Conflict when the name is taken.
    """
    owner = actor.id if actor.kind == "user" else users.first_administrator(connection)
    moment = now()
    times = {"creation_time": moment, "update_time": moment}
    statement = project.insert().values(name=name, owner_id=owner, is_public=_is_public(metadata), **times)
    try:
        project_id: int = connection.execute(statement.returning(project.c.id)).scalar_one()
    except IntegrityError:
        raise Conflict(f"The project named {name} already exists") from None
    _keep(connection, project_id, metadata)
    connection.execute(
        member.insert().values(
            project_id=project_id, entity_type=USER, entity_id=owner, role=int(Role.PROJECT_ADMIN), **times
        )
    )
    emit(connection, ProjectCreated(actor=actor, project_id=project_id, project=name))
    return project_id


def change(connection: Connection, actor: Actor, found: Project, metadata: Mapping[str, str]) -> None:
    """Set the metadata that is given and keep the rest."""
    values = {"is_public": _is_public(metadata)} if PUBLIC in metadata else {}
    connection.execute(update(project).where(project.c.id == found.id).values(update_time=now(), **values))
    _keep(connection, found.id, metadata)
    emit(connection, ProjectChanged(actor=actor, project_id=found.id, project=found.name))


def add_metadata(connection: Connection, actor: Actor, found: Project, name: str, value: str) -> None:
    """Set what was not set before. Raises Conflict."""
    if name in metadata_of(connection, [found])[found.id]:
        raise Conflict(f"metadata {name} already exists for project {found.id}")
    change(connection, actor, found, {name: value})


def remove_metadata(connection: Connection, actor: Actor, found: Project, name: str) -> None:
    """Forget what is set, so that the default holds; what is not set is no error."""
    own = (project_metadata.c.project_id == found.id) & (project_metadata.c.name == name)
    connection.execute(delete(project_metadata).where(own))
    change(connection, actor, found, {PUBLIC: "false"} if name == PUBLIC else {})


def is_deletable(connection: Connection, project_id: int, count: CountRepositories) -> bool:
    """Whether it holds no repository."""
    return not count(connection, [project_id]).get(project_id)


def delete_project(connection: Connection, actor: Actor, found: Project, count: CountRepositories) -> None:
    """Delete a project, whose name is free again. Raises Precondition while it holds repositories."""
    # Pushes that make a repository hold this row: none comes between the count and the end.
    connection.execute(select(project.c.id).where(project.c.id == found.id).with_for_update())
    if not is_deletable(connection, found.id, count):
        raise Precondition(f"precondition failed: {NOT_EMPTY}")
    deleted = {"name": f"{found.name}#{found.id}", "is_deleted": True, "update_time": now()}
    gone = connection.execute(update(project).where(project.c.id == found.id, ~project.c.is_deleted).values(deleted))
    if not gone.rowcount:
        raise NotFound(f"project {found.name} not found")
    connection.execute(delete(member).where(member.c.project_id == found.id))
    emit(connection, ProjectDeleted(actor=actor, project_id=found.id, project=found.name))


def _is_public(metadata: Mapping[str, str]) -> bool:
    return metadata.get(PUBLIC) == "true"


def _keep(connection: Connection, project_id: int, metadata: Mapping[str, str]) -> None:
    """Set these values; `public` is kept in the project's own row, and so is whether any of them is a gate."""
    rows = [
        {"project_id": project_id, "name": name, "value": value} for name, value in metadata.items() if name != PUBLIC
    ]
    if rows:
        own = project_metadata.c.project_id == project_id
        names = [row["name"] for row in rows]
        connection.execute(delete(project_metadata).where(own, project_metadata.c.name.in_(names)))
        connection.execute(project_metadata.insert(), rows)
    gates = exists().where(
        project_metadata.c.project_id == project_id,
        project_metadata.c.name.in_(GATES),
        project_metadata.c.value == "true",
    )
    connection.execute(update(project).where(project.c.id == project_id).values(is_gated=gates))
