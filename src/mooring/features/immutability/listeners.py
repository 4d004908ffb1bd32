"""What immutability has to do with other features."""

from sqlalchemy import Connection, delete

from mooring.core.events import ProjectDeleted
from mooring.features.immutability.tables import immutable_rule


def forget_project(connection: Connection, event: ProjectDeleted) -> None:
    """A project's rules go with it."""
    connection.execute(delete(immutable_rule).where(immutable_rule.c.project_id == event.project_id))
