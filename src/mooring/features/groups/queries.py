"""Reading groups."""

from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, func, select
from sqlalchemy.sql.elements import ColumnElement

from mooring.core.page import Listing
from mooring.db import query
from mooring.features.groups.tables import user_group


class Group(Struct, frozen=True):
    """A group. `kind` is its type in the API: 1 of LDAP, 2 of an authentication proxy, 3 of OIDC."""

    id: int
    name: str
    kind: int
    dn: str


_COLUMNS: Final = tuple(user_group.c[field] for field in Group.__struct_fields__)


def find(connection: Connection, group_id: int) -> Group | None:
    return _one(connection, user_group.c.id == group_id)


def by_name(connection: Connection, name: str, kind: int) -> Group | None:
    return _one(connection, (user_group.c.name == name) & (user_group.c.kind == kind))


def by_dn(connection: Connection, dn: str) -> Group | None:
    """The group with this distinguished name, in any case."""
    return _one(connection, user_group.c.dn == dn.strip().lower())


def page(connection: Connection, listing: Listing, name: str = "", dn: str = "") -> tuple[list[Group], int]:
    """One page of the groups, and how many there are. `name` is a part of theirs, `dn` a whole one."""
    statement = select(*_COLUMNS)
    if name:
        statement = statement.where(query.contains(user_group.c.name, name))
    if dn:
        statement = statement.where(user_group.c.dn == dn.strip().lower())
    rows, total = query.page(connection, statement, listing, {}, user_group.c.id)
    return [Group(*row) for row in rows], total


def search(connection: Connection, name: str, listing: Listing) -> tuple[list[Group], int]:
    """Whose name holds the text, the closest first."""
    statement = select(*_COLUMNS).where(query.contains(user_group.c.name, name))
    order = (func.length(user_group.c.name), user_group.c.name)
    rows, total = query.page(connection, statement, listing, {}, *order)
    return [Group(*row) for row in rows], total


def _one(connection: Connection, condition: ColumnElement[bool]) -> Group | None:
    row = connection.execute(select(*_COLUMNS).where(condition).limit(1)).one_or_none()
    return None if row is None else Group(*row)
