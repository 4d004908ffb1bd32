"""Tasks are run once, tried again when they fail, stopped when told, and taken over when their worker dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, text

from mooring.core.errors import Conflict, Precondition
from mooring.db.engine import Database
from mooring.jobs import claims, executions, logs, schedules
from mooring.jobs.executions import NewTask
from mooring.jobs.tables import execution, schedule, task

Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def start(db: Database) -> Iterator[Start]:
    """Starts jobs processes on the database."""
    processes: list[subprocess.Popen[bytes]] = []
    db.write_now(lambda connection: connection.execute(text("CREATE TABLE ran (task_id BIGINT)")))

    def begin() -> subprocess.Popen[bytes]:
        url = db.url.render_as_string(hide_password=False)
        processes.append(subprocess.Popen([sys.executable, "-m", "tests.jobs.inside", url]))
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.wait()


def eventually(db: Database, condition: Callable[[Connection], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not db.read_now(condition):
        assert time.monotonic() < deadline, "it has not come"
        time.sleep(0.02)


def status(execution_id: int) -> Callable[[Connection], Any]:
    return lambda connection: connection.execute(
        select(execution.c.status).where(execution.c.id == execution_id)
    ).scalar()


def has_status(execution_id: int, wanted: str) -> Callable[[Connection], bool]:
    return lambda connection: status(execution_id)(connection) == wanted


def runs(connection: Connection) -> int:
    return connection.execute(text("SELECT count(*) FROM ran")).scalar_one()


def is_running(connection: Connection) -> bool:
    return runs(connection) > 0


def test_every_task_of_an_execution_is_run_once_whoever_runs_it(db: Database, start: Start) -> None:
    start(), start()
    run = db.write_now(executions.start, "COUNT", 7, "MANUAL", [NewTask() for _ in range(60)])
    eventually(db, has_status(run, "Success"))
    assert db.read_now(runs) == 60
    workers = select(func.count()).select_from(task).where(task.c.status == "Success", task.c.run_count == 1)
    assert db.read_now(lambda connection: connection.execute(workers).scalar_one()) == 60


def test_a_task_that_fails_is_tried_so_often_and_says_why(db: Database, start: Start) -> None:
    start()
    run = db.write_now(executions.start, "FAIL", 7, "EVENT")
    eventually(db, has_status(run, "Error"))
    assert db.read_now(runs) == 3
    (task_id,) = db.read_now(lambda connection: list(connection.execute(select(task.c.id)).scalars()))
    assert (db.read_now(logs.read, task_id) or "").count("it went wrong") == 3


def test_what_runs_is_stopped_within_two_seconds_and_what_waits_at_once(db: Database, start: Start) -> None:
    run = db.write_now(executions.start, "ALONE", 7, "MANUAL", [NewTask(), NewTask()])
    start()
    eventually(db, is_running)
    began = time.monotonic()
    db.write_now(executions.stop, run)
    eventually(db, has_status(run, "Stopped"))
    assert time.monotonic() - began < 2
    assert db.read_now(runs) == 1


def test_a_limited_kind_runs_one_at_a_time_on_all_workers(db: Database, start: Start) -> None:
    start(), start()
    tasks = [NewTask(payload={"seconds": 0.2}) for _ in range(4)]
    run = db.write_now(executions.start, "ALONE", 7, "MANUAL", tasks)
    most = 0
    running = select(func.count()).select_from(task).where(task.c.status == "Running")
    while db.read_now(status(run)) == "Running":
        most = max(most, db.read_now(lambda connection: connection.execute(running).scalar_one()))
    assert most == 1


def test_the_tasks_of_a_killed_worker_are_another_ones_within_30_seconds(db: Database, start: Start) -> None:
    run = db.write_now(executions.start, "SLOW", 7, "MANUAL", [NewTask(payload={"seconds": 3})])
    first = start()
    eventually(db, is_running)
    first.send_signal(signal.SIGKILL)
    start()
    began = time.monotonic()
    eventually(db, lambda connection: runs(connection) == 2)
    assert time.monotonic() - began < 30
    eventually(db, has_status(run, "Success"))
    assert db.read_now(lambda connection: connection.execute(select(task.c.run_count)).scalar_one()) == 1


def test_a_worker_that_is_told_to_end_hands_on_what_it_has(db: Database, start: Start) -> None:
    run = db.write_now(executions.start, "SLOW", 7, "MANUAL", [NewTask(payload={"seconds": 2})])
    first = start()
    eventually(db, is_running)
    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0
    began = time.monotonic()
    start()
    eventually(db, has_status(run, "Success"))
    assert time.monotonic() - began < 14  # it waits for no heartbeat to grow old


def test_nothing_is_run_of_a_transaction_that_failed(db: Database, start: Start) -> None:
    def fails(connection: Connection) -> None:
        executions.start(connection, "COUNT", 7, "EVENT")
        raise ValueError("no")

    start()
    with pytest.raises(ValueError, match="no"):
        db.write_now(fails)
    run = db.write_now(executions.start, "COUNT", 7, "EVENT")
    eventually(db, has_status(run, "Success"))
    assert db.read_now(runs) == 1


def test_a_paused_kind_waits_until_it_is_resumed(db: Database, start: Start) -> None:
    db.write_now(claims.pause, ["COUNT"])
    start()
    waiting = db.write_now(executions.start, "COUNT", 7, "EVENT")
    other = db.write_now(executions.start, "SLOW", 7, "EVENT", [NewTask(payload={"seconds": 0})])
    eventually(db, has_status(other, "Success"))
    assert db.read_now(status(waiting)) == "Running"
    db.write_now(claims.resume, ["COUNT"])
    eventually(db, has_status(waiting, "Success"))


def test_one_flight_at_a_time(db: Database) -> None:
    run = db.write_now(executions.start, "COUNT", 7, "MANUAL", flight="gc")
    with pytest.raises(Conflict):
        db.write_now(executions.start, "COUNT", 7, "MANUAL", flight="gc")
    db.write_now(executions.stop, run)
    assert db.read_now(status(run)) == "Stopped"
    db.write_now(executions.start, "COUNT", 7, "MANUAL", flight="gc")


def test_executions_under_way_are_not_deleted(db: Database) -> None:
    run = db.write_now(executions.start, "COUNT", 7, "MANUAL")
    with pytest.raises(Precondition):
        db.write_now(executions.delete, "COUNT", 7)
    db.write_now(executions.stop, run)
    db.write_now(executions.delete, "COUNT", 7)
    assert db.read_now(status(run)) is None


def test_a_schedule_that_is_due_starts_once_on_two_workers(db: Database, start: Start) -> None:
    db.write_now(schedules.put, "COUNT", 7, "0 3 * * *")
    row = db.read_now(schedules.find, "COUNT", 7)
    assert row is not None
    assert row.cron == "0 0 3 * * *"
    due = schedule.update().where(schedule.c.vendor_type == "COUNT").values(next_run=row.update_time)
    db.write_now(lambda connection: connection.execute(due))
    assert [len(db.write_now(schedules.tick, {"COUNT": schedules.start})) for _ in range(2)] == [1, 0]
    start()
    eventually(db, is_running)
    moved = db.read_now(schedules.find, "COUNT", 7)
    assert moved is not None
    assert moved.next_run == row.next_run


def test_the_process_id_is_this_hosts(db: Database) -> None:
    db.write_now(claims.beat, "one", "host", os.getpid(), 10)
    db.write_now(claims.leave, "one")
    assert db.write_now(claims.take_over, "two") == []
