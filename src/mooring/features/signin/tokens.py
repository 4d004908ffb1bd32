"""Personal tokens: people's own secrets for their programs, each with a name, a scope and an end."""

import hashlib
import re
import secrets
import string
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.exc import IntegrityError

from mooring.core.actor import EVERY_PROJECT, SYSTEM, Actor, Permission, Scope
from mooring.core.clock import DAY, now
from mooring.core.errors import BadRequest, Conflict, NotFound
from mooring.core.events import PersonalTokenCreated, PersonalTokenDeleted
from mooring.core.page import Listing
from mooring.db import query
from mooring.db.events import emit
from mooring.db.prepared import Among, Prepared, Row
from mooring.db.reader import Reader
from mooring.features.projects import queries as projects
from mooring.features.projects.tables import project
from mooring.features.robots.service import Wish, check_wishes
from mooring.features.signin.tables import personal_token
from mooring.features.users import service as users
from mooring.features.users.tables import user

FOREVER: Final = -1
_PREFIX: Final = "mooring_pat_"  # by which secret scanners find one that has leaked
_LENGTH: Final = 40
_ALPHABET: Final = string.ascii_letters + string.digits
_TEXT: Final = re.compile(rf"{_PREFIX}[A-Za-z0-9]{{{_LENGTH}}}")
_MAX_DAYS: Final = 36_500

_OWNED: Final = (
    select(
        user.c.id,
        user.c.username,
        user.c.is_admin,
        user.c.version,
        user.c.username_key,
        user.c.email_key,
        personal_token.c.id,
        personal_token.c.is_read_only,
        personal_token.c.permissions,
        personal_token.c.expires_at,
        personal_token.c.last_used,
    )
    .join(user, user.c.id == personal_token.c.user_id)
    .where(~user.c.is_deleted)
)
_BY_TEXT: Final = Prepared(_OWNED.where(personal_token.c.fingerprint == bindparam("fingerprint")))
_BY_ID: Final = Prepared(_OWNED.where(personal_token.c.id == bindparam("id")))
_PROJECT_NAMES: Final = Among(select(project.c.id, project.c.name).where(~project.c.is_deleted), project.c.id)
_USE: Final = Prepared(
    update(personal_token)
    .where(personal_token.c.id == bindparam("which"), personal_token.c.last_used < bindparam("moment"))
    .values(last_used=bindparam("moment"))
)
_permissions: Final = msgspec.json.Decoder(tuple[Permission, ...])


class Account(Struct, frozen=True):
    """Who acts with a token that is good; its id; the names that its owner signs in by; when it was last used."""

    actor: Actor
    token: int
    names: tuple[str, str]
    last_used: int


class PersonalToken(Struct, frozen=True):
    """A token's row; moments in microseconds since the epoch, 0 for never."""

    id: int
    name: str
    is_read_only: bool
    permissions: tuple[Permission, ...]
    expires_at: int
    last_used: int
    creation_time: int


_ROW: Final = tuple(personal_token.c[field] for field in PersonalToken.__struct_fields__)
_LISTED: Final = {
    "id": personal_token.c.id,
    "name": personal_token.c.name,
    "expires_at": personal_token.c.expires_at,
    "last_used": personal_token.c.last_used,
    "creation_time": personal_token.c.creation_time,
}


def is_token(text: str) -> bool:
    """Whether a password looks like a personal token."""
    return _TEXT.fullmatch(text) is not None


async def by_text(reader: Reader, text: str) -> Account | None:
    """None for a token that is expired, revoked or nobody's."""
    return _account(await reader.one(_BY_TEXT, fingerprint=_fingerprint(text)))


async def by_id(reader: Reader, token_id: int) -> Account | None:
    return _account(await reader.one(_BY_ID, id=token_id))


def use(connection: Connection, which: int, moment: int) -> None:
    """The token was used."""
    _USE.run(connection, which=which, moment=moment)


