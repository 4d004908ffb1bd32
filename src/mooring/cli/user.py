"""`mooring user list | create | password`."""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from mooring.cli.options import Config, Data, load
from mooring.core.actor import Actor
from mooring.core.errors import StartError

if TYPE_CHECKING:
    from mooring.db.engine import Database

_SHELL: Final = Actor(kind="internal", name="mooring")
Generate = Annotated[bool, Parameter(negative=(), help="Make a password up and print it, instead of asking for one.")]


def show(*, config: Config = None, data: Data = None) -> None:
    """List everybody's name, address and rights."""
    from sqlalchemy import select

    from mooring.features.users.tables import user

    columns = (user.c.username, user.c.email, user.c.is_admin)
    statement = select(*columns).where(~user.c.is_deleted).order_by(user.c.username)
    with _database(config, data) as db:
        rows = db.read_now(lambda connection: connection.execute(statement).all())
    for name, email, is_admin in rows:
        print(f"{name:24} {email or '-':32} {'administrator' if is_admin else 'user'}")


def create(
    name: str,
    /,
    *,
    email: Annotated[str, Parameter(help="The address; it may be used to sign in as well.")] = "",
    realname: Annotated[str, Parameter(help="The name shown to others; the user name unless given.")] = "",
    admin: Annotated[bool, Parameter(negative=(), help="Make an administrator.")] = False,
    generate: Generate = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Add somebody. The password is asked for, or read from standard input."""
    from mooring.features.users import service
    from mooring.features.users.passwords import hash_password

    service.check_username(name)
    if email:
        service.check_profile(email, realname or name, "")
    with _database(config, data) as db:
        password = _new_password(generate)
        db.write_now(
            service.create,
            _SHELL,
            username=name,
            email=email,
            realname=realname or name,
            password=hash_password(password),
            is_admin=admin,
        )
    print(f"{name} may sign in" + (f" with the password {password}" if generate else ""))


def password(name: str, /, *, generate: Generate = False, config: Config = None, data: Data = None) -> None:
    """Give somebody another password, which is asked for, or read from standard input. It counts at once."""
    from mooring.features.users import queries, service
    from mooring.features.users.passwords import hash_password

    with _database(config, data) as db:
        found = db.read_now(queries.find, name)
        if found is None:
            raise StartError(f"there is no user {name}; `mooring user list` shows who there is")
        secret = _new_password(generate)
        db.write_now(service.change_password, _SHELL, found.id, hash_password(secret))
    print(f"the password of {name} is " + (secret if generate else "changed"))


@contextmanager
def _database(config: Path | None, data: Path | None) -> "Iterator[Database]":
    """The installation's database, which a running server may have open too. Raises StartError when there is none."""
    from mooring import installation
    from mooring.features.listeners import listeners

    settings, _ = load(config, data)
    file = settings.sqlite_file
    if file is not None and not file.exists():
        raise StartError(f"there is no database {file}; name the data folder with --data")
    db = installation.database(settings)
    db.follow(listeners(installation.configuration(settings, db), settings.external_host))
    try:
        yield db
    finally:
        db.close_now()


def _new_password(generate: bool) -> str:
    from mooring.cli.prepare import made_up
    from mooring.features.users.service import check_secret

    if generate:
        return made_up()
    if sys.stdin.isatty():
        text = getpass.getpass("New password: ")
        if getpass.getpass("The same again: ") != text:
            raise StartError("the two passwords differ; nothing is changed")
    else:
        text = sys.stdin.readline().rstrip("\n")
    check_secret(text, "password")
    return text
