"""What projects have to do with other features."""

from sqlalchemy import Connection, delete

from mooring.core.events import GroupDeleted, UserDeleted
from mooring.features.projects.tables import GROUP, USER, member


def forget_user(connection: Connection, event: UserDeleted) -> None:
    """Who is deleted is in no project any more."""
    _forget(connection, USER, event.user_id)


def forget_group(connection: Connection, event: GroupDeleted) -> None:
    _forget(connection, GROUP, event.group_id)


def _forget(connection: Connection, kind: str, entity_id: int) -> None:
    connection.execute(delete(member).where(member.c.entity_type == kind, member.c.entity_id == entity_id))
