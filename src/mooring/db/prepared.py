"""Statements compiled once and run on the driver's own connection: the way of the hot paths.

SQLAlchemy writes the SQL, the driver runs it; nothing is built, cached or converted for each call.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import ARRAY, Connection, Delete, Select, Text, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.dml import ReturningDelete
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.expression import ClauseElement

Row = tuple[Any, ...]

_DIALECTS: Final = {
    "sqlite": SQLiteDialect_pysqlite(paramstyle="named"),
    "postgresql": PGDialect_psycopg(paramstyle="pyformat"),  # type: ignore[no-untyped-call]
}


class Prepared:
    """One statement as text for each dialect. Parameters are named by `bindparam`; it must hold no expanding IN."""

    __slots__ = ("constants", "text")

    def __init__(self, statement: ClauseElement | Mapping[str, ClauseElement]) -> None:
        self.text: dict[str, str] = {}
        self.constants: dict[str, Any] = {}
        for name, dialect in _DIALECTS.items():
            chosen = statement[name] if isinstance(statement, Mapping) else statement
            compiled = chosen.compile(dialect=dialect)
            self.text[name] = str(compiled)
            self.constants |= {key: value for key, value in compiled.params.items() if value is not None}

    def bind(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.constants, **params}

    def all(self, connection: Connection, **params: Any) -> list[Row]:
        """Every row, inside the connection's transaction."""
        rows: list[Row] = self._execute(connection, params).fetchall()
        return rows

    def one(self, connection: Connection, **params: Any) -> Row | None:
        """The first row or None."""
        row: Row | None = self._execute(connection, params).fetchone()
        return row

    def sure(self, connection: Connection, **params: Any) -> Row:
        """The first row of a statement that always has one. Raises LookupError when it has none."""
        row = self.one(connection, **params)
        if row is None:
            raise LookupError(f"no row for {self.text['sqlite']}")
        return row

    def run(self, connection: Connection, **params: Any) -> int:
        """Execute for effect; the number of rows touched."""
        count: int = self._execute(connection, params).rowcount
        return count

    def _execute(self, connection: Connection, params: Mapping[str, Any]) -> Any:
        driver: Any = connection.connection.driver_connection
        return driver.execute(self.text[connection.dialect.name], {**self.constants, **params})


class Among:
    """One statement, prepared, for the rows whose column is one of some values, however many these are.

    They are one parameter: the text stays the same, so the driver and the database know it already.
    """

    __slots__ = ("_statement",)

    def __init__(self, statement: Select[Any] | Delete | ReturningDelete[Any], column: ColumnElement[Any]) -> None:
        listed = func.json_each(bindparam("values", type_=Text)).table_valued("value")
        self._statement = Prepared(
            {
                "sqlite": statement.where(column.in_(select(listed.c.value))),
                "postgresql": statement.where(column == any_(bindparam("values", type_=ARRAY(column.type)))),
            }
        )

    def all(self, connection: Connection, values: Collection[int] | Collection[str], **params: Any) -> list[Row]:
        """The rows, in the statement's order; `params` are those of the statement itself."""
        return self._statement.all(connection, values=_given(connection, values), **params) if values else []

    def run(self, connection: Connection, values: Collection[int] | Collection[str], **params: Any) -> int:
        """Execute for effect; the number of rows touched."""
        return self._statement.run(connection, values=_given(connection, values), **params) if values else 0


def _given(connection: Connection, values: Collection[int] | Collection[str]) -> Any:
    """The values as the one parameter that the database takes."""
    given = list(values)
    return msgspec.json.encode(given).decode() if connection.dialect.name == "sqlite" else given
