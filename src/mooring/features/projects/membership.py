"""Who is in a project: users and groups, each with a role."""

from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, Select, and_, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from mooring.core.access import Role
from mooring.core.actor import Actor
from mooring.core.clock import now
from mooring.core.errors import BadRequest, Conflict, NotFound
from mooring.core.events import MemberChanged, MemberCreated, MemberDeleted
from mooring.core.page import Listing
from mooring.db import query
from mooring.db.events import emit
from mooring.features.groups import queries as groups
from mooring.features.groups.tables import user_group
from mooring.features.projects.queries import Project
from mooring.features.projects.tables import GROUP, USER, member
from mooring.features.users import queries as users
from mooring.features.users.tables import user


class Entity(Struct, frozen=True):
    """A user or a group that can be a member. `kind` is USER or GROUP."""

    kind: str
    id: int
    name: str


class Member(Struct, frozen=True):
    id: int
    project_id: int
    entity_id: int
    entity_type: str
    role: int
    name: str


# None where the user or group is gone.
_shown_name: Final = func.coalesce(user.c.username, user_group.c.name)


def page(connection: Connection, project_id: int, listing: Listing, name: str = "") -> tuple[list[Member], int]:
    """One page of a project's members by name; `name` is the whole name of one. The number is that of all members, as
    in Harbor.
    """
    everybody = _members(project_id)
    if not name:
        rows, total = query.page(connection, everybody, listing, {}, _shown_name, member.c.id)
    else:
        rows, _ = query.page(connection, everybody.where(_shown_name == name), listing, {}, _shown_name, member.c.id)
        total = connection.execute(select(func.count()).select_from(everybody.subquery())).scalar_one()
    return [Member(*row) for row in rows], total


def find(connection: Connection, project_id: int, member_id: int) -> Member | None:
    row = connection.execute(_members(project_id).where(member.c.id == member_id)).one_or_none()
    return None if row is None else Member(*row)


def role_counts(connection: Connection, project_id: int) -> dict[Role, int]:
    """How many members hold each role."""
    listed = _members(project_id).subquery()
    statement = select(listed.c.role, func.count()).group_by(listed.c.role)
    return {Role(role): number for role, number in connection.execute(statement)}


def user_entity(connection: Connection, *, user_id: int = 0, username: str = "") -> Entity:
    """The user with the id, or else of the name in any case. Raises BadRequest, NotFound."""
    found = users.profile(connection, user_id) if user_id else users.find(connection, username)
    if found is not None:
        return Entity(USER, found.id, found.username)
    if user_id:
        raise BadRequest(f"Failed to get user {user_id}: user {user_id} not found")
    raise NotFound(f"user {username} is not found")


def group_entity(connection: Connection, *, group_id: int = 0, name: str = "", kind: int = 0, dn: str = "") -> Entity:
    """The group with the id, or else with the distinguished name, or else of the name and kind.

    Raises BadRequest, NotFound.
    """
    if group_id:
        found = groups.find(connection, group_id)
    else:
        found = groups.by_dn(connection, dn) if dn else groups.by_name(connection, name, kind)
    if found is not None:
        return Entity(GROUP, found.id, found.name)
    if group_id:
        raise BadRequest(f"Group {group_id} not found")
    raise NotFound(f"{dn or name} not found: not supported")


def add(connection: Connection, actor: Actor, home: Project, role: int, entity: Entity) -> int:
    """Take somebody in; the member's id. Raises BadRequest, Conflict."""
    taken = Conflict("The project member specified already exist")
    same = select(member.c.id).where(
        member.c.project_id == home.id, member.c.entity_type == entity.kind, member.c.entity_id == entity.id
    )
    if connection.execute(same).first():
        raise taken
    values = {"project_id": home.id, "entity_type": entity.kind, "entity_id": entity.id, "role": _role(role)}
    moment = now()
    statement = member.insert().values(**values, creation_time=moment, update_time=moment)
    try:
        member_id: int = connection.execute(statement.returning(member.c.id)).scalar_one()
    except IntegrityError:
        raise taken from None
    made = Member(member_id, home.id, entity.id, entity.kind, role, entity.name)
    emit(connection, MemberCreated(**_facts(actor, home, made)))
    return member_id


def change_role(connection: Connection, actor: Actor, home: Project, member_id: int, role: int) -> None:
    """Give a member another role. Raises BadRequest, NotFound."""
    found = read(connection, home.id, member_id)
    connection.execute(update(member).where(member.c.id == member_id).values(role=_role(role), update_time=now()))
    emit(connection, MemberChanged(**_facts(actor, home, found) | {"role": role}))


def remove(connection: Connection, actor: Actor, home: Project, member_id: int) -> None:
    """Remove a member; one that is not there any more is no error, as in Harbor."""
    found = find(connection, home.id, member_id)
    if found is not None:
        connection.execute(delete(member).where(member.c.id == member_id))
        emit(connection, MemberDeleted(**_facts(actor, home, found)))


def read(connection: Connection, project_id: int, member_id: int) -> Member:
    """Raises NotFound."""
    found = find(connection, project_id, member_id)
    if found is None:
        raise NotFound(f"the project member is not found, project id {project_id}, member id {member_id}")
    return found


def _members(project_id: int) -> Select[Any]:
    """The members that are still there."""
    return (
        select(
            member.c.id,
            member.c.project_id,
            member.c.entity_id,
            member.c.entity_type,
            member.c.role,
            _shown_name.label("name"),
        )
        .outerjoin(user, and_(member.c.entity_type == USER, user.c.id == member.c.entity_id, ~user.c.is_deleted))
        .outerjoin(user_group, and_(member.c.entity_type == GROUP, user_group.c.id == member.c.entity_id))
        .where(member.c.project_id == project_id, _shown_name.is_not(None))
    )


def _role(number: int) -> int:
    if number not in list(Role):
        raise BadRequest("Failed to update project member, role is not in 1,2,3")
    return number


def _facts(actor: Actor, home: Project, found: Member) -> dict[str, Any]:
    """What every event about a member says."""
    return {
        "actor": actor,
        "project_id": home.id,
        "project": home.name,
        "member_id": found.id,
        "name": found.name,
        "role": found.role,
        "is_group": found.entity_type == GROUP,
    }
