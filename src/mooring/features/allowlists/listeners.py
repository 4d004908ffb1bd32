"""What goes with a project."""

from sqlalchemy import Connection

from mooring.core.events import ProjectDeleted
from mooring.features.allowlists import service


def forget_project(connection: Connection, event: ProjectDeleted) -> None:
    service.forget(connection, event.project_id)
