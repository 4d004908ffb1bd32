"""The other commands, and how all of them are understood."""

import re
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, Mooring
from tests.parts.client import Client
from tests.parts.process import Process, answers, free_port, wait_for
from tests.parts.server import PASSWORD

COMMANDS = [
    "serve",
    "worker",
    "migrate",
    "doctor",
    "scrub",
    "user",
    "user list",
    "user create",
    "user password",
    "version",
]


def test_version(mooring: Mooring) -> None:
    ended = mooring.run("version")
    assert ended.returncode == 0
    assert re.fullmatch(r"mooring \d+\.\d+\.\d+ \(Python 3\.\d+\.\d+\)\n", ended.stdout)


def test_help_everywhere(mooring: Mooring) -> None:
    overview = mooring.run("--help").stdout
    assert all(command in overview for command in COMMANDS if " " not in command)
    for command in COMMANDS:
        ended = mooring.run(*command.split(), "--help")
        assert ended.returncode == 0
        assert f"Usage: mooring {command}" in ended.stdout


@pytest.mark.parametrize("line", ["sevre", "serve --prot 80", "serve --port eighty", "user password", "serve 8080"])
def test_what_is_not_understood_ends_with_2(mooring: Mooring, line: str) -> None:
    ended = mooring.run(*line.split())
    assert ended.returncode == 2
    assert ended.stderr.startswith("mooring: ")
    assert len(ended.stderr.splitlines()) == 1


def test_migrate_up_and_down(mooring: Mooring) -> None:
    assert "went from schema none to 0004" in mooring.run("migrate").stdout
    assert "nothing is to be done" in mooring.run("migrate").stdout
    assert "from schema 0004 to none" in mooring.run("migrate", "--to", "base").stdout
    refused = mooring.run("migrate", "--to", "0815")
    assert (refused.returncode, "there is no schema 0815" in refused.stderr) == (1, True)


def test_people_by_the_command_line(mooring: Mooring) -> None:
    mooring.settings["MOORING_ADMIN_PASSWORD"] = PASSWORD
    mooring.serve()
    assert mooring.run("user", "create", "ada", "--email", "ada@example.com", "--admin", text=PASSWORD).returncode == 0
    assert (
        Client(f"http://{mooring.host}", "ada", PASSWORD).api("GET", "/users/current").json()["sysadmin_flag"] is True
    )
    again = mooring.run("user", "create", "ada", text=PASSWORD)
    assert (again.returncode, again.stderr) == (1, "mooring: user ada or email  already exists\n")
    weak = mooring.run("user", "password", "ada", text="weak")
    assert weak.returncode == 1
    assert "8-128, inclusively, characters long" in weak.stderr
    made_up = mooring.run("user", "password", "ada", "--generate").stdout.split()[-1]
    for password, status in ((made_up, 200), (PASSWORD, 401)):
        assert Client(f"http://{mooring.host}", "ada", password).api("GET", "/users/current").status == status
    listed = mooring.run("user", "list").stdout
    assert re.search(r"^ada +ada@example\.com +administrator$", listed, re.MULTILINE)
    assert re.search(r"^admin +\S+ +administrator$", listed, re.MULTILINE)
    recorded = (
        Client(f"http://{mooring.host}", "admin", PASSWORD).api("GET", "/auditlog-exts?q=resource_type=user").json()
    )
    assert [(record["operation"], record["username"], record["resource"]) for record in recorded] == [
        ("update", "mooring", "ada"),
        ("create", "mooring", "ada"),
    ]
    unknown = mooring.run("user", "password", "bob", text=PASSWORD)
    assert unknown.stderr == "mooring: there is no user bob; `mooring user list` shows who there is\n"


def test_people_without_a_database(mooring: Mooring) -> None:
    ended = mooring.run("user", "list")
    assert ended.returncode == 1
    assert (
        ended.stderr == f"mooring: there is no database {mooring.data}/mooring.db; name the data folder with --data\n"
    )


def test_doctor_on_a_fresh_machine_and_beside_a_running_server(mooring: Mooring) -> None:
    ended = mooring.run("doctor")
    assert ended.returncode == 0
    assert "not made yet" in ended.stdout
    assert f"{mooring.port} free" in ended.stdout
    mooring.serve()
    ended = mooring.run("doctor")
    assert ended.returncode == 0
    assert f"{mooring.port}: a Mooring answers" in ended.stdout
    assert [line.split()[0] for line in ended.stdout.splitlines()] == ["ok"] * 5


def test_doctor_says_what_to_do(mooring: Mooring) -> None:
    mooring.settings |= {
        "MOORING_DATABASE__URL": f"postgresql://a@127.0.0.1:{mooring.port}/a",
        "MOORING_HTTPS__PORT": str(mooring.port),
        "MOORING_HTTPS__CERTIFICATE": "tls.crt",
        "MOORING_HTTPS__PRIVATE_KEY": "tls.key",
    }
    ended = mooring.run("doctor")
    assert ended.returncode == 1
    failed = {line.split()[1] for line in ended.stdout.splitlines() if line.startswith("FAIL")}
    assert failed == {"database", "port", "certificate", "clock"}
    assert "Traceback" not in ended.stdout + ended.stderr


def test_a_worker_alone(mooring: Mooring, tmp_path: Path) -> None:
    port = free_port()
    metric = {"MOORING_METRIC__ENABLED": "true", "MOORING_METRIC__HOST": "127.0.0.1", "MOORING_METRIC__PORT": str(port)}
    process = Process([*COMMAND, "worker"], tmp_path / "worker.log", environment=mooring.environment() | metric)
    wait_for(lambda: "the jobs process runs" in process.log(), "mooring worker", process=process)
    wait_for(lambda: answers(port), "the metrics", process=process)
    scrape = Client(f"http://127.0.0.1:{port}").send("GET", "/metrics").body
    assert b'harbor_jobservice_job_total{status="Success",type="GARBAGE_COLLECTION"} 0.0' in scrape
    assert b'harbor_up{component="database"} 1.0' in scrape
    assert process.stop(by=signal.SIGTERM) == 0
