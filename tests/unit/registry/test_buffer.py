import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs

from mooring.core.actor import Actor
from mooring.core.errors import DatabaseUnavailable, MooringError
from mooring.features.blobs.service import touch
from mooring.features.repositories.service import touch as touch_repositories
from mooring.registry.buffer import Buffer
from mooring.registry.pulls import Pulled

PULL = Pulled(
    actor=Actor(kind="user", id=1, name="somebody"),
    project_id=1,
    project="p",
    repository_id=1,
    repository="p/r",
    artifact_id=10,
    digest="sha256:0",
    tag_id=0,
    tag="",
    moment=1,
)
BY_TAG = structs.replace(PULL, tag_id=100, tag="latest")


class Pulls:
    """Stands in for what writes pulls down."""

    def record(self, connection: Any, pulls: Sequence[Pulled]) -> None: ...


class Written:
    """A database that notes what it is asked to write, and fails at these functions."""

    def __init__(self) -> None:
        self.failing: set[Any] = set()
        self.pulls: list[Pulled] = []
        self.blobs: set[int] = set()
        self.repositories: set[int] = set()

    async def write(self, function: Any, gathered: Any) -> None:
        await asyncio.sleep(0)
        if getattr(function, "__func__", function) in self.failing:
            raise DatabaseUnavailable("away")
        if function is touch:
            self.blobs |= set(gathered)
        elif function is touch_repositories:
            self.repositories |= set(gathered)
        else:
            self.pulls += gathered


@pytest.fixture
def db() -> Written:
    return Written()


@pytest.fixture
def failures() -> list[MooringError]:
    return []


@pytest.fixture
def buffer(db: Written, failures: list[MooringError]) -> Buffer:
    return Buffer(db, Pulls(), failures.append)  # type: ignore[arg-type]


def fill(buffer: Buffer) -> None:
    for pull in (PULL, BY_TAG, BY_TAG):
        buffer.pulled(pull)
    buffer.used(5)
    buffer.changed(1)


async def flushed(buffer: Buffer, times: int = 1) -> None:
    for _ in range(times):
        await buffer.flush()


def test_what_gathers_is_written_once(buffer: Buffer, db: Written) -> None:
    fill(buffer)
    asyncio.run(flushed(buffer, 3))
    assert (db.pulls, db.blobs, db.repositories) == ([PULL, BY_TAG, BY_TAG], {5}, {1})


@pytest.mark.parametrize("failing", [Pulls.record, touch, touch_repositories])
def test_what_could_not_be_written_is_kept_and_nothing_is_written_twice(
    buffer: Buffer, db: Written, failures: list[MooringError], failing: Any
) -> None:
    db.failing = {failing}
    fill(buffer)
    asyncio.run(flushed(buffer, 2))
    assert len(failures) == 2
    fill(buffer)
    db.failing = set()
    asyncio.run(flushed(buffer, 2))
    assert (db.pulls, db.blobs, db.repositories) == ([PULL, BY_TAG, BY_TAG] * 2, {5}, {1})


def test_pulls_that_nobody_takes_do_not_fill_the_memory(
    buffer: Buffer, db: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mooring.registry.buffer._KEPT", 2)
    db.failing = {Pulls.record}
    fill(buffer)
    asyncio.run(flushed(buffer))
    db.failing = set()
    asyncio.run(flushed(buffer))
    assert db.pulls == [BY_TAG, BY_TAG]


def test_closing_writes_what_is_left_and_what_is_just_being_written(buffer: Buffer, db: Written) -> None:
    async def close_while_it_writes() -> None:
        task = asyncio.create_task(buffer.run())
        fill(buffer)
        writing = asyncio.create_task(buffer.flush())
        await asyncio.sleep(0)
        buffer.pulled(PULL)
        await buffer.close(task)
        await writing

    asyncio.run(close_while_it_writes())
    assert (db.pulls, db.blobs, db.repositories) == ([PULL, BY_TAG, BY_TAG, PULL], {5}, {1})


def test_closing_writes_what_came_while_the_last_was_written(
    buffer: Buffer, db: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mooring.registry.buffer.INTERVAL", 0)

    async def close_while_it_writes() -> None:
        writes, goes_on, write = asyncio.Event(), asyncio.Event(), db.write

        async def slow(function: Any, gathered: Any) -> None:
            writes.set()
            await goes_on.wait()
            await write(function, gathered)

        monkeypatch.setattr(db, "write", slow)
        buffer.pulled(PULL)
        task = asyncio.create_task(buffer.run())
        await writes.wait()
        buffer.pulled(BY_TAG)
        closing = asyncio.create_task(buffer.close(task))
        await asyncio.sleep(0)
        goes_on.set()
        await closing

    asyncio.run(close_while_it_writes())
    assert db.pulls == [PULL, BY_TAG]
