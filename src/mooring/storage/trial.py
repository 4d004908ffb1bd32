"""Finding out whether a store can be used, by using it."""

from collections.abc import AsyncIterator
from typing import Final

from mooring.core.errors import StorageError, StorageUnavailable
from mooring.storage import keys
from mooring.storage.driver import Driver

_CONTENT: Final = b"mooring"


async def try_out(driver: Driver, store: str) -> None:
    """Write an object, read it and delete it. Raises StorageUnavailable, in a sentence that calls the store this."""

    async def body() -> AsyncIterator[bytes]:
        yield _CONTENT

    key = keys.segment()
    try:
        await driver.write(key, body())
        read = b"".join([piece async for piece in driver.read(key, 0, len(_CONTENT))])
        await driver.delete([key])
    except StorageError as error:
        raise StorageUnavailable(f"{store} cannot be used: {error}") from error
    if read != _CONTENT:
        raise StorageUnavailable(f"{store} does not return what was written to it")
