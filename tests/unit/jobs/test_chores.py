"""Chores: once in an interval for all nodes, tried again when they fail, and ended with the process."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, select
from tests.parts.databases import Databases

from mooring.core.clock import SECOND, now
from mooring.core.errors import JobsUnavailable, StorageUnavailable
from mooring.db.engine import Database
from mooring.jobs.chores import Chore, Chores, claim, postpone
from mooring.jobs.claims import beat, check_alive
from mooring.jobs.tables import lease, worker


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Database]:
    database = Database(databases.url(request.param))
    yield database
    database.close_now()


def test_a_lease_has_one_owner_until_it_ends(db: Database) -> None:
    assert db.write_now(claim, "purge", "a", 100, 60) == 0
    assert db.write_now(claim, "purge", "b", 101, 60) == 100 + 60 * SECOND
    assert db.write_now(claim, "other", "b", 101, 60) == 0
    assert db.write_now(claim, "purge", "b", 100 + 60 * SECOND, 60) == 0


def test_only_the_owner_gives_a_lease_back(db: Database) -> None:
    db.write_now(claim, "purge", "a", 100, 60)
    db.write_now(postpone, "purge", "b", 101)
    assert db.write_now(claim, "purge", "b", 102, 60) != 0
    db.write_now(postpone, "purge", "a", 101)
    assert db.write_now(claim, "purge", "b", 102, 60) == 0


def test_two_nodes_do_a_chore_once(db: Database) -> None:
    done: list[str] = []

    async def both() -> None:
        stop = asyncio.Event()

        def chores(node: str) -> Chores:
            async def run() -> None:
                done.append(node)
                await asyncio.sleep(0)
                stop.set()

            return Chores(db, [Chore("purge", 3600, run)])

        await asyncio.wait_for(asyncio.gather(*(chores(node).run_forever(stop) for node in "ab")), 120)

    asyncio.run(both())
    assert len(done) == 1


@pytest.mark.parametrize("error", [StorageUnavailable("the bucket does not answer"), RuntimeError("a bug")])
def test_a_chore_that_fails_is_due_again_soon(db: Database, error: Exception) -> None:
    async def once() -> None:
        stop = asyncio.Event()

        async def run() -> None:
            stop.set()
            raise error

        await asyncio.wait_for(Chores(db, [Chore("purge", 86_400, run)]).run_forever(stop), 120)

    asyncio.run(once())
    later = db.write_now(claim, "purge", "x", 0, 60)
    assert later > 0
    assert db.write_now(claim, "purge", "x", later, 60) == 0


def test_a_jobs_process_is_alive_while_it_gives_signs(db: Database) -> None:
    async def scenario() -> None:
        with pytest.raises(JobsUnavailable, match="no jobs process has given a sign of life"):
            await check_alive(db.reader)
        await db.write(beat, "one", "host", 1, 10)
        await check_alive(db.reader)
        await db.write(lambda connection: connection.execute(worker.update().values(heartbeat=now() - 40 * SECOND)))
        with pytest.raises(JobsUnavailable):
            await check_alive(db.reader)
        await db.reader.close()

    asyncio.run(scenario())


def test_a_chore_that_is_done_when_it_is_due_writes_nothing_before(db: Database) -> None:
    asked: list[int] = []
    leases: list[int] = []

    def held(connection: Connection) -> int:
        return len(connection.execute(select(lease).where(lease.c.name == "forward", lease.c.expires > now())).all())

    async def until_it_is_due() -> None:
        stop = asyncio.Event()

        async def is_due() -> bool:
            asked.append(len(asked))
            leases.append(db.read_now(held))
            return len(asked) >= 3

        async def run() -> None:
            leases.append(db.read_now(held))
            if len(asked) == 4:
                stop.set()

        await asyncio.wait_for(Chores(db, [Chore("forward", 0, run, is_due)]).run_forever(stop), 120)

    asyncio.run(until_it_is_due())
    assert leases == [0, 0, 0, 1, 0, 1]
