"""What only a folder does: going on with a file, reaching the disk, and the errors of disks."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from mooring.core.errors import ObjectMissing, StorageFull, StorageUnavailable
from mooring.storage import keys
from mooring.storage.driver import CanAppend, CanPresign
from mooring.storage.filesystem import Filesystem
from tests.storage.bodies import PIECE, Torn, body, names, noise, stored, torn

pytestmark = pytest.mark.anyio

MIB = 1 << 20


async def test_it_can_append_and_cannot_presign(folder: Filesystem) -> None:
    assert isinstance(folder, CanAppend)
    assert not isinstance(folder, CanPresign)


@pytest.mark.parametrize("offset", [0, 1, 3 * MIB])
async def test_append_goes_on_at_the_offset_and_drops_what_lies_beyond(folder: Filesystem, offset: int) -> None:
    key, first, second = keys.segment(), noise(3 * MIB, 1), noise(2 * MIB + 7, 2)
    await folder.write(key, body(first))
    running = sha256()
    assert await folder.append(key, offset, body(second), running) == len(second)
    assert running.digest() == sha256(second).digest()
    [entry] = [entry async for entry in folder.list(key)]
    assert entry.size == offset + len(second)
    assert await stored(folder, key, 0, entry.size) == first[:offset] + second


async def test_an_empty_append_drops_what_lies_beyond(folder: Filesystem) -> None:
    key = keys.segment()
    await folder.write(key, body(b"0123456789"))
    assert await folder.append(key, 4, body(b"")) == 0
    assert [entry.size async for entry in folder.list(key)] == [4]


@pytest.mark.parametrize("size", [0, 5, 3 * MIB])
async def test_an_append_that_breaks_off_ends_at_the_offset(folder: Filesystem, size: int) -> None:
    key, first = keys.segment(), noise(MIB)
    await folder.write(key, body(first))
    with pytest.raises(Torn):
        await folder.append(key, MIB, torn(noise(size)))
    assert [entry.size async for entry in folder.list(key)] == [MIB]
    assert await stored(folder, key, 0, MIB) == first


async def test_a_cancelled_append_ends_at_the_offset_before_the_next_begins(folder: Filesystem) -> None:
    key, content = keys.segment(), noise(40 * MIB)
    await folder.write(key, body(b"first"))
    for after in (0, 0.001, 0.003, 0.01):
        writing = asyncio.create_task(folder.append(key, 5, body(content)))
        await asyncio.wait([writing], timeout=after)
        writing.cancel()
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        await folder.append(key, 5, body(b"second"))
        assert await stored(folder, key, 0, 11) == b"firstsecond"
        assert [entry.size async for entry in folder.list(key)] == [11]


@pytest.mark.parametrize("content", [b"", b"x", bytes(3 * MIB)])
async def test_an_object_shorter_than_the_offset_is_missing(folder: Filesystem, content: bytes) -> None:
    key = keys.segment()
    await folder.write(key, body(b"0123456789"))
    with pytest.raises(ObjectMissing):
        await folder.append(key, 11, body(content))
    assert await stored(folder, key, 0, 10) == b"0123456789"
    with pytest.raises(ObjectMissing):
        await folder.append(keys.segment(), 0, body(content))


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from mooring.storage.filesystem import Filesystem

async def body():
    for _ in range(5):
        yield bytes(1 << 20)
    os.kill(os.getpid(), signal.SIGKILL)
    yield b"never"

asyncio.run(Filesystem(Path(sys.argv[1])).append(sys.argv[2], 10, body()))
"""


async def test_what_a_killed_append_left_is_dropped_by_the_next(folder: Filesystem, tmp_path: Path) -> None:
    key = keys.segment()
    await folder.write(key, body(b"0123456789"))
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, tmp_path, key)
    assert await killed.wait() == -signal.SIGKILL
    assert (tmp_path / key).stat().st_size > 10 + 3 * MIB
    await folder.append(key, 10, body(b"abc"))
    assert (tmp_path / key).read_bytes() == b"0123456789abc"


async def test_a_key_is_written_once(folder: Filesystem) -> None:
    key = keys.segment()
    await folder.write(key, body(b"first"))
    with pytest.raises(StorageUnavailable, match="File exists"):
        await folder.write(key, body(b"other"))
    assert await stored(folder, key, 0, 5) == b"first"


