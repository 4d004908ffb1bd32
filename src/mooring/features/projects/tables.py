"""Projects with their metadata and members. A deleted project keeps its row as `<name>#<id>`, so that its name is
free again.
"""

from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, false

from mooring.db.types import Id, identity, metadata, moment

# What a member is.
USER: Final = "u"
GROUP: Final = "g"

project = Table(
    "project",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("owner_id", Id, nullable=False),
    Column("is_public", Boolean, nullable=False, default=False, server_default=false()),
    Column("is_deleted", Boolean, nullable=False, default=False, server_default=false()),
    # Whether the metadata sets a condition on pulls, since every pull asks; service.py sees to it.
    Column("is_gated", Boolean, nullable=False, default=False, server_default=false()),
    moment("creation_time"),
    moment("update_time"),
    UniqueConstraint("name"),
    sqlite_autoincrement=True,
)

# Values are text, as Harbor has them; `public` lives in the project's own row, since every pull asks for it.
project_metadata = Table(
    "project_metadata",
    metadata,
    Column("project_id", Id, ForeignKey("project.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

member = Table(
    "member",
    metadata,
    identity(),
    Column("project_id", Id, ForeignKey("project.id"), nullable=False),
    Column("entity_type", Text, nullable=False),  # USER or GROUP
    Column("entity_id", Id, nullable=False),
    Column("role", Integer, nullable=False),
    moment("creation_time"),
    moment("update_time"),
    UniqueConstraint("project_id", "entity_type", "entity_id"),
    Index("ix_member_entity", "entity_type", "entity_id"),
    sqlite_autoincrement=True,
)
