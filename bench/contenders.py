"""The servers that are compared, each started by its own command with what its documentation recommends."""

import os
import ssl
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml
from tests.parts import tools
from tests.parts.client import Client
from tests.parts.postgres import Postgres
from tests.parts.process import Process, free_port, wait_for

from bench.authority import ISSUER, SERVICE, Authority

_PASSWORD: Final = "Sesame-opens-1"


class Contender(ABC):
    """A server with a folder of its own that outlives its processes. `name` heads its column."""

    name: str

    def __init__(self, folder: Path, authority: Authority) -> None:
        folder.mkdir(mode=0o755)
        self.folder: Final = folder
        self.authority: Final = authority
        self.port: Final = free_port()
        self.url = ""
        self._process: Process | None = None

    def start(self, *, tls: bool = False) -> float:
        """Start and wait for the first answer; the seconds that took. Raises RuntimeError with its log."""
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        command, environment = self.command(tls=tls)
        began = time.perf_counter()
        process = Process(command, self.folder / "log", environment=environment)
        self._process = process
        wait_for(self._answers, self.name, process=process)
        return time.perf_counter() - began

    def stop(self) -> None:
        """End its processes; the data stays."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def close(self) -> None:
        """End it and what it stands on."""
        self.stop()

    @property
    def process(self) -> int:
        """The id of its first process."""
        assert self._process is not None
        return self._process.popen.pid

    @abstractmethod
    def command(self, *, tls: bool) -> tuple[Sequence[str], Mapping[str, str]]:
        """What starts it, with the whole environment."""

    @abstractmethod
    def token(self, repositories: Sequence[str]) -> str:
        """A bearer token to pull from and push to the repositories."""

    def _answers(self) -> bool:
        try:
            return Client(self.url, timeout=5, tls=trusting()).send("GET", "/v2/").status == 401
        except OSError:
            return False


class Mooring(Contender):
    """`mooring serve` as it is installed, on SQLite."""

    name = "Mooring, SQLite"

    def command(self, *, tls: bool) -> tuple[Sequence[str], Mapping[str, str]]:
        settings = {
            "MOORING_DATA_VOLUME": str(self.folder / "data"),
            "MOORING_ADMIN_PASSWORD": _PASSWORD,
            "MOORING_HTTP__HOST": "127.0.0.1",
            "MOORING_HTTP__PORT": str(free_port() if tls else self.port),
        }
        if tls:
            settings |= {
                "MOORING_HTTPS__HOST": "127.0.0.1",
                "MOORING_HTTPS__PORT": str(self.port),
                "MOORING_HTTPS__CERTIFICATE": str(self.authority.certificate),
                "MOORING_HTTPS__PRIVATE_KEY": str(self.authority.private_key),
            }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MOORING_")}
        return [sys.executable, "-m", "mooring", "serve"], inherited | settings

    def token(self, repositories: Sequence[str]) -> str:
        client = Client(self.url, "admin", _PASSWORD, tls=trusting())
        scope = " ".join(f"repository:{name}:pull,push" for name in repositories)
        return str(client.token(scope).json()["token"])


class MooringOnPostgres(Mooring):
    """The same on a PostgreSQL that is durable, beside it on the same medium."""

    name = "Mooring, PostgreSQL"

    def __init__(self, folder: Path, authority: Authority) -> None:
        super().__init__(folder, authority)
        cluster = folder / "postgresql"
        cluster.mkdir()
        self._postgres = Postgres(cluster, fsync=True)
        self._database = self._postgres.create()

    def command(self, *, tls: bool) -> tuple[Sequence[str], Mapping[str, str]]:
        command, environment = super().command(tls=tls)
        return command, {**environment, "MOORING_DATABASE__URL": self._postgres.url(self._database)}

    def close(self) -> None:
        super().close()
        self._postgres.stop()


class Distribution(Contender):
    """distribution with tokens, its descriptor cache in memory, and nothing written to its log but errors."""

    program: str
    libtrust: bool

    def __init__(self, folder: Path, authority: Authority) -> None:
        program = tools.path(self.program)
        super().__init__(folder, authority)
        self._command = [program, "serve", str(folder / "config.yml")]

    def command(self, *, tls: bool) -> tuple[Sequence[str], Mapping[str, str]]:
        http: dict[str, object] = {"addr": f"127.0.0.1:{self.port}"}
        if tls:
            http["tls"] = {"certificate": str(self.authority.certificate), "key": str(self.authority.private_key)}
        token = {
            "realm": "http://127.0.0.1/token",
            "service": SERVICE,
            "issuer": ISSUER,
            "rootcertbundle": str(self.authority.bundle),
        }
        storage = {"cache": {"blobdescriptor": "inmemory"}, "filesystem": {"rootdirectory": str(self.folder / "data")}}
        log = {"level": "error", "accesslog": {"disabled": True}}
        config = {"version": 0.1, "log": log, "storage": storage, "http": http, "auth": {"token": token}}
        (self.folder / "config.yml").write_text(yaml.safe_dump(config))
        return self._command, os.environ | {"OTEL_TRACES_EXPORTER": "none"}

    def token(self, repositories: Sequence[str]) -> str:
        return self.authority.token(repositories, libtrust=self.libtrust)


class Distribution3(Distribution):
    name = "distribution 3"
    program = "registry"
    libtrust = False


class Distribution2(Distribution):
    name = "distribution 2.8"
    program = "docker-registry"
    libtrust = True


CONTENDERS: Final[Sequence[type[Contender]]] = (Mooring, MooringOnPostgres, Distribution3, Distribution2)


def trusting() -> ssl.SSLContext:
    """A context that believes any certificate: the servers are on this machine, and their certificates made here."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
