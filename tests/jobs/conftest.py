"""Databases with the schema in place, on both engines, and jobs processes on them."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from mooring.db import schema
from mooring.db.engine import Database

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/mooring.db"
    else:
        cluster = request.getfixturevalue("postgres")
        url = cluster.url(cluster.create())
    database = Database(url)
    schema.migrate(database)
    yield database
    database.close_now()


@pytest.fixture
def start(db: Database) -> Iterator[Start]:
    """Starts jobs processes on the database; each takes the arguments of tests/jobs/inside.py."""
    processes: list[subprocess.Popen[bytes]] = []
    db.write_now(lambda connection: connection.execute(text("CREATE TABLE ran (task_id BIGINT, moment BIGINT)")))

    def begin(*arguments: str) -> subprocess.Popen[bytes]:
        url = db.url.render_as_string(hide_password=False)
        processes.append(subprocess.Popen([sys.executable, "-m", "tests.jobs.inside", url, *arguments]))
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.wait()
