"""`mooring serve` from its first line to its last."""

import http.client
import os
import re
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Mooring, name
from tests.parts.client import Client
from tests.parts.process import answers, wait_for
from tests.parts.server import descendants

MEMORY = 220.0  # MB of all processes together, two of which answer clients

HARBOR = """\
hostname: localhost
http:
  port: {port}
harbor_admin_password: Harbor12345
database:
  password: root123
data_volume: {data}
trivy:
  skip_update: false
jobservice:
  max_job_workers: 10
log:
  level: info
  local:
    rotate_count: 50
_version: 2.15.0
"""


def shown_password(log: str) -> str:
    found = re.search(r"^  password       (\w+)  \(shown this once\)$", log, re.MULTILINE)
    assert found, log
    return found[1]


def signs_in(mooring: Mooring, password: str, name: str = "admin") -> bool:
    return Client(f"http://{mooring.host}", name, password).api("GET", "/users/current").status == 200


def proportional(process: int) -> float:
    """The memory a process costs in MB, pages that it shares counted in part (PSS)."""
    [line] = [
        line for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines() if line.startswith("Pss:")
    ]
    return int(line.split()[1]) / 1024


def test_the_first_start_says_all_that_a_person_needs(mooring: Mooring) -> None:
    log = mooring.serve().log()
    at = f"localhost:{mooring.port}"
    assert f"answers at http://{at}" in log
    assert "administrator  admin" in log
    for line in (
        f"docker login {at} --username admin",
        f"docker push {at}/library/hello:latest",
        f"docker pull {at}/library/hello:latest",
        f"podman login --tls-verify=false {at} --username admin",
        f"podman push --tls-verify=false {at}/library/hello:latest",
        f"podman pull --tls-verify=false {at}/library/hello:latest",
    ):
        assert f"  {line}\n" in log
    assert signs_in(mooring, shown_password(log))


def test_the_next_start_reuses_it_all_and_shows_no_password(mooring: Mooring) -> None:
    first = mooring.serve()
    password = shown_password(first.log())
    assert first.stop() == 0
    second = mooring.serve()
    assert password not in second.log()
    assert "(shown this once)" not in second.log()
    assert signs_in(mooring, password)


def test_the_password_is_kept_nowhere_in_clear(mooring: Mooring) -> None:
    server = mooring.serve()
    password = shown_password(server.log()).encode()
    server.stop()
    files = [path for path in mooring.data.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if password in path.read_bytes()]


def test_a_configured_password_counts_at_the_first_start_only(mooring: Mooring) -> None:
    mooring.settings["MOORING_ADMIN_PASSWORD"] = "First-1-password"
    server = mooring.serve()
    assert signs_in(mooring, "First-1-password")
    assert "First-1-password" not in server.log()
    server.stop()
    server = mooring.serve()
    assert "not applied" not in server.log()
    server.stop()
    mooring.settings["MOORING_ADMIN_PASSWORD"] = "Other-2-password"
    server = mooring.serve()
    assert "is not that of the first start and is not applied" in server.log()
    assert signs_in(mooring, "First-1-password")
    assert not signs_in(mooring, "Other-2-password")


def test_idling_is_cheap(mooring: Mooring, figures: list[str]) -> None:
    begun = time.monotonic()
    server = mooring.serve("--workers", "2")
    first = time.monotonic() - begun
    processes = [server.popen.pid, *descendants(server.popen.pid)]
    time.sleep(2)  # what is idle needs no waiting for; what is not shows in the figure
    costs = {process: proportional(process) for process in processes}
    names = [f"{name(process)} {cost:.0f}" for process, cost in costs.items()]
    crowd = max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))
    figures.append(f"first answer of a first start: {first:.2f} s at a load of {crowd:.1f} for each core")
    figures.append(f"idle memory (PSS): {sum(costs.values()):.0f} MB, of which {', '.join(names)}")
    assert len(costs) == 4
    assert sum(costs.values()) < MEMORY


