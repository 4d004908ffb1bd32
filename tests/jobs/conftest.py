"""Databases with the schema in place, on both engines, and jobs processes on them."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext

import pytest
from sqlalchemy import text

from mooring.db.engine import Database
from tests.jobs import inside
from tests.parts.databases import Databases

Start = Callable[..., "JobsProcess"]


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Database]:
    database = Database(databases.url(request.param))
    yield database
    database.close_now()


class JobsProcess:
    """A jobs process on the database, in the way that `subprocess` has of a program."""

    def __init__(self, context: ForkServerContext, url: str, *arguments: str, **options: float) -> None:
        self._process = context.Process(target=inside.run, args=(url, *arguments), kwargs=options)
        self._process.start()

    def wait(self, seconds: float) -> int | None:
        """The status that it ends with, None when it does not; the negative number of the signal that killed it."""
        self._process.join(seconds)
        return self._process.exitcode

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL; it has ended when this returns."""
        self._process.kill()
        self._process.join()

    def close(self) -> None:
        self.kill()
        self._process.close()


@pytest.fixture(scope="session")
def context() -> ForkServerContext:
    """Forks jobs processes from one that has loaded the program, which takes longer than most tests."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([inside.__name__])
    return context


@pytest.fixture
def start(db: Database, context: ForkServerContext) -> Iterator[Start]:
    """Starts jobs processes on the database; each takes the arguments of `inside.run`."""
    processes: list[JobsProcess] = []
    db.write_now(lambda connection: connection.execute(text("CREATE TABLE ran (task_id BIGINT, moment BIGINT)")))

    def begin(*arguments: str, **options: float) -> JobsProcess:
        url = db.url.render_as_string(hide_password=False)
        processes.append(JobsProcess(context, url, *arguments, **options))
        return processes[-1]

    yield begin
    for process in processes:
        process.close()
