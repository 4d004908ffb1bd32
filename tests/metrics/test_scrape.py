"""What Prometheus reads, beside what was done."""

import json
import math
import os
import re
import signal
from pathlib import Path

import pytest

from tests.metrics.conftest import LAYER, PULLS, QUOTA, Measured
from tests.parts.client import digest_of, expect
from tests.parts.process import wait_for
from tests.parts.server import descendants

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "metrics.md"


@pytest.fixture(params=["secure", "plain"])
def made(request: pytest.FixtureRequest) -> Measured:
    """On either database."""
    measured: Measured = request.getfixturevalue(request.param)
    return measured


def test_what_a_project_holds(made: Measured) -> None:
    project = {"project_name": made.project}
    assert made.value("harbor_project_artifact_total", **project, public="false", artifact_type="IMAGE") == 1
    assert made.value("harbor_project_repo_total", **project, public="false") == 1
    assert made.value("harbor_project_member_total", **project) == 1
    assert made.value("harbor_artifact_pulled", **project) >= PULLS
    assert made.value("harbor_project_quota_byte", **project) == QUOTA
    assert len(LAYER) < made.value("harbor_project_quota_usage_byte", **project) < QUOTA
    assert made.value("harbor_project_quota_byte", project_name="library") == -1
    assert made.value("harbor_project_total", public="false") == 1
    assert made.value("harbor_project_total", public="true") == made.value("harbor_statistics_public_project_amount")
    assert made.value("harbor_statistics_total_storage_consumption") == made.value(
        "harbor_project_quota_usage_byte", **project
    )
    assert made.value("harbor_system_info", auth_mode="db_auth", self_registration="false") == 1


def test_requests_of_all_processes_under_the_names_of_harbor_distribution_and_guides(made: Measured) -> None:
    get = {"method": "GET", "operation": "v2_manifest"}
    size = len(made.manifest)
    assert made.value("harbor_core_http_request_total", code="200", **get) >= PULLS
    assert made.value("harbor_core_http_request_total", code="201", method="PUT", operation="v2_manifest") == 1
    assert made.value("harbor_core_http_request_total", code="201", method="POST", operation="createGCSchedule") == 1
    assert made.value("registry_http_requests_total", handler="manifest", method="get", code="200") >= PULLS
    count = made.value("harbor_core_http_request_duration_seconds_count", **get)
    assert count == made.value("harbor_registry_request_duration_seconds_count", **get)
    assert count == made.value("harbor_registry_request_duration_seconds_bucket", le="+Inf", **get)
    manifest = {"handler": "manifest", "method": "get"}
    assert made.value("registry_http_response_size_bytes_count", **manifest) == count
    assert made.value("registry_http_response_size_bytes_sum", **manifest) == count * size
    upload = {"handler": "blob_upload", "method": "put"}
    assert made.value("registry_http_request_size_bytes_sum", **upload) > len(LAYER)
    median = made.value("harbor_core_http_request_duration_seconds", quantile="0.5", **get)
    last = made.value("harbor_core_http_request_duration_seconds", quantile="0.99", **get)
    total = made.value("harbor_core_http_request_duration_seconds_sum", **get)
    assert 0 < median <= last
    assert 0 < total / count < 60
    assert not math.isnan(last)


def test_what_the_storage_did_and_what_needed_no_storage(made: Measured) -> None:
    expect(made.server.client().registry("GET", f"/v2/{made.repository}/blobs/{digest_of(LAYER)}"), 200)
    made.settle()
    values = made.values()
    for action in ("Reader", "Writer"):
        name, labels = "registry_storage_action_seconds", {"driver": "filesystem", "action": action}
        count = values[f"{name}_count", frozenset(labels.items())]
        assert count >= 1
        assert count == values[f"{name}_bucket", frozenset({**labels, "le": "+Inf"}.items())]
        assert 0 < values[f"{name}_sum", frozenset(labels.items())] / count < 60
    wanted, found, missed = (
        values["registry_storage_cache_total", frozenset({("type", each)})] for each in ("Request", "Hit", "Miss")
    )
    assert found + missed == wanted >= PULLS


