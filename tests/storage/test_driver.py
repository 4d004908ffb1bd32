"""What every driver does alike."""

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mooring.core.errors import ObjectMissing
from mooring.storage import keys
from mooring.storage.driver import Driver
from tests.storage.bodies import PIECE, Torn, body, names, noise, stored, torn

pytestmark = pytest.mark.anyio

MIB = 1 << 20
SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 8 * MIB, 21 * MIB + 5]


@pytest.mark.parametrize("size", SIZES)
async def test_what_was_written_is_read(driver: Driver, size: int) -> None:
    key, content = keys.segment(), noise(size)
    assert await driver.write(key, body(content)) == size
    assert await stored(driver, key, 0, size) == content


async def test_bodies_that_come_at_once_are_each_hashed(driver: Driver) -> None:
    contents = [noise(size) for size in (5 * MIB + 3, 3 * MIB, 1, 0)]
    hashes = [sha256() for _ in contents]
    await asyncio.gather(
        *(driver.write(keys.segment(), body(content), each) for content, each in zip(contents, hashes, strict=True))
    )
    assert [each.digest() for each in hashes] == [sha256(content).digest() for content in contents]


async def test_pieces_are_bytes_of_a_mebibyte_at_most(driver: Driver) -> None:
    key, content = keys.segment(), noise(5 * MIB + 3)
    await driver.write(key, body(content, piece=3 * MIB))
    pieces = [piece async for piece in driver.read(key, 0, len(content))]
    assert {type(piece) for piece in pieces} == {bytes}
    assert max(map(len, pieces)) <= PIECE


SIZE = 2 * PIECE + 1000
EDGES = st.sampled_from([0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, SIZE - 1, SIZE]) | st.integers(0, SIZE)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edges=st.tuples(EDGES, EDGES))
@example(edges=(0, SIZE))
@example(edges=(SIZE, SIZE))
@example(edges=(SIZE - 1, SIZE))
async def test_a_range_is_exactly_its_bytes(driver: Driver, edges: tuple[int, int]) -> None:
    content, key = noise(SIZE), "blobs/00/range"
    if not await names(driver, key):
        await driver.write(key, body(content))
    start, stop = sorted(edges)
    assert await stored(driver, key, start, stop) == content[start:stop]


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 11), (9, 11), (10, 11), (11, 12), (0, 3 * MIB), (10, 3 * MIB), (3 * MIB, 6 * MIB)]
)
async def test_an_object_that_ends_early_is_missing(driver: Driver, start: int, stop: int) -> None:
    key = keys.segment()
    await driver.write(key, body(b"0123456789"))
    with pytest.raises(ObjectMissing):
        await stored(driver, key, start, stop)


@pytest.mark.parametrize("stop", [1, 3 * MIB])
async def test_a_key_without_an_object_is_missing(driver: Driver, stop: int) -> None:
    with pytest.raises(ObjectMissing):
        await stored(driver, keys.segment(), 0, stop)


@pytest.mark.parametrize("size", [0, 5, 3 * MIB, 30 * MIB])
async def test_a_body_that_breaks_off_leaves_nothing(driver: Driver, size: int) -> None:
    key = keys.segment()
    with pytest.raises(Torn):
        await driver.write(key, torn(noise(size)))
    assert await names(driver, keys.SEGMENTS) == []
    with pytest.raises(ObjectMissing):
        await stored(driver, key, 0, 1)


@pytest.mark.parametrize("size", [0, 5, 3 * MIB, 30 * MIB])
@pytest.mark.parametrize("cancellations", [1, 3])
async def test_a_cancelled_body_leaves_nothing(driver: Driver, size: int, cancellations: int) -> None:
    stalled = asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        async for piece in body(noise(size)):
            yield piece
        stalled.set()
        await asyncio.Event().wait()

    writing = asyncio.create_task(driver.write(keys.segment(), stalling()))
    await stalled.wait()
    for _ in range(cancellations):
        writing.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await names(driver, keys.SEGMENTS) == []


