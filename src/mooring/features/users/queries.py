"""Reading people's accounts."""

from typing import Final

from msgspec import Struct
from sqlalchemy import BindParameter, bindparam, case, or_, select

from mooring.core.actor import Actor
from mooring.db.prepared import Prepared, Row
from mooring.db.reader import Reader
from mooring.features.users.tables import user

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


async def by_login(reader: Reader, key: str) -> Account | None:
    """The account with this case-folded user name or mail address."""
    return _account(await reader.one(BY_LOGIN, key=key))


async def by_id(reader: Reader, user_id: int) -> Account | None:
    return _account(await reader.one(BY_ID, id=user_id))


def _account(row: Row | None) -> Account | None:
    if row is None:
        return None
    user_id, name, is_admin, version, password, key = row
    actor = Actor(kind="user", id=user_id, name=name, is_admin=bool(is_admin), version=version)
    return Account(actor, password, key)
