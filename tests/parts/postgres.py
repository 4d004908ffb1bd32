"""PostgreSQL from the machine's packages: a cluster of its own in a temporary folder, on a free port."""

import itertools
import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql

from tests.parts.process import Process, free_port, wait_for
from tests.parts.tools import Missing


class Postgres:
    """A running cluster in a folder that exists, without fsync unless it is asked for. Root runs it as its own user."""

    def __init__(self, folder: Path, *, fsync: bool = False) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [
            Path(found).parent for found in [shutil.which("initdb")] if found
        ]
        if not found:
            raise Missing("PostgreSQL's server is not on this machine; `make tools` as root sets it up")
        self._bin = found[-1]
        self._folder = folder
        self._durable = "on" if fsync else "off"
        self._user = "postgres" if os.geteuid() == 0 else ""
        self._numbers = itertools.count(1)
        self.port = free_port()
        self._initialise()
        self._process = self._start()

    def url(self, database: str = "postgres") -> str:
        """The address as the settings take it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template0") -> str:
        """Make a database, a copy of the template, and return its name."""
        name = f"mooring{next(self._numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
        return name

    def stop(self, *, by: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT drops its clients, SIGQUIT leaves it to recover at the next start."""
        self._process.stop(by=by)

    def restart(self) -> None:
        """Start again on the same port, after `stop`."""
        self._process = self._start()

    def _initialise(self) -> None:
        command: list[str | Path] = []
        if self._user:
            shutil.chown(self._folder, self._user, self._user)
            command = ["setpriv", "--reuid", self._user, "--regid", self._user, "--clear-groups"]
        command += [
            self._bin / "initdb",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            self._folder / "data",
        ]
        subprocess.run(command, check=True, capture_output=True, cwd="/")

    def _start(self) -> Process:
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": self._durable,
            "full_page_writes": self._durable,
            "max_connections": 200,
        }
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._bin / "postgres"), "-D", str(self._folder / "data"), *settings]
        process = Process(command, self._folder / "server.log", user=self._user, folder=Path("/"))
        wait_for(self._answers, "PostgreSQL", process=process)
        return process

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=30).close()
        except psycopg.OperationalError:
            return False
        return True
