"""Repositories. `name` is the full one, with the project."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from mooring.db.types import Id, identity, metadata, moment

repository = Table(
    "repository",
    metadata,
    identity(),
    # Names sort by byte, whatever language the database speaks.
    Column("name", Text().with_variant(Text(collation="C"), "postgresql"), nullable=False),
    Column("project_id", Id, ForeignKey("project.id"), nullable=False),
    Column("description", Text, nullable=False, default=""),
    Column("pull_count", BigInteger, nullable=False, default=0, server_default="0"),
    moment("creation_time"),
    moment("update_time"),
    UniqueConstraint("name"),
    Index("ix_repository_project_id", "project_id"),
    sqlite_autoincrement=True,
)
