"""Making, renaming and deleting groups. Who is in one is for the directory or identity provider to say."""

from typing import Final

from sqlalchemy import Connection, delete, update
from sqlalchemy.exc import IntegrityError

from mooring.core.actor import Actor
from mooring.core.clock import now
from mooring.core.errors import BadRequest, Conflict, NotFound
from mooring.core.events import GroupDeleted
from mooring.db.events import emit
from mooring.features.groups.queries import Group, by_name, find
from mooring.features.groups.tables import user_group

LDAP: Final = 1
_KINDS: Final = range(4)  # 0 where a client leaves it out


def create(connection: Connection, *, name: str, kind: int, dn: str) -> int:
    """Make a group; its id. Raises BadRequest, Conflict."""
    dn = dn.strip().lower()
    if kind not in _KINDS:
        raise BadRequest("group_type is 1 for LDAP, 2 for an authentication proxy or 3 for OIDC")
    if kind == LDAP:
        raise BadRequest(f"LDAP Group DN is not found: DN:{dn}")
    if by_name(connection, name, kind):
        raise Conflict(f"duplicate user group, group name:{name}, group type: {kind}, ldap group DN: {dn}")
    moment = now()
    statement = user_group.insert().values(name=name, kind=kind, dn=dn, creation_time=moment, update_time=moment)
    try:
        return int(connection.execute(statement.returning(user_group.c.id)).scalar_one())
    except IntegrityError:
        raise _taken() from None


def read(connection: Connection, group_id: int) -> Group:
    """Raises NotFound."""
    found = find(connection, group_id)
    if found is None:
        raise NotFound(f"the user group with id {group_id} is not found")
    return found


def rename(connection: Connection, group_id: int, name: str) -> None:
    """Raises NotFound, Conflict."""
    read(connection, group_id)
    statement = update(user_group).where(user_group.c.id == group_id).values(name=name, update_time=now())
    try:
        connection.execute(statement)
    except IntegrityError:
        raise _taken() from None


def remove(connection: Connection, actor: Actor, group_id: int) -> None:
    """Delete a group; one that is not there is no error, as in Harbor."""
    found = find(connection, group_id)
    if found is not None:
        connection.execute(delete(user_group).where(user_group.c.id == group_id))
        emit(connection, GroupDeleted(actor=actor, group_id=group_id, name=found.name))


def _taken() -> Conflict:
    return Conflict("duplicated user group name")
