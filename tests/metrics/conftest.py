"""A server whose metrics are read, with something in it to be counted."""

import contextlib
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme
from prometheus_client.parser import text_string_to_metric_families

from tests.parts.client import Answer, Client, expect
from tests.parts.deployments import Deployments
from tests.parts.process import free_port, wait_for
from tests.parts.server import Server

PULLS = 40
QUOTA = 10_000
LAYER = b"a layer" * 100

Sample = tuple[str, frozenset[tuple[str, str]]]


class Measured(NamedTuple):
    """A server, its metrics' address, and a private project in which one image was pushed and pulled PULLS times."""

    server: Server
    url: str
    tls: ssl.SSLContext | None
    project: str

    def read(self, path: str = "/metrics", accept: str = "") -> Answer:
        return Client(self.url, tls=self.tls).send("GET", path, headers={"Accept": accept})

    def values(self, path: str = "/metrics") -> dict[Sample, float]:
        """Every value of a scrape by its name and labels."""
        text = expect(self.read(path), 200).body.decode()
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """The sum over what has the name and these labels. Raises LookupError when there is none."""
        wanted = labels.items()
        found = [value for (each, has), value in self.values().items() if each == name and has >= wanted]
        if not found:
            raise LookupError(f"{name} {labels}")
        return sum(found)

    @property
    def repository(self) -> str:
        return f"{self.project}/app"

    @property
    def manifest(self) -> bytes:
        """What is pulled; to ask for it is a pull too."""
        body = expect(self.server.client().registry("GET", f"/v2/{self.repository}/manifests/v1"), 200).body
        self.settle()
        return body

    def settle(self) -> None:
        """Wait until all that was answered is counted, which comes after the answer."""
        wait_for(lambda: self.value("harbor_core_http_inflight_requests") == 0, "the requests to be over")

    def pull(self, times: int) -> None:
        client = self.server.client()
        for _ in range(times):
            expect(client.registry("GET", f"/v2/{self.repository}/manifests/v1"), 200)


def measured(server: Server, url: str, tls: ssl.SSLContext | None = None) -> Measured:
    """Do what is counted, and wait until it has come to the database."""
    made = Measured(server, url, tls, server.create_project())
    admin = server.client()
    project = expect(admin.api("GET", f"/projects/{made.project}"), 200).json()["project_id"]
    quota = expect(admin.api("GET", f"/quotas?reference=project&reference_id={project}"), 200).json()[0]["id"]
    expect(admin.api("PUT", f"/quotas/{quota}", {"hard": {"storage": QUOTA}}), 200)
    admin.push_image(made.repository, "v1", LAYER)
    made.pull(PULLS)
    pulls = f"/projects/{made.project}/repositories/app"
    wait_for(lambda: admin.api("GET", pulls).json().get("pull_count") == PULLS, "the pulls to be counted")
    run = expect(admin.api("POST", "/system/gc/schedule", {"schedule": {"type": "Manual"}}), 201).headers["Location"]
    collection = run.removeprefix("/api/v2.0")
    wait_for(lambda: admin.api("GET", collection).json()["job_status"] == "Success", "the collection")
    return made


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


class Secure(Server):
    """One that speaks TLS."""

    def __init__(self, folder: Path, settings: Mapping[str, str], trust: ssl.SSLContext) -> None:
        self._address = f"https://127.0.0.1:{settings['MOORING_HTTPS__PORT']}"
        self._trust = trust
        super().__init__(folder, environment=settings)

    def client(self, username: str | None = None, password: str | None = None) -> Client:
        name = self.username if username is None else username
        return Client(self._address, name, self.password if password is None else password, tls=self._trust)

    def answers(self) -> bool:
        with contextlib.suppress(OSError):
            return self.client("").send("GET", "/v2/").status == 401
        return False


@pytest.fixture(scope="session")
def secure(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    """On SQLite, with TLS for clients and for Prometheus."""
    folder = tmp_path_factory.mktemp("secure")
    certificate = authority.issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(folder / "tls.crt")
    certificate.private_key_pem.write_to_path(folder / "tls.key")
    authority.cert_pem.write_to_path(folder / "ca.crt")
    trust = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    port = free_port()
    settings = _metric(port) | {
        "MOORING_METRIC__TLS": "true",
        "MOORING_HTTPS__HOST": "127.0.0.1",
        "MOORING_HTTPS__PORT": str(free_port()),
        "MOORING_HTTPS__CERTIFICATE": str(folder / "tls.crt"),
        "MOORING_HTTPS__PRIVATE_KEY": str(folder / "tls.key"),
    }
    server = Secure(folder, settings, trust)
    yield measured(server, f"https://127.0.0.1:{port}", trust)
    server.stop()


@pytest.fixture(scope="session")
def plain(deployments: Deployments, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    """On PostgreSQL, without TLS."""
    port = free_port()
    server = deployments.start("postgresql", tmp_path_factory.mktemp("plain"), environment=_metric(port))
    yield measured(server, f"http://127.0.0.1:{port}")
    server.stop()


def _metric(port: int) -> dict[str, str]:
    return {
        "MOORING_METRIC__ENABLED": "true",
        "MOORING_METRIC__HOST": "127.0.0.1",
        "MOORING_METRIC__PORT": str(port),
        "MOORING_LOG__ACCESS": "true",
    }
