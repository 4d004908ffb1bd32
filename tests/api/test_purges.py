"""Purges of the audit log over the API."""

import time
from typing import Any

import pytest

from tests.parts.client import Client, expect

PURGES = "/system/purgeaudit"


def begin(admin: Client, kind: str = "Manual", cron: str = "", **parameters: Any) -> str:
    body = {"schedule": {"type": kind, "cron": cron}, "parameters": parameters}
    location = expect(admin.api("POST", f"{PURGES}/schedule", body), 201).headers["Location"]
    return location.removeprefix("/api/v2.0")


def ended(admin: Client, run: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while (found := expect(admin.api("GET", run), 200).json())["job_status"] == "Running":
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return dict(found)


def count(admin: Client) -> int:
    return int(expect(admin.api("GET", "/auditlog-exts?page_size=1"), 200).headers["X-Total-Count"])


def test_a_dry_run_and_a_purge_of_what_is_young_delete_nothing(admin: Client, word: str) -> None:
    expect(admin.api("POST", "/projects", {"project_name": word}), 201)
    before = count(admin)
    for dry_run in (True, False):
        run = begin(admin, audit_retention_hour=1000, include_event_types="create_project,other", dry_run=dry_run)
        assert ended(admin, run)["job_status"] == "Success"
        log = expect(admin.api("GET", f"{run}/log"), 200).body.decode()
        assert "Purged 0 rows of audit logs" in log
        assert "retention_hour:1000, include_event_types:[create_project other]" in log
    assert count(admin) >= before


def test_the_schedule_is_one_and_shows_what_it_does(admin: Client) -> None:
    begin(admin, "Custom", "30 4 * * *", audit_retention_hour=48, include_event_types="pull_artifact")
    shown = expect(admin.api("GET", f"{PURGES}/schedule"), 200).json()
    assert shown["schedule"]["cron"] == "0 30 4 * * *"
    assert shown["schedule"]["next_scheduled_time"].endswith("T04:30:00.000Z")
    assert shown["job_parameters"] == '{"audit_retention_hour":48,"include_event_types":"pull_artifact"}'
    planned = expect(admin.api("GET", "/schedules?page_size=100"), 200).json()
    assert [each["cron"] for each in planned if each["vendor_type"] == "PURGE_AUDIT_LOG"] == ["0 30 4 * * *"]
    begin(admin, "None", audit_retention_hour=48, include_event_types="pull_artifact")
    assert expect(admin.api("GET", f"{PURGES}/schedule"), 200).body in (b"", b"null")


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        ({"audit_retention_hour": "soon", "include_event_types": "other"}, "should be integer format"),
        ({"audit_retention_hour": 1e400, "include_event_types": "other"}, ""),
        ({"include_event_types": "other"}, "audit_retention_hour should provide"),
        ({"audit_retention_hour": 1}, "include_event_types should provide"),
        ({"audit_retention_hour": 24.5, "include_event_types": "other"}, "should be integer format"),
        ({"audit_retention_hour": True, "include_event_types": "other"}, "should be integer format"),
        ({"audit_retention_hour": 240_001}, "audit_retention_hour should be less than 240000"),
        ({"audit_retention_hour": 1, "include_event_types": "other", "dry_run": "true"}, "dry_run should be true or"),
    ],
)
def test_what_cannot_be_meant_is_refused(admin: Client, parameters: dict[str, Any], refusal: str) -> None:
    body = {"schedule": {"type": "Manual"}, "parameters": parameters}
    answer = admin.api("POST", f"{PURGES}/schedule", body)
    assert answer.status in (400, 422)
    assert refusal in answer.body.decode()


def test_a_run_tells_all_that_it_was_asked_for_and_nothing_else(admin: Client) -> None:
    run = begin(admin, audit_retention_hour="1000", include_event_types=["other", "pull_artifact"], nonsense=1)
    told = '{"audit_retention_hour":1000,"dry_run":false,"include_event_types":"other,pull_artifact"}'
    assert ended(admin, run)["job_parameters"] == told
