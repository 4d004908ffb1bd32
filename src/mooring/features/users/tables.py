"""People. A deleted one keeps its row under a name that nobody can type, so that the name is free again."""

from sqlalchemy import Boolean, Column, Integer, Table, Text, UniqueConstraint, false

from mooring.db.types import identity, metadata, moment

user = Table(
    "user",
    metadata,
    identity(),
    Column("username", Text, nullable=False),
    Column("username_key", Text, nullable=False),  # case-folded: names are unique ignoring case
    Column("email", Text, nullable=False, default=""),
    Column("email_key", Text),  # None where there is no address
    Column("realname", Text, nullable=False, default=""),
    Column("comment", Text, nullable=False, default=""),
    Column("password", Text, nullable=False),  # argon2 in its own encoding
    Column("is_admin", Boolean, nullable=False, default=False, server_default=false()),
    Column("version", Integer, nullable=False, default=1, server_default="1"),
    Column("is_deleted", Boolean, nullable=False, default=False, server_default=false()),
    moment("creation_time"),
    moment("update_time"),
    UniqueConstraint("username_key"),
    UniqueConstraint("email_key"),
    sqlite_autoincrement=True,
)
