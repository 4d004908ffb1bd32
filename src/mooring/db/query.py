"""A list request as SQL, over an allow-list of columns. Whatever is not on the list is ignored, as Harbor does."""

import json
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    Integer,
    Select,
    Text,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    true,
    tuple_,
)
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression
from sqlalchemy.sql.operators import desc_op

from mooring.core.clock import SECOND
from mooring.core.errors import BadRequest
from mooring.core.page import AllOf, AnyOf, Exact, Filter, Fuzzy, Listing, Order, Range, Value
from mooring.db.places import Key, Places, places
from mooring.db.types import Json, Moment

Columns = Mapping[str, ColumnElement[Any]]
T = TypeVar("T")

_BATCH: Final = 1000  # SQLite takes 32 766 parameters in a statement, PostgreSQL 65 535
_NEAR: Final = 1000  # rows that are sooner skipped than their key is asked for
_INT64: Final = range(-(2**63), 2**63)
_STRIDE: Final = 256  # rows between two places that are remembered
_MOST_MEMBERS: Final = 100  # of JSON, that a list is searched by: SQLite takes conditions of a thousand parts
_PATH: Final = re.compile(r"[\w-]+(\.[\w-]+)*")  # of a member of JSON


def in_batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in slices that an IN may hold."""
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]


def page(
    connection: Connection,
    statement: Select[Any],
    listing: Listing,
    columns: Columns,
    *default: ColumnElement[Any],
    scope: Hashable = None,
    known: Places | None = None,
) -> tuple[list[Any], int]:
    """The rows of the page, and how many there are on all pages.

    `columns` maps the names that `q` and `sort` may use, spelled `project_id` or `ProjectID`. `default` is the order
    when nothing else is asked for, and among rows that are alike otherwise; it ends in a unique column, so that pages
    neither overlap nor leave a row out. A column of JSON is neither searched nor sorted by, but `q` may ask for its
    members, at any depth: `extra_attrs.artifact.digest`.

    A list that may be long has a `scope`, equal for calls with the same statement and parameters and for no others:
    then its length and the places of its pages are remembered (db/places.py), and its last page comes as fast as its
    first. The columns that such a list is sorted by hold no NULL. A caller that knows the length and some places
    itself gives them as `known`.
    """
    documents = {plain(name): column for name, column in columns.items() if column.type is Json}
    columns = {name: column for name, column in columns.items() if column.type is not Json}
    for key, condition in named(listing.filters, columns).items():
        statement = statement.where(matches(columns[key], condition))
    for document, path, condition in _of_members(listing, documents):
        statement = statement.where(_has_member(connection, document, path, condition))
    names = {plain(name): column for name, column in columns.items()}
    sort: dict[str, Order] = {}
    for each in listing.sort:
        sort.setdefault(plain(each.key), each)
    orders = [_Order(names[key], each.descending) for key, each in sort.items() if key in names]
    orders += [_order(each) for each in default]

    def count() -> int:
        counted = statement.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)
        return int(connection.execute(counted).scalar_one())

    if known is None:
        name = (scope, frozenset(listing.filters.items()), listing.sort)
        known = Places(count()) if scope is None else places(connection, name, count)
    return _rows(connection, statement, orders, listing, known), known.total


class _Order(NamedTuple):
    column: ColumnElement[Any]
    descending: bool

    def clause(self, *, backwards: bool = False) -> ColumnElement[Any]:
        return self.column.desc() if self.descending != backwards else self.column.asc()


def _order(element: ColumnElement[Any]) -> _Order:
    if isinstance(element, UnaryExpression) and element.modifier is desc_op:
        return _Order(element.element, True)
    return _Order(element, False)


def _rows(
    connection: Connection, statement: Select[Any], orders: Sequence[_Order], listing: Listing, known: Places
) -> list[Any]:
    ordered = statement.order_by(*(order.clause() for order in orders))
    if listing.size <= 0:
        return list(connection.execute(ordered))
    if listing.offset >= known.total:
        return []
    skipped = listing.offset
    if listing.offset >= _NEAR:
        place = listing.offset - listing.offset % _STRIDE
        key = _key(connection, statement, orders, known, place)
        if key is not None:
            ordered = ordered.where(_from(orders, key))
            skipped -= place
    return list(connection.execute(ordered.limit(listing.size).offset(skipped)))


def _key(
    connection: Connection, statement: Select[Any], orders: Sequence[_Order], known: Places, position: int
) -> Key | None:
    """The sort key of the row at the position, read from the nearest place that is known; None when none is there."""
    (low, low_key), (high, high_key) = known.before(position), known.after(position)
    if low_key is not None and low == position:
        return low_key
    backwards = high - position < position - low
    start, key = (high, high_key) if backwards else (low, low_key)
    keys = statement.with_only_columns(*(order.column for order in orders), maintain_column_froms=True)
    if key is not None:
        keys = keys.where(_from(orders, key, backwards=backwards))
    keys = keys.order_by(*(order.clause(backwards=backwards) for order in orders))
    row = connection.execute(keys.limit(1).offset(abs(position - start))).first()
    if row is None:
        return None
    known.add(position, row)
    return tuple(row)


def _from(orders: Sequence[_Order], key: Key, *, backwards: bool = False) -> ColumnElement[bool]:
    """The rows from the one with this key on, itself among them."""
    falls = [order.descending != backwards for order in orders]
    values = [literal(value, order.column.type) for value, order in zip(key, orders, strict=True)]
    if len(set(falls)) == 1:
        row, bound = tuple_(*(order.column for order in orders)), tuple_(*values)
        return row <= bound if falls[0] else row >= bound
    (order, *others), (value, *_) = orders, values
    column = order.column
    beyond, within = (column < value, column <= value) if falls[0] else (column > value, column >= value)
    # The first condition alone is what an index can begin at.
    return within & or_(beyond, _from(others, key[1:], backwards=backwards))


def named(filters: Mapping[str, Filter], columns: Columns) -> dict[str, Filter]:
    """The conditions on these columns by the names that `columns` has for them."""
    names = {plain(name): name for name in columns}
    return {names[plain(key)]: condition for key, condition in filters.items() if plain(key) in names}


def matches(column: ColumnElement[Any], condition: Filter) -> ColumnElement[bool]:
    """The condition on the column. A value that no value of the column's type can be matches nothing."""
    match condition:
        case Exact(value):
            return _equal(column, value)
        case Fuzzy(value):
            return contains(column, value)
        case Range(low, high):
            bounds = [comparable(column, each) for each in (low, high) if each is not None]
            if None in bounds:
                return false()
            above = column >= comparable(column, low) if low is not None else true()
            return above & (column <= comparable(column, high)) if high is not None else above
        case AnyOf(values):
            return column.in_([each for each in (comparable(column, value) for value in values) if each is not None])
        case AllOf():
            return true()


