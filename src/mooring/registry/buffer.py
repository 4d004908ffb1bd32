"""What reads leave behind, written a second later for many requests together: pull counts and times, and when blobs
were last asked for.

Nothing is written in a request that reads. SIGTERM flushes; only SIGKILL loses the second.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from mooring.core.clock import now
from mooring.core.errors import MooringError
from mooring.db.engine import Database
from mooring.features.artifacts.service import Pull, record_pulls
from mooring.features.blobs.service import touch
from mooring.features.repositories.service import touch as touch_repositories

INTERVAL: Final = 1.0  # seconds


class Buffer:
    """One for each process; `run` is a task of its event loop."""

    def __init__(self, db: Database, failed: Callable[[MooringError], None]) -> None:
        self._db = db
        self._failed = failed
        self._pulls: dict[tuple[int, int, int], Pull] = {}
        self._blobs: dict[int, int] = {}
        self._repositories: dict[int, int] = {}

    def pulled(self, repository_id: int, artifact_id: int, tag_id: int) -> None:
        """An artifact was pulled, by the tag when `tag_id` is not 0."""
        key = (repository_id, artifact_id, tag_id)
        known = self._pulls.get(key)
        self._pulls[key] = Pull(repository_id, artifact_id, tag_id, (known.count if known else 0) + 1, now())

    def used(self, blob_id: int) -> None:
        """A client was told that a blob is here, and may rely on it."""
        self._blobs[blob_id] = now()

    def changed(self, repository_id: int) -> None:
        """Something was pushed to the repository. In the push's own transaction, all pushes to one repository would
        wait for its row.
        """
        self._repositories[repository_id] = now()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            await self.flush()

    async def flush(self) -> None:
        """Write what has gathered. When the database is away it is kept for the next time."""
        pulls, blobs, repositories = self._pulls, self._blobs, self._repositories
        if not (pulls or blobs or repositories):
            return
        self._pulls, self._blobs, self._repositories = {}, {}, {}
        try:
            if pulls:
                await self._db.write(record_pulls, list(pulls.values()))
            if blobs:
                await self._db.write(touch, blobs)
            if repositories:
                await self._db.write(touch_repositories, repositories)
        except MooringError as error:
            self._failed(error)
            self._keep(pulls, blobs, repositories)

    def _keep(
        self, pulls: dict[tuple[int, int, int], Pull], blobs: dict[int, int], repositories: dict[int, int]
    ) -> None:
        for key, pull in pulls.items():
            since = self._pulls.get(key)
            self._pulls[key] = pull if since is None else since.plus(pull)
        self._blobs = blobs | self._blobs
        self._repositories = repositories | self._repositories

    async def close(self, task: "asyncio.Task[None]") -> None:
        """Stop the task and flush what is left."""
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await self.flush()
