"""A list request as SQL, over an allow-list of columns. Whatever is not on the list is ignored, as Harbor does."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import BigInteger, Boolean, Connection, Integer, Select, false, func, true
from sqlalchemy.sql.elements import ColumnElement

from mooring.core.clock import SECOND
from mooring.core.page import AllOf, AnyOf, Exact, Filter, Fuzzy, Listing, Range, Value

Columns = Mapping[str, ColumnElement[Any]]
T = TypeVar("T")

_BATCH: Final = 1000  # SQLite takes 32 766 parameters in a statement, PostgreSQL 65 535


def in_batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in slices that an IN may hold."""
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]


def among(
    connection: Connection, statement: Select[Any], column: ColumnElement[Any], values: Sequence[Any]
) -> list[Any]:
    """The rows of the statement whose column is one of the values, however many these are."""
    return [row for some in in_batches(values) for row in connection.execute(statement.where(column.in_(some)))]


def page(
    connection: Connection,
    statement: Select[Any],
    listing: Listing,
    columns: Columns,
    *default: ColumnElement[Any],
) -> tuple[list[Any], int]:
    """The rows of the page, and how many there are on all pages.

    `columns` maps the names that `q` and `sort` may use, spelled `project_id` or `ProjectID`. `default` is the order
    when nothing else is asked for, and among rows that are alike otherwise; it ends in a unique column, so that pages
    neither overlap nor leave a row out.
    """
    known = {_plain(name): column for name, column in columns.items()}
    for key, condition in listing.filters.items():
        if _plain(key) in known:
            statement = statement.where(matches(known[_plain(key)], condition))
    counted = statement.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)
    total = connection.execute(counted).scalar_one()
    sorting = [(known[_plain(order.key)], order.descending) for order in listing.sort if _plain(order.key) in known]
    orders = [column.desc() if descending else column for column, descending in sorting]
    statement = statement.order_by(*orders, *default)
    if listing.size > 0:
        statement = statement.limit(listing.size).offset(min(listing.offset, total))
    return list(connection.execute(statement)), total


def matches(column: ColumnElement[Any], condition: Filter) -> ColumnElement[bool]:
    """The condition on the column. A value that no value of the column's type can be matches nothing."""
    match condition:
        case Exact(value):
            return _equal(column, value)
        case Fuzzy(value):
            return contains(column, value)
        case Range(low, high):
            bounds = [_comparable(column, each) for each in (low, high) if each is not None]
            if None in bounds:
                return false()
            above = column >= _comparable(column, low) if low is not None else true()
            return above & (column <= _comparable(column, high)) if high is not None else above
        case AnyOf(values):
            return column.in_([each for each in (_comparable(column, value) for value in values) if each is not None])
        case AllOf():
            return true()


def contains(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """The column, as text, contains the text in any case; what LIKE means by `%` and `_` is nothing special."""
    if "\0" in text or not _is_text(column):
        return false()
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return func.lower(column).like(func.lower(f"%{escaped}%"), escape="\\")


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _equal(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    comparable = _comparable(column, value)
    return false() if comparable is None else column == comparable


def _comparable(column: ColumnElement[Any], value: Value | None) -> Any:
    """The value in the column's own type; None when it has no such value."""
    if isinstance(column.type, Boolean):
        return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
    if isinstance(column.type, Integer | BigInteger):
        if isinstance(value, datetime):
            return int(value.timestamp()) * SECOND
        return int(text) if _is_integer(text := str(value)) else None
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return None if "\0" in text else text  # PostgreSQL has no such text


def _is_text(column: ColumnElement[Any]) -> bool:
    return not isinstance(column.type, Boolean | Integer | BigInteger)


def _is_integer(text: str) -> bool:
    return len(text) <= 19 and text.removeprefix("-").isdecimal() and text.isascii()
