"""Reading people's accounts."""

from typing import Final

from msgspec import Struct
from sqlalchemy import BindParameter, Connection, bindparam, case, func, or_, select

from mooring.core.actor import Actor
from mooring.core.page import Listing
from mooring.db import query
from mooring.db.prepared import Prepared, Row
from mooring.db.reader import Reader
from mooring.features.users.tables import user

ADMIN: Final = 1  # the first account: it cannot be deleted, and lists leave it out

_COLUMNS: Final = (user.c.id, user.c.username, user.c.is_admin, user.c.version, user.c.password, user.c.username_key)
_KEY: Final[BindParameter[str]] = bindparam("key")

BY_ID: Final = Prepared(select(*_COLUMNS).where(user.c.id == bindparam("id"), ~user.c.is_deleted))
# A name goes before the mail address of somebody else that is spelled alike.
BY_LOGIN: Final = Prepared(
    select(*_COLUMNS)
    .where(or_(user.c.username_key == _KEY, user.c.email_key == _KEY), ~user.c.is_deleted)
    .order_by(case((user.c.username_key == _KEY, 0), else_=1))
    .limit(1)
)


class Account(Struct, frozen=True):
    """Somebody who may sign in: the actor they become, and what proves that it is they."""

    actor: Actor
    password: str
    key: str


class User(Struct, frozen=True):
    """Somebody's profile; times in microseconds since the epoch."""

    id: int
    username: str
    email: str
    realname: str
    comment: str
    is_admin: bool
    creation_time: int
    update_time: int


_PROFILE: Final = tuple(user.c[field] for field in User.__struct_fields__)
_LISTED: Final = {
    "user_id": user.c.id,
    "username": user.c.username,
    "email": user.c.email,
    "realname": user.c.realname,
    "comment": user.c.comment,
    "sysadmin_flag": user.c.is_admin,
    "creation_time": user.c.creation_time,
    "update_time": user.c.update_time,
}


async def by_login(reader: Reader, key: str) -> Account | None:
    """The account with this case-folded user name or mail address."""
    return _account(await reader.one(BY_LOGIN, key=key))


async def by_id(reader: Reader, user_id: int) -> Account | None:
    return _account(await reader.one(BY_ID, id=user_id))


def profile(connection: Connection, user_id: int) -> User | None:
    """The profile of somebody who is not deleted."""
    row = connection.execute(select(*_PROFILE).where(user.c.id == user_id, ~user.c.is_deleted)).one_or_none()
    return None if row is None else User(*row)


def find(connection: Connection, username: str) -> User | None:
    """As `profile`, by name in any case."""
    statement = select(*_PROFILE).where(user.c.username_key == username.casefold(), ~user.c.is_deleted)
    row = connection.execute(statement).one_or_none()
    return None if row is None else User(*row)


def page(connection: Connection, listing: Listing) -> tuple[list[User], int]:
    """One page of everybody but the first administrator, and how many there are."""
    statement = select(*_PROFILE).where(user.c.id != ADMIN, ~user.c.is_deleted)
    rows, total = query.page(connection, statement, listing, _LISTED, user.c.username, user.c.id)
    return [User(*row) for row in rows], total


def search(connection: Connection, username: str, listing: Listing) -> tuple[list[User], int]:
    """Whose name holds the text, the closest first, and how many there are. As in Harbor, the first administrator does
    not count, and is found only where others are.
    """
    statement = select(*_PROFILE).where(query.contains(user.c.username, username), ~user.c.is_deleted)
    order = (func.length(user.c.username), user.c.username)
    rows, total = query.page(connection, statement, listing, {}, *order)
    counted = statement.with_only_columns(func.count()).where(user.c.id == ADMIN)
    total -= connection.execute(counted).scalar_one()
    return [User(*row) for row in rows] if total else [], total


def first_administrator(connection: Connection) -> int:
    """Who owns what no person made: the administrator with the lowest id."""
    statement = select(func.min(user.c.id)).where(user.c.is_admin, ~user.c.is_deleted)
    return connection.execute(statement).scalar() or ADMIN


def others_exist(connection: Connection) -> bool:
    """Whether anybody but the first administrator has an account."""
    statement = select(user.c.id).where(user.c.id != ADMIN, ~user.c.is_deleted).limit(1)
    return connection.execute(statement).first() is not None


def _account(row: Row | None) -> Account | None:
    if row is None:
        return None
    user_id, name, is_admin, version, password, key = row
    actor = Actor(kind="user", id=user_id, name=name, is_admin=bool(is_admin), version=version)
    return Account(actor, password, key)
