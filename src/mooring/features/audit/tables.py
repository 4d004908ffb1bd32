"""The audit log: who did what, when, from where, and whether it came to anything.

A record holds values, not references: what it speaks of may be gone when it is read. Records are written once and never
changed. A long log is counted in blocks (blocks.py).
"""

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, false, text

from mooring.db.types import Id, identity, metadata, moment

audit_log = Table(
    "audit_log",
    metadata,
    identity(),
    moment("op_time"),
    Column("user_kind", Text, nullable=False),  # user, robot, anonymous, internal
    Column("user_id", Id, nullable=False),
    Column("username", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("resource_type", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("project_id", Id, nullable=False),  # 0 outside of projects
    Column("op_desc", Text, nullable=False),
    Column("op_result", Boolean, nullable=False),
    Index("ix_audit_log_op_time", "op_time", "id"),
    Index("ix_audit_log_project_id", "project_id", "op_time", "id"),
    Index("ix_audit_log_username", "username", "op_time", "id"),
    Index("ix_audit_log_event", "operation", "resource_type", "op_time", "id"),
    sqlite_autoincrement=True,
)
Index(
    "ix_audit_log_failed",
    audit_log.c.op_time,
    audit_log.c.id,
    sqlite_where=audit_log.c.op_result == false(),
    postgresql_where=text("NOT op_result"),  # the migration's text is written by SQLite, and spells false as 0
)

# A block is all records behind the last one's of the block before, up to its own last one, in the order of
# (op_time, id).
audit_block = Table(
    "audit_block",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    moment("last_time"),
    Column("last_id", Id, nullable=False),
)

# How many records of a block have this value of this facet.
audit_count = Table(
    "audit_count",
    metadata,
    Column("facet", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("block", Integer, primary_key=True),
    Column("records", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Records on their way to the syslog server, which the jobs process takes from here.
audit_forward = Table("audit_forward", metadata, identity(), Column("line", Text, nullable=False))
