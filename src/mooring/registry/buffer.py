"""What reads leave behind, written a second later for many requests together: pull counts, times and records, and when
blobs were last asked for.

Nothing is written in a request that reads. SIGTERM flushes; only SIGKILL loses the second.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection

from mooring.core.clock import now
from mooring.core.errors import MooringError
from mooring.db.engine import Database
from mooring.features.blobs.service import touch
from mooring.features.repositories.service import touch as touch_repositories
from mooring.registry.pulls import Pulled, Pulls

T = TypeVar("T")

INTERVAL: Final = 1.0  # seconds
_KEPT: Final = 200_000  # pulls that are kept while the database takes none


class Buffer:
    """One for each process; `run` is a task of its event loop."""

    def __init__(self, db: Database, pulls: Pulls, failed: Callable[[MooringError], None]) -> None:
        self._db = db
        self._record = pulls.record
        self._failed = failed
        self._pulls: list[Pulled] = []
        self._blobs: dict[int, int] = {}
        self._repositories: dict[int, int] = {}
        self._closing = asyncio.Event()

    def pulled(self, pull: Pulled) -> None:
        """An artifact was pulled."""
        self._pulls.append(pull)

    def used(self, blob_id: int) -> None:
        """A client was told that a blob is here, and may rely on it."""
        self._blobs[blob_id] = now()

    def changed(self, repository_id: int) -> None:
        """Something was pushed to the repository. In the push's own transaction, all pushes to one repository would
        wait for its row.
        """
        self._repositories[repository_id] = now()

    async def run(self) -> None:
        """Write every second, until `close`, and then what came while the last was written."""
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), INTERVAL)
            await self.flush()
        await self.flush()

    async def flush(self) -> None:
        """Write what has gathered. When the database is away it is kept for the next time."""
        # In transactions of their own: pulls of one repository and pushes to another would wait for each other.
        await self._flush_pulls() and await self._flush_blobs() and await self._flush_repositories()

    async def _flush_pulls(self) -> bool:
        pulls, self._pulls = self._pulls, []
        if not pulls or await self._written(self._record, pulls):
            return True
        self._pulls = pulls + self._pulls
        lost = len(self._pulls) - _KEPT
        if lost > 0:
            del self._pulls[:lost]
            structlog.get_logger().error("pulls were neither counted nor recorded: too many waited", pulls=lost)
        return False

    async def _flush_blobs(self) -> bool:
        blobs, self._blobs = self._blobs, {}
        if not blobs or await self._written(touch, blobs):
            return True
        self._blobs = blobs | self._blobs
        return False

    async def _flush_repositories(self) -> bool:
        repositories, self._repositories = self._repositories, {}
        if not repositories or await self._written(touch_repositories, repositories):
            return True
        self._repositories = repositories | self._repositories
        return False

    async def _written(self, function: Callable[[Connection, T], None], gathered: T) -> bool:
        try:
            await self._db.write(function, gathered)
        except MooringError as error:
            self._failed(error)
            return False
        return True

    async def close(self, task: "asyncio.Task[None]") -> None:
        """Have the task write what is left and end. It is not cancelled, or what it is just writing would be lost."""
        self._closing.set()
        await task
