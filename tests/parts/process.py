"""Starting the programs that tests talk to, so that none outlives the test run."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def free_port() -> int:
    """A port of the loopback that nothing listens on, and that nobody else is given while this process lives."""
    probe = socket.socket()
    # Servers, which set this as well, may listen although the port is taken here (socket(7)).
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", 0))
    port = int(probe.getsockname()[1])
    probe.detach()  # the descriptor stays open
    return port


def answers(port: int) -> bool:
    """Whether something accepts connections on the loopback's port."""
    with socket.socket() as probe:
        probe.settimeout(30)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(
    condition: Callable[[], bool], what: str, *, seconds: float = 120, process: "Process | None" = None
) -> None:
    """Poll until it holds. Raises TimeoutError, or RuntimeError as soon as the process has ended; both show its log."""
    end = time.monotonic() + seconds
    while not condition():
        log = process.log() if process else ""
        if process and process.popen.poll() is not None:
            raise RuntimeError(f"{what}: the process ended with {process.popen.returncode}\n{log}")
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} s\n{log}")
        time.sleep(0.02)


class Process:
    """A child that logs to a file and is ended with the test run, also when that is killed."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        user: str = "",
        folder: Path | None = None,
    ) -> None:
        guard = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        if user:
            guard += ["--reuid", user, "--regid", user, "--clear-groups"]
        self._log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                [*guard, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environment or os.environ),
                cwd=folder,
            )

    def log(self) -> str:
        """All that it has written so far."""
        return self._log.read_text(errors="replace")

    def stop(self, *, by: signal.Signals = signal.SIGTERM, seconds: float = 150) -> int:
        """Ask it to end and wait; returns its exit status. Raises subprocess.TimeoutExpired, after killing it."""
        if self.popen.poll() is None:
            self.popen.send_signal(by)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise
