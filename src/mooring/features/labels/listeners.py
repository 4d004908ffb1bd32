"""What labels have to do with other features."""

from sqlalchemy import Connection, delete

from mooring.core.events import ProjectDeleted
from mooring.features.labels.tables import label


def forget_project(connection: Connection, event: ProjectDeleted) -> None:
    """A project's labels go with it."""
    connection.execute(delete(label).where(label.c.project_id == event.project_id))
