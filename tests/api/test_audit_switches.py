"""What the configuration says of the audit log: what is left out of it, and where it goes besides."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.test_audit import records
from tests.parts.client import Client, expect
from tests.parts.deployments import Deployments
from tests.parts.process import wait_for
from tests.parts.server import Server


class Syslog:
    """A syslog server over TCP that keeps what it is sent."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.received = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(65536):
                    self.received += data

    def lines(self) -> list[str]:
        """Those that have come to their end."""
        return self.received.decode().split("\n")[:-1]

    def about(self, act: str) -> list[str]:
        """The lines that hold these words."""
        return [line for line in self.lines() if act in line]

    def close(self) -> None:
        with contextlib.suppress(OSError):  # it may be closed already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, deployments: Deployments, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of this module's own, whose configuration it may change."""
    own = deployments.start(request.param, tmp_path_factory.mktemp("audit"))
    yield own
    own.stop()


@pytest.fixture
def syslog(admin: Client) -> Iterator[Syslog]:
    listening = Syslog()
    configure(admin, audit_log_forward_endpoint=listening.address)
    yield listening
    configure(admin, skip_audit_log_database=False)
    configure(admin, audit_log_forward_endpoint="")
    listening.close()


def configure(admin: Client, **values: object) -> None:
    expect(admin.api("PUT", "/configurations", values), 200)


def test_kinds_of_acts_are_left_out(admin: Client, word: str) -> None:
    configure(admin, disabled_audit_log_event_types="create_project,update_project")
    expect(admin.api("POST", "/projects", {"project_name": word}), 201)
    expect(admin.api("PUT", f"/projects/{word}", "text"), 422)
    configure(admin, disabled_audit_log_event_types="")
    expect(admin.api("DELETE", f"/projects/{word}"), 200)
    assert [record["operation"] for record in records(admin, f"resource={word}")] == ["delete"]


def test_records_go_to_a_syslog_server_as_well(admin: Client, syslog: Syslog, word: str) -> None:
    expect(admin.api("POST", "/projects", {"project_name": word}), 201)
    wait_for(lambda: bool(syslog.about(f"resource:{word},")), "the record to be forwarded")
    (line,) = syslog.about(f"resource:{word},")
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(
        rf"<14>{moment} \S+ audit\[\d+\]: {moment} \[INFO\] "
        rf'\[operator="admin" resourceType="project" time="{moment}" address="127\.0\.0\.1"\]: '
        rf"action:create, resource:{word}, operation_description:create project: {word}, operation_result:true",
        line,
    )
    assert len(records(admin, f"resource={word}")) == 1


def test_records_may_go_there_alone(admin: Client, syslog: Syslog, word: str) -> None:
    configure(admin, skip_audit_log_database=True)
    expect(admin.api("POST", "/projects", {"project_name": word}), 201)
    expect(admin.api("PUT", f"/projects/{word}", "text"), 422)
    admin.push_image(f"{word}/app", "v1", b"layer")
    expect(admin.registry("GET", f"/v2/{word}/app/manifests/v1"), 200)
    wait_for(lambda: bool(syslog.about(f"action:pull, resource:{word}/app:v1")), "the pull to be forwarded")
    assert syslog.about("operation_result:false")
    assert records(admin, f"resource=~{word}") == []


def test_a_server_that_does_not_answer_holds_up_nothing(admin: Client, syslog: Syslog, word: str) -> None:
    syslog.close()
    expect(admin.api("POST", "/projects", {"project_name": word}), 201)
    assert len(records(admin, f"resource={word}")) == 1


def test_pulls_are_left_out(deployments: Deployments, tmp_path: Path, word: str) -> None:
    """Harbor's keys for it come from the environment alone."""
    own = deployments.start(
        "sqlite",
        tmp_path,
        environment={"CONFIG_OVERWRITE_JSON": '{"pull_audit_log_disable": true, "pull_count_update_disable": true}'},
    )
    try:
        admin = own.client()
        expect(admin.api("POST", "/projects", {"project_name": word}), 201)
        admin.push_image(f"{word}/app", "v1", b"layer")
        expect(admin.registry("GET", f"/v2/{word}/app/manifests/v1"), 200)

        def is_noted() -> bool:
            artifact = expect(admin.api("GET", f"/projects/{word}/repositories/app/artifacts/v1"), 200).json()
            return not artifact["pull_time"].startswith("0001")

        wait_for(is_noted, "the pull time to be written")
        assert records(admin, "operation=pull") == []
        assert expect(admin.api("GET", f"/projects/{word}/repositories/app"), 200).json()["pull_count"] == 0
    finally:
        own.stop()
