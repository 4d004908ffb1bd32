"""Robot accounts and what they may do."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, false

from mooring.db.types import Id, identity, metadata, moment

robot = Table(
    "robot",
    metadata,
    identity(),
    Column("name", Text, nullable=False),  # without the prefix: `ci`, or `<project>+ci` for a project's robot
    Column("short_name", Text),  # what a robot of the old API may sign in under too; others may have the same
    Column("project_id", Id, nullable=False, default=0),  # 0: of the system
    Column("description", Text, nullable=False, default=""),
    Column("secret", Text, nullable=False),  # hex SHA-256; the secret itself is random, so it needs no slow hash
    Column("duration", Integer, nullable=False),  # days, -1 for ever
    Column("expires_at", BigInteger, nullable=False),  # seconds since the epoch, -1 never
    Column("is_disabled", Boolean, nullable=False, default=False, server_default=false()),
    Column("version", Integer, nullable=False, default=1, server_default="1"),
    Column("creator_type", Text, nullable=False, default="local"),
    Column("creator_ref", Id, nullable=False, default=0),
    moment("creation_time"),
    moment("update_time"),
    UniqueConstraint("name"),
    Index("ix_robot_project_id", "project_id"),
    Index("ix_robot_short_name", "short_name", "secret"),
    sqlite_autoincrement=True,
)

robot_permission = Table(
    "robot_permission",
    metadata,
    identity(),
    Column("robot_id", Id, ForeignKey("robot.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),  # system or project
    Column("project_id", Id, nullable=False),  # 0: every project; -1: the system
    Column("resource", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("effect", Text, nullable=False, default=""),
    Index("ix_robot_permission_robot_id", "robot_id"),
)
