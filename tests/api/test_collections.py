"""What is asked of a garbage collection over the API."""

import json
import re

from tests.parts.client import Client, expect
from tests.parts.receiver import until

SCHEDULE = "/system/gc/schedule"


def test_a_run_tells_its_time_window_from_the_beginning(admin: Client) -> None:
    body = {"schedule": {"type": "Manual"}, "parameters": {"dry_run": True}}
    run = expect(admin.api("POST", SCHEDULE, body), 201).headers["Location"].removeprefix("/api/v2.0")
    shown = json.loads(expect(admin.api("GET", run), 200).json()["job_parameters"])
    asked = {"delete_tag": False, "delete_untagged": False, "dry_run": True, "time_window": 2, "workers": 0}
    assert shown | asked == shown


def test_a_dry_run_says_how_much_is_eligible_for_deletion(admin: Client) -> None:
    body = {"schedule": {"type": "Manual"}, "parameters": {"dry_run": True}}
    run = expect(admin.api("POST", SCHEDULE, body), 201).headers["Location"].removeprefix("/api/v2.0")
    until(lambda: admin.api("GET", run).json()["job_status"] == "Success")
    log = expect(admin.api("GET", f"{run}/log"), 200).body.decode()
    assert re.search(r"\d+ blobs and \d+ manifests eligible for deletion\n.*The GC could free up .* space\n", log)


def test_half_a_worker_is_refused(admin: Client) -> None:
    body = {"schedule": {"type": "Manual"}, "parameters": {"workers": 2.5}}
    (error,) = expect(admin.api("POST", SCHEDULE, body), 400).json()["errors"]
    assert error["message"] == "bad request: workers should be integer format"
