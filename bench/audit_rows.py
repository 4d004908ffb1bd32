"""Fill a database with a long audit log, as one of some years would be, and count it in blocks.

python -m bench.audit_rows sqlite:////var/tmp/audit.db 5000000
"""

import argparse
import asyncio
from typing import Any, Final

from sqlalchemy import Connection

from mooring.core.clock import SECOND, now
from mooring.db import schema
from mooring.db.engine import Database
from mooring.features.audit.blocks import SETTLED
from mooring.features.audit.jobs import count_blocks

PROJECTS: Final = 1000
USERS: Final = 500

# Of a hundred records 80 are of pulls, 15 of pushes and 5 of deletions; a thousandth is of projects, a fiftieth failed.
_COLUMNS: Final = (
    "op_time, user_kind, user_id, username, address, operation, resource_type, resource, project_id, op_desc, op_result"
)
_VALUES: Final = (
    "{begin} + i * {step}, 'user', u, 'user' || u, '10.0.0.1', "
    "CASE WHEN k < 80 THEN 'pull' WHEN k < 95 THEN 'create' ELSE 'delete' END, "
    "CASE WHEN i % 1000 = 7 THEN 'project' ELSE 'artifact' END, 'project' || p || '/app' || k || ':v1', p, "
    "'pull artifact: project' || p || '/app' || k || '@sha256:{digest}', i % 50 <> 3"
)
_ROWS: Final = {
    "sqlite": (
        "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count}) "
        "SELECT i, abs(random()) % {projects} AS p, abs(random()) % {users} AS u, abs(random()) % 100 AS k FROM numbers"
    ),
    "postgresql": (
        "SELECT i, (random() * {projects})::int % {projects} AS p, (random() * {users})::int % {users} AS u, "
        "(random() * 100)::int % 100 AS k FROM generate_series(1::bigint, {count}) AS i"
    ),
}


def fill(db: Database, count: int) -> None:
    """Add so many records, the newest of them old enough to be counted, and count them."""
    db.write_now(_insert, count)
    if not db.is_sqlite:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE audit_log")
    asyncio.run(count_blocks(db))


def _insert(connection: Connection, count: int) -> None:
    step = SECOND // 100
    values: dict[str, Any] = {
        "begin": now() - 2 * SETTLED - count * step,
        "step": step,
        "digest": "0" * 64,
        "count": count,
        "projects": PROJECTS,
        "users": USERS,
    }
    rows = _ROWS[connection.dialect.name].format(**values)
    text = f"INSERT INTO audit_log ({_COLUMNS}) SELECT {_VALUES.format(**values)} FROM ({rows}) AS drawn"  # noqa: S608 - numbers alone
    driver: Any = connection.connection.driver_connection
    driver.execute(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="the database; its tables are made if it is empty")
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    db = Database(options.url)
    schema.migrate(db)
    fill(db, options.count)
    db.close_now()


if __name__ == "__main__":
    main()
