"""The bytes of blobs, wherever their segments lie."""

from collections.abc import AsyncIterator

from mooring.features.blobs.queries import Blob
from mooring.storage.driver import Driver


def read(driver: Driver, found: Blob, start: int, stop: int) -> AsyncIterator[bytes]:
    """The bytes [start, stop) of a blob."""
    if len(found.segments) == 1:
        return driver.read(found.segments[0][0], start, stop)
    return _read_across(driver, found, start, stop)


async def read_whole(driver: Driver, found: Blob) -> bytes:
    """All of a blob that is known to be small. Raises ObjectMissing, StorageUnavailable."""
    return b"".join([piece async for piece in read(driver, found, 0, found.size)])


async def _read_across(driver: Driver, found: Blob, start: int, stop: int) -> AsyncIterator[bytes]:
    at = 0
    for key, size in found.segments:
        if at < stop and start < at + size:
            async for piece in driver.read(key, max(0, start - at), min(size, stop - at)):
                yield piece
        at += size
