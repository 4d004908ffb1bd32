import asyncio
from typing import Any

import pytest

from mooring.core.errors import DatabaseUnavailable, MooringError
from mooring.features.artifacts.service import Pull, record_pulls
from mooring.features.blobs.service import touch
from mooring.features.repositories.service import touch as touch_repositories
from mooring.registry.buffer import Buffer


class Written:
    """A database that notes what it is asked to write, and fails at these functions."""

    def __init__(self) -> None:
        self.failing: set[Any] = set()
        self.pulls: dict[tuple[int, int], int] = {}
        self.blobs: set[int] = set()
        self.repositories: set[int] = set()

    async def write(self, function: Any, gathered: Any) -> None:
        await asyncio.sleep(0)
        if function in self.failing:
            raise DatabaseUnavailable("away")
        if function is record_pulls:
            for pull in gathered:
                key = (pull.artifact_id, pull.tag_id)
                self.pulls[key] = self.pulls.get(key, 0) + pull.count
        elif function is touch:
            self.blobs |= set(gathered)
        else:
            assert function is touch_repositories
            self.repositories |= set(gathered)


@pytest.fixture
def db() -> Written:
    return Written()


@pytest.fixture
def failures() -> list[MooringError]:
    return []


@pytest.fixture
def buffer(db: Written, failures: list[MooringError]) -> Buffer:
    return Buffer(db, failures.append)  # type: ignore[arg-type]


def fill(buffer: Buffer) -> None:
    buffer.pulled(1, 10, 0)
    buffer.pulled(1, 10, 100)
    buffer.pulled(1, 10, 100)
    buffer.used(5)
    buffer.changed(1)


async def flushed(buffer: Buffer, times: int = 1) -> None:
    for _ in range(times):
        await buffer.flush()


def test_what_gathers_is_written_once(buffer: Buffer, db: Written) -> None:
    fill(buffer)
    asyncio.run(flushed(buffer, 3))
    assert (db.pulls, db.blobs, db.repositories) == ({(10, 0): 1, (10, 100): 2}, {5}, {1})


@pytest.mark.parametrize("failing", [record_pulls, touch, touch_repositories])
def test_what_could_not_be_written_is_kept_and_nothing_is_counted_twice(
    buffer: Buffer, db: Written, failures: list[MooringError], failing: Any
) -> None:
    db.failing = {failing}
    fill(buffer)
    asyncio.run(flushed(buffer, 2))
    assert len(failures) == 2
    fill(buffer)
    db.failing = set()
    asyncio.run(flushed(buffer, 2))
    assert (db.pulls, db.blobs, db.repositories) == ({(10, 0): 2, (10, 100): 4}, {5}, {1})


def test_pulls_are_added_up_with_the_last_moment() -> None:
    first, second = Pull(1, 2, 3, count=4, moment=50), Pull(1, 2, 3, count=5, moment=40)
    assert first.plus(second) == Pull(1, 2, 3, count=9, moment=50)


def test_closing_writes_what_is_left_and_what_is_just_being_written(buffer: Buffer, db: Written) -> None:
    async def close_while_it_writes() -> None:
        task = asyncio.create_task(buffer.run())
        fill(buffer)
        writing = asyncio.create_task(buffer.flush())
        await asyncio.sleep(0)
        buffer.pulled(1, 10, 0)
        await buffer.close(task)
        await writing

    asyncio.run(close_while_it_writes())
    assert (db.pulls, db.blobs, db.repositories) == ({(10, 0): 2, (10, 100): 2}, {5}, {1})
