"""The hashes of uploads that go on."""

import asyncio
import hashlib
from collections import OrderedDict

from mooring.storage.driver import Driver
from mooring.storage.hashing import Hash


async def rehash(driver: Driver, segments: list[tuple[str, int]], algorithm: str) -> Hash:
    """Read what is stored once more. Raises ObjectMissing, StorageUnavailable."""
    running: Hash = hashlib.new(algorithm)
    for key, size in segments:
        async for piece in driver.read(key, 0, size):
            await asyncio.to_thread(running.update, piece)
    return running


class RunningHashes:
    """The hashes of uploads that may go on in this process, by upload and offset. Bounded: the oldest is forgotten,
    and read anew.
    """

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, tuple[int, Hash]] = OrderedDict()

    def take(self, upload: str, offset: int, algorithm: str) -> Hash | None:
        """A copy that may be updated; None when it is not here."""
        kept = self._kept.get(upload)
        if kept is None or kept[0] != offset or kept[1].name != algorithm:
            return None
        return kept[1].copy()

    def keep(self, upload: str, offset: int, running: Hash) -> None:
        self._kept[upload] = (offset, running)
        self._kept.move_to_end(upload)
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)

    def drop(self, upload: str) -> None:
        self._kept.pop(upload, None)
