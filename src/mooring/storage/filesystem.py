"""Blobs in a folder."""

import asyncio
import errno
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Final, TypeVar

from mooring.core.errors import ObjectMissing, StorageError, StorageFull, StorageUnavailable
from mooring.core.threads import pool
from mooring.storage.driver import DELETE, READER, WRITER, Count, Entry, uncounted
from mooring.storage.ending import to_the_end
from mooring.storage.file import File
from mooring.storage.hashing import Hash, hashed
from mooring.storage.trial import try_out

T = TypeVar("T")

# Bytes. Half a mebibyte stays in a core's cache on its way through; twice as much costs a tenth more.
PIECE: Final = 1 << 19
GATHERED: Final = 1 << 20  # bytes that a thread is asked to write at once
LISTED_AT_ONCE: Final = 1000


class Filesystem:
    """A driver over a folder, made when it is first written to; it can append.

    `fsync` makes a write durable before it returns: the file's bytes and the folder that names it. Without it a power
    cut may lose or shorten the blobs of the last seconds. `threads` bounds how many calls wait for the disk at once.
    A key that would leave the folder raises ValueError.
    """

    def __init__(self, root: Path, *, fsync: bool = True, threads: int = 16, count: Count = uncounted) -> None:
        self._root = os.fspath(root.absolute())
        self._fsync = fsync
        self._threads = pool(threads, "storage")
        self._is_hashing = False
        self._count = count
        # preadv2(2): Linux alone has the flag, and not each of its file systems knows it. tmpfs does not, nor needs it.
        self._knows_nowait = hasattr(os, "RWF_NOWAIT")
        self._in_memory = False

    async def write(self, key: str, body: AsyncIterator[bytes], running: Hash | None = None) -> int:
        return await self._store(self._path(key), None, body, running)

    async def append(self, key: str, offset: int, body: AsyncIterator[bytes], running: Hash | None = None) -> int:
        return await self._store(self._path(key), offset, body, running)

    @contextmanager
    def exclusive(self, key: str) -> Iterator[bool]:
        try:
            fd = os.open(self._path(key), os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise _explained(error) from error
        try:
            yield _locked(fd)
        finally:
            os.close(fd)

    async def _store(self, path: str, offset: int | None, body: AsyncIterator[bytes], running: Hash | None) -> int:
        """Hash and write a body.

        A body that comes alone is hashed on the loop, where it arrives, while a thread writes: that is fastest. Of
        those that come meanwhile, the thread that writes hashes too: one loop would be slower than all cores together,
        however unevenly the kernel has spread the connections.
        """
        if running is None or self._is_hashing:
            return await self._fill(File(path, offset, self._fsync, running), body)
        self._is_hashing = True
        try:
            return await self._fill(File(path, offset, self._fsync), hashed(body, running))
        finally:
            self._is_hashing = False

    async def _fill(self, file: File, body: AsyncIterator[bytes]) -> int:
        written = gathered = 0
        pieces: list[bytes] = []
        writing: asyncio.Future[None] | None = None
        try:
            async for piece in body:
                pieces.append(piece)
                written += len(piece)
                gathered += len(piece)
                if gathered >= GATHERED:
                    if writing is not None:
                        await _over(writing)
                    writing = self._begin(file, pieces)
                    pieces, gathered = [], 0
            if writing is not None:
                await _over(writing)
            # The last pieces go with the end, so that a small body costs one change of threads.
            began = perf_counter()
            await self._call(file.finish, pieces)
            self._count(WRITER, perf_counter() - began)
        except BaseException:
            # In a thread, and behind the file's lock: the write that was cancelled may still be running.
            await to_the_end(self._call(file.discard))
            raise
        return written

    def _begin(self, file: File, pieces: Sequence[bytes]) -> "asyncio.Future[None]":
        """Write while more of the body comes. A failure is raised where it is waited for."""
        writing = asyncio.get_running_loop().run_in_executor(self._threads, file.write, pieces)
        writing.add_done_callback(lambda over: over.cancelled() or over.exception())
        return writing

    async def read(self, key: str, start: int, stop: int) -> AsyncIterator[bytes]:
        if start >= stop:
            return
        began = perf_counter()
        try:
            fd = os.open(self._path(key), os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise _explained(error) from error
        self._count(READER, perf_counter() - began)
        try:
            if stop - start > PIECE and hasattr(os, "posix_fadvise"):
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_SEQUENTIAL)
            while start < stop:
                piece = await self._piece(fd, start, min(stop - start, PIECE))
                if not piece:
                    raise ObjectMissing(f"{key} ends at byte {start}, {stop - start} bytes too early")
                start += len(piece)
                yield piece
        finally:
            os.close(fd)

    async def _piece(self, fd: int, offset: int, length: int) -> bytes:
        """The next bytes: at once when the page cache has them, else from a thread."""
        try:
            if self._at_hand(fd, offset + length - 1):
                return os.pread(fd, length, offset)
        except OSError as error:
            raise _explained(error) from error
        return await self._call(os.pread, fd, length, offset)

    def _at_hand(self, fd: int, offset: int) -> bool:
        """Whether a read that ends here need not wait for the disk.

        The page cache fills from the front, so its last byte speaks for a piece. `pread` then makes the bytes without
        a copy, which `preadv` with the flag cannot do.
        """
        if not self._knows_nowait:
            return self._in_memory
        try:
            os.preadv(fd, [bytearray(1)], offset, os.RWF_NOWAIT)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
            self._knows_nowait, self._in_memory = False, _is_in_memory(fd)
            return self._in_memory
        return True

    async def delete(self, keys: Sequence[str]) -> None:
        began = perf_counter()
        await self._call(_unlink, [self._path(key) for key in keys])
        self._count(DELETE, perf_counter() - began)

    async def list(self, prefix: str) -> AsyncIterator[Entry]:
        folder = prefix.rpartition("/")[0]
        entries = _walk(self._path(folder) if folder else self._root, f"{folder}/" if folder else "", prefix)
        while batch := await self._call(lambda: [*islice(entries, LISTED_AT_ONCE)]):
            for entry in batch:
                yield entry

    async def check(self) -> None:
        await try_out(self, f"the storage folder {self._root}")

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)

    async def _call(self, function: Callable[..., T], *args: object) -> T:
        return await _over(asyncio.get_running_loop().run_in_executor(self._threads, function, *args))

    def _path(self, key: str) -> str:
        parts = key.split("/")
        if "" in parts or "." in parts or ".." in parts or "\0" in key:
            raise ValueError(f"not a storage key: {key!r}")
        return f"{self._root}/{key}"


