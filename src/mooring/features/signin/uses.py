"""When sessions and personal tokens were last used: written behind the request's back, at most once a minute each."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Connection

from mooring.core.clock import SECOND
from mooring.core.errors import MooringError
from mooring.db.engine import Database

K = TypeVar("K", int, str)


class Uses:
    """One for each process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._writing: Final[dict[int | str, asyncio.Task[None]]] = {}

    def note(
        self, write: Callable[[Connection, K, int], None], which: K, last: int, moment: int, *, precision: int = 60
    ) -> None:
        """Have `write` called for the row, unless `last` tells the use to within the precision, in seconds."""
        if moment - last < precision * SECOND or which in self._writing:
            return
        task = asyncio.create_task(self._write(write, which, moment))
        self._writing[which] = task
        task.add_done_callback(lambda _: self._writing.pop(which))

    async def close(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._writing.values())

    async def _write(self, write: Callable[[Connection, K, int], None], which: K, moment: int) -> None:
        with contextlib.suppress(MooringError):  # the next use is written
            await self._db.write(write, which, moment)
