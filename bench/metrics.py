"""What counting costs: processor time for each manifest GET, of a server whose metrics are read and of one without.

python -m bench.metrics [TURNS]

The two take turns, since a machine that is busy with other things makes both slower.
"""

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.parts import tools
from tests.parts.process import free_port
from tests.parts.server import Server, descendants

_REPOSITORY: Final = "library/hello"
_CONNECTIONS: Final = 16
_SECONDS: Final = 1  # of one turn
_TURNS: Final = 24
_FLUSH: Final = 1.2  # seconds until what pulls leave behind is written


class Measured:
    """A server and what its pulls have cost so far, in microseconds each."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.server = Server(folder, environment=settings)
        client = self.server.client()
        client.push_image(_REPOSITORY, "1", b"a layer")
        self._header = f"Authorization: {client.bearer(f'repository:{_REPOSITORY}:pull')['Authorization']}"
        self.costs: list[float] = []

    def turn(self) -> None:
        """Pull for a second."""
        before = _processor(self.server.process.popen.pid)
        address = f"{self.server.url}/v2/{_REPOSITORY}/manifests/1"
        command = [tools.path("wrk"), "-t1", f"-c{_CONNECTIONS}", f"-d{_SECONDS}s", "-H", self._header, address]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in output:
            raise RuntimeError(output)
        [requests] = [int(line.split()[0]) for line in output.splitlines() if " requests in " in line]
        time.sleep(_FLUSH)
        self.costs.append((_processor(self.server.process.popen.pid) - before) / 1000 / requests)


def main(turns: int) -> None:
    """Print the median of each, and what is between them."""
    folder = Path(tempfile.mkdtemp(prefix="mooring-metrics-", dir="/dev/shm"))
    metric = {"MOORING_METRIC__ENABLED": "true", "MOORING_METRIC__PORT": str(free_port())}
    servers = [Measured(folder / "without", {}), Measured(folder / "with", metric)]
    try:
        for server in servers:
            server.turn()  # to warm up
            server.costs.clear()
        for number in range(turns):
            for server in servers if number % 2 else reversed(servers):
                server.turn()
        without, with_metrics = (statistics.median(server.costs) for server in servers)
        share = with_metrics / without - 1
        print(f"without {without:.1f} us, with {with_metrics:.1f} us for a manifest: {share:+.1%}")
    finally:
        for server in servers:
            server.server.stop()
        shutil.rmtree(folder)


def _processor(first: int) -> int:
    """Nanoseconds on a processor, of all threads of a process and its descendants."""
    spent = 0
    for process in (first, *descendants(first)):
        for thread in Path(f"/proc/{process}/task").glob("*/schedstat"):
            spent += int(thread.read_text().split()[0])
    return spent


parser = argparse.ArgumentParser(prog="python -m bench.metrics", description=__doc__)
parser.add_argument("turns", type=int, nargs="?", default=_TURNS, help="how many turns each takes")
main(parser.parse_args().turns)
