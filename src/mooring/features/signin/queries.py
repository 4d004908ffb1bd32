"""Failed sign-ins, as every process of the installation sees them."""

from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from mooring.db.prepared import Prepared
from mooring.db.reader import Reader
from mooring.features.signin.tables import signin_failure

_LOCKED: Final = Prepared(
    select(signin_failure.c.locked_until).where(signin_failure.c.principal == bindparam("principal"))
)


def _counting(insert: Any) -> Any:
    statement = insert(signin_failure).values(
        principal=bindparam("principal"), count=bindparam("first"), locked_until=bindparam("until")
    )
    return statement.on_conflict_do_update(
        index_elements=["principal"],
        set_={"count": signin_failure.c.count + 1, "locked_until": statement.excluded.locked_until},
    )


_COUNT: Final = Prepared({"sqlite": _counting(sqlite.insert), "postgresql": _counting(postgresql.insert)})


async def locked_until(reader: Reader, principal: str) -> int | None:
    """Until when the principal may not sign in; None when it has not failed since it last did."""
    row = await reader.one(_LOCKED, principal=principal)
    return None if row is None else int(row[0])


def count(connection: Connection, principal: str, until: int) -> None:
    """Count a failure and lock the principal until the moment."""
    _COUNT.run(connection, principal=principal, first=1, until=until)


def forget(connection: Connection, principal: str) -> None:
    """The principal has signed in."""
    connection.execute(delete(signin_failure).where(signin_failure.c.principal == principal))
