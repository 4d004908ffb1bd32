"""What a list request asks for: which page, filtered by what, in which order. Neutral: db/query.py turns it into SQL.

The grammar of `q` is Harbor's: conditions joined by commas, all of which must hold.

    k=v             exactly v; a leading backslash makes a special first character literal
    k=~v            contains v, in any case
    k=[a~b]         between a and b, inclusive; either may be left out
    k={a b c}       one of
    k=(a b c)       all of, where a list says that it knows what that means

Elements of ranges and lists are times (`2026-11-24T02:57:27`, UTC), integers, or text, which may be quoted.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote_plus

from msgspec import Struct

from mooring.core.errors import BadRequest

DEFAULT_SIZE: Final = 10
MAX_SIZE: Final = 100
_MOST: Final = 100  # elements of `(a b c)`

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_INTEGER: Final = re.compile(r"[+-]?\d{1,18}")

Value = datetime | int | str


class Exact(Struct, frozen=True):
    value: str


class Fuzzy(Struct, frozen=True):
    value: str


class Range(Struct, frozen=True):
    low: Value | None
    high: Value | None


class AnyOf(Struct, frozen=True):
    values: tuple[Value, ...]


class AllOf(Struct, frozen=True):
    values: tuple[Value, ...]


Filter = Exact | Fuzzy | Range | AnyOf | AllOf


class Order(Struct, frozen=True):
    key: str
    descending: bool = False


class Listing:
    """One list request. `size` 0 or less is no limit; `page` counts from 1, and what is less is 1."""

    __slots__ = ("filters", "page", "size", "sort")

    def __init__(
        self,
        page: int = 1,
        size: int = DEFAULT_SIZE,
        filters: Mapping[str, Filter] | None = None,
        sort: tuple[Order, ...] = (),
    ) -> None:
        self.page = page
        self.size = size
        self.filters = filters or {}
        self.sort = sort

    def asking(self, **conditions: Filter | None) -> "Listing":
        """The same list under these conditions too; each goes before what `q` says of its key, None leaves that."""
        given = {key: condition for key, condition in conditions.items() if condition is not None}
        return Listing(self.page, self.size, {**self.filters, **given}, self.sort)

    @property
    def offset(self) -> int:
        return max(self.page - 1, 0) * self.size if self.size > 0 else 0


def parse_filters(q: str) -> dict[str, Filter]:
    """The conditions of `q`; of two on the same key the later counts.

    The value is unquoted once more, since clients encode twice. Raises BadRequest for what is not in the grammar.
    """
    conditions: dict[str, Filter] = {}
    text = unquote_plus(q)
    for condition in text.split(",") if text else ():
        key, _, value = condition.partition("=")
        if not key or not value:
            raise BadRequest('the query string must contain "=" and the key/value cannot be empty')
        conditions[key] = _filter(value)
    return conditions


def parse_sort(sort: str) -> tuple[Order, ...]:
    """The keys of `sort`, those with a minus descending."""
    keys = (key.strip() for key in sort.split(","))
    return tuple(Order(key.removeprefix("-"), key.startswith("-")) for key in keys if key.strip("-"))


def _filter(value: str) -> Filter:
    opening, inner = value[0], value[1:-1]
    match opening, value[-1]:
        case "~", _ if len(value) > 1:
            return Fuzzy(value[1:])
        case "[", "]" if inner.count("~") == 1 and inner != "~":
            low, high = inner.split("~")
            return Range(_element(low) if low else None, _element(high) if high else None)
        case "{", "}" if len(value) > 1:
            return AnyOf(_elements(inner))
        case "(", ")" if len(value) > 1:
            return AllOf(_all(inner))
    if opening in "~[{(":
        raise BadRequest(f"invalid query string value: {value}")
    return Exact(value.removeprefix("\\"))


def _all(text: str) -> tuple[Value, ...]:
    """Raises BadRequest for more than a database would be asked for at once: each is a condition of its own."""
    found = _elements(text)
    if len(found) > _MOST:
        raise BadRequest(f"invalid query string value: at most {_MOST} can be asked for together")
    return found


def _elements(text: str) -> tuple[Value, ...]:
    return tuple(_element(part) for part in text.split(" ") if part)


def _element(text: str) -> Value:
    if _TIME.fullmatch(text):
        try:
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            return text
    if _INTEGER.fullmatch(text):
        return int(text)
    return text.strip("\"'")
