"""Browsers' sessions. They are rows, so that any node serves them; what a browser holds is in none of them."""

import hashlib
import secrets
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, bindparam, delete, select, update

from mooring.core.actor import Actor
from mooring.core.clock import SECOND, now
from mooring.core.events import SignedIn, SignedOut
from mooring.db.events import emit
from mooring.db.prepared import Prepared
from mooring.db.reader import Reader
from mooring.features.signin.tables import session
from mooring.features.users import queries as users
from mooring.features.users.tables import user

# A session ends with the secrets of its account. Of being an administrator it has what it began with, as in Harbor, but
# only while that lasts.
_FIND: Final = Prepared(
    select(user.c.id, user.c.username, user.c.is_admin, session.c.is_admin, user.c.version, session.c.last_used)
    .join(user, user.c.id == session.c.user_id)
    .where(
        session.c.fingerprint == bindparam("fingerprint"),
        session.c.version == user.c.version,
        ~user.c.is_deleted,
    )
)
_USE: Final = Prepared(
    update(session)
    .where(session.c.fingerprint == bindparam("which"), session.c.last_used < bindparam("moment"))
    .values(last_used=bindparam("moment"))
)


class Session(Struct, frozen=True):
    """Who is signed in, and when that was last used."""

    actor: Actor
    last_used: int


async def find(reader: Reader, cookie: str) -> Session | None:
    """The session of a browser that sends the cookie, however old."""
    row = await reader.one(_FIND, fingerprint=fingerprint(cookie))
    if row is None:
        return None
    user_id, name, is_admin, was_admin, version, last_used = row
    actor = Actor(kind="user", id=user_id, name=name, is_admin=bool(is_admin and was_admin), version=version)
    return Session(actor, last_used)


def start(connection: Connection, actor: Actor, previous: str, lifetime: int) -> str:
    """Sign the actor in; the new cookie's value, known only now. The previous cookie ends, so that nobody can have
    planted it; sessions unused for the lifetime, in seconds, go.
    """
    moment = now()
    is_over = (session.c.fingerprint == fingerprint(previous)) | (session.c.last_used < moment - lifetime * SECOND)
    connection.execute(delete(session).where(is_over))
    cookie = secrets.token_hex(32)
    values = {"user_id": actor.id, "version": actor.version, "is_admin": actor.is_admin, "last_used": moment}
    connection.execute(session.insert().values(fingerprint=fingerprint(cookie), **values))
    emit(connection, SignedIn(actor=actor, user_id=actor.id, username=actor.name))
    return cookie


def refuse(connection: Connection, actor: Actor, username: str) -> None:
    """Somebody who is nobody yet has failed to sign in under the name."""
    found = users.find(connection, username)
    user_id, name = (found.id, found.username) if found else (0, username)
    emit(connection, SignedIn(actor=actor, user_id=user_id, username=name, succeeded=False))


def use(connection: Connection, which: str, moment: int) -> None:
    """The session with this fingerprint was used."""
    _USE.run(connection, which=which, moment=moment)


def end(connection: Connection, actor: Actor, cookie: str) -> None:
    """Sign the actor out."""
    connection.execute(delete(session).where(session.c.fingerprint == fingerprint(cookie)))
    emit(connection, SignedOut(actor=actor, user_id=actor.id, username=actor.name))


def end_all(connection: Connection, user_id: int) -> None:
    """Sign somebody out everywhere."""
    connection.execute(delete(session).where(session.c.user_id == user_id))


def fingerprint(cookie: str) -> str:
    """How a cookie is kept."""
    return hashlib.sha256(cookie.encode()).hexdigest()
