"""The jobs dashboard over the API, with a job that is held back."""

import time
from typing import Any

import pytest

from tests.parts.client import Client, expect
from tests.parts.receiver import until

PARAMETERS = {"audit_retention_hour": 24, "include_event_types": "other", "dry_run": True}


def queue(admin: Client, name: str) -> dict[str, Any]:
    queues = expect(admin.api("GET", "/jobservice/queues"), 200).json()
    return dict(next(each for each in queues if each["job_type"] == name))


@pytest.fixture
def held(admin: Client) -> Any:
    """The queue of purges, held back."""
    expect(admin.api("PUT", "/jobservice/queues/purge_audit_log", {"action": "pause"}), 200)
    yield "PURGE_AUDIT_LOG"
    expect(admin.api("PUT", "/jobservice/queues/PURGE_AUDIT_LOG", {"action": "resume"}), 200)


def purge(admin: Client) -> str:
    body = {"schedule": {"type": "Manual"}, "parameters": PARAMETERS}
    location = expect(admin.api("POST", "/system/purgeaudit/schedule", body), 201).headers["Location"]
    return location.removeprefix("/api/v2.0")


def has_become(admin: Client, run: str, status: str) -> None:
    deadline = time.monotonic() + 120
    while (found := expect(admin.api("GET", run), 200).json()["job_status"]) != status:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_a_held_queue_keeps_its_jobs_and_lets_them_go(admin: Client, held: str) -> None:
    run = purge(admin)
    waiting = queue(admin, held)
    assert (waiting["count"], waiting["paused"]) == (1, True)
    expect(admin.api("PUT", f"/jobservice/queues/{held}", {"action": "resume"}), 200)
    has_become(admin, run, "Success")
    assert queue(admin, held) == {"job_type": held, "paused": False}


def test_what_waits_is_stopped_with_its_queue(admin: Client, held: str) -> None:
    run = purge(admin)
    expect(admin.api("PUT", f"/jobservice/queues/{held}", {"action": "stop"}), 200)
    has_become(admin, run, "Stopped")
    assert "count" not in queue(admin, held)


def test_a_waiting_run_is_stopped_by_its_id(admin: Client, held: str) -> None:
    run = purge(admin)
    expect(admin.api("PUT", run), 200)
    has_become(admin, run, "Stopped")


def test_pools_say_their_places(admin: Client) -> None:
    (pool,) = until(lambda: expect(admin.api("GET", "/jobservice/pools"), 200).json())
    workers = expect(admin.api("GET", f"/jobservice/pools/{pool['worker_pool_id']}/workers"), 200).json()
    assert len(workers) == pool["concurrency"] == 10
    assert len({worker["id"] for worker in workers}) == 10
    is_well = {"name": "jobservice", "status": "healthy"}
    assert until(lambda: is_well in expect(admin.api("GET", "/health"), 200).json()["components"])
