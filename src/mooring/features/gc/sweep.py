"""Letting go of blobs and deleting their bytes, both at once for different blobs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from mooring.db.engine import Database
from mooring.features.gc import service
from mooring.features.gc.service import Buried
from mooring.storage.driver import Driver


class Sweep:
    """Takes batches of blobs from row to bytes. Up to `workers` requests to the store are under way at once, and as
    many batches wait for their turn. `buried` is what went so far.
    """

    def __init__(self, db: Database, driver: Driver, batches: asyncio.TaskGroup, workers: int) -> None:
        self.buried = Buried()
        self._db = db
        self._driver = driver
        self._batches = batches
        self._room = asyncio.Semaphore(2 * workers)
        self._turn = asyncio.Lock()
        self._requests = asyncio.Semaphore(workers)

    async def resume(self) -> None:
        """Begin with what an earlier run let go of and did not come to delete."""
        after = ""
        while keys := await self._db.read(service.dead_segments, after):
            after = keys[-1]
            await self._room.acquire()
            self._batches.create_task(self._delete(keys))

    async def bury(self, blob_ids: Sequence[int], before: int) -> None:
        """Begin with those of these blobs that are dead, once there is room for a batch."""
        await self._room.acquire()
        self._batches.create_task(self._bury(blob_ids, before))

    async def _bury(self, blob_ids: Sequence[int], before: int) -> None:
        async with self._turn:  # or a blob would be passed over because an earlier batch, where it was not dead, has it
            buried, keys = await self._db.write(service.bury, blob_ids, before)
        self.buried = self.buried.plus(buried)
        await self._delete(keys)

    async def _delete(self, keys: Sequence[str]) -> None:
        """The bytes, then the note of them; the rows went before."""
        if keys:
            async with self._requests:
                await self._driver.delete(keys)
            await self._db.write(service.forget_segments, keys)
        self._room.release()


@asynccontextmanager
async def sweeping(db: Database, driver: Driver, workers: int) -> AsyncIterator[Sweep]:
    """A sweep that ends when every batch is done, or at the first error. What it has not come to by then is left to the
    next one.
    """
    try:
        async with asyncio.TaskGroup() as batches:
            yield Sweep(db, driver, batches, workers)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
