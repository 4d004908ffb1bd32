"""What a place for bytes must do. The filesystem and the object store pass the same suite (tests/storage).

Keys come from storage/keys.py and are unique: a key is written by one upload and never reused, so that no driver
needs renames, locks or conditional writes. What a driver may do beyond this it says by a further protocol, asked for
at the call site.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol, TypeAlias, runtime_checkable

from msgspec import Struct

from mooring.storage.hashing import Hash

# Told what was done and how many seconds the store took: to begin an answer, to have a body that came whole durable, to
# delete. While a client sends or reads, the store is not what is waited for.
Count: TypeAlias = Callable[[str, float], None]
READER: Final = "Reader"
WRITER: Final = "Writer"
DELETE: Final = "Delete"


def uncounted(_action: str, _seconds: float) -> None:
    """Count nothing."""


class Entry(Struct, frozen=True):
    """One stored object. `modified` is in microseconds since the epoch."""

    key: str
    size: int
    modified: int


class Driver(Protocol):
    async def write(self, key: str, body: AsyncIterator[bytes], running: Hash | None = None) -> int:
        """Write a new object; the number of bytes written, all of which the running hash has taken in then.

        When this returns, the bytes and the entry that leads to them are durable as the driver's policy has it. When
        the body raises or the task is cancelled, nothing stays under the key, as far as the store allows, and the
        exception passes on. Memory is bounded whatever the length. Raises StorageFull, StorageUnavailable.
        """
        ...

    def read(self, key: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes [start, stop) in order, in pieces of up to 1 MiB that are read as they are asked for.

        Raises ObjectMissing when there is no such key or it ends early, StorageUnavailable.
        """
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; those that are not there are no error. Raises StorageUnavailable."""
        ...

    def list(self, prefix: str) -> AsyncIterator[Entry]:
        """Every object whose key begins with the prefix, in no particular order. Raises StorageUnavailable."""
        ...

    async def check(self) -> None:
        """Raise StorageUnavailable, in a sentence that says what to change, when objects cannot be written, read and
        deleted here.
        """
        ...

    async def close(self) -> None: ...


@runtime_checkable
class CanAppend(Protocol):
    async def append(self, key: str, offset: int, body: AsyncIterator[bytes], running: Hash | None = None) -> int:
        """Continue the object at the offset, as `write` does; the number of bytes added.

        What lies beyond the offset is from an attempt that was cut off, and is dropped first. When the body raises,
        the object ends at the offset again. Raises ObjectMissing when the object is shorter than the offset.
        """
        ...

    def exclusive(self, key: str) -> AbstractContextManager[bool]:
        """While it is held, no other process appends to the object. False when another one holds it: nothing is
        waited for.

        Who appends must hold this and must have read the offset after taking it, or it would drop what another has
        just added.
        """
        ...


@runtime_checkable
class CanPresign(Protocol):
    async def presign(self, key: str, seconds: int) -> str:
        """An address that serves the object to anybody for so long."""
        ...
