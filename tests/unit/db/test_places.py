"""Pages of long lists, wherever they begin, are those that skipping row after row would find."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, event, func, insert, select
from tests.parts.postgres import Postgres

from mooring.core.page import Listing, parse_sort
from mooring.db.engine import Database
from mooring.db.places import Places, totals
from mooring.db.query import page

ROWS = 3000
METADATA = MetaData()
THING = Table(
    "places_thing",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("kind", Integer, nullable=False),
    Column("name", Text, nullable=False),
)
COLUMNS = {"kind": THING.c.kind, "name": THING.c.name}


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def db(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('places')}/test.db"
    else:
        cluster: Postgres = request.getfixturevalue("postgres")
        url = cluster.url(cluster.create())
    database = Database(url, connections=2)
    METADATA.create_all(database.engine)
    draw = random.Random(1)
    rows = [{"kind": draw.randrange(20), "name": f"n{draw.randrange(900):03}"} for _ in range(ROWS)]
    database.write_now(lambda connection: connection.execute(insert(THING), rows))
    yield database
    database.close_now()


def ids(connection: Connection, sort: str, offset: int, size: int = 10) -> tuple[list[int], int]:
    """The page that begins at the offset, which is a multiple of its size."""
    listing = Listing(offset // size + 1, size, {}, parse_sort(sort))
    rows, total = page(connection, select(THING.c.id), listing, COLUMNS, THING.c.id.desc(), scope="things")
    return [row.id for row in rows], total


def ordered(db: Database, sort: str) -> Sequence[int]:
    """All ids in the order, from Python's own sort."""
    rows = db.read_now(lambda connection: connection.execute(select(THING)).all())
    found: list[Any] = sorted(rows, key=lambda row: row.id, reverse=True)
    for order in reversed(parse_sort(sort)):
        found.sort(key=lambda row: getattr(row, order.key), reverse=order.descending)
    return [row.id for row in found]


@pytest.mark.parametrize("sort", ["", "kind", "-kind", "name,-kind", "-name,kind", "-kind,-name"])
def test_every_page_is_the_one_that_skipping_would_find(db: Database, sort: str) -> None:
    expected = ordered(db, sort)
    offsets = list(range(0, ROWS + 20, 10))
    for offset in [2990, 1500, 2000, *random.Random(2).sample(offsets, 60), *offsets[-30:], *reversed(offsets[-30:])]:
        rows, total = db.read_now(ids, sort, offset)
        assert (rows, total) == (list(expected[offset : offset + 10]), ROWS), offset


def test_far_pages_are_read_from_a_place_that_is_remembered(db: Database) -> None:
    seen: list[str] = []

    def work(connection: Connection) -> list[int]:
        for _ in range(3):  # the list is found to be long, then counted with the database's state, then remembered
            ids(connection, "name", 2000)
        event.listen(connection, "before_cursor_execute", lambda *call: seen.append(call[2]))
        return ids(connection, "name", 2010)[0]

    assert db.read_now(work) == list(ordered(db, "name")[2010:2020])
    statements = [each for each in seen if "places_thing" in each]
    assert len(statements) == 1, statements
    assert "count" not in statements[0]
    assert "WHERE" in statements[0]


def test_what_is_written_shows_at_once(db: Database) -> None:
    for _ in range(3):
        db.read_now(ids, "", 2990)
    key = db.write_now(
        lambda connection: connection.execute(
            insert(THING).values(kind=1, name="new").returning(THING.c.id)
        ).scalar_one()
    )
    try:
        rows, total = db.read_now(ids, "", 2000)
        assert (rows, total) == (list(ordered(db, "")[2000:2010]), ROWS + 1)
        assert db.read_now(ids, "", 0)[0][0] == key
    finally:
        db.write_now(lambda connection: connection.execute(THING.delete().where(THING.c.id == key)))
    assert db.read_now(ids, "", 2990) == (list(ordered(db, "")[2990:]), ROWS)


def test_lists_of_different_scope_are_not_taken_for_each_other(db: Database) -> None:
    def total(connection: Connection, below: int) -> int:
        statement = select(THING.c.id).where(THING.c.id <= below)
        return page(connection, statement, Listing(1, 1), COLUMNS, THING.c.id, scope=("below", below))[1]

    first = min(ordered(db, ""))
    for _ in range(2):
        assert [db.read_now(total, first + n - 1) for n in (1500, 2000, 10)] == [1500, 2000, 10]


def test_counts_of_long_lists_are_asked_for_once(db: Database) -> None:
    first = min(ordered(db, ""))
    asked: list[list[int]] = []

    def counted(connection: Connection, keys: Sequence[int]) -> dict[int, int]:
        asked.append(list(keys))
        above = {key: select(func.count()).where(THING.c.id < first + key) for key in keys}
        return {key: total for key in keys if (total := connection.execute(above[key]).scalar_one())}

    def work(connection: Connection) -> dict[int, int]:
        return totals(connection, "below", [0, 5, 2000], lambda keys: counted(connection, keys))

    for _ in range(4):
        assert db.read_now(work) == {5: 5, 2000: 2000}
    assert asked[-1] == [0, 5]
    key = db.write_now(
        lambda connection: connection.execute(
            insert(THING).values(kind=1, name="new").returning(THING.c.id)
        ).scalar_one()
    )
    db.read_now(work)
    assert asked[-1] == [0, 5, 2000]
    db.write_now(lambda connection: connection.execute(THING.delete().where(THING.c.id == key)))


def test_places_are_thinned_out_and_stay_in_order() -> None:
    known = Places(10_000)
    positions = random.Random(3).sample(range(10_000), 2000)
    for position in positions:
        known.add(position, (position,))
    for position in range(0, 10_000, 97):
        low, low_key = known.before(position)
        high, high_key = known.after(position)
        assert low <= position <= high
        assert low_key in (None, (low,))
        assert high_key in (None, (high,))
    kept = {known.before(position)[0] for position in range(10_000)}
    assert 100 < len(kept) <= 513
