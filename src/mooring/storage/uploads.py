"""From a request's body to a stored segment, hashed on the way, in constant memory."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

from mooring.storage.driver import Driver

PIECE: Final = 1 << 20  # bytes; messages are joined to this before they are hashed and written
_SMALL: Final = 1 << 16  # bytes that are hashed sooner than a thread could be asked to

Hash = Any  # hashlib's object; its type has no public name


async def joined(messages: AsyncIterator[bytes], size: int = PIECE) -> AsyncIterator[bytes]:
    """The same bytes in pieces of at least `size`, but for the last."""
    waiting: list[bytes] = []
    length = 0
    async for message in messages:
        waiting.append(message)
        length += len(message)
        if length >= size:
            yield waiting[0] if len(waiting) == 1 else b"".join(waiting)
            waiting, length = [], 0
    if waiting:
        yield waiting[0] if len(waiting) == 1 else b"".join(waiting)


async def hashed(pieces: AsyncIterator[bytes], hashes: Iterable[Hash]) -> AsyncIterator[bytes]:
    """Pass the pieces on, hashing each while it is being written."""
    loop = asyncio.get_running_loop()
    async for piece in pieces:
        if len(piece) <= _SMALL:
            for one in hashes:
                one.update(piece)
            yield piece
            continue
        running = [loop.run_in_executor(None, one.update, piece) for one in hashes]
        yield piece
        for task in running:
            await task


async def rehash(driver: Driver, segments: list[tuple[str, int]], algorithm: str) -> Hash:
    """Read what is stored once more. Raises ObjectMissing, StorageUnavailable."""
    running = hashlib.new(algorithm)
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