def _of_members(listing: Listing, documents: Columns) -> list[tuple[ColumnElement[Any], str, Filter]]:
    """The conditions on members of columns of JSON, with the columns and the members' paths. Raises BadRequest."""
    asked = [(*key.partition(".")[::2], condition) for key, condition in listing.filters.items()]
    found = [
        (documents[plain(name)], path, condition)
        for name, path, condition in asked
        if path and plain(name) in documents
    ]
    if len(found) > _MOST_MEMBERS:
        raise BadRequest(f"a list is searched by at most {_MOST_MEMBERS} members")
    return found


def _has_member(
    connection: Connection, column: ColumnElement[Any], path: str, condition: Filter
) -> ColumnElement[bool]:
    """The condition on what a column of JSON holds at a path of names joined by dots."""
    if not _PATH.fullmatch(path):
        return false()
    names = path.split(".")
    if connection.dialect.name == "postgresql":
        held: ColumnElement[str] = cast(cast(column, JSON)[tuple(names)], Text)
    else:
        held = column.op("->", return_type=Text())("$" + "".join(f'."{name}"' for name in names))
    match condition:
        case Exact(value):
            return held.in_(_spellings(value))
        case AnyOf(values):
            return held.in_([spelling for value in values for spelling in _spellings(value)])
        case _:
            return matches(held, condition)


def _spellings(value: Value) -> list[str]:
    """How JSON may write a value that a query spells so: a number and a truth as they are, text with quotes."""
    text = str(value).replace("\0", "")
    return [text, json.dumps(text)]


def contains(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """The column, as text, contains the text in any case; what LIKE means by `%` and `_` is nothing special."""
    if "\0" in text or column.type is Moment:
        return false()
    if isinstance(column.type, Boolean):
        column = case((column, "true"), else_="false")
    elif isinstance(column.type, Integer):
        column = cast(column, Text)
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return func.lower(column).like(func.lower(f"%{escaped}%"), escape="\\")


def plain(name: str) -> str:
    """The name of a column as lists compare names: `project_id` and `ProjectID` are the same."""
    return name.replace("_", "").lower()


def _equal(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    wanted = comparable(column, value)
    return false() if wanted is None else column == wanted


def comparable(column: ColumnElement[Any], value: Value | None) -> Any:
    """The value in the column's own type; None when it has no such value. What does not say yes means no."""
    if isinstance(column.type, Boolean):
        return str(value).lower() in ("true", "1")
    if column.type is Moment:
        return _moment(value)
    if isinstance(column.type, Integer):
        return int(text) if _is_integer(text := str(value)) else None
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return None if "\0" in text else text  # PostgreSQL has no such text


def _moment(value: Value | None) -> int | None:
    """Microseconds since the epoch; times without a zone are in UTC, and days begin at midnight."""
    if not isinstance(value, datetime):
        try:
            value = datetime.fromisoformat(str(value))
        except ValueError:
            return None
    return round((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp() * SECOND)


def _is_integer(text: str) -> bool:
    """Whether it is one that the databases can hold."""
    return len(text) <= 20 and text.removeprefix("-").isdecimal() and text.isascii() and int(text) in _INT64
