"""What must be so before anything is served: the schema, the first administrator, and a storage that can be written.

It runs in a process of its own, which takes alembic and what came with it away when it ends.
"""

import asyncio
import multiprocessing
import secrets
import string
from multiprocessing.connection import Connection as Pipe
from typing import TYPE_CHECKING, Final

import msgspec
import structlog
from msgspec import Struct

from mooring.core.errors import DatabaseUnavailable, MooringError, StartError
from mooring.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

ADMIN: Final = "admin"
_CONFIGURED: Final = "configured_admin_password"  # its hash: to see later that the settings name another
_LOCK_DATABASE: Final = "SELECT pg_advisory_xact_lock(7311163)"


class Prepared(Struct, frozen=True):
    """How preparing ended: `failure` is why it did not; `password` is what was made up for the administrator, once."""

    failure: str = ""
    password: str = ""
    notices: tuple[str, ...] = ()


class Preparation:
    """Preparing, under way in a child. Start it, do other things, and ask for its `result`."""

    def __init__(self, settings: Settings) -> None:
        self._answer, answer = multiprocessing.Pipe(duplex=False)
        context = multiprocessing.get_context("fork")
        self._child = context.Process(target=_in_child, args=(settings, answer), name="mooring-prepare", daemon=True)
        self._child.start()
        answer.close()

    def result(self) -> Prepared:
        """Wait for the end. Raises StartError with the reason when the installation cannot be served."""
        try:
            prepared = msgspec.json.decode(self._answer.recv_bytes(), type=Prepared)
        except EOFError as error:
            self._child.join()
            raise StartError(f"preparing the database ended with status {self._child.exitcode}; see the log") from error
        self._child.join()
        if prepared.failure:
            raise StartError(prepared.failure)
        return prepared


def made_up() -> str:
    """A password that nobody can guess and every shell and client takes as it is."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(20))


def prepare(settings: Settings) -> Prepared:
    """Migrate the database, make the first rows, try the storage. Raises MooringError."""
    from mooring.db import schema
    from mooring.db.engine import Database
    from mooring.features.configuration.overwrite import overwritten

    overwritten(settings.config_overwrite_json)  # a worker would have to say it when all else is running
    db = Database(settings.database_url, synchronous=settings.database.synchronous.upper(), connections=2)
    try:
        before, after = schema.migrate(db)
        password, notices = db.write_now(bootstrap, settings.admin_password)
    except DatabaseUnavailable as error:
        raise StartError(f"{' '.join(str(error).split())}; see that it runs, or change database.url") from error
    finally:
        db.close_now()
    asyncio.run(check_storage(settings))
    if before is not None and before != after:
        notices = (*notices, f"the database went from schema {before} to {after}")
    return Prepared(password=password, notices=notices)


def bootstrap(connection: "Connection", configured: str | None) -> tuple[str, tuple[str, ...]]:
    """Make the administrator, the project `library` and the installation's keys where they are not there.

    Returns the password that was made up, empty when none was, and what is to be said about the configured one.
    """
    from sqlalchemy import insert, select, text

    from mooring.features.signin.keys import make_keys
    from mooring.features.signin.tables import secret
    from mooring.features.users.passwords import hash_password
    from mooring.features.users.tables import user

    if connection.dialect.name == "postgresql":
        connection.execute(text(_LOCK_DATABASE))
    make_keys(connection)
    if connection.execute(select(user.c.id).where(user.c.id == 1)).first() is not None:
        return "", _unchanged(connection, configured)
    password = configured or made_up()
    _add_first(connection, hash_password(password))
    if configured:
        connection.execute(insert(secret).values(name=_CONFIGURED, value=hash_password(configured)))
    if connection.dialect.name == "postgresql":
        for table, last in (('"user"', 2), ("project", 1)):
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {last})"))
    return ("" if configured else password), ()


def _add_first(connection: "Connection", password: str) -> None:
    """The administrator, whose hashed password it is, and the project `library`."""
    from sqlalchemy import insert

    from mooring.core.access import Role
    from mooring.core.clock import now
    from mooring.features.projects.tables import USER, member, project
    from mooring.features.quotas.tables import quota
    from mooring.features.users.passwords import NOBODY
    from mooring.features.users.tables import user

    moment = now()
    times = {"creation_time": moment, "update_time": moment}
    connection.execute(
        insert(user).values(
            id=1,
            username=ADMIN,
            username_key=ADMIN,
            email="admin@example.com",
            email_key="admin@example.com",
            realname="system admin",
            comment="admin user",
            password=password,
            is_admin=True,
            **times,
        )
    )
    # Harbor seeds a second account that nobody can use; scripts count on people's ids starting at 3.
    nobody = {"id": 2, "username": "anonymous#2", "username_key": "anonymous#2", "password": NOBODY, "is_deleted": True}
    connection.execute(insert(user).values(**nobody, **times))
    connection.execute(insert(project).values(id=1, name="library", owner_id=1, is_public=True, **times))
    owner = {"project_id": 1, "entity_type": USER, "entity_id": 1, "role": int(Role.PROJECT_ADMIN)}
    connection.execute(insert(member).values(**owner, **times))
    connection.execute(insert(quota).values(project_id=1, hard=-1, **times))


async def check_storage(settings: Settings) -> None:
    """Raise StorageError, StartError when blobs cannot be kept where the settings say."""
    from mooring import installation

    driver = installation.driver(settings)
    try:
        await driver.check()
    finally:
        await driver.close()


def _in_child(settings: Settings, answer: Pipe) -> None:
    from mooring.cli.process import become_child

    become_child("mooring prepare")
    try:
        prepared = prepare(settings)
    except MooringError as error:
        prepared = Prepared(failure=str(error))
    except Exception:
        structlog.get_logger().exception("preparing failed")
        prepared = Prepared(failure="preparing the installation failed; what it logged above says why")
    answer.send_bytes(msgspec.json.encode(prepared))


def _unchanged(connection: "Connection", configured: str | None) -> tuple[str, ...]:
    """The sentence for a configured password that is not the one of the first start."""
    from sqlalchemy import select

    from mooring.features.signin.tables import secret
    from mooring.features.users.passwords import verify_password

    if configured is None:
        return ()
    first = connection.execute(select(secret.c.value).where(secret.c.name == _CONFIGURED)).scalar()
    if first is not None and verify_password(first, configured):
        return ()
    return (
        "the configured administrator's password is not that of the first start and is not applied; "
        f"use `mooring user password {ADMIN}` to change it",
    )
