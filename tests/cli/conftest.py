"""Mooring's command line as people run it, in a folder of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import trustme

from tests.parts.process import Process, free_port, wait_for

COMMAND = [sys.executable, "-m", "mooring"]


class Mooring:
    """Runs commands in one folder with one port and one set of settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.settings = {
            "MOORING_HTTP__HOST": "127.0.0.1",
            "MOORING_HTTP__PORT": str(self.port),
            "MOORING_DATA_VOLUME": str(self.data),
        }
        self._started: list[Process] = []

    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MOORING_")}
        return inherited | self.settings

    def run(
        self, *arguments: str | Path, text: str = "", user: Sequence[str] = ()
    ) -> "subprocess.CompletedProcess[str]":
        """A command that ends by itself; `text` is what it reads."""
        return subprocess.run(
            [*user, *COMMAND, *arguments],
            input=text,
            env=self.environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=180,
        )

    def refuses(self, *arguments: str | Path, user: Sequence[str] = ()) -> str:
        """A `serve` that must not start; the one sentence it says."""
        ended = self.run("serve", *arguments, user=user)
        assert ended.returncode == 1, ended.stdout + ended.stderr
        assert "Traceback" not in ended.stdout + ended.stderr
        [sentence] = ended.stderr.splitlines()
        assert sentence.startswith("mooring: ")
        return sentence.removeprefix("mooring: ")

    def serve(self, *arguments: str | Path) -> Process:
        """A server that has said it answers. It ends with the test."""
        log = self.folder / f"serve-{len(self._started)}.log"
        command = [*COMMAND, "serve", *map(str, arguments)]
        process = Process(command, log, environment=self.environment(), folder=self.folder)
        self._started.append(process)
        wait_for(lambda: "answers at" in process.log(), "mooring serve", seconds=180, process=process)
        return process

    def stop(self) -> None:
        for process in self._started:
            process.stop()


def name(process: int) -> str:
    """What `ps` calls a process; empty when it has gone."""
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return ""


@pytest.fixture
def mooring(tmp_path: Path) -> Iterator[Mooring]:
    installation = Mooring(tmp_path)
    yield installation
    installation.stop()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certify(authority: trustme.CA, tmp_path: Path) -> Callable[[], None]:
    """Write a new certificate for localhost with its key into tls.crt and tls.key."""

    def write() -> None:
        issued = authority.issue_cert("localhost", "127.0.0.1")
        (tmp_path / "tls.crt").write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        (tmp_path / "tls.key").write_bytes(issued.private_key_pem.bytes())

    return write
