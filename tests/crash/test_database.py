"""A database that goes away in the middle of pushes, and comes back."""

import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.leftovers import check_rows, check_swept, sweep
from tests.crash.pushes import Ledger, check
from tests.parts.client import Client
from tests.parts.postgres import Postgres
from tests.parts.process import wait_for
from tests.parts.server import Server
from tests.parts.tools import Missing

THREADS = 4


@pytest.fixture
def cluster() -> Iterator[Postgres]:
    """A PostgreSQL of this test's own, which it may stop."""
    with tempfile.TemporaryDirectory(prefix="mooring-postgres-") as folder:
        try:
            cluster = Postgres(Path(folder))
        except Missing as reason:
            pytest.skip(str(reason))
        yield cluster
        cluster.stop()


@pytest.fixture
def server(cluster: Postgres, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, environment={"MOORING_DATABASE__URL": cluster.url(cluster.create())})
    yield server
    server.stop()


@pytest.mark.parametrize(
    "by",
    [pytest.param(signal.SIGQUIT, id="crashes"), pytest.param(signal.SIGINT, id="is stopped", marks=pytest.mark.slow)],
)
def test_pushes_are_refused_meanwhile_and_nothing_is_lost(
    server: Server, cluster: Postgres, by: signal.Signals
) -> None:
    client, repository = server.client(), f"{server.create_project()}/app"
    client.bearer(f"repository:{repository}:pull,push,delete")
    ledger, stop = Ledger(503), threading.Event()
    threads = [threading.Thread(target=ledger.push, args=(client, repository, seed, stop)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(ledger.manifests) > 5, "pushes before")
    cluster.stop(by=by)
    wait_for(lambda: is_refused(client, repository), "a pull that is refused")
    before = len(ledger.manifests)
    cluster.restart()
    wait_for(lambda: len(ledger.manifests) > before + 5, "pushes after")
    stop.set()
    for thread in threads:
        thread.join()
    check_rows(server)
    check(client, ledger)
    assert "Traceback" not in server.log()
    server.stop()
    sweep(server)
    check_swept(server)
    server.start()
    check(client, ledger)


def is_refused(client: Client, repository: str) -> bool:
    answer = client.registry("GET", f"/v2/{repository}/tags/list")
    if answer.status == 200:
        return False
    assert (answer.status, answer.codes()) == (503, ["UNAVAILABLE"])
    assert answer.headers["Retry-After"]
    return True
