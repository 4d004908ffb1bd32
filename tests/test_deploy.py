"""The examples in deploy/: nginx's is run, compose's is read as Mooring would, systemd's fits the settings."""

import os
import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
import yaml

from mooring import settings
from tests.parts.client import Client, expect
from tests.parts.process import Process, answers, free_port, wait_for
from tests.parts.server import Server

DEPLOY = Path(__file__).parents[1] / "deploy"
NAME = "registry.example.com"


@pytest.fixture
def proxy(server: Server, tool: Callable[[str], str], tmp_path: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """nginx with our example, in which only ports and paths are changed; its port, and how to trust it."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", NAME)
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    port = free_port()
    example = (DEPLOY / "nginx" / "mooring.conf").read_text()
    for pattern, ours in {
        r"127\.0\.0\.1:8080": server.host,
        r"/etc/nginx/tls/registry\S+?(?=;)": str(tmp_path / "both.pem"),
        r"listen 443": f"listen 127.0.0.1:{port}",
        r"listen 80": f"listen 127.0.0.1:{free_port()}",
    }.items():
        example, count = re.subn(pattern, ours, example)
        assert count, pattern
    scratch = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(f"events {{}}\nhttp {{\naccess_log off;\n{scratch}{example}\n}}\n")
    main = f"daemon off; pid {tmp_path}/nginx.pid; error_log stderr;"
    process = Process([tool("nginx"), "-p", str(tmp_path), "-c", str(configuration), "-g", main], tmp_path / "log")
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    try:
        wait_for(lambda: answers(port), "nginx", process=process)
        yield port, trust
    finally:
        process.stop()


def test_a_push_through_nginx_stays_on_its_address(proxy: tuple[int, ssl.SSLContext], server: Server) -> None:
    port, trust = proxy
    url = f"https://localhost:{port}"
    client = Client(url, server.username, server.password, tls=trust)
    challenge = client.send("GET", "/v2/").headers["WWW-Authenticate"]
    assert f'realm="{url}/service/token"' in challenge
    repository = f"{server.create_project()}/app/more"
    started = expect(client.registry("POST", f"/v2/{repository}/blobs/uploads/"), 202)
    assert started.headers["Location"].startswith(f"{url}/v2/")
    layer = os.urandom(3 << 20)  # more than nginx allows when nothing is said
    digest = client.push_image(repository, "1", layer)
    assert (
        expect(client.registry("HEAD", f"/v2/{repository}/manifests/1"), 200).headers["Docker-Content-Digest"] == digest
    )
    project = repository.partition("/")[0]
    expect(client.api("GET", f"/projects/{project}/repositories/app%2Fmore/artifacts"), 200)


def test_compose_gives_settings_that_mooring_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    asked = set(re.findall(r"\$\{(\w+)", text))
    lines = (DEPLOY / ".env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(example) == asked
    assert not any(example.values()), "a password that stands in a file is everybody's"

    filled = re.sub(r"\$\{(\w+)[^}]*\}", lambda name: {"MOORING_EXTERNAL_URL": ""}.get(name[1], "Sesame1"), text)
    services = yaml.safe_load(filled)["services"]
    taken, notices = settings.load(None, services["mooring"]["environment"] | {"HOME": "/"}, {"data_volume": "/data"})
    assert notices == []
    assert taken.database_url == "postgresql://mooring:Sesame1@postgres:5432/mooring"
    database = services["postgres"]["environment"]
    assert (database["POSTGRES_USER"], database["POSTGRES_PASSWORD"], database["POSTGRES_DB"]) == (
        "mooring",
        "Sesame1",
        "mooring",
    )
    grace = int(services["mooring"]["stop_grace_period"].removesuffix("s"))
    assert grace > taken.shutdown_timeout
    assert yaml.safe_load(filled)["volumes"].keys() == {
        volume.split(":")[0] for service in services.values() for volume in service["volumes"]
    }


def test_the_unit_waits_longer_than_requests_may_take() -> None:
    unit = (DEPLOY / "systemd" / "mooring.service").read_text()
    values = dict(line.split("=", 1) for line in unit.splitlines() if re.match(r"[A-Z]\w+=", line))
    taken, _ = settings.load(None, {"HOME": "/"}, {"data_volume": "/data"})
    assert int(values["TimeoutStopSec"]) > taken.shutdown_timeout
    assert values["KillMode"] == "mixed"  # the first process ends the others
    assert values["ExecReload"] == "/bin/kill -HUP $MAINPID"
