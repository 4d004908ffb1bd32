"""Bodies to store, and what of them can be found again."""

import random
from collections.abc import AsyncIterator

from mooring.storage.driver import Driver

PIECE = 1 << 20


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that are the same at each run and that nothing could have made up."""
    return random.Random(seed).randbytes(size)


async def body(content: bytes, piece: int = PIECE) -> AsyncIterator[bytes]:
    """A request's body as uploads hand it over: in pieces that are already joined."""
    for at in range(0, len(content), piece):
        yield content[at : at + piece]


async def stored(driver: Driver, key: str, start: int, stop: int) -> bytes:
    """What the driver says stands there."""
    return b"".join([piece async for piece in driver.read(key, start, stop)])


async def names(driver: Driver, prefix: str) -> list[str]:
    """What the driver says there is, sorted."""
    return sorted([entry.key async for entry in driver.list(prefix)])


class Torn(Exception):
    """How a client's connection ends in the middle of a body."""


async def torn(content: bytes, piece: int = PIECE) -> AsyncIterator[bytes]:
    """A body that breaks off."""
    async for each in body(content, piece):
        yield each
    raise Torn