def test_a_request_in_flight_is_finished_at_sigterm(mooring: Mooring) -> None:
    server = mooring.serve()
    admin = Client(f"http://{mooring.host}", "admin", shown_password(server.log()))
    processes = [server.popen.pid, *descendants(server.popen.pid)]
    connection = half_sent(admin)
    server.popen.send_signal(signal.SIGTERM)
    wait_for(lambda: not answers(mooring.port), "the port to close")
    assert server.popen.poll() is None
    connection.send(b"56789")
    assert connection.getresponse().status == 202
    connection.close()
    assert server.popen.wait(60) == 0
    assert not [process for process in processes if Path(f"/proc/{process}").exists()]


def half_sent(admin: Client) -> http.client.HTTPConnection:
    """A request of ten bytes of which five have come, and a handler that reads them."""
    begun = admin.send("POST", "/v2/library/hello/blobs/uploads/", b"", admin.basic())
    assert begun.status == 202
    connection = admin.connection()
    connection.putrequest("PATCH", begun.headers["Location"].removeprefix(admin.url))
    for header in (*admin.basic().items(), ("Content-Length", "10"), ("Expect", "100-continue")):
        connection.putheader(*header)
    connection.endheaders()
    assert connection.sock.recv(4096).startswith(b"HTTP/1.1 100 Continue")
    connection.send(b"01234")
    return connection


def test_a_request_that_takes_too_long_is_cut_off_at_sigterm(mooring: Mooring) -> None:
    mooring.settings["MOORING_SHUTDOWN_TIMEOUT"] = "1s"
    server = mooring.serve()
    admin = Client(f"http://{mooring.host}", "admin", shown_password(server.log()))
    with closing(half_sent(admin)):
        begun = time.monotonic()
        assert server.stop() == 0
        assert 1 <= time.monotonic() - begun < 60, "the default"


def test_a_second_signal_does_not_wait(mooring: Mooring) -> None:
    server = mooring.serve()
    processes = descendants(server.popen.pid)
    admin = Client(f"http://{mooring.host}", "admin", shown_password(server.log()))
    with closing(half_sent(admin)):
        server.popen.send_signal(signal.SIGTERM)
        wait_for(lambda: "ending" in server.log(), "the first signal to be seen")
        assert server.popen.poll() is None
        server.popen.send_signal(signal.SIGTERM)
        assert server.popen.wait(50) == 0, "less than what requests are given"
    assert not [process for process in processes if Path(f"/proc/{process}").exists()]


def test_a_harbor_yml_as_it_is(mooring: Mooring) -> None:
    (mooring.folder / "harbor.yml").write_text(HARBOR.format(port=mooring.port, data=mooring.data))
    mooring.settings = {"MOORING_HTTP__HOST": "127.0.0.1"}
    log = mooring.serve("--config", "harbor.yml").log()
    assert signs_in(mooring, "Harbor12345")
    assert (mooring.data / "mooring.db").exists()
    for key in ("trivy", "log.local"):
        assert f"harbor.yml: `{key}` is not used yet" in log
    assert "harbor_admin_password is Harbor12345, which everybody knows" in log


@pytest.mark.parametrize("victim", ["mooring web", "mooring jobs"])
def test_a_process_that_dies_is_replaced(mooring: Mooring, victim: str) -> None:
    server = mooring.serve()

    def named() -> set[int]:
        return {process for process in descendants(server.popen.pid) if name(process) == victim}

    count = len(os.sched_getaffinity(0)) if victim == "mooring web" else 1
    wait_for(lambda: len(named()) == count, "every process to have its name")
    killed = min(named())
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: killed not in named() and len(named()) == count, "a successor")
    for _ in range(20):
        assert Client(f"http://{mooring.host}").send("GET", "/v2/").status == 401
    assert "a process ended by itself" in server.log()


def test_no_process_outlives_the_supervisor(mooring: Mooring) -> None:
    server = mooring.serve()
    processes = descendants(server.popen.pid)
    assert processes
    os.kill(server.popen.pid, signal.SIGKILL)
    server.popen.wait()
    wait_for(lambda: not any(Path(f"/proc/{process}").exists() for process in processes), "the children to end")
    assert mooring.serve().stop() == 0


def test_ctrl_c_ends_it_too(mooring: Mooring) -> None:
    assert mooring.serve().stop(by=signal.SIGINT) == 0
