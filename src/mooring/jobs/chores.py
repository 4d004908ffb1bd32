"""Chores: what jobs processes do again and again, each in its interval, once for the whole installation."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple
from uuid import uuid4

import structlog
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mooring.core.clock import SECOND, now
from mooring.core.errors import MooringError
from mooring.db.engine import Database
from mooring.jobs.tables import lease

_RETRY: Final = 60  # seconds until a chore that failed is tried again
_HELD: Final = 60  # seconds that a chore which is done when it is due may take before somebody else tries
_LONGEST_SLEEP: Final = 3600.0


class Chore(NamedTuple):
    """Something to do again and again. `interval` is in seconds; `run` is awaited, and may fail: it is called again.

    One with `is_due` is done whenever that says so: it is asked in each interval, and nothing is written while it says
    no.
    """

    name: str
    interval: int
    run: Callable[[], Awaitable[None]]
    is_due: Callable[[], Awaitable[bool]] | None = None


class Chores:
    """Runs chores by leases in the database: who takes a chore's lease does it; the lease lasts for the interval."""

    def __init__(self, db: Database, chores: Sequence[Chore]) -> None:
        self._db = db
        self._chores = chores
        self._owner = uuid4().hex

    async def run_forever(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set and what is under way then has ended."""
        async with asyncio.TaskGroup() as group:
            for chore in self._chores:
                group.create_task(self._run(chore, stop), name=chore.name)

    async def _run(self, chore: Chore, stop: asyncio.Event) -> None:
        while not stop.is_set():
            pause = await self._attempt(chore)
            try:
                await asyncio.wait_for(stop.wait(), min(pause, _LONGEST_SLEEP))
            except TimeoutError:
                continue

    async def _attempt(self, chore: Chore) -> float:
        """Do the chore if it is due and nobody else does; the seconds until the next look."""
        log = structlog.get_logger().bind(chore=chore.name)
        try:
            if chore.is_due and not await chore.is_due():
                return chore.interval
            seconds = _HELD if chore.is_due else chore.interval
            due = await self._db.write(claim, chore.name, self._owner, now(), seconds)
            if due:
                return (due - now()) / SECOND
            await chore.run()
        except MooringError as error:
            log.warning("a chore failed and is tried again", error=str(error))
        except Exception:
            log.exception("a chore failed and is tried again")
        else:
            if chore.is_due:
                await self._release(chore, 0, log)
            return chore.interval
        await self._release(chore, _RETRY, log)
        return _RETRY

    async def _release(self, chore: Chore, seconds: int, log: structlog.typing.FilteringBoundLogger) -> None:
        """Let somebody do it again in so many seconds."""
        try:
            await self._db.write(postpone, chore.name, self._owner, now() + seconds * SECOND)
        except MooringError as error:
            log.warning("the lease of a chore could not be given back", error=str(error))


def claim(connection: Connection, name: str, owner: str, moment: int, seconds: int) -> int:
    """Take the lease for so many seconds; 0, or the moment at which it ends when somebody holds it."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    expires = moment + seconds * SECOND
    statement = dialect.insert(lease).values(name=name, owner=owner, expires=expires)
    statement = statement.on_conflict_do_update(
        index_elements=["name"], set_={"owner": owner, "expires": expires}, where=lease.c.expires <= moment
    )
    if connection.execute(statement.returning(lease.c.name)).first() is not None:
        return 0
    held: int = connection.execute(select(lease.c.expires).where(lease.c.name == name)).scalar_one()
    return held


def postpone(connection: Connection, name: str, owner: str, moment: int) -> None:
    """Let the lease end at the moment, if it is still the owner's."""
    connection.execute(update(lease).where(lease.c.name == name, lease.c.owner == owner).values(expires=moment))