async def _over(call: "asyncio.Future[T]") -> T:
    try:
        return await call
    except OSError as error:
        raise _explained(error) from error


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise _explained(error) from error
    return True


def _unlink(paths: Sequence[str]) -> None:
    for path in paths:
        try:
            os.unlink(path)
        except FileNotFoundError:
            continue


def _walk(folder: str, key: str, prefix: str) -> Iterator[Entry]:
    """Every file under the folder whose key begins with the prefix; what vanishes meanwhile is left out."""
    try:
        entries = [*os.scandir(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        name = key + entry.name
        if entry.is_dir(follow_symlinks=False):
            if f"{name}/".startswith(prefix) or prefix.startswith(f"{name}/"):
                yield from _walk(entry.path, f"{name}/", prefix)
        elif entry.is_file() and name.startswith(prefix):
            try:
                stat = entry.stat()
            except FileNotFoundError:
                continue
            yield Entry(key=name, size=stat.st_size, modified=stat.st_mtime_ns // 1000)


def _is_in_memory(fd: int) -> bool:
    """Whether the file lives in memory (proc_pid_mountinfo(5): the device, and behind the hyphen the type)."""
    device = os.fstat(fd).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        for mount in mounts:
            fields, _, kind = mount.partition(" - ")
            if fields.split(" ", 3)[2] == number:
                return kind.split(" ", 1)[0] in {"tmpfs", "ramfs"}
    return False


def _explained(error: OSError) -> StorageError:
    if isinstance(error, FileNotFoundError):
        return ObjectMissing(f"{error.filename} is not in the storage folder")
    reason = error.strerror or str(error)
    where = f": {error.filename}" if error.filename else ""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFull(f"the storage folder has no room left ({reason}{where}); free space or raise the quota")
    return StorageUnavailable(f"the storage folder cannot be used ({reason}{where}); check the disk and its owner")
