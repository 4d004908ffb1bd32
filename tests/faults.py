"""A driver that fails when it is told to."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager

from mooring.core.errors import StorageError, StorageUnavailable
from mooring.storage.driver import Driver, Entry
from mooring.storage.filesystem import Filesystem
from mooring.storage.hashing import Hash


class Faulty:
    """Passes on to a driver, except for the call numbered `at` (from 1), which raises `error`.

    What takes a body or gives one fails in the middle: when `pieces` of them have gone through. `calls` names what was
    called so far; a run that never fails (at=0) tells how many points there are to fail at.
    """

    def __init__(self, driver: Driver, *, at: int = 0, error: StorageError | None = None, pieces: int = 0) -> None:
        self.calls: list[str] = []
        self._driver = driver
        self._at = at
        self._error = error or StorageUnavailable("a fault of the test")
        self._pieces = pieces

    def _call(self, name: str) -> bool:
        """Note the call; whether it is the one to fail."""
        self.calls.append(name)
        return len(self.calls) == self._at

    async def _torn(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The first pieces, and the error in place of the rest."""
        left = self._pieces
        async for piece in body:
            if not left:
                break
            left -= 1
            yield piece
        raise self._error

    async def write(self, key: str, body: AsyncIterator[bytes], running: Hash | None = None) -> int:
        return await self._driver.write(key, self._torn(body) if self._call("write") else body, running)

    async def read(self, key: str, start: int, stop: int) -> AsyncIterator[bytes]:
        pieces = self._driver.read(key, start, stop)
        async for piece in self._torn(pieces) if self._call("read") else pieces:
            yield piece

    async def delete(self, keys: Sequence[str]) -> None:
        if self._call("delete"):
            raise self._error
        await self._driver.delete(keys)

    async def list(self, prefix: str) -> AsyncIterator[Entry]:
        if self._call("list"):
            raise self._error
        async for entry in self._driver.list(prefix):
            yield entry

    async def check(self) -> None:
        if self._call("check"):
            raise self._error
        await self._driver.check()

    async def close(self) -> None:
        await self._driver.close()


class FaultyFolder(Faulty):
    """The same over a folder, which can append."""

    def __init__(self, driver: Filesystem, *, at: int = 0, error: StorageError | None = None, pieces: int = 0) -> None:
        super().__init__(driver, at=at, error=error, pieces=pieces)
        self._folder = driver

    async def append(self, key: str, offset: int, body: AsyncIterator[bytes], running: Hash | None = None) -> int:
        return await self._folder.append(key, offset, self._torn(body) if self._call("append") else body, running)

    def exclusive(self, key: str) -> AbstractContextManager[bool]:
        return self._folder.exclusive(key)
