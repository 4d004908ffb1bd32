"""Vulnerabilities that do not stop a pull: one list for the system, and each project's own."""

from sqlalchemy import BigInteger, Column, Table

from mooring.db.types import Id, Json, metadata, moment

allowlist = Table(
    "allowlist",
    metadata,
    Column("project_id", Id, primary_key=True, autoincrement=False),  # 0 for the system's
    Column("items", Json, nullable=False),  # the ids as a list
    Column("expires_at", BigInteger),  # seconds since the epoch, None for never
    moment("creation_time"),
    moment("update_time"),
)