@pytest.mark.parametrize("after", [0, 0.0005, 0.002, 0.01, 0.05])
async def test_a_write_cancelled_at_any_moment_is_whole_or_nothing(driver: Driver, after: float) -> None:
    key, content = keys.segment(), noise(9 * MIB)
    writing = asyncio.create_task(driver.write(key, body(content)))
    await asyncio.wait([writing], timeout=after)
    writing.cancel()
    try:
        await writing
    except asyncio.CancelledError:
        assert await names(driver, keys.SEGMENTS) == []
    else:
        assert await stored(driver, key, 0, len(content)) == content


async def test_objects_are_listed_by_the_beginning_of_their_key(driver: Driver) -> None:
    adopted = "docker/registry/v2/blobs/sha256/ab/abc/data"
    for key in ("blobs/aa/aa1", "blobs/aa/aa2", "blobs/ab/ab1", adopted):
        await driver.write(key, body(key.encode()))
    assert await names(driver, "blobs/") == ["blobs/aa/aa1", "blobs/aa/aa2", "blobs/ab/ab1"]
    assert await names(driver, "blobs/aa/") == ["blobs/aa/aa1", "blobs/aa/aa2"]
    assert await names(driver, "blobs/a") == ["blobs/aa/aa1", "blobs/aa/aa2", "blobs/ab/ab1"]
    assert await names(driver, "blobs/aa/aa2") == ["blobs/aa/aa2"]
    assert await names(driver, "docker/registry/v2/blobs/sha256/ab/abc") == [adopted]
    assert await names(driver, "nothing/") == []
    assert len(await names(driver, "")) == 4


async def test_an_entry_has_size_and_time(driver: Driver) -> None:
    key, before = keys.segment(), time.time_ns() // 1000
    await driver.write(key, body(b"0123456789"))
    [entry] = [entry async for entry in driver.list(keys.SEGMENTS)]
    assert (entry.key, entry.size) == (key, 10)
    # S3 has times of whole seconds.
    assert before - 1_000_000 <= entry.modified <= time.time_ns() // 1000 + 1_000_000


async def test_deleting_thousands_of_keys_of_which_few_exist(driver: Driver) -> None:
    doomed = [keys.segment() for _ in range(2500)]
    kept = keys.segment()
    for key in [kept, *doomed[::50]]:
        await driver.write(key, body(b"x"))
    await driver.delete(doomed)
    await driver.delete([])
    assert await names(driver, keys.SEGMENTS) == [kept]


async def test_many_at_once(driver: Driver) -> None:
    contents = {keys.segment(): noise(40_000 + seed, seed) for seed in range(40)}
    await asyncio.gather(*(driver.write(key, body(content)) for key, content in contents.items()))
    read = await asyncio.gather(*(stored(driver, key, 0, len(content)) for key, content in contents.items()))
    assert read == [*contents.values()]


async def test_a_reader_that_leaves_early_holds_nothing_open(driver: Driver) -> None:
    key, content = keys.segment(), noise(4 * MIB)
    await driver.write(key, body(content))
    for _ in range(20):
        reading = driver.read(key, 0, len(content))
        assert await anext(reading)
        await reading.aclose()  # type: ignore[attr-defined]
    gc.collect()
    assert key not in " ".join(_open_files())


def _open_files() -> Iterator[str]:
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            yield os.readlink(link)


async def test_check_passes_and_leaves_nothing(driver: Driver) -> None:
    await driver.check()
    assert await names(driver, "") == []


async def test_memory_stays_flat(driver: Driver) -> None:
    async def long() -> AsyncIterator[bytes]:
        for number in range(300):
            yield number.to_bytes(4, "big") * (MIB // 4)

    await driver.write(keys.segment(), body(noise(9 * MIB)))
    before, key = _forget_peak(), keys.segment()
    written = await driver.write(key, long())
    assert written == 300 * MIB
    assert _peak() - before < 32 * MIB
    before = _forget_peak()
    async for piece in driver.read(key, 0, written):
        assert piece
    assert _peak() - before < 32 * MIB
    await driver.delete([key])


def _peak() -> int:
    """The most memory this process has held, in bytes (proc_pid_status(5))."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024


def _forget_peak() -> int:
    """Begin anew with what it holds now (proc_pid_clear_refs(5))."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()