async def test_only_one_holds_an_object(folder: Filesystem) -> None:
    key, other = keys.segment(), keys.segment()
    for each in (key, other):
        await folder.write(each, body(b""))
    with folder.exclusive(key) as first, folder.exclusive(key) as second, folder.exclusive(other) as third:
        assert (first, second, third) == (True, False, True)
    with folder.exclusive(key) as again:
        assert again
    with pytest.raises(ObjectMissing), folder.exclusive(keys.segment()):
        pass


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "blobs/../../x", "blobs//x", "", ".", "blobs/..", "a\0b"])
async def test_a_key_cannot_lead_out_of_the_folder(folder: Filesystem, key: str) -> None:
    for attempt in (folder.write(key, body(b"x")), folder.append(key, 0, body(b"x")), folder.delete([key])):
        with pytest.raises(ValueError, match="not a storage key"):
            await attempt
    with pytest.raises(ValueError, match="not a storage key"):
        await stored(folder, key, 0, 1)


async def test_a_folder_that_distribution_wrote_is_read(folder: Filesystem, tmp_path: Path) -> None:
    key = "docker/registry/v2/blobs/sha256/ab/ab12/data"
    path = tmp_path / key
    path.parent.mkdir(parents=True)
    path.write_bytes(b"adopted")
    assert await stored(folder, key, 0, 7) == b"adopted"
    assert await names(folder, "docker/registry/v2/blobs/") == [key]


class Disk:
    """Records what is brought to the disk, and in which order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.synced: list[str] = []
        for name in ("fdatasync", "fsync"):
            monkeypatch.setattr(os, name, self._recording(getattr(os, name)))

    def _recording(self, sync: Callable[[int], None]) -> Callable[[int], None]:
        def record(fd: int) -> None:
            self.synced.append(os.readlink(f"/proc/self/fd/{fd}"))
            sync(fd)

        return record


async def test_a_write_reaches_the_disk_with_all_that_leads_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, disk = tmp_path / "data", Disk(monkeypatch)
    folder = Filesystem(root)
    await folder.write("blobs/ab/ab1", body(b"x"))
    assert disk.synced == [
        f"{tmp_path}", f"{root}", f"{root}/blobs", f"{root}/blobs/ab/ab1", f"{root}/blobs/ab",
    ]  # fmt: skip
    disk.synced.clear()
    await folder.write("blobs/ab/ab2", body(b"x"))
    assert disk.synced == [f"{root}/blobs/ab/ab2", f"{root}/blobs/ab"]
    disk.synced.clear()
    await folder.append("blobs/ab/ab2", 1, body(b"y"))
    assert disk.synced == [f"{root}/blobs/ab/ab2"]
    await folder.close()


async def test_without_fsync_nothing_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    folder = Filesystem(tmp_path, fsync=False)
    await folder.write("blobs/ab/ab1", body(b"x"))
    await folder.append("blobs/ab/ab1", 1, body(b"y"))
    assert (disk.synced, await stored(folder, "blobs/ab/ab1", 0, 2)) == ([], b"xy")
    await folder.close()


async def test_short_writes_are_continued(folder: Filesystem, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:50_001]))
    key, content = keys.segment(), noise(2 * MIB + 1)
    await folder.write(key, body(content[:MIB]))
    await folder.append(key, MIB, body(content[MIB:]))
    assert await stored(folder, key, 0, len(content)) == content


@pytest.mark.parametrize("code", [errno.EIO, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("call", ["write", "fdatasync", "fsync"])
async def test_a_disk_that_fails_leaves_nothing_and_says_why(
    folder: Filesystem, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    def fail(fd: int, *_: object) -> None:
        raise OSError(code, os.strerror(code))

    # asyncio wakes its loop by socket.send, so that os.write is ours alone.
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(StorageUnavailable, match=os.strerror(code)):
        await folder.write(keys.segment(), body(noise(2 * MIB)))
    monkeypatch.undo()
    assert await names(folder, keys.SEGMENTS) == []


async def test_the_fault_of_a_late_fsync_truncates_an_append(
    folder: Filesystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = keys.segment()
    await folder.write(key, body(b"0123456789"))

    def fail(fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fdatasync", fail)
    with pytest.raises(StorageUnavailable):
        await folder.append(key, 10, body(b"abc"))
    assert [entry.size async for entry in folder.list(key)] == [10]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("only root on Linux can mount a file system that is full soon")
    with tempfile.TemporaryDirectory(prefix="mooring-full-") as mountpoint:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m", "mooring", mountpoint],
            capture_output=True,
            text=True,
            check=False,
        )
        if mounted.returncode != 0:
            pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
        try:
            yield Path(mountpoint)
        finally:
            subprocess.run(["umount", "--lazy", mountpoint], check=True)


async def test_a_full_disk_is_said_and_nothing_stays(small_disk: Path) -> None:
    folder, first = Filesystem(small_disk), keys.segment()
    await folder.write(first, body(noise(MIB)))
    with pytest.raises(StorageFull, match="No space left"):
        await folder.write(keys.segment(), body(noise(5 * MIB)))
    with pytest.raises(StorageFull, match="No space left"):
        await folder.append(first, MIB, body(noise(5 * MIB)))
    assert [(entry.key, entry.size) async for entry in folder.list("")] == [(first, MIB)]
    assert await stored(folder, first, 0, MIB) == noise(MIB)
    assert await folder.write(keys.segment(), body(noise(2 * MIB))) == 2 * MIB
    await folder.close()


async def test_check_says_what_is_wrong_with_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "file"
    root.write_text("not a folder")
    folder = Filesystem(root)
    with pytest.raises(StorageUnavailable, match=f"the storage folder {root} cannot be used: .*Not a directory"):
        await folder.check()
    await folder.close()


@pytest.fixture(params=["not-cached", "flag-unknown", "flag-unknown-in-memory", "no-flag"])
def reader(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Filesystem:
    """The driver where the system cannot say whether a read would wait, or says that it would."""
    if request.param == "not-cached":
        monkeypatch.setattr(os, "preadv", _refusing(errno.EAGAIN))
    elif request.param.startswith("flag-unknown"):
        monkeypatch.setattr(os, "preadv", _refusing(errno.EOPNOTSUPP))
    else:
        monkeypatch.delattr(os, "RWF_NOWAIT")
    root = request.getfixturevalue("memory") if request.param.endswith("memory") else tmp_path
    return Filesystem(root)


def _refusing(code: int) -> Callable[..., int]:
    preadv = os.preadv

    def refuse(fd: int, buffers: list[bytearray], offset: int, flags: int = 0) -> int:
        if flags:
            raise OSError(code, os.strerror(code))
        return preadv(fd, buffers, offset)

    return refuse


async def test_bytes_that_are_not_at_hand_are_read_all_the_same(reader: Filesystem) -> None:
    key, content = keys.segment(), noise(3 * MIB + 1)
    await reader.write(key, body(content))
    assert await stored(reader, key, 5, len(content)) == content[5:]
    with pytest.raises(ObjectMissing):
        await stored(reader, key, 0, len(content) + 1)
    await reader.close()


async def test_bytes_that_left_the_page_cache_are_read_again(folder: Filesystem, tmp_path: Path) -> None:
    key, content = keys.segment(), noise(8 * MIB)
    await folder.write(key, body(content))
    with (tmp_path / key).open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    assert await stored(folder, key, 0, len(content)) == content


class Stuck:
    """A call to the disk that does not return until it is released."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.reached, self.released = threading.Event(), threading.Event()
        call = getattr(os, name)

        def wait(*args: object) -> object:
            self.reached.set()
            assert self.released.wait(timeout=120)
            return call(*args)

        monkeypatch.setattr(os, name, wait)


