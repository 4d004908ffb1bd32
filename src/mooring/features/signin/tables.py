"""What signing in needs to remember: the installation's own secrets, and failures that lock an account for a moment."""

from sqlalchemy import Column, Integer, Table, Text

from mooring.db.types import metadata, moment

# One value for the whole installation, shared by all nodes: the token key, the key of password fingerprints.
secret = Table("secret", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

signin_failure = Table(
    "signin_failure",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("count", Integer, nullable=False, default=0),
    moment("locked_until"),
)
