"""Writing one file so that it is either whole and on the disk, or not there."""

import os
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import Final

from mooring.core.errors import ObjectMissing
from mooring.storage.hashing import Hash

SYNCED_AHEAD: Final = 16 << 20  # bytes


class File:
    """A file being written, by one thread at a time: a new one, or from an offset. It is opened by the first bytes.

    What is written is hashed too, where the thread is given a running hash.
    """

    def __init__(self, path: str, offset: int | None, fsync: bool, running: Hash | None = None) -> None:
        self._path = path
        self._offset = offset
        self._fsync = fsync
        self._running = running
        self._fd = -1
        self._unsynced = 0
        self._touched = False
        self._over = False
        self._lock = Lock()

    def write(self, pieces: Sequence[bytes]) -> None:
        with self._lock:
            if not self._over:
                self._write(pieces)

    def finish(self, pieces: Sequence[bytes]) -> None:
        with self._lock:
            if self._over:
                return
            self._write(pieces)
            if self._fsync:
                getattr(os, "fdatasync", os.fsync)(self._fd)
                if self._offset is None:
                    _sync_folder(os.path.dirname(self._path))
            self._close()

    def discard(self) -> None:
        """Leave nothing of what was written. Where the disk refuses that too, no row will lead to it."""
        with self._lock:
            self._close()
            if self._touched:
                with suppress(OSError):
                    if self._offset is None:
                        os.unlink(self._path)
                    else:
                        os.truncate(self._path, self._offset)

    def _write(self, pieces: Sequence[bytes]) -> None:
        if self._fd < 0:
            self._open()
        for piece in pieces:
            if self._running is not None:
                self._running.update(piece)
            left = memoryview(piece)
            while left:
                left = left[os.write(self._fd, left) :]
            self._unsynced += len(piece)
        if self._fsync and self._unsynced >= SYNCED_AHEAD:
            self._start_sync()

    def _start_sync(self) -> None:
        """Let the disk begin, so that the end of a long body is not left waiting for all of it.

        On Linux this advice starts the writing of what is dirty, and drops only what is clean.
        """
        if hasattr(os, "posix_fadvise"):
            position = os.lseek(self._fd, 0, os.SEEK_CUR)
            os.posix_fadvise(self._fd, position - self._unsynced, self._unsynced, os.POSIX_FADV_DONTNEED)
        self._unsynced = 0

    def _open(self) -> None:
        if self._offset is None:
            self._fd = self._create()
            self._touched = True
            return
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        size = os.fstat(self._fd).st_size
        if size < self._offset:
            self._close()
            raise ObjectMissing(f"{self._path} has {size} bytes, too few to continue at {self._offset}")
        self._touched = True
        os.ftruncate(self._fd, self._offset)
        os.lseek(self._fd, self._offset, os.SEEK_SET)

    def _create(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            return os.open(self._path, flags, 0o640)
        except FileNotFoundError:
            self._make_folder(os.path.dirname(self._path))
            return os.open(self._path, flags, 0o640)

    def _make_folder(self, path: str) -> None:
        parent = os.path.dirname(path)
        if not os.path.isdir(parent):
            self._make_folder(parent)
        # Whoever else has just made it may not have brought it to the disk yet.
        with suppress(FileExistsError):
            os.mkdir(path, 0o750)
        if self._fsync:
            _sync_folder(parent)

    def _close(self) -> None:
        self._over = True
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)


def _sync_folder(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