def test_jobs_that_ended(made: Measured) -> None:
    kind = {"type": "GARBAGE_COLLECTION"}
    assert made.value("harbor_jobservice_task_total", status="success", **kind) == 1
    assert made.value("harbor_jobservice_job_total", status="Success", **kind) == 1
    assert made.value("harbor_jobservice_job_total", status="Error", **kind) == 0
    assert made.value("harbor_jobservice_task_process_time_seconds_count", status="success", **kind) == 1
    assert made.value("harbor_task_queue_size", **kind) == 0
    assert made.value("harbor_task_scheduled_total") >= 2
    assert made.value("harbor_jobservice_info", workers="10") == 1


def test_every_component_is_asked_and_well(made: Measured) -> None:
    names = ("core", "database", "jobservice", "portal", "registry", "registryctl")

    def states() -> dict[str, float]:
        values = made.values()
        parts = {dict(labels)["component"]: value for (name, labels), value in values.items() if name == "harbor_up"}
        return parts | {"all": values["harbor_health", frozenset()]}

    # Polled, since a slow machine may take longer than a component is given to answer.
    wait_for(lambda: states() == dict.fromkeys((*names, "all"), 1), "every component to be well")


def test_the_page_has_exactly_the_names_that_are_there(secure: Measured) -> None:
    rows = [line.split("|")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    told = {
        name
        for row in rows
        for cell in re.findall(r"`((?:harbor|registry|mooring)_[^`]+)`", row)
        for name in _each(cell)
    }
    scraped = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name, _ in secure.values()}
    assert told == scraped


def _each(name: str) -> list[str]:
    """The names that `a_{b,c}_d` stands for."""
    choice = re.search(r"\{([^}]*)\}", name)
    if choice is None:
        return [name]
    return [each for word in choice[1].split(",") for each in _each(name.replace(choice[0], word, 1))]


def test_a_part_by_its_name_and_nothing_elsewhere(secure: Measured) -> None:
    assert {name.split("_")[0] for name, _ in secure.values("/metrics?comp=registry")} == {"registry", "harbor"}
    names = {name for name, _ in secure.values("/metrics?comp=exporter")}
    assert "harbor_project_total" in names
    assert "harbor_core_http_request_total" not in names
    assert b"comp is one of" in expect(secure.read("/metrics?comp=chartmuseum"), 404).body
    expect(secure.read("/"), 404)


def test_openmetrics_for_those_who_ask_for_it(secure: Measured) -> None:
    answer = expect(secure.read(accept="application/openmetrics-text; version=1.0.0"), 200)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.body.endswith(b"# EOF\n")


def test_counts_outlive_the_process_that_counted(plain: Measured) -> None:
    name = {"code": "200", "method": "GET", "operation": "v2_manifest"}
    plain.settle()
    before = plain.value("harbor_core_http_request_total", **name)
    main = plain.server.process.popen.pid
    web = [process for process in descendants(main) if _name(process) == "mooring web"]
    os.kill(web[0], signal.SIGKILL)
    wait_for(lambda: web[0] not in descendants(main), "the process to end")
    plain.server.process.popen.send_signal(signal.SIGHUP)
    wait_for(lambda: not set(web) & set(descendants(main)), "the others to be replaced")
    wait_for(plain.server.answers, "the new ones")
    plain.pull(5)
    plain.settle()
    assert plain.value("harbor_core_http_request_total", **name) == before + 5


def _name(process: int) -> str:
    return Path(f"/proc/{process}/comm").read_text().strip()


def test_one_id_leads_from_the_request_to_the_job_and_its_log(made: Measured) -> None:
    admin = made.server.client()
    asked = {"X-Request-Id": f"act-of-{made.project}"}
    body = {"schedule": {"type": "Manual"}, "parameters": {"dry_run": True}}
    run = expect(admin.api("POST", "/system/gc/schedule", body, asked), 201)
    assert run.headers["X-Request-Id"] == asked["X-Request-Id"]
    path = run.headers["Location"].removeprefix("/api/v2.0")
    wait_for(lambda: admin.api("GET", path).json()["job_status"] == "Success", "the collection")
    log = expect(admin.api("GET", f"{path}/log"), 200).body.decode()
    assert f"request {asked['X-Request-Id']}" in log.splitlines()[0]
    lines = [json.loads(line) for line in made.server.log().splitlines() if asked["X-Request-Id"] in line]
    assert [line["event"] for line in lines] == ["request", "a task ended"]
    assert (lines[0]["path"], lines[0]["status"]) == ("/api/v2.0/system/gc/schedule", 201)
    assert (lines[1]["kind"], lines[1]["status"]) == ("GARBAGE_COLLECTION", "Success")
