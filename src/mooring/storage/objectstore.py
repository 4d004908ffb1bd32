"""Blobs in a bucket: S3 and what speaks it, Google Cloud Storage, Azure."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, TypeVar

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import AzureStore, GCSStore, S3Store

from mooring.core.errors import ObjectMissing, StartError, StorageError, StorageFull, StorageUnavailable
from mooring.settings import Storage
from mooring.storage.driver import DELETE, READER, WRITER, Count, Entry, uncounted
from mooring.storage.ending import to_the_end
from mooring.storage.hashing import Hash, hashed
from mooring.storage.trial import try_out

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

T = TypeVar("T")
Store = S3Store | GCSStore | AzureStore

PIECE: Final = 1 << 20
# A multipart upload has at most 10 000 parts (S3 User Guide, "Multipart upload limits") and nobody says beforehand how
# long a body is: 200 GB need parts of 20 MB. Two of them are more than the 32 MiB that an upload may hold, so one goes
# after the other, and AHEAD bytes are received meanwhile. A body that ends before that needs no parts.
PART: Final = 20 << 20
AHEAD: Final = 8 << 20
DELETED_AT_ONCE: Final = 1000

# A whole answer may take as long as the slowest client that it goes to. Each wait for the store may not; that for the
# answer to a part begins with the part, so that a line to the store must carry 3 Mbit/s.
TIMEOUTS: "Final[ClientConfig]" = {"connect_timeout": "5s", "read_timeout": "60s", "timeout": "7days"}
RETRIES: "Final[RetryConfig]" = {
    "max_retries": 4,
    "retry_timeout": timedelta(seconds=30),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2), "base": 2},
}

CLIENTS: Final[dict[str, type[S3Store] | type[GCSStore] | type[AzureStore]]] = {
    "s3": S3Store,
    "gcs": GCSStore,
    "azure": AzureStore,
}

# The client tells these apart in its text alone.
NO_BUCKET: Final = ("NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist")
NO_ROOM: Final = ("XMinioStorageFull", "QuotaExceeded", "507 Insufficient Storage")
PAST_THE_END: Final = ("416 Range Not Satisfiable", "416 Requested Range Not Satisfiable", "StartTooLarge")


class ObjectStore:
    """A driver over a bucket; it can presign.

    An upload that dies with the process, or whose store does, may leave parts behind that only a lifecycle rule of the
    bucket takes away (AbortIncompleteMultipartUpload); those of a body that failed or was cancelled are aborted here.
    """

    def __init__(self, store: Store, count: Count = uncounted) -> None:
        self._store = store
        self._count = count

    async def write(self, key: str, body: AsyncIterator[bytes], running: Hash | None = None) -> int:
        upload = _Upload(self._store, key)
        written = 0
        try:
            async for piece in _joined(body if running is None else hashed(body, running)):
                written += len(piece)
                await upload.send(piece)
            began = perf_counter()
            await upload.finish()
            self._count(WRITER, perf_counter() - began)
        except BaseException:
            await to_the_end(upload.discard())
            raise
        return written

    async def read(self, key: str, start: int, stop: int) -> AsyncIterator[bytes]:
        if start >= stop:
            return
        began = perf_counter()
        if stop - start <= PIECE:
            # One answer held in Rust costs half of what a stream does.
            piece = bytes(await _asked(obstore.get_range_async(self._store, key, start=start, end=stop)))
            self._count(READER, perf_counter() - began)
            _check_end(key, start + len(piece), stop)
            yield piece
            return
        result = await _asked(obstore.get_async(self._store, key, options={"range": (start, stop)}))
        self._count(READER, perf_counter() - began)
        _check_end(key, result.range[1], stop)
        stream = result.stream(min_chunk_size=PIECE // 2)
        while (chunk := await _asked(anext(stream, None))) is not None:
            view = memoryview(chunk)
            for at in range(0, len(view), PIECE):
                yield bytes(view[at : at + PIECE])

    async def delete(self, keys: Sequence[str]) -> None:
        for at in range(0, len(keys), DELETED_AT_ONCE):
            began = perf_counter()
            await self._delete(keys[at : at + DELETED_AT_ONCE])
            self._count(DELETE, perf_counter() - began)

    async def _delete(self, keys: Sequence[str]) -> None:
        try:
            await _asked(obstore.delete_async(self._store, keys))
        except ObjectMissing:
            # GCS and Azure stop at a key that is not there; S3 does not mind.
            if len(keys) > 1:
                for key in keys:
                    await self._delete([key])

    async def list(self, prefix: str) -> AsyncIterator[Entry]:
        stream = obstore.list(self._store, prefix.rpartition("/")[0] or None, chunk_size=DELETED_AT_ONCE)
        while (found := await _asked(anext(stream, None))) is not None:
            for each in found:
                if each["path"].startswith(prefix):
                    modified = int(each["last_modified"].timestamp() * 1_000_000)
                    yield Entry(key=each["path"], size=each["size"], modified=modified)

    async def presign(self, key: str, seconds: int) -> str:
        return await _asked(obstore.sign_async(self._store, "GET", key, timedelta(seconds=seconds)))

    async def check(self) -> None:
        await try_out(self, "the bucket")

    async def close(self) -> None:
        return


class _Upload:
    """One object on its way: what has been received and not been taken by the store, and the put that takes it.

    The put pulls from a task of its own and must not be cancelled, for then its parts would stay in the bucket: it ends
    when its source does, or raises.
    """

    def __init__(self, store: Store, key: str) -> None:
        self._store = store
        self._key = key
        self._ahead: deque[bytes] = deque()
        self._held = 0
        self._put: asyncio.Future[object] | None = None
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._whole = False
        self._broken = False

    async def send(self, piece: bytes) -> None:
        self._ahead.append(piece)
        self._held += len(piece)
        self._arrived.set()
        if self._put is None:
            if self._held < AHEAD:
                return
            self._start(self._source())
        while self._held >= AHEAD and not self._ended():
            self._room.clear()
            await self._room.wait()
        if self._ended():
            await self.finish()

    async def finish(self) -> None:
        self._whole = True
        self._arrived.set()
        put = self._put or self._start(b"".join(self._ahead))
        await _asked(asyncio.shield(put))

    async def discard(self) -> None:
        """End the put and leave nothing of it."""
        self._broken = True
        self._arrived.set()
        if self._put is None:
            return
        with suppress(_Broken, BaseError, OSError):
            await self._put
            await obstore.delete_async(self._store, self._key)

    def _start(self, source: bytes | AsyncIterator[bytes]) -> asyncio.Future[object]:
        put: asyncio.Future[object] = asyncio.ensure_future(
            obstore.put_async(self._store, self._key, source, chunk_size=PART, max_concurrency=1)
        )
        put.add_done_callback(lambda _: self._room.set())
        self._put = put
        return put

    def _ended(self) -> bool:
        return self._put is not None and self._put.done()

    async def _source(self) -> AsyncIterator[bytes]:
        while True:
            while not (self._ahead or self._whole or self._broken):
                self._arrived.clear()
                await self._arrived.wait()
            if self._broken:
                raise _Broken
            if not self._ahead:
                return
            piece = self._ahead.popleft()
            self._held -= len(piece)
            self._room.set()
            yield piece


async def _joined(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces of at least 1 MiB, but for the last."""
    waiting: list[bytes] = []
    length = 0
    async for piece in body:
        waiting.append(piece)
        length += len(piece)
        if length >= PIECE:
            yield waiting[0] if len(waiting) == 1 else b"".join(waiting)
            waiting, length = [], 0
    if waiting:
        yield waiting[0] if len(waiting) == 1 else b"".join(waiting)


