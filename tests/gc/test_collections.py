"""Garbage collection as administrators see it: by hand, by a schedule, stopped, and cut off."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from sqlalchemy import func, select, update

from mooring.core.clock import now
from mooring.db.engine import Database
from mooring.features.gc.tables import dead_segment
from mooring.jobs.tables import schedule
from mooring.storage import keys
from tests.parts.client import Client, expect
from tests.parts.process import wait_for
from tests.parts.server import Server, descendants

MANUAL = {"schedule": {"type": "Manual"}}
MANY = 60_000  # so many that a run can be met in the middle


def begin(client: Client, **parameters: Any) -> str:
    """Start a collection as guides do; its path below /api/v2.0."""
    body = MANUAL | ({"parameters": parameters} if parameters else {})
    answer = expect(client.api("POST", "/system/gc/schedule", body), 201)
    return answer.headers["Location"].removeprefix("/api/v2.0")


def ended(client: Client, run: str) -> dict[str, Any]:
    """A run once it is over."""
    wait_for(lambda: status(client, run) != "Running", f"the end of {run}", seconds=600)
    shown: dict[str, Any] = expect(client.api("GET", run), 200).json()
    return shown


def status(client: Client, run: str) -> str:
    return str(expect(client.api("GET", run), 200).json()["job_status"])


def test_a_run_by_hand_frees_what_nothing_names(server: Server) -> None:
    client, project = server.client(), server.create_project()
    gone = client.push_image(f"{project}/app", "gone", b"of one artifact alone")
    client.push_image(f"{project}/app", "kept", b"of the other")
    expect(client.api("DELETE", f"/projects/{project}/repositories/app/artifacts/{gone}"), 200)
    run = begin(client)
    shown = ended(client, run)
    assert shown["job_status"] == "Success"
    assert (shown["job_name"], shown["job_kind"]) == ("GARBAGE_COLLECTION", "MANUAL")
    for found in ('"purged_blobs":1', '"purged_manifests":1', '"time_window":0'):
        assert found in shown["job_parameters"]
    assert expect(client.api("GET", "/system/gc?page_size=1"), 200).json() == [shown]
    log = expect(client.api("GET", f"{run}/log"), 200)
    assert b"1 blobs and 1 manifests eligible for deletion" in log.body
    assert log.headers["Content-Type"].startswith("text/plain")
    expect(client.api("PUT", run), 200)
    assert ended(client, run) == shown


def test_a_dry_run_says_what_would_go_and_why(server: Server) -> None:
    client, project = server.client(), server.create_project()
    digest = client.push_image(f"{project}/app", "v1", b"soon to be nobody's")
    expect(client.api("DELETE", f"/projects/{project}/repositories/app/artifacts/v1/tags/v1"), 200)
    run = begin(client, delete_untagged=True, dry_run=True)
    assert '"purged_manifests":1' in ended(client, run)["job_parameters"]
    log = expect(client.api("GET", f"{run}/log"), 200).body.decode()
    assert f"{project}/app@{digest}: untagged" in log
    assert "no artifact names it" in log
    expect(client.registry("GET", f"/v2/{project}/app/manifests/{digest}"), 200)


def test_a_schedule_is_kept_and_followed(server: Server, db: Database) -> None:
    client = server.client()
    parameters = {"delete_untagged": False, "workers": 3}
    for cron in ("0 2 * * *", "0 0 2 * * *"):
        body = {"schedule": {"type": "Daily", "cron": cron}, "parameters": parameters}
        answer = expect(client.api("POST", "/system/gc/schedule", body), 201)
        assert answer.headers["Location"] == "/api/v2.0/system/gc/0"
        shown = expect(client.api("GET", "/system/gc/schedule"), 200).json()
        assert shown["schedule"]["type"] == "Daily"
        assert shown["schedule"]["cron"] == "0 0 2 * * *"
        assert shown["schedule"]["next_scheduled_time"].endswith("T02:00:00.000Z")
        assert shown["job_parameters"] == '{"delete_tag":false,"delete_untagged":false,"workers":3}'
    shown = by_schedule(client, db)
    assert shown["job_status"] == "Success"
    assert shown["schedule"]["type"] == "Schedule"
    assert '"workers":3' in shown["job_parameters"]
    nothing = {"schedule": {"type": "None"}, "parameters": {"workers": 20}}  # as Harbor does not look at them
    expect(client.api("PUT", "/system/gc/schedule", nothing), 200)
    assert expect(client.api("GET", "/system/gc/schedule"), 200).body == b""


def test_nothing_is_deleted_while_the_system_is_read_only(server: Server, db: Database) -> None:
    client = server.client()
    body = {"schedule": {"type": "Hourly", "cron": "0 * * * *"}}
    expect(client.api("POST", "/system/gc/schedule", body), 201)
    expect(client.api("PUT", "/configurations", {"read_only": True}), 200)
    try:
        shown = by_schedule(client, db)
    finally:
        expect(client.api("PUT", "/configurations", {"read_only": False}), 200)
        expect(client.api("PUT", "/system/gc/schedule", {"schedule": {"type": "None"}}), 200)
    assert shown["job_status"] == "Error"
    assert b"read only" in expect(client.api("GET", f"/system/gc/{shown['id']}/log"), 200).body


def by_schedule(client: Client, db: Database) -> dict[str, Any]:
    """Let the schedule be due; the run that it starts, once that is over."""
    before = client.api("GET", "/system/gc?page_size=1").json()
    due = update(schedule).where(schedule.c.vendor_type == "GARBAGE_COLLECTION").values(next_run=now())
    db.write_now(lambda connection: connection.execute(due))
    wait_for(lambda: client.api("GET", "/system/gc?page_size=1").json() != before, "a run by schedule")
    newest: dict[str, Any] = client.api("GET", "/system/gc?page_size=1").json()[0]
    assert newest["job_kind"] == "SCHEDULE"
    return ended(client, f"/system/gc/{newest['id']}")


@pytest.mark.parametrize("parameters", [{"workers": 0}, {"workers": 11}, {"workers": "2"}, {"delete_untagged": "yes"}])
def test_parameters_that_are_none_are_refused(parameters: dict[str, Any], server: Server) -> None:
    client = server.client()
    newest = client.api("GET", "/system/gc?page_size=1").json()
    expect(client.api("POST", "/system/gc/schedule", {**MANUAL, "parameters": parameters}), 400)
    assert client.api("GET", "/system/gc?page_size=1").json() == newest


def test_a_run_that_is_stopped_leaves_the_rest_to_the_next(server: Server, db: Database) -> None:
    client = server.client()
    files = bury(server, db)
    waits = []
    for _ in range(3):  # one that takes long may be the machine's doing
        before = dead(db)
        run = begin(client)
        met(db, before)
        asked = time.monotonic()
        expect(client.api("PUT", run), 200)
        assert ended(client, run)["job_status"] == "Stopped"
        waits.append(time.monotonic() - asked)
        assert dead(db) > 0
    assert median(waits) < 2
    assert ended(client, begin(client))["job_status"] == "Success"
    assert dead(db) == 0
    assert not [each for each in files if each.exists()]


def test_a_run_whose_process_is_killed_is_finished(server: Server, db: Database) -> None:
    client = server.client()
    files = bury(server, db)
    run = begin(client)
    met(db, MANY)
    os.kill(jobs_process(server), signal.SIGKILL)
    assert status(client, run) == "Running"
    assert dead(db) > 0
    assert ended(client, run)["job_status"] == "Success"
    assert dead(db) == 0
    assert not [each for each in files if each.exists()]


def bury(server: Server, db: Database) -> Sequence[Path]:
    """Let a great deal be dead, some of it in files; these, where the server has a folder."""
    names = [keys.segment() for _ in range(MANY)]
    files = []
    if "MOORING_STORAGE__KIND" not in server.settings:
        files = [server.data / name for name in names[::100]]
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"dead")
    rows = [{"key": name, "size": 4, "since": now()} for name in names]
    db.write_now(lambda connection: connection.execute(dead_segment.insert(), rows))
    return files


def dead(db: Database) -> int:
    return db.read_now(
        lambda connection: connection.execute(select(func.count()).select_from(dead_segment)).scalar_one()
    )


def met(db: Database, before: int) -> None:
    """Wait until some of what was dead has been deleted."""
    wait_for(lambda: dead(db) < before, "the run")


def jobs_process(server: Server) -> int:
    """The server's jobs process, by the name that it shows."""
    [found] = [
        process
        for process in descendants(server.process.popen.pid)
        if Path(f"/proc/{process}/comm").read_text().strip() == "mooring jobs"
    ]
    return found
