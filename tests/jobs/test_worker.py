"""Tasks are run once, tried again when they fail, stopped when told, and taken over when their worker dies."""

import os
import signal
import time
from statistics import median

import pytest
from sqlalchemy import Connection, func, select, text

from mooring.core.clock import SECOND, now
from mooring.core.errors import Conflict, Precondition
from mooring.db.engine import Database
from mooring.jobs import claims, executions, logs, schedules
from mooring.jobs.executions import NewTask
from mooring.jobs.kinds import Kind, Kinds
from mooring.jobs.tables import schedule, task
from tests.jobs.conftest import Start
from tests.jobs.inside import PATIENT, count
from tests.jobs.waiting import eventually, has_status, is_running, living, runs, slowness, status


def test_every_task_of_an_execution_is_run_once_whoever_runs_it(db: Database, start: Start) -> None:
    start(beat=PATIENT), start(beat=PATIENT)
    run = db.write_now(executions.start, "COUNT", 7, "MANUAL", [NewTask() for _ in range(60)])
    eventually(db, has_status(run, "Success"))
    assert db.read_now(runs) == 60
    mine = (task.c.execution_id == run, task.c.status == "Success", task.c.run_count == 1)
    ended = select(func.count()).select_from(task).where(*mine)
    assert db.read_now(lambda connection: connection.execute(ended).scalar_one()) == 60


def test_a_task_that_fails_is_tried_so_often_and_says_why(db: Database, start: Start) -> None:
    start()
    run = db.write_now(executions.start, "FAIL", 7, "EVENT")
    eventually(db, has_status(run, "Error"))
    assert db.read_now(runs) == 3
    mine = select(task.c.id).where(task.c.execution_id == run)
    task_id = db.read_now(lambda connection: connection.execute(mine).scalar_one())
    assert (db.read_now(logs.read, task_id) or "").count("it went wrong") == 3


def test_what_runs_is_stopped_within_two_seconds_and_what_waits_at_once(db: Database, start: Start) -> None:
    start()
    waits = []
    for number in range(1, 4):  # one that takes long may be the machine's doing
        run = db.write_now(executions.start, "ALONE", 7, "MANUAL", [NewTask(), NewTask()])
        eventually(db, lambda connection, number=number: runs(connection) == number)
        began = time.monotonic()
        db.write_now(executions.stop, run)
        eventually(db, has_status(run, "Stopped"))
        waits.append(time.monotonic() - began)
        assert db.read_now(runs) == number
    assert median(waits) < 2


def test_a_limited_kind_runs_one_at_a_time_on_all_workers(db: Database, start: Start) -> None:
    start(beat=PATIENT), start(beat=PATIENT)
    tasks = [NewTask(payload={"seconds": 0.2}) for _ in range(4)]
    run = db.write_now(executions.start, "ALONE", 7, "MANUAL", tasks)
    most = 0
    running = select(func.count()).select_from(task).where(task.c.status == "Running")
    while db.read_now(status(run)) == "Running":
        most = max(most, db.read_now(lambda connection: connection.execute(running).scalar_one()))
    assert most == 1


def test_the_tasks_of_a_killed_worker_are_another_ones_within_30_seconds(db: Database, start: Start) -> None:
    run = db.write_now(executions.start, "SLOW", 7, "MANUAL")
    first = start()
    eventually(db, is_running)
    first.kill()
    killed = now()
    start()
    eventually(db, living(1, since=killed))
    began = time.monotonic()
    eventually(db, lambda connection: runs(connection) == 2)
    assert time.monotonic() - began < 30
    tries = select(task.c.run_count).where(task.c.execution_id == run)
    assert db.read_now(lambda connection: connection.execute(tries).scalar_one()) == 1
    db.write_now(executions.stop, run)
    eventually(db, has_status(run, "Stopped"))


def test_a_task_starts_soon_after_the_act_that_causes_it_is_committed(
    db: Database, start: Start, figures: list[str]
) -> None:
    start()
    first = db.write_now(executions.start, "COUNT", 7, "EVENT")
    eventually(db, has_status(first, "Success"))
    waits, ours = [], []
    for _ in range(11):
        committed = now() if db.write_now(executions.start, "COUNT", 7, "EVENT") else 0
        seen = len(waits) + 2
        eventually(db, lambda connection, seen=seen: runs(connection) == seen)
        moment = db.read_now(lambda connection: connection.execute(text("SELECT max(moment) FROM ran")).scalar_one())
        waits.append((moment - committed) / SECOND)
        ours.append(waits[-1] / slowness())
    waits.sort()
    figures.append(f"commit to start on {db.url.get_backend_name()}: median {waits[5]:.3f} s, worst {waits[-1]:.3f} s")
    assert median(ours) < 0.3


def test_a_worker_that_is_told_to_end_hands_on_what_it_has(db: Database, start: Start) -> None:
    """Nobody has to wait until it is known to be dead, which would take hours here."""
    run = db.write_now(executions.start, "SLOW", 7, "MANUAL")
    first = start(beat=3600.0)
    eventually(db, is_running)
    first.send_signal(signal.SIGTERM)
    assert first.wait(180) == 0
    start(beat=3600.0)
    eventually(db, lambda connection: runs(connection) == 2)
    assert db.read_now(status(run)) == "Running"


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
    db.write_now(schedules.put, "COUNT", 7, "0 3 1 1 *")
    row = db.read_now(schedules.find, "COUNT", 7)
    assert row is not None
    assert row.cron == "0 0 3 1 1 *"
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
    assert db.write_now(claims.take_over, "two", 10**9) == []


def test_a_worker_whose_heartbeat_is_late_does_not_take_over_from_itself(db: Database) -> None:
    kinds = Kinds([Kind("COUNT", count)])
    db.write_now(executions.start, "COUNT", 7, "MANUAL")
    db.write_now(claims.beat, "one", "host", os.getpid(), 10)
    (claimed,) = db.write_now(claims.claim, "one", kinds, 10)
    assert db.write_now(claims.take_over, "one", 0) == []
    assert db.write_now(claims.take_over, "two", 0) == [claimed]
