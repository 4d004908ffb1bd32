"""What signing in needs to remember: the installation's own secrets, failures that lock an account for a moment,
browsers' sessions and personal tokens.
"""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, false

from mooring.db.types import Id, Json, identity, metadata, moment

# One value for the whole installation, shared by all nodes: the token key, the key of password fingerprints.
secret = Table("secret", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

signin_failure = Table(
    "signin_failure",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("count", Integer, nullable=False, default=0),
    moment("locked_until"),
)

session = Table(
    "session",
    metadata,
    Column("fingerprint", Text, primary_key=True),  # hex SHA-256 of the cookie: who reads the table is nobody by it
    Column("user_id", Id, ForeignKey("user.id"), nullable=False),
    Column("version", Integer, nullable=False),  # the account's when it signed in
    Column("is_admin", Boolean, nullable=False, default=False, server_default=false()),  # and what it was then
    moment("last_used"),
    Index("ix_session_user_id", "user_id"),
    Index("ix_session_last_used", "last_used"),
)

personal_token = Table(
    "personal_token",
    metadata,
    identity(),
    Column("user_id", Id, ForeignKey("user.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),  # hex SHA-256; the token is random, so it needs no slow hash
    Column("is_read_only", Boolean, nullable=False, default=False, server_default=false()),
    Column("permissions", Json, nullable=False, default="[]", server_default="[]"),  # of core/actor.py
    moment("expires_at"),
    moment("last_used"),
    moment("creation_time"),
    UniqueConstraint("user_id", "name"),
    UniqueConstraint("fingerprint"),
    sqlite_autoincrement=True,
)
