"""The log by blocks: what a page says is what reading everything says, whatever has been counted and whatever not."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select
from tests.parts.postgres import Postgres

from mooring.core.clock import SECOND, now
from mooring.core.page import Listing, parse_filters, parse_sort
from mooring.db import schema
from mooring.db.engine import Database
from mooring.features.audit import blocks, queries
from mooring.features.audit.blocks import SETTLED
from mooring.features.audit.jobs import count_blocks
from mooring.features.audit.kinds import RECORDED
from mooring.features.audit.tables import audit_block, audit_log

RECORDS = 1000
BEGIN = now() - 10 * SETTLED


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with opened(request, tmp_path_factory.mktemp("audit")) as database:
        yield database


@contextmanager
def opened(request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """A database of the parameter's kind, in which blocks are short."""
    if request.param == "sqlite":
        url = f"sqlite:///{folder}/mooring.db"
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.url(postgres.create())
    database = Database(url, connections=2)
    schema.migrate(database)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(blocks, "SIZE", 64)
        yield database
    database.close_now()


@pytest.fixture(scope="module", params=[False, True], ids=["uncounted", "counted"])
def log(request: pytest.FixtureRequest, database: Database) -> Iterator[Database]:
    """A log in which several records are of one moment. Where it is counted, it has gone on since."""
    database.write_now(fill, 0, RECORDS)
    if request.param:
        asyncio.run(count_blocks(database))
        database.write_now(fill, RECORDS, 50)
    yield database
    database.write_now(empty)


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """One with an empty log, for a test of its own."""
    with opened(request, tmp_path) as database:
        yield database


def fill(connection: Connection, first: int, number: int, begin: int = BEGIN) -> None:
    connection.execute(insert(audit_log), [record(n, begin) for n in range(first, first + number)])


def record(number: int, begin: int) -> dict[str, Any]:
    chance = random.Random(number)
    kind = chance.choice(RECORDED[:4] + RECORDED[-2:])
    return {
        "op_time": begin + number // 3 * SECOND // 2,
        "user_kind": "user",
        "user_id": 1,
        "username": chance.choice(["ada", "bob b", "robot$p+x"]),
        "address": "::1",
        "operation": kind.operation,
        "resource_type": kind.resource_type,
        "resource": f"r{number}",
        "project_id": chance.choice([0, 1, 2, 3]),
        "op_desc": "",
        "op_result": number % 9 != 0,
    }


def empty(connection: Connection) -> None:
    blocks.drop(connection, 0)
    connection.execute(delete(audit_log))


def all_records(connection: Connection) -> list[Any]:
    return list(connection.execute(select(audit_log).order_by(audit_log.c.op_time, audit_log.c.id)))


