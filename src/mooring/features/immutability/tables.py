"""Rules that make tags immutable."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, false

from mooring.db.types import Id, Json, identity, metadata

immutable_rule = Table(
    "immutable_rule",
    metadata,
    identity(),
    Column("project_id", Id, ForeignKey("project.id"), nullable=False),
    Column("is_disabled", Boolean, nullable=False, server_default=false()),
    Column("content", Json, nullable=False),  # the rule without id and `disabled`, as queries.Rule
    Index("ix_immutable_rule_project_id", "project_id"),
    sqlite_autoincrement=True,
)
