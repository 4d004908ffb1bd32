"""Transactions that follow each other where they are about the same thing."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from mooring.db.prepared import Prepared

_TAKE: Final = Prepared(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name"), 0))))


def take_turns(connection: Connection, names: Iterable[str]) -> None:
    """Wait until no other transaction that has named one of these is under way, and hold them until this one ends.

    On SQLite one transaction writes at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        for name in sorted(set(names)):  # always in the same order, or two could wait for each other
            _TAKE.one(connection, name=name)
