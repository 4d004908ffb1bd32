"""The data folder: made, ours to write, and with SQLite held by one server at a time."""

import errno
import fcntl
import os
from pathlib import Path
from typing import Final

from mooring.core.errors import StartError
from mooring.settings import Settings

_LOCK: Final = "mooring.lock"


def is_needed(settings: Settings) -> bool:
    """Whether anything is kept in the data folder: not with PostgreSQL and a bucket."""
    return settings.sqlite_file is not None or settings.storage.kind == "filesystem"


def make(folder: Path) -> None:
    """Make the folder, for its owner alone, or see that it is ours to write. Raises StartError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".mooring-{os.getpid()}"
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        probe.unlink()
    except OSError as error:
        raise StartError(f"the data folder {folder} {_fault(error)}") from error


def lock(folder: Path) -> int:
    """Hold the folder until the returned descriptor is closed. Raises StartError when another server does."""
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(handle, 32).decode(errors="replace").strip()
        os.close(handle)
        process = f" (process {holder})" if holder else ""
        raise StartError(
            f"the data folder {folder} is in use by another Mooring{process}; "
            "stop that one, or give this one a folder of its own with --data"
        ) from error
    os.ftruncate(handle, 0)
    os.write(handle, f"{os.getpid()}\n".encode())
    return handle


def _fault(error: OSError) -> str:
    user = f"user {os.geteuid()}"
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return f"is not ours to write; give it to {user} with chown, or choose another with --data"
        case errno.EROFS:
            return "is on a read-only file system; choose another with --data"
        case errno.EEXIST | errno.ENOTDIR:
            return "is a file or lies below one; choose another with --data"
        case errno.ENOSPC | errno.EDQUOT:
            return "has no room left; make room, or choose another with --data"
    return f"cannot be used: {error.strerror}; choose another with --data"
