"""Policies that say who hears of what happens in a project."""

from sqlalchemy import Boolean, Column, ForeignKey, Table, Text, UniqueConstraint, true

from mooring.db.types import Id, Json, identity, metadata, moment

webhook_policy = Table(
    "webhook_policy",
    metadata,
    identity(),
    Column("project_id", Id, ForeignKey("project.id"), nullable=False),
    Column("name", Text, nullable=False, default=""),
    Column("description", Text, nullable=False, default=""),
    Column("creator", Text, nullable=False, default=""),  # as it was sent
    Column("is_enabled", Boolean, nullable=False, default=True, server_default=true()),
    Column("event_types", Json, nullable=False),
    Column("targets", Json, nullable=False),  # queries.Target, secrets sealed
    moment("creation_time"),
    moment("update_time"),
    UniqueConstraint("project_id", "name"),
    sqlite_autoincrement=True,
)
