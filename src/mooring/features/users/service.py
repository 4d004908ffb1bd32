"""Making, changing and deleting people's accounts. Passwords come hashed: argon2 has no place in a transaction."""

import re
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, or_, select, update
from sqlalchemy.exc import IntegrityError

from mooring.core.actor import Actor
from mooring.core.clock import now
from mooring.core.errors import BadRequest, Conflict, Forbidden, NotFound, WireError
from mooring.core.events import UserChanged, UserCreated, UserDeleted
from mooring.db.events import emit
from mooring.features.users.queries import ADMIN, User, profile
from mooring.features.users.tables import user

# Harbor's: what RFC 5321 section 4.1.2 calls a dot-string or a quoted one, at an IPv4 literal or a domain.
_ATOM: Final = r"[^<>()\[\]\\.,;:\s@\"]+"
_EMAIL: Final = re.compile(
    rf'({_ATOM}(\.{_ATOM})*|".+")@(\[\d{{1,3}}(\.\d{{1,3}}){{3}}\]|([a-zA-Z0-9-]+\.)+[a-zA-Z]{{2,}})', re.ASCII
)
_FORBIDDEN: Final = frozenset(',"~#%$')
_COMMENT: Final = 30  # bytes


def check_secret(secret: str, what: str = "password or secret") -> None:
    """Raise BadRequest for a password or secret that is too easy."""
    classes = (str.isupper, str.islower, str.isdigit)
    if not 8 <= len(secret) <= 128 or not all(any(map(of_class, secret)) for of_class in classes):
        raise BadRequest(
            f"the {what} must be 8-128, inclusively, characters long with at least 1 uppercase letter, "
            "1 lowercase letter and 1 number"
        )


def check_profile(email: str, realname: str, comment: str) -> None:
    """Raise BadRequest for what cannot stand in a profile."""
    if not email:
        raise BadRequest("email can't be empty")
    if len(email) > 255 or not _EMAIL.fullmatch(email):
        raise BadRequest("email with illegal format")
    _check_name(realname, "realname")
    if len(comment.encode()) > _COMMENT:
        raise BadRequest("comment with illegal length")


def check_username(username: str) -> None:
    """Raise BadRequest for what cannot be a user's name."""
    _check_name(username, "username")


def create(
    connection: Connection,
    actor: Actor,
    *,
    username: str,
    email: str,
    realname: str,
    password: str,
    comment: str = "",
    is_admin: bool = False,
) -> int:
    """Add somebody; their id. Raises Conflict when the name or the address is taken, in any case."""
    taken = Conflict(f"user {username} or email {email} already exists")
    names = [key for key in (username.casefold(), email.casefold()) if key]
    clash = select(user.c.id).where(or_(user.c.username_key.in_(names), user.c.email_key.in_(names)))
    if connection.execute(clash).first():
        raise taken
    moment = now()
    statement = user.insert().values(
        username=username,
        username_key=username.casefold(),
        email=email,
        email_key=email.casefold() or None,
        realname=realname,
        comment=comment,
        password=password,
        is_admin=is_admin,
        creation_time=moment,
        update_time=moment,
    )
    try:
        user_id: int = connection.execute(statement.returning(user.c.id)).scalar_one()
    except IntegrityError:
        raise taken from None
    emit(connection, UserCreated(actor=actor, user_id=user_id, username=username))
    return user_id


def read(connection: Connection, user_id: int) -> User:
    """Somebody's profile. Raises NotFound."""
    found = profile(connection, user_id)
    if found is None:
        raise NotFound(f"user {user_id} not found")
    return found


def change_profile(
    connection: Connection, actor: Actor, user_id: int, *, email: str, realname: str, comment: str
) -> None:
    """Raises NotFound, and Conflict when the address is somebody else's."""
    taken = Conflict(f"email {email} already exists")
    key = email.casefold()
    clash = select(user.c.id).where(or_(user.c.username_key == key, user.c.email_key == key), user.c.id != user_id)
    if connection.execute(clash).first():
        raise taken
    values = {"email": email, "email_key": key, "realname": realname, "comment": comment}
    try:
        name = _change(connection, user_id, values, NotFound(f"user with id {user_id} not found"))
    except IntegrityError:
        raise taken from None
    emit(connection, UserChanged(actor=actor, user_id=user_id, username=name, what="profile"))


def change_password(connection: Connection, actor: Actor, user_id: int, password: str) -> None:
    """Give a hashed password; what rests on the old one ends. Raises NotFound."""
    values = {"password": password, "version": user.c.version + 1}
    name = _change(connection, user_id, values, NotFound(f"user {user_id} not found"))
    emit(connection, UserChanged(actor=actor, user_id=user_id, username=name, what="password"))


def make_administrator(connection: Connection, actor: Actor, user_id: int, is_admin: bool) -> None:
    """Raise somebody to administrator, or not. Raises NotFound."""
    name = _change(connection, user_id, {"is_admin": is_admin}, NotFound(f"user with id {user_id} not found"))
    emit(connection, UserChanged(actor=actor, user_id=user_id, username=name, what="sysadmin flag"))


def delete(connection: Connection, actor: Actor, user_id: int) -> None:
    """Delete somebody, whose name and address are free again. Raises Forbidden for oneself and the first account."""
    if user_id == ADMIN or (actor.kind == "user" and actor.id == user_id):
        raise Forbidden(f"User with ID {user_id} cannot be deleted")
    mark = f"#{user_id}"
    values = {
        "is_deleted": True,
        "username": user.c.username + mark,
        "username_key": user.c.username_key + mark,
        "email": user.c.email + mark,
        "email_key": user.c.email_key + mark,
    }
    name = _change(connection, user_id, values, NotFound(f"user {user_id} not found"))
    emit(connection, UserDeleted(actor=actor, user_id=user_id, username=name.removesuffix(mark)))


def _change(connection: Connection, user_id: int, values: Mapping[str, Any], missing: WireError) -> str:
    """Set the values; the user's name."""
    statement = update(user).where(user.c.id == user_id, ~user.c.is_deleted).values(**values, update_time=now())
    name: str | None = connection.execute(statement.returning(user.c.username)).scalar_one_or_none()
    if name is None:
        raise missing
    return name


def _check_name(name: str, what: str) -> None:
    if not 1 <= len(name) <= 255:
        raise BadRequest(f"{what} with illegal length")
    if not _FORBIDDEN.isdisjoint(name):
        raise BadRequest(f"{what} contains illegal characters")
