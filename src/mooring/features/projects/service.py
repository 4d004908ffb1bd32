"""Making, changing and deleting projects, and who is in them."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import IntegrityError

from mooring.core.access import Role, allowed, refusal
from mooring.core.actor import EVERY_PROJECT, Actor
from mooring.core.clock import now
from mooring.core.errors import BadRequest, Conflict, NotFound, Precondition
from mooring.core.events import ProjectDeleted
from mooring.core.reference import MAX_NAME, is_project
from mooring.db.events import emit
from mooring.features.projects.queries import CountRepositories, Project, find_member, may
from mooring.features.projects.tables import member, project, project_metadata
from mooring.features.users import queries as users

MAX_STORAGE: Final = 1024**5  # bytes that a quota may allow
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
        raise NotFound(f"project {wanted} not found")
    elif not allowed(actor, resource, action, project=None):
        raise refusal(actor)


def check_name(name: str) -> None:
    """Raise BadRequest for what cannot be a project's name."""
    if not 1 <= len(name) <= MAX_NAME:
        raise BadRequest(f"Project name {name} is illegal in length. (greater than 255 or less than 1)")
    if not is_project(name):
        raise BadRequest("project name is not in lower case or contains illegal characters")


def check_storage_limit(limit: int) -> None:
    """Raise BadRequest for what cannot be a quota in bytes; -1 is none."""
    if limit != -1 and limit <= 0:
        raise BadRequest(f"bad request: invalid non-positive value for quota limit, value={limit}")
    if limit > MAX_STORAGE:
        raise BadRequest(f"bad request: exceeded 1024TB, which is {MAX_STORAGE} Bytes, value={limit}")


def create(
    connection: Connection, actor: Actor, name: str, *, is_public: bool, metadata: Mapping[str, str] | None = None
) -> int:
    """Make a project that the actor owns and administers; its id. What a robot makes is the first administrator's.

    Raises Conflict when the name is taken.
    """
    owner = actor.id if actor.kind == "user" else users.first_administrator(connection)
    moment = now()
    times = {"creation_time": moment, "update_time": moment}
    statement = project.insert().values(name=name, owner_id=owner, is_public=is_public, **times)
    try:
        project_id: int = connection.execute(statement.returning(project.c.id)).scalar_one()
    except IntegrityError:
        raise Conflict(f"The project named {name} already exists") from None
    change_metadata(connection, project_id, metadata or {})
    connection.execute(
        member.insert().values(
            project_id=project_id, entity_type="u", entity_id=owner, role=int(Role.PROJECT_ADMIN), **times
        )
    )
    return project_id


def change(connection: Connection, project_id: int, *, is_public: bool | None, metadata: Mapping[str, str]) -> None:
    """Set what is given and keep the rest."""
    values = {} if is_public is None else {"is_public": is_public}
    connection.execute(update(project).where(project.c.id == project_id).values(update_time=now(), **values))
    change_metadata(connection, project_id, metadata)


def change_metadata(connection: Connection, project_id: int, metadata: Mapping[str, str]) -> None:
    """Set these values and keep the others."""
    if not metadata:
        return
    rows = [{"project_id": project_id, "name": name, "value": value} for name, value in metadata.items()]
    connection.execute(
        delete(project_metadata).where(
            project_metadata.c.project_id == project_id, project_metadata.c.name.in_(list(metadata))
        )
    )
    connection.execute(project_metadata.insert(), rows)


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


def add_member(connection: Connection, project_id: int, role: int, *, user_id: int = 0, username: str = "") -> int:
    """Take a user in; the member's id. Raises BadRequest, NotFound, Conflict."""
    found = users.profile(connection, user_id) if user_id else users.find(connection, username)
    if found is None:
        if user_id:
            raise BadRequest(f"Failed to get user {user_id}: user {user_id} not found")
        raise NotFound(f"user {username} is not found")
    taken = Conflict("The project member specified already exist")
    same = select(member.c.id).where(
        member.c.project_id == project_id, member.c.entity_type == "u", member.c.entity_id == found.id
    )
    if connection.execute(same).first():
        raise taken
    values = {"project_id": project_id, "entity_type": "u", "entity_id": found.id, "role": _role(role)}
    moment = now()
    statement = member.insert().values(**values, creation_time=moment, update_time=moment)
    try:
        member_id: int = connection.execute(statement.returning(member.c.id)).scalar_one()
    except IntegrityError:
        raise taken from None
    return member_id


def change_role(connection: Connection, project_id: int, member_id: int, role: int) -> None:
    """Give a member another role. Raises BadRequest, NotFound."""
    require_member(connection, project_id, member_id)
    connection.execute(update(member).where(member.c.id == member_id).values(role=_role(role), update_time=now()))


def remove_member(connection: Connection, project_id: int, member_id: int) -> None:
    """Remove a member; one that is not there any more is no error, as in Harbor."""
    connection.execute(delete(member).where(member.c.id == member_id, member.c.project_id == project_id))


def require_member(connection: Connection, project_id: int, member_id: int) -> None:
    """Raise NotFound unless the project has this member."""
    if find_member(connection, project_id, member_id) is None:
        raise unknown_member(project_id, member_id)


def unknown_member(project_id: int, member_id: int) -> NotFound:
    return NotFound(f"the project member is not found, project id {project_id}, member id {member_id}")


def _role(number: int) -> int:
    if number not in list(Role):
        raise BadRequest("Failed to update project member, role is not in 1,2,3")
    return number
