"""The faulty driver fails where it is told to, and the driver beneath stays sound."""

from pathlib import Path

import pytest

from mooring.core.errors import StorageFull, StorageUnavailable
from mooring.storage.driver import CanAppend, Driver
from mooring.storage.filesystem import Filesystem
from tests.faults import Faulty, FaultyFolder
from tests.storage.bodies import body, names, noise, stored

pytestmark = pytest.mark.anyio
folder_and_bucket = pytest.mark.parametrize("driver", ["folder", "versitygw"], indirect=True)

KEY = "blobs/ab/ab1"
CONTENT = noise(3 << 20)
CALLS = ["check", "write", "read", "list", "delete"]


async def _all_calls(driver: Driver) -> None:
    await driver.check()
    await driver.write(KEY, body(CONTENT))
    assert await stored(driver, KEY, 0, len(CONTENT)) == CONTENT
    assert await names(driver, "blobs/") == [KEY]
    await driver.delete([KEY])


@folder_and_bucket
async def test_it_passes_everything_on_until_it_fails(driver: Driver) -> None:
    faulty = Faulty(driver)
    await _all_calls(faulty)
    assert faulty.calls == CALLS
    assert await names(driver, "blobs/") == []


@folder_and_bucket
@pytest.mark.parametrize("at", range(1, len(CALLS) + 1))
@pytest.mark.parametrize("pieces", [0, 2])
async def test_it_fails_at_the_nth_call_and_nothing_half_stays(driver: Driver, at: int, pieces: int) -> None:
    faulty = Faulty(driver, at=at, pieces=pieces, error=StorageFull("a full disk"))
    with pytest.raises(StorageFull, match="a full disk"):
        await _all_calls(faulty)
    assert faulty.calls == CALLS[:at]
    if at > CALLS.index("write") + 1:
        assert await stored(driver, KEY, 0, len(CONTENT)) == CONTENT
    else:
        assert await names(driver, "blobs/") == []


@pytest.mark.parametrize("pieces", [0, 1, 2])
async def test_an_append_fails_in_the_middle(tmp_path: Path, pieces: int) -> None:
    folder = Filesystem(tmp_path)
    faulty = FaultyFolder(folder, at=2, pieces=pieces)
    assert isinstance(faulty, CanAppend)
    await faulty.write(KEY, body(b"first"))
    with pytest.raises(StorageUnavailable):
        await faulty.append(KEY, 5, body(CONTENT))
    assert [entry.size async for entry in folder.list(KEY)] == [5]
    await faulty.append(KEY, 5, body(CONTENT))
    assert await stored(folder, KEY, 0, 5 + len(CONTENT)) == b"first" + CONTENT
    await folder.close()