def create(
    connection: Connection,
    actor: Actor,
    *,
    name: str,
    days: int,
    is_read_only: bool,
    permissions: Sequence[Permission],
) -> tuple[PersonalToken, str]:
    """Make a token of the actor's; its text is known only now. Raises BadRequest, Conflict."""
    if not 1 <= len(name) <= 255:
        raise BadRequest("a personal token has a name of 1 to 255 characters")
    if days != FOREVER and not 0 < days <= _MAX_DAYS:
        raise BadRequest(f"the duration is -1 (never ends) or a number of days from 1 to {_MAX_DAYS}, not {days}")
    text = _PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    moment = now()
    statement = personal_token.insert().values(
        user_id=actor.id,
        name=name,
        fingerprint=_fingerprint(text),
        is_read_only=is_read_only,
        permissions=msgspec.json.encode(permissions).decode(),
        expires_at=0 if days == FOREVER else moment + days * DAY,
        creation_time=moment,
    )
    try:
        token_id: int = connection.execute(statement.returning(personal_token.c.id)).scalar_one()
    except IntegrityError:
        raise Conflict(f"there is a personal token {name} already") from None
    event = PersonalTokenCreated(actor=actor, user_id=actor.id, username=actor.name, token_id=token_id, name=name)
    emit(connection, event)
    return read(connection, actor.id, token_id), text


def permissions(connection: Connection, actor: Actor, wishes: Sequence[Wish]) -> list[Permission]:
    """What is wished for, spelled as for robots, with the ids of the projects. Nobody has to hold a right to name it: a
    token never leaves more than its owner has. Raises BadRequest, and NotFound for projects that the actor cannot see.
    """
    if wishes:
        check_wishes("system", wishes)
    found = []
    for wish in wishes:
        place = SYSTEM if wish.kind == "system" else _project(connection, actor, wish.namespace)
        found += [Permission(place, resource, action) for resource, action, _ in wish.access]
    return found


def namespaces(connection: Connection, shown: Iterable[PersonalToken]) -> dict[int, str]:
    """What places in the tokens' permissions are called; deleted projects have no name."""
    places = {permission.project for token in shown for permission in token.permissions}
    return {SYSTEM: "/", EVERY_PROJECT: "*"} | dict(_PROJECT_NAMES.all(connection, sorted(places)))


def page(connection: Connection, user_id: int, listing: Listing) -> tuple[list[PersonalToken], int]:
    """One page of somebody's tokens, expired ones too, and how many there are."""
    statement = select(*_ROW).where(personal_token.c.user_id == user_id)
    rows, total = query.page(connection, statement, listing, _LISTED, personal_token.c.name, personal_token.c.id)
    return [_token(row) for row in rows], total


def read(connection: Connection, user_id: int, token_id: int) -> PersonalToken:
    """Raises NotFound, also for somebody else's."""
    statement = select(*_ROW).where(personal_token.c.user_id == user_id, personal_token.c.id == token_id)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise NotFound(f"personal token {token_id} not found")
    return _token(row)


def revoke(connection: Connection, actor: Actor, user_id: int, token_id: int) -> None:
    """End somebody's token, and the bearer tokens made from it. Raises NotFound."""
    name = read(connection, user_id, token_id).name
    connection.execute(delete(personal_token).where(personal_token.c.id == token_id))
    owner = users.read(connection, user_id).username
    emit(connection, PersonalTokenDeleted(actor=actor, user_id=user_id, username=owner, token_id=token_id, name=name))


def revoke_all(connection: Connection, user_id: int) -> None:
    connection.execute(delete(personal_token).where(personal_token.c.user_id == user_id))


def _project(connection: Connection, actor: Actor, name: str) -> int:
    if name == "*":
        return EVERY_PROJECT
    found = projects.find(connection, name)
    if found is None or not projects.may(connection, actor, "project", "read", found):
        raise NotFound(f"project {name} not found")
    return found.id


def _account(row: Row | None) -> Account | None:
    if row is None:
        return None
    user_id, name, is_admin, version, name_key, email_key, token_id, is_read_only, permissions, expires_at, used = row
    if 0 < expires_at <= now():
        return None
    scope = Scope(token_id, is_read_only=bool(is_read_only), permissions=_permissions.decode(permissions))
    actor = Actor(kind="user", id=user_id, name=name, is_admin=bool(is_admin), version=version, scope=scope)
    return Account(actor, token_id, (name_key, email_key or name_key), used)


def _token(row: Any) -> PersonalToken:
    values = dict(zip(PersonalToken.__struct_fields__, row, strict=True))
    return PersonalToken(**values | {"permissions": _permissions.decode(row.permissions)})


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
