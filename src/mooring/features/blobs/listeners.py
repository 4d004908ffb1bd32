"""What blobs have to do with other features."""

from sqlalchemy import Connection

from mooring.core.events import ProjectDeleted
from mooring.features.blobs.service import drop_project


def forget_project(connection: Connection, event: ProjectDeleted) -> None:
    """What was uploaded to a project and never named goes with it; garbage collection frees the bytes."""
    drop_project(connection, event.project_id)
