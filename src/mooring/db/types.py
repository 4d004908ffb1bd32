"""The one metadata that both databases are made from, and its column types.

Values are kept as plain integers and text, so that a row read through the driver's own connection needs no
conversion: moments are microseconds since the epoch (core/clock.py), JSON is text.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, Text
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only where the type is spelled INTEGER.
Id: TypeEngine[int] = BigInteger().with_variant(Integer, "sqlite")
Moment: TypeEngine[int] = BigInteger()
Json: TypeEngine[str] = Text()


def identity() -> Column[int]:
    """A primary key that the database counts up."""
    return Column("id", Id, primary_key=True, autoincrement=True)


def moment(name: str, **kwargs: Any) -> Column[int]:
    """A point in time, 0 when it has not come."""
    return Column(name, Moment, nullable=False, default=0, server_default="0", **kwargs)
