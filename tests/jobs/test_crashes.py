"""Workers are killed at every step of a task: no task is lost, and only one whose end was not written is run again."""

import signal
import time

import pytest
from sqlalchemy import Connection, func, select, text, update

from mooring.core.clock import now
from mooring.db.engine import Database
from mooring.jobs import executions
from mooring.jobs.executions import NewTask
from mooring.jobs.tables import task, worker
from tests.jobs.conftest import Start
from tests.jobs.inside import PATIENT
from tests.jobs.waiting import eventually, has_status, is_running, living, runs

KILLED = -signal.SIGKILL


@pytest.mark.parametrize(
    ("moment", "name", "expected"),
    [
        pytest.param("after", "claim", 1, id="claimed and not begun"),
        pytest.param("after", "adopt", 1, id="begun and not run"),
        pytest.param("after", "note", 2, id="running"),
        pytest.param("before", "end", 2, id="run and not ended"),
        pytest.param("after", "end", 1, id="ended and not told to the engine"),
    ],
)
def test_a_task_outlives_a_kill_at_every_step(
    db: Database, start: Start, moment: str, name: str, expected: int
) -> None:
    run = db.write_now(executions.start, "COUNT", 7, "MANUAL")
    assert start(moment, name).wait(180) == KILLED
    start()
    eventually(db, has_status(run, "Success"))
    following = db.write_now(executions.start, "COUNT", 7, "MANUAL")
    eventually(db, has_status(following, "Success"))
    assert db.read_now(runs) == expected + 1


def test_who_dies_while_taking_over_is_followed_by_a_third(db: Database, start: Start) -> None:
    run = db.write_now(executions.start, "COUNT", 7, "MANUAL")
    assert start("after", "claim").wait(180) == KILLED
    assert start("after", "take_over").wait(180) == KILLED
    start()
    eventually(db, has_status(run, "Success"))
    assert db.read_now(runs) == 1


def test_a_kill_between_two_tries_takes_none_of_them(db: Database, start: Start) -> None:
    run = db.write_now(executions.start, "LATER", 7, "MANUAL")
    tried = task.c.execution_id == run
    first = start()
    eventually(db, lambda connection: connection.execute(select(task.c.status).where(tried)).scalar() == "Scheduled")
    first.kill()
    db.write_now(lambda connection: connection.execute(update(task).where(tried).values(run_at=now())))
    start()
    eventually(db, has_status(run, "Success"))
    assert db.read_now(runs) == 2


def test_what_is_stopped_while_its_worker_is_dead_does_not_go_on(db: Database, start: Start) -> None:
    run = db.write_now(executions.start, "SLOW", 7, "MANUAL")
    first = start()
    eventually(db, is_running)
    first.kill()
    db.write_now(executions.stop, run)
    start()
    eventually(db, has_status(run, "Stopped"))


@pytest.mark.parametrize("db", ["postgresql"], indirect=True)
def test_many_tasks_over_three_workers_of_which_one_is_killed(
    db: Database, start: Start, figures: list[str], *, full: bool
) -> None:
    count = 10_000 if full else 500
    workers = [start(beat=PATIENT) for _ in range(3)]
    eventually(db, living(3))
    began = time.monotonic()
    run = db.write_now(executions.start, "COUNT", 7, "MANUAL", [NewTask() for _ in range(count)])
    eventually(db, lambda connection: runs(connection) > count / 3, seconds=600)
    workers[0].kill()
    long_ago = update(worker).where(worker.c.pid == workers[0].pid).values(heartbeat=0)
    db.write_now(lambda connection: connection.execute(long_ago))
    eventually(db, has_status(run, "Success"), seconds=900)
    seconds = time.monotonic() - began
    assert db.read_now(_distinct) == count
    twice = db.read_now(runs) - count
    assert twice <= 10  # no more than one worker has places
    figures.append(
        f"{count} tasks over three workers, one killed: {seconds:.1f} s, {count / seconds:.0f}/s, {twice} run twice"
    )
    ended = select(func.count()).select_from(task).where(task.c.execution_id == run, task.c.status == "Success")
    assert db.read_now(lambda connection: connection.execute(ended).scalar_one()) == count


def _distinct(connection: Connection) -> int:
    return connection.execute(text("SELECT count(DISTINCT task_id) FROM ran")).scalar_one()
