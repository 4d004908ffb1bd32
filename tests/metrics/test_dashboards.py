"""The dashboard and the alert rules, by a real Prometheus that reads a real server: every expression has data."""

import http.client
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml

from tests.metrics.conftest import Measured
from tests.parts.process import Process, free_port, wait_for

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yml"
COMPARISON = re.compile(r"(.+) [<>] [\d.]+", re.DOTALL)


def panels() -> dict[str, list[str]]:
    """The expressions of the dashboard by their panel, as Grafana would ask them."""
    dashboard = json.loads((DEPLOY / "grafana" / "mooring.json").read_text())
    return {
        panel["title"]: [
            target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*") for target in panel["targets"]
        ]
        for panel in dashboard["panels"]
        if panel["type"] != "row"
    }


def rules() -> dict[str, str]:
    """The expressions of the alerts by name, without what they are compared with."""
    [group] = yaml.safe_load(RULES.read_text())["groups"]
    found = {rule["alert"]: COMPARISON.fullmatch(rule["expr"]) for rule in group["rules"]}
    assert all(found.values()), "an alert compares with a number"
    return {alert: match[1] for alert, match in found.items() if match}


class Prometheus:
    """Reads a server once a second. Raises LookupError where an expression has no data."""

    def __init__(self, program: str, folder: Path, measured: Measured) -> None:
        self._port = free_port()
        job = {
            "job_name": "mooring",
            "scheme": "https",
            "tls_config": {"ca_file": str(measured.server.data.parent / "ca.crt")},
            "static_configs": [{"targets": [measured.url.removeprefix("https://")]}],
        }
        every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config = {"global": every, "rule_files": [str(RULES)], "scrape_configs": [job]}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        arguments = [
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{self._port}",
        ]
        self.process = Process([program, *arguments], folder / "prometheus.log")
        wait_for(lambda: self.has_data("up == 1"), "the first scrape", process=self.process)

    def ask(self, path: str, **query: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("GET", f"/api/v1/{path}?{urlencode(query)}")
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        assert answer["status"] == "success", answer
        return answer["data"]

    def has_data(self, expression: str) -> bool:
        """Whether the expression has a value that is a number."""
        try:
            found = self.ask("query", query=expression)["result"]
        except (OSError, json.JSONDecodeError):
            return False  # it is starting
        return any(each["value"][1] != "NaN" for each in found)


@pytest.fixture(scope="module")
def prometheus(
    secure: Measured, tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    prometheus = Prometheus(tool("prometheus"), tmp_path_factory.mktemp("prometheus"), secure)
    yield prometheus
    prometheus.process.stop()


def test_every_expression_has_data(prometheus: Prometheus, secure: Measured) -> None:
    silent = [*rules().values(), *(each for expressions in panels().values() for each in expressions)]
    assert len(silent) > 30

    def ask_again() -> bool:
        secure.pull(1)
        silent[:] = [expression for expression in silent if not prometheus.has_data(expression)]
        return not silent

    try:
        wait_for(ask_again, "every expression to have data")
    except TimeoutError:
        assert silent == []


def test_the_rules_are_read_and_a_server_that_is_well_is_quiet(prometheus: Prometheus) -> None:
    def evaluated() -> bool:
        [group] = prometheus.ask("rules")["groups"]
        return all(rule["health"] == "ok" for rule in group["rules"])

    wait_for(evaluated, "the rules to be evaluated")

    def quiet() -> bool:
        told = {alert["labels"]["alertname"] for alert in prometheus.ask("alerts")["alerts"]}
        return told <= {"MooringSlowManifests"}  # which a slow machine may well have

    wait_for(quiet, "what was amiss at the start to be over")


def test_alerts_come_when_they_should(tool: Callable[[str], str], tmp_path: Path) -> None:
    """promtool feeds the rules, without their texts, with series that we make up: values a minute."""
    core = 'harbor_core_http_request_total{instance="a",code='
    latency = 'harbor_registry_request_duration_seconds_bucket{instance="a",operation="v2_manifest",method="GET",le='
    series = {
        'harbor_up{instance="a",component="database"}': "0+0x60",
        'harbor_up{instance="a",component="core"}': "1+0x60",
        f'{core}"200"}}': "0+98x60",
        f'{core}"503"}}': "0+2x60",
        f'{latency}"0.5"}}': "0+90x60",
        f'{latency}"1.0"}}': "0+100x60",
        f'{latency}"+Inf"}}': "0+100x60",
        'harbor_jobservice_job_total{type="RETENTION",status="Error"}': "0+0x30 1+0x30",
        'harbor_task_queue_latency{type="WEBHOOK"}': "901+0x60",
        'harbor_project_quota_usage_byte{project_name="full"}': "95+0x60",
        'harbor_project_quota_byte{project_name="full"}': "100+0x60",
        'harbor_project_quota_usage_byte{project_name="free"}': "95+0x60",
        'harbor_project_quota_byte{project_name="free"}': "-1+0x60",
        'harbor_project_artifact_total{project_name="full",artifact_type="IMAGE"}': "0+100x600",
    }
    about = {
        "MooringUnhealthy": ("45m", {"component": "database", "instance": "a"}),
        "MooringErrors": ("45m", {"instance": "a"}),
        "MooringSlowManifests": ("45m", {"instance": "a"}),
        "MooringJobsFail": ("45m", {"type": "RETENTION"}),
        "MooringJobsWait": ("45m", {"type": "WEBHOOK"}),
        "MooringQuotaNearlyUsed": ("45m", {"project_name": "full"}),
        "MooringArtifactsGrow": ("7h", {}),
    }
    [group] = yaml.safe_load(RULES.read_text())["groups"]
    severities = {rule["alert"]: rule["labels"] for rule in group["rules"]}
    for rule in group["rules"]:
        del rule["annotations"]
    expected = [
        {"eval_time": moment, "alertname": alert, "exp_alerts": [{"exp_labels": labels | severities[alert]}]}
        for alert, (moment, labels) in about.items()
    ]
    given = [{"series": name, "values": values} for name, values in series.items()]
    cases = [{"interval": "1m", "input_series": given, "alert_rule_test": expected}]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [group]}))
    (tmp_path / "cases.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": cases}))
    done = subprocess.run(
        [tool("promtool"), "test", "rules", "cases.yml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert set(about) == set(severities)
    assert done.returncode == 0, done.stdout + done.stderr
