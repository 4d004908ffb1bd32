"""What robots have to do with other features."""

from sqlalchemy import Connection, delete, select

from mooring.core.events import ProjectDeleted
from mooring.features.robots.tables import robot, robot_permission


def forget_project(connection: Connection, event: ProjectDeleted) -> None:
    """A project's robots go with it, and so does what others were allowed there."""
    own = robot.c.project_id == event.project_id
    of_own = robot_permission.c.robot_id.in_(select(robot.c.id).where(own))
    connection.execute(delete(robot_permission).where(of_own | (robot_permission.c.project_id == event.project_id)))
    connection.execute(delete(robot).where(own))
