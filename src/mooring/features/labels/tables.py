"""Labels, and the artifacts that carry them."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text, UniqueConstraint

from mooring.db.types import Id, identity, metadata, moment

label = Table(
    "label",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, default=""),
    Column("color", Text, nullable=False, default=""),
    Column("scope", Text, nullable=False),  # g for everybody's, p for a project's
    Column("project_id", Id, nullable=False, default=0),  # 0 where the scope is g
    moment("creation_time"),
    moment("update_time"),
    UniqueConstraint("project_id", "name"),
    sqlite_autoincrement=True,
)

artifact_label = Table(
    "artifact_label",
    metadata,
    Column("artifact_id", Id, ForeignKey("artifact.id", ondelete="CASCADE"), primary_key=True),
    Column("label_id", Id, ForeignKey("label.id", ondelete="CASCADE"), primary_key=True),
    moment("creation_time"),
    Index("ix_artifact_label_label_id", "label_id"),
)
