"""What retention has to do with other features."""

from sqlalchemy import Connection

from mooring.core.events import ProjectDeleted
from mooring.features.retention import service
from mooring.features.retention.queries import of_project


def forget_project(connection: Connection, event: ProjectDeleted) -> None:
    """A project's policy goes with it."""
    policy = of_project(connection, event.project_id)
    if policy is not None:
        service.forget(connection, policy)
