import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError
from tests.parts.postgres import Postgres

from mooring.core.errors import DatabaseUnavailable
from mooring.db.engine import Database
from mooring.db.prepared import Among, Prepared

METADATA = MetaData()
THING = Table(
    "engine_thing", METADATA, Column("id", Integer, primary_key=True), Column("name", Text), UniqueConstraint("name")
)
ADD = Prepared(insert(THING).values(name=bindparam("name")))
NAMES = Prepared(select(THING.c.name).order_by(THING.c.id))
OF_IDS = Among(select(THING.c.name).where(THING.c.name != bindparam("but")).order_by(THING.c.id), THING.c.id)
OF_NAMES = Among(select(THING.c.id), THING.c.name)
NAMED = Prepared(select(THING.c.id).where(THING.c.name == bindparam("name")))


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/test.db"
    else:
        cluster: Postgres = request.getfixturevalue("postgres")
        url = cluster.url(cluster.create())
    database = Database(url, connections=4)
    METADATA.create_all(database.engine)
    yield database
    database.close_now()


@pytest.fixture
def postgresql(postgres: Postgres) -> Iterator[Database]:
    database = Database(postgres.url(postgres.create()), connections=8)
    METADATA.create_all(database.engine)
    yield database
    database.close_now()


def add(connection: Connection, name: str) -> int:
    ADD.run(connection, name=name)
    return int(NAMED.sure(connection, name=name)[0])


def names(connection: Connection) -> list[str]:
    return [name for (name,) in NAMES.all(connection)]


def fail(connection: Connection, name: str) -> None:
    add(connection, name)
    raise LookupError(name)


def test_a_write_is_read(db: Database) -> None:
    assert db.write_now(add, "a") == db.read_now(lambda connection: NAMED.sure(connection, name="a")[0])


def test_what_raises_leaves_nothing_and_the_others_stay(db: Database) -> None:
    """Also where they share a transaction: writes that queue up are committed together."""
    hold = threading.Event()

    def wait(connection: Connection) -> None:
        hold.wait(60)

    with ThreadPoolExecutor(9) as threads:
        first = threads.submit(db.write_now, wait)
        good = [threads.submit(db.write_now, add, f"good {number}") for number in range(4)]
        bad = [threads.submit(db.write_now, fail, f"bad {number}") for number in range(4)]
        hold.set()
        first.result()
        assert len({future.result() for future in good}) == 4
        for future in bad:
            with pytest.raises(LookupError):
                future.result()
    assert sorted(db.read_now(names)) == [f"good {number}" for number in range(4)]


def test_a_broken_constraint_is_the_callers_alone(db: Database) -> None:
    db.write_now(add, "a")
    with pytest.raises(Exception, match=r"(?i)unique") as raised:
        db.write_now(add, "a")
    assert not isinstance(raised.value, DatabaseUnavailable)
    with pytest.raises(IntegrityError):
        db.write_now(lambda connection: connection.execute(insert(THING).values(name="a")))
    db.write_now(add, "b")
    assert db.read_now(names) == ["a", "b"]


def test_many_writers_lose_nothing(db: Database) -> None:
    with ThreadPoolExecutor(16) as threads:
        ids = list(threads.map(lambda number: db.write_now(add, f"{number}"), range(200)))
    assert len(set(ids)) == 200
    assert set(db.read_now(names)) == {f"{number}" for number in range(200)}


def test_a_read_on_sqlite_cannot_write(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/test.db")
    METADATA.create_all(database.engine)
    with pytest.raises(DatabaseUnavailable, match="readonly"):
        database.read_now(add, "a")
    assert database.read_now(names) == []
    database.close_now()


def test_closing_finishes_what_was_asked_for(db: Database) -> None:
    async def write_and_close() -> list[int]:
        writes = [asyncio.ensure_future(db.write(add, f"{number}")) for number in range(50)]
        await asyncio.sleep(0)
        await db.close()
        return await asyncio.gather(*writes)

    assert len(set(asyncio.run(write_and_close()))) == 50


@pytest.mark.parametrize("name", ["", "plain", "it's", "%s %(name)s :name ?", "\U0001f433 \u00e9", "a\nb\tc\\"])
def test_prepared_statements_bind_any_text(db: Database, name: str) -> None:
    number = db.write_now(add, name)

    async def look() -> object:
        row = await db.reader.one(NAMED, name=name)
        rows = await db.reader.all(NAMES)
        await db.reader.close()
        return row, rows

    assert asyncio.run(look()) == ((number,), [(name,)])


def test_no_text_holds_a_nul(db: Database) -> None:
    """What is asked for by such a name is simply not there, on either database."""

    async def look() -> object:
        found = await db.reader.one(NAMED, name="a\0b")
        await db.reader.close()
        return found

    assert asyncio.run(look()) is None


def test_a_database_that_is_not_there() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        database.read_now(names)
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        database.write_now(add, "a")
    database.close_now()


def test_rows_among_more_values_than_a_statement_takes_parameters(db: Database) -> None:
    for name in ("a", "b", '"', "c"):
        db.write_now(add, name)

    def found(connection: Connection) -> list[str]:
        return [name for (name,) in OF_IDS.all(connection, range(1, 100_000), but="b")]

    assert db.read_now(found) == db.write_now(found) == ["a", '"', "c"]
    assert db.read_now(lambda connection: OF_NAMES.all(connection, ['"', "z"])) == [(3,)]
    assert db.read_now(lambda connection: OF_NAMES.all(connection, [])) == []


def test_connections_that_the_server_has_closed_are_replaced(postgresql: Database) -> None:
    """Every one that lies in a pool, whichever way it is used next."""
    slow = Prepared(select(func.pg_sleep(0.1)))

    async def use_all() -> list[int]:
        await asyncio.gather(*(postgresql.read(slow.one) for _ in range(4)))
        postgresql.write_now(_end_the_others)
        by_driver = await postgresql.read(NAMES.all)
        postgresql.write_now(_end_the_others)
        statement = select(func.count()).select_from(THING)
        return [len(by_driver), await postgresql.read(lambda connection: connection.execute(statement).scalar_one())]

    postgresql.write_now(add, "a")
    assert asyncio.run(use_all()) == [1, 1]


def _end_the_others(connection: Connection) -> None:
    connection.exec_driver_sql(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
