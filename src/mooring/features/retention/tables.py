"""Policies that say which artifacts of a project stay."""

from sqlalchemy import Column, ForeignKey, Table, UniqueConstraint

from mooring.db.types import Id, Json, identity, metadata, moment

# One for each project, whose metadata names it as `retention_id`.
retention_policy = Table(
    "retention_policy",
    metadata,
    identity(),
    Column("project_id", Id, ForeignKey("project.id"), nullable=False),
    Column("content", Json, nullable=False),  # queries.Content
    moment("creation_time"),
    moment("update_time"),
    UniqueConstraint("project_id"),
    sqlite_autoincrement=True,
)