def moment(number: int) -> str:
    return datetime.fromtimestamp(BEGIN // SECOND + number, UTC).strftime("%Y-%m-%dT%H:%M:%S")


CASES = [
    ("", lambda r: True, None),
    ("project_id=2", lambda r: r.project_id == 2, None),
    ("project_id={1 3 x}", lambda r: r.project_id in (1, 3), None),
    ("username=bob b", lambda r: r.username == "bob b", None),
    ("username=nobody", lambda r: False, None),
    ("operation=create", lambda r: r.operation == "create", None),
    ("resource_type=tag", lambda r: r.resource_type == "tag", None),
    (
        "operation=delete,ResourceType=artifact",
        lambda r: (r.operation, r.resource_type) == ("delete", "artifact"),
        None,
    ),
    ("operation=burn", lambda r: False, None),
    ("op_result=false", lambda r: not r.op_result, None),
    ("project_id=1,operation=pull", lambda r: r.project_id == 1 and r.operation == "pull", None),
    ("username=ada,resource_type=artifact", lambda r: r.username == "ada" and r.resource_type == "artifact", None),
    ("username=ada,project_id=1", lambda r: r.username == "ada" and r.project_id == 1, None),
    ("operation=~REA", lambda r: "rea" in r.operation, None),
    ("", lambda r: r.project_id in (1, 2), [1, 2]),
    ("operation=create", lambda r: r.project_id == 2 and r.operation == "create", [2]),
    ("", lambda r: False, []),
    (f"op_time=[{moment(30)}~{moment(90)}]", lambda r: within(r, 30, 90), None),
    (f"op_time=[{moment(60)}~],username=ada", lambda r: within(r, 60, 10**6) and r.username == "ada", None),
    (f"op_time=[~{moment(100)}],project_id=3", lambda r: within(r, -1, 100) and r.project_id == 3, None),
    (f"op_time=[{moment(50)}~{moment(50)}]", lambda r: within(r, 50, 50), None),
    (f"op_time=[{moment(900)}~]", lambda r: False, None),
    ("op_time=[x~y]", lambda r: False, None),
]


def within(record: Any, low: int, high: int) -> bool:
    begin = BEGIN // SECOND * SECOND
    moment: int = record.op_time
    return begin + low * SECOND <= moment <= begin + high * SECOND


@pytest.mark.parametrize(("q", "wanted", "projects"), CASES, ids=range(len(CASES)))
def test_pages(log: Database, q: str, wanted: Any, projects: list[int] | None) -> None:
    expected = [each.id for each in log.read_now(all_records) if wanted(each)]
    for sort, order in (("", expected[::-1]), ("op_time", expected), ("-op_time", expected[::-1]), ("id", expected)):
        for size in (7, 100):
            last = len(expected) // size + 1
            for page in {1, 2, max(1, last // 2), last, last + 9}:
                listing = Listing(page, size, parse_filters(q), parse_sort(sort))
                lines, total = log.read_now(queries.page, listing, projects)
                assert total == len(expected)
                assert [line.id for line in lines] == order[(page - 1) * size : page * size], (sort, size, page)


def test_what_is_new_is_in_no_block(db: Database) -> None:
    db.write_now(fill, 0, 200, now())
    assert db.read_now(blocks.next_block) is None


def test_nothing_may_come_between_counting_and_adding(db: Database) -> None:
    db.write_now(fill, 0, RECORDS)
    block = db.read_now(blocks.next_block)
    assert block is not None
    db.write_now(fill, 0, 1)
    assert not db.write_now(blocks.add, block)
    again = db.read_now(blocks.next_block)
    assert again is not None
    assert db.write_now(blocks.add, again)
    assert not db.write_now(blocks.add, again)


def test_blocks_are_dropped_from_a_moment_on(db: Database) -> None:
    db.write_now(fill, 0, RECORDS)
    asyncio.run(count_blocks(db))
    numbers = db.read_now(lambda connection: list(connection.execute(select(audit_block)).all()))
    assert [row.number for row in numbers] == list(range(1, RECORDS // 64 + 1))
    middle = numbers[7]
    db.write_now(blocks.drop, middle.last_time)
    left = db.read_now(lambda connection: list(connection.execute(select(audit_block.c.number)).scalars()))
    assert left == [row.number for row in numbers if row.last_time < middle.last_time]
    asyncio.run(count_blocks(db))
    assert db.read_now(lambda connection: list(connection.execute(select(audit_block)).all())) == numbers


def test_blocks_follow_what_is_deleted(db: Database) -> None:
    db.write_now(fill, 0, RECORDS)
    asyncio.run(count_blocks(db))
    middle = db.read_now(all_records)[400].op_time
    old_pulls = (audit_log.c.op_time <= middle) & (audit_log.c.operation == "pull")
    db.write_now(lambda connection: connection.execute(delete(audit_log).where(old_pulls)))
    db.write_now(blocks.recount, 0, middle)
    left = [record.id for record in db.read_now(all_records)]
    lines, total = db.read_now(queries.page, Listing(5, 50))
    assert (total, [line.id for line in lines]) == (len(left), left[::-1][200:250])
    db.write_now(lambda connection: connection.execute(delete(audit_log).where(audit_log.c.op_time <= middle)))
    db.write_now(blocks.recount, 0, middle)
    newer = [record.id for record in db.read_now(all_records)]
    lines, total = db.read_now(queries.page, Listing(1, 50, {}, parse_sort("op_time")))
    assert (total, [line.id for line in lines]) == (len(newer), newer[:50])
    first = db.read_now(lambda connection: connection.execute(select(audit_block).limit(1)).one())
    assert first.last_time > middle