@pytest.mark.parametrize("call", ["write", "fdatasync"])
async def test_the_loop_goes_on_and_no_body_piles_up_while_the_disk_is_stuck(
    folder: Filesystem, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    asked = 0

    async def counting() -> AsyncIterator[bytes]:
        nonlocal asked
        for _ in range(10):
            asked += 1
            yield bytes(PIECE)

    stuck = Stuck(monkeypatch, call)
    writing = asyncio.create_task(folder.write(keys.segment(), counting()))
    assert await asyncio.to_thread(stuck.reached.wait, 120)
    assert not writing.done()
    assert asked <= (2 if call == "write" else 10)
    stuck.released.set()
    assert await writing == 10 * PIECE


@pytest.mark.parametrize("call", ["write", "fdatasync", "fsync"])
async def test_a_write_cancelled_in_its_last_call_leaves_nothing(
    folder: Filesystem, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    stuck = Stuck(monkeypatch, call)
    writing = asyncio.create_task(folder.write(keys.segment(), body(b"x")))
    assert await asyncio.to_thread(stuck.reached.wait, 120)
    writing.cancel()
    await asyncio.sleep(0)
    assert not writing.done()
    stuck.released.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await names(folder, keys.SEGMENTS) == []


async def test_an_append_cancelled_in_its_last_call_ends_at_the_offset(
    folder: Filesystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = keys.segment()
    await folder.write(key, body(b"first"))
    stuck = Stuck(monkeypatch, "fdatasync")
    writing = asyncio.create_task(folder.append(key, 5, body(b"second")))
    assert await asyncio.to_thread(stuck.reached.wait, 120)
    writing.cancel()
    await asyncio.sleep(0)
    assert not writing.done()
    stuck.released.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert [entry.size async for entry in folder.list(key)] == [5]