class _Broken(Exception):
    """Ends a put whose body will not be whole, so that the client aborts the multipart upload."""


def from_settings(storage: Storage, count: Count = uncounted) -> ObjectStore:
    """The bucket that the settings name. Raises StartError when they cannot be right."""
    client = TIMEOUTS | {"allow_http": storage.endpoint.startswith("http://")}
    if storage.ca_bundle:
        client["root_certificate"] = _certificates(storage.ca_bundle)
    try:
        store = CLIENTS[storage.kind](
            storage.bucket,
            prefix=storage.prefix.strip("/") or None,
            config=_config(storage),
            client_options=client,
            retry_config=RETRIES,
        )
    except (BaseError, ValueError) as error:
        raise StartError(f"storage: the {storage.kind} client refuses these settings: {_first_line(error)}") from error
    return ObjectStore(store, count)


def _config(storage: Storage) -> Any:
    """The settings under the client's names. Where there is no key, the client looks for one in its environment."""
    named = {
        "s3": {"region": storage.region, "access_key_id": storage.access_key, "secret_access_key": storage.secret_key},
        "gcs": {},
        "azure": {"account_name": storage.access_key, "account_key": storage.secret_key},
    }[storage.kind]
    endpoint = "base_url" if storage.kind == "gcs" else "endpoint"
    return {name: value for name, value in (named | {endpoint: storage.endpoint} | storage.options).items() if value}


def _certificates(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"storage.ca_bundle: {path} cannot be read as PEM: {error}") from error


async def _asked(answer: Awaitable[T]) -> T:
    """What the store answers, its errors as ours."""
    try:
        return await answer
    except (BaseError, OSError) as error:
        raise _explained(error) from error


def _explained(error: Exception) -> StorageError:
    text, line = str(error), _first_line(error)
    if any(each in text for each in NO_BUCKET):
        return StorageUnavailable(f"there is no such bucket; create it or change the settings ({line})")
    if isinstance(error, FileNotFoundError) or any(each in text for each in PAST_THE_END):
        return ObjectMissing(line)
    if any(each in text for each in NO_ROOM):
        return StorageFull(f"the bucket has no room left; free space or raise the quota ({line})")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return StorageUnavailable(f"the bucket refuses the key; check the key and its rights ({line})")
    return StorageUnavailable(f"the bucket does not answer; check the address, or wait until it does ({line})")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _check_end(key: str, end: int, stop: int) -> None:
    if end < stop:
        raise ObjectMissing(f"{key} ends at byte {end}, {stop - end} bytes too early")
