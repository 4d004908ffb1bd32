"""Groups of users, as a directory or an identity provider knows them."""

from sqlalchemy import Column, Index, Integer, Table, Text, UniqueConstraint

from mooring.db.types import identity, metadata, moment

user_group = Table(
    "user_group",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("kind", Integer, nullable=False),  # 1 of LDAP, 2 of an authentication proxy, 3 of OIDC
    Column("dn", Text, nullable=False, default=""),  # lower case; empty where no directory knows it
    moment("creation_time"),
    moment("update_time"),
    UniqueConstraint("name"),
    Index("ix_user_group_dn", "dn"),
    sqlite_autoincrement=True,
)
