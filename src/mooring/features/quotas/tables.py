"""How much projects may hold, and how much they do."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, UniqueConstraint

from mooring.db.types import Id, identity, metadata, moment

# Projects that were made while quotas were off have no row.
quota = Table(
    "quota",
    metadata,
    identity(),
    Column("project_id", Id, ForeignKey("project.id"), nullable=False),
    Column("hard", BigInteger, nullable=False),  # bytes, -1 for no limit
    moment("creation_time"),
    moment("update_time"),
    UniqueConstraint("project_id"),
    Index("ix_quota_creation_time", "creation_time", "id"),
    sqlite_autoincrement=True,
)

# What a project holds is the sum over its rows. Triggers alone write here (db/migrations/triggers_0002.py): in the
# transaction that changes what counts, each time into a row that no other transaction holds.
project_storage = Table(
    "project_storage",
    metadata,
    identity(),
    Column("project_id", Id, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Index("ix_project_storage_project_id", "project_id"),
)
