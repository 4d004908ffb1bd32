"""Reads on PostgreSQL share a connection: each gets its own answer, and only its own error."""

import asyncio
import signal
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from tests.parts.postgres import Postgres

from mooring.core.errors import DatabaseUnavailable
from mooring.db import pipeline
from mooring.db.prepared import Prepared
from mooring.db.reader import PostgresReader

SAME = Prepared(text("SELECT CAST(:number AS bigint), CAST(:word AS text), CAST(:flag AS boolean), '100 %'"))
SERIES = Prepared(text("SELECT g FROM generate_series(1, CAST(:last AS int)) g"))
LONG = Prepared(text("SELECT CAST(:content AS bytea)"))
SLEEP = Prepared(text("SELECT pg_sleep(CAST(:seconds AS float))"))
DIVIDED = Prepared(text("SELECT 1 / CAST(:number AS int)"))
NOWHERE = Prepared(text("SELECT 1 FROM nowhere"))
OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
KILL_BUSY = Prepared(text(f"SELECT pg_terminate_backend(pid) {OTHERS} AND state = 'active'"))
WHO = Prepared(text("SELECT pg_backend_pid()"))
END = Prepared(text("SELECT pg_terminate_backend(CAST(:process AS int), 60000)"))  # and wait for its end


def run(url: str, function: Callable[[PostgresReader], Awaitable[None]], connections: int = 4) -> None:
    async def within() -> None:
        reader = PostgresReader(url, connections)
        try:
            await function(reader)
        finally:
            await reader.close()

    asyncio.run(within())


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.url(postgres.create()).replace("postgresql+psycopg:", "postgresql:")


@pytest.fixture
def own() -> Iterator[Postgres]:
    """A server that may be stopped."""
    with tempfile.TemporaryDirectory(prefix="mooring-postgres-") as folder:
        cluster = Postgres(Path(folder))
        yield cluster
        cluster.stop()


def test_many_at_once_each_get_their_own(url: str) -> None:
    async def ask(reader: PostgresReader) -> None:
        numbers = [0, -1, 2**31, 2**62, *range(100)]
        asked = [reader.one(SAME, number=number, word=f"wörd {number}", flag=number % 2 == 0) for number in numbers]
        rows = await asyncio.gather(*asked)
        assert rows == [(number, f"wörd {number}", number % 2 == 0, "100 %") for number in numbers]
        several = await asyncio.gather(*(reader.all(SERIES, last=last) for last in range(5)))
        assert several == [[(one,) for one in range(1, last + 1)] for last in range(5)]
        assert await reader.one(SAME, number=None, word=None, flag=None) == (None, None, None, "100 %")

    run(url, ask)


def test_an_error_is_that_of_its_own_read(url: str) -> None:
    async def ask(reader: PostgresReader) -> None:
        asked: list[Awaitable[object]] = [reader.one(DIVIDED, number=number % 4) for number in range(40)]
        asked += [reader.one(NOWHERE), reader.one(SAME, number=7, word="", flag=True), reader.one(NOWHERE)]
        *divided, first, same, second = await asyncio.gather(*asked, return_exceptions=True)
        for number, answer in enumerate(divided):
            assert (
                isinstance(answer, psycopg.errors.DivisionByZero) if number % 4 == 0 else answer == (1 // (number % 4),)
            )
        assert isinstance(first, psycopg.errors.UndefinedTable)
        assert isinstance(second, psycopg.errors.UndefinedTable)
        assert same == (7, "", True, "100 %")
        assert await reader.all(SAME, number=1, word="a\0b", flag=True) == []

    run(url, ask)


def test_more_than_the_sockets_hold(url: str) -> None:
    async def ask(reader: PostgresReader) -> None:
        contents = [bytes([number]) * 3_000_000 for number in range(12)]
        rows = await asyncio.gather(*(reader.one(LONG, content=content) for content in contents))
        assert [row and row[0] for row in rows] == contents

    run(url, ask, connections=1)


def test_who_no_longer_waits_takes_no_other_along(url: str) -> None:
    async def ask(reader: PostgresReader) -> None:
        slow = asyncio.create_task(reader.one(SLEEP, seconds=0.3))
        behind = asyncio.create_task(reader.one(SAME, number=1, word="", flag=True))
        await asyncio.sleep(0.1)
        slow.cancel()
        assert await behind == (1, "", True, "100 %")

    run(url, ask, connections=1)


def test_a_slow_read_holds_back_few(url: str) -> None:
    async def ask(reader: PostgresReader) -> None:
        (own,) = await reader.one(WHO) or ()
        slow = asyncio.create_task(reader.one(SLEEP, seconds=20))
        await asyncio.sleep(0.2)
        others = await asyncio.gather(*(reader.one(WHO) for _ in range(100)))
        assert (own,) not in others
        slow.cancel()

    run(url, ask)


def test_a_connection_that_was_closed_is_replaced(url: str) -> None:
    async def ask(reader: PostgresReader) -> None:
        before = await reader.one(WHO)
        assert before
        other = PostgresReader(url)
        assert await other.one(END, process=before[0]) == (True,)
        assert await reader.one(WHO) != before
        slow = asyncio.create_task(reader.one(SLEEP, seconds=0.5))
        await asyncio.sleep(0.2)
        await other.all(KILL_BUSY)
        assert await slow == ("",)
        await other.close()

    run(url, ask)


def test_no_server_is_said_and_the_next_one_is_asked(own: Postgres) -> None:
    async def ask(reader: PostgresReader) -> None:
        assert await reader.one(WHO)
        own.stop(by=signal.SIGINT)
        answers = await asyncio.gather(*(reader.one(WHO) for _ in range(20)), return_exceptions=True)
        assert {type(answer) for answer in answers} == {DatabaseUnavailable}
        own.restart()
        assert await reader.one(WHO)

    run(own.url().replace("postgresql+psycopg:", "postgresql:"), ask)


def test_a_server_that_falls_silent_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(reader: PostgresReader) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(pipeline, "_PATIENCE", 0.2)
            with pytest.raises(DatabaseUnavailable, match=r"no answer in"):
                await reader.one(SLEEP, seconds=20)
        assert await reader.one(WHO)

    run(url, ask)
