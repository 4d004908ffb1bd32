"""What quotas have to do with other features."""

from sqlalchemy import Connection, delete

from mooring.core.events import ProjectDeleted
from mooring.features.quotas.tables import quota


def forget_project(connection: Connection, event: ProjectDeleted) -> None:
    """A project's quota goes with it."""
    connection.execute(delete(quota).where(quota.c.project_id == event.project_id))
