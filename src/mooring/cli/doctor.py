"""`mooring doctor`."""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mooring.cli import certificate, folder
from mooring.cli.banner import answers
from mooring.cli.listen import listen
from mooring.cli.options import Config, Data, load
from mooring.core.errors import MooringError, StartError
from mooring.settings import Http, Https, Settings

if TYPE_CHECKING:
    from mooring.db.engine import Database

_LITTLE_ROOM: Final = 1 << 30  # bytes
_SOON: Final = 14  # days before a certificate ends
_CLOCK: Final = 60  # seconds that two clocks may differ: tokens allow no more


def doctor(*, config: Config = None, data: Data = None) -> int:
    """Look whether Mooring can serve with these settings, and say what to do where it cannot."""
    settings, notices = load(config, data)
    for notice in notices:
        print(f"note  settings     {notice}")
    failed = False
    for name, check in _checks(settings):
        try:
            print(f"ok    {name:12} {check(settings)}")
        except MooringError as error:
            failed = True
            print(f"FAIL  {name:12} {' '.join(str(error).split())}")
    return 1 if failed else 0


def _checks(settings: Settings) -> Iterator[tuple[str, Callable[[Settings], str]]]:
    if folder.is_needed(settings):
        yield "data folder", _folder
    yield "database", _database
    yield "storage", _storage
    yield "port", _port
    if settings.https is not None:
        yield "certificate", _certificate
    yield "clock", _clock


def _folder(settings: Settings) -> str:
    path = Path(settings.data_volume)
    folder.make(path)
    free = shutil.disk_usage(path).free
    if free < _LITTLE_ROOM:
        raise StartError(f"the disk of {path} has only {free >> 20} MiB left; make room before pushes fail")
    return f"{path}, {free >> 30} GiB free"


def _database(settings: Settings) -> str:
    from mooring.db import schema

    if not _is_there(settings):
        return "not made yet; the first start does it"
    with _opened(settings) as db:
        db.read_now(schema.check)
        stands = db.read_now(schema.current)
    if stands != schema.head():
        return f"schema {stands or 'none'}; the next start brings it to {schema.head()}"
    return f"{'SQLite' if db.is_sqlite else 'PostgreSQL'}, schema {stands}"


def _storage(settings: Settings) -> str:
    from mooring.cli.prepare import check_storage

    asyncio.run(check_storage(settings))
    if settings.storage.kind == "filesystem":
        return settings.storage_root
    return (
        f"{settings.storage.kind} bucket {settings.storage.bucket}; let a lifecycle rule of the bucket "
        "abort incomplete multipart uploads after a few days"
    )


def _port(settings: Settings) -> str:
    listeners: list[tuple[str, Http | Https]] = [("http", settings.http)]
    if settings.https is not None:
        listeners.append(("https", settings.https))
    ports = " and ".join(str(listener.port) for _, listener in listeners)
    if answers(settings):
        return f"{ports}: a Mooring answers"
    with ExitStack() as opened:
        for key, listener in listeners:
            opened.enter_context(listen(listener.host, listener.port, key))
    return f"{ports} free"


def _certificate(settings: Settings) -> str:
    assert settings.https is not None  # noqa: S101 - the check is made with https only
    certificate.check(settings.https)
    end = certificate.expiry(settings.https)
    left = end - datetime.now(UTC)
    if left.days < _SOON:
        when = f"{end:%Y-%m-%d}"
        raise StartError(
            f"the certificate {'ended' if left.total_seconds() < 0 else 'ends'} on {when}; "
            "renew it and send SIGHUP to `mooring serve`"
        )
    return f"valid until {end:%Y-%m-%d}"


def _clock(settings: Settings) -> str:
    if not _is_there(settings):
        return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    other, whose = _other_clock(settings)
    ahead = other - time.time()
    if ahead > _CLOCK or (whose == "the database's" and ahead < -_CLOCK):
        raise StartError(f"this machine's clock and {whose} are {abs(ahead):.0f} s apart; synchronise it, with NTP say")
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _other_clock(settings: Settings) -> tuple[float, str]:
    """A time to compare with, in seconds since the epoch: PostgreSQL's, or the newest that SQLite's rows speak of."""
    from sqlalchemy import func, select, text

    from mooring.core.clock import SECOND
    from mooring.features.users.tables import user

    with _opened(settings) as db:
        if not db.is_sqlite:
            asked = text("SELECT extract(epoch FROM clock_timestamp())")
            return float(db.read_now(lambda connection: connection.execute(asked).scalar_one())), "the database's"
        newest = db.read_now(lambda it: it.execute(select(func.max(user.c.update_time))).scalar()) or 0
        return newest / SECOND, "that of the last start"


def _is_there(settings: Settings) -> bool:
    """Whether there is a database to look at: a file that does not exist yet is not made here."""
    file = settings.sqlite_file
    return file is None or file.exists()


@contextmanager
def _opened(settings: Settings) -> "Iterator[Database]":
    from mooring.db.engine import Database

    db = Database(settings.database_url, connections=1)
    try:
        yield db
    finally:
        db.close_now()
