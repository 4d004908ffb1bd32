"""SIGKILL at random moments of concurrent pushes: all or nothing of each, and nothing that was acknowledged is lost."""

import random
import threading
import time

import pytest

from tests.crash.conftest import Start
from tests.crash.leftovers import check_rows, check_swept, sweep
from tests.crash.pushes import Ledger, check, pull
from tests.parts.client import Client, expect
from tests.parts.process import wait_for
from tests.parts.server import Server

THREADS = 4
LONGEST = 0.8  # seconds of pushing before a kill


@pytest.mark.parametrize(("kind", "share"), [("sqlite", 0.8), ("postgresql", 0.2)])
def test_everything_acknowledged_survives(
    start: Start, rounds: int, kind: str, share: float, figures: list[str]
) -> None:
    server = start(kind)
    client, project = server.client(), server.create_project()
    ledgers: list[Ledger] = []
    for number in range(max(1, round(rounds * share))):
        ledger = Ledger()
        push_and_kill(server, client, f"{project}/round-{number}", number, ledger)
        check_rows(server)
        ledgers.append(ledger)
        server.start()
    server.stop()
    sweep(server)
    check_swept(server)
    server.start()
    for ledger in ledgers:
        check(client, ledger)
    pulled = pull_everything(client)
    acknowledged = sum(len(ledger.manifests) for ledger in ledgers)
    assert acknowledged
    figures.append(
        f"crash on {kind}: {len(ledgers)} kills, {acknowledged} manifests and "
        f"{sum(len(ledger.blobs) for ledger in ledgers)} blobs acknowledged and whole, {pulled} tags pulled"
    )


def push_and_kill(server: Server, client: Client, repository: str, seed: int, ledger: Ledger) -> None:
    """Push from several threads, and kill every process of the server at a random moment."""
    stop = threading.Event()
    client.bearer(f"repository:{repository}:pull,push,delete")  # once, not once in each thread
    threads = [
        threading.Thread(target=ledger.push, args=(client, repository, seed * THREADS + number, stop))
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    if seed % 2:  # on a slow machine no push is over before the latest of the other moments
        wait_for(lambda: bool(ledger.manifests), "a push that is acknowledged")
    time.sleep(random.Random(seed).uniform(0, LONGEST))
    server.kill()
    stop.set()
    for thread in threads:
        thread.join()


def pull_everything(client: Client) -> int:
    """Pull every tag of every repository that the catalog lists; how many there were."""
    listed = expect(client.send("GET", "/v2/_catalog", headers=client.basic()), 200).json()["repositories"]
    count = 0
    for repository in listed:
        for tag in expect(client.registry("GET", f"/v2/{repository}/tags/list"), 200).json()["tags"]:
            pull(client, repository, tag)
            count += 1
    return count
