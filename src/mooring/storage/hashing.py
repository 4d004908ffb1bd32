"""Hashing a body on its way to where it is stored."""

from collections.abc import AsyncIterator
from typing import Protocol, Self


class Hash(Protocol):
    """What is used of hashlib's objects, whose own type has no public name."""

    @property
    def name(self) -> str: ...

    def update(self, data: bytes, /) -> None: ...

    def copy(self) -> Self: ...

    def hexdigest(self) -> str: ...


async def hashed(body: AsyncIterator[bytes], running: Hash) -> AsyncIterator[bytes]:
    """Pass a body on, each piece hashed before."""
    async for piece in body:
        running.update(piece)
        yield piece
