from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Boolean, Column, Connection, Integer, MetaData, Table, Text, create_engine, select

from mooring.core.page import Listing, parse_filters, parse_sort
from mooring.db.query import contains, page

METADATA = MetaData()
THING = Table(
    "thing",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text),
    Column("size", Integer),
    Column("hidden", Boolean),
    Column("password", Text),
)
COLUMNS = {"name": THING.c.name, "size": THING.c.size, "hidden": THING.c.hidden}


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    with engine.connect() as opened:
        opened.execute(
            THING.insert(),
            [
                {"id": n, "name": name, "size": n * 10, "hidden": n % 2 == 0, "password": "x"}
                for n, name in enumerate(["app", "App-2", "a_p", "a%p", "zeta"], start=1)
            ],
        )
        yield opened
    engine.dispose()


def found(connection: Connection, q: str = "", sort: str = "", page_number: int = 1, size: int = 0) -> list[int]:
    listing = Listing(page_number, size, parse_filters(q), parse_sort(sort))
    rows, _ = page(connection, select(THING.c.id), listing, COLUMNS, THING.c.id)
    return [row.id for row in rows]


@pytest.mark.parametrize(
    ("q", "ids"),
    [
        ("name=app", [1]),
        ("name=APP", []),
        ("name=~APP", [1, 2]),
        ("name=~a_p", [3]),
        ("name=~a\\%25p", []),
        ("name={app zeta none}", [1, 5]),
        ("name={}", []),
        ("size=[20~40]", [2, 3, 4]),
        ("size=[40~]", [4, 5]),
        ("size=[~x]", []),
        ("size=20", [2]),
        ("size=x", []),
        ("size=~2", [2]),
        ("hidden=true", [2, 4]),
        ("hidden=perhaps", [1, 3, 5]),
        ("hidden=~RUE", [2, 4]),
        ("password=y", [1, 2, 3, 4, 5]),
        ("nothing=1,size=10", [1]),
    ],
)
def test_filters(connection: Connection, q: str, ids: list[int]) -> None:
    assert found(connection, q) == ids


def test_order_and_pages(connection: Connection) -> None:
    assert found(connection, sort="-size") == [5, 4, 3, 2, 1]
    assert found(connection, sort="hidden,-size") == [5, 3, 1, 4, 2]
    assert found(connection, sort="password,nothing") == [1, 2, 3, 4, 5]
    assert found(connection, page_number=2, size=2) == [3, 4]
    assert found(connection, page_number=99_999_999_999, size=100) == []


def test_the_total_is_that_of_all_pages(connection: Connection) -> None:
    listing = Listing(2, 2, parse_filters("size=[20~]"))
    rows, total = page(connection, select(THING.c.id), listing, COLUMNS, THING.c.id)
    assert ([row.id for row in rows], total) == ([4, 5], 4)


@given(st.text(min_size=1))
def test_text_to_search_for_is_never_a_pattern(connection: Connection, text: str) -> None:
    names = {row.id: row.name for row in connection.execute(select(THING.c.id, THING.c.name))}
    ids = set(connection.execute(select(THING.c.id).where(contains(THING.c.name, text))).scalars())
    assert ids == {key for key, name in names.items() if text.lower() in name.lower()}
