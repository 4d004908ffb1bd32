"""Garbage collection beside pushes and deletions: what was acknowledged stays whole, what is dead goes."""

import json
import random
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import Connection, func, select

from mooring.db.engine import Database
from mooring.features.artifacts.tables import artifact, manifest
from mooring.features.blobs.tables import blob, repository_blob
from mooring.features.gc.tables import dead_segment
from mooring.jobs import executions
from mooring.jobs.executions import NewTask
from mooring.jobs.tables import execution
from tests.parts.client import Client, digest_of
from tests.parts.process import wait_for
from tests.parts.server import Server

ROUNDS, ROUNDS_IN_FULL = 50, 1000
PUSHERS = 4


def collect(db: Database, **parameters: Any) -> dict[str, Any]:
    """Run a collection to its end; what it found."""
    run = db.write_now(executions.start, "GARBAGE_COLLECTION", -1, "MANUAL", [NewTask(payload=parameters)])
    statement = select(execution.c.status, execution.c.extra_attrs).where(execution.c.id == run)
    deadline = time.monotonic() + 600
    while True:
        status, found = db.read_now(lambda connection: connection.execute(statement).one())
        if status != "Running":
            assert status == "Success"
            result: dict[str, Any] = json.loads(found)
            return result
        assert time.monotonic() < deadline
        time.sleep(0.05)


def counts(db: Database) -> dict[str, int]:
    """Rows of what holds bytes."""

    def count(connection: Connection) -> dict[str, int]:
        tables = (blob, repository_blob, manifest, dead_segment, artifact)
        return {each.name: connection.execute(select(func.count()).select_from(each)).scalar_one() for each in tables}

    return db.read_now(count)


class Pusher:
    """Pushes images of layers that others push too, and deletes some; knows what must still be there."""

    def __init__(self, server: Server, project: str, seed: int) -> None:
        self._client: Client = server.client()
        self._project = project
        self._random = random.Random(seed)
        self._seed = seed
        self.acknowledged: dict[tuple[str, str], list[str]] = {}

    def round(self, number: int) -> None:
        repository = f"{self._project}/r{self._random.randrange(3)}"
        tag = f"t{self._seed}-{number}"
        shared = f"shared {self._random.randrange(4)}".encode()
        own = secrets.token_bytes(64)
        wait_for(lambda: self._push(repository, tag, shared, own), f"{repository}:{tag}", seconds=300)
        self.acknowledged[repository, tag] = [digest_of(shared), digest_of(own)]
        if self._random.random() < 0.5:
            name, gone = self._random.choice(list(self.acknowledged))
            answer = self._client.api(
                "DELETE", f"/projects/{self._project}/repositories/{name.partition('/')[2]}/artifacts/{gone}"
            )
            assert answer.status == 200
            del self.acknowledged[name, gone]

    def _push(self, repository: str, tag: str, *layers: bytes) -> bool:
        """Whether it was taken. When its blobs went before the manifest came, which the client is told, it is not."""
        try:
            self._client.push_image(repository, tag, *layers)
        except AssertionError as refusal:
            if "MANIFEST_BLOB_UNKNOWN" not in str(refusal):
                raise
            return False
        return True


def test_no_live_byte_is_lost_and_no_dead_one_left(server: Server, db: Database, full: bool) -> None:
    rounds = (ROUNDS_IN_FULL if full else ROUNDS) // PUSHERS
    project = server.create_project()
    pushers = [Pusher(server, project, seed) for seed in range(PUSHERS)]
    done = threading.Event()

    def push(pusher: Pusher) -> None:
        for number in range(rounds):
            pusher.round(number)

    def sweep() -> int:
        runs = 0
        while not done.is_set():
            collect(db, workers=2)
            runs += 1
        return runs

    with ThreadPoolExecutor(PUSHERS + 1) as threads:
        sweeping = threads.submit(sweep)
        pushing = [threads.submit(push, pusher) for pusher in pushers]
        for each in pushing:
            each.result()
        done.set()
        assert sweeping.result() > 0
    client = server.client()
    kept = {key: layers for pusher in pushers for key, layers in pusher.acknowledged.items()}
    assert len(kept) > rounds
    for (repository, tag), layers in kept.items():
        manifest = client.registry("GET", f"/v2/{repository}/manifests/{tag}")
        assert manifest.status == 200
        named = json.loads(manifest.body)
        digests = [named["config"]["digest"], *(layer["digest"] for layer in named["layers"])]
        assert set(layers) <= set(digests)
        for digest in digests:
            blob = client.registry("GET", f"/v2/{repository}/blobs/{digest}")
            assert blob.status == 200
            assert digest_of(blob.body) == digest
    collect(db)
    live = {digest for layers in kept.values() for digest in layers}
    rows = counts(db)
    assert rows["dead_segment"] == 0
    assert rows["manifest"] == len(
        {client.registry("GET", f"/v2/{repository}/manifests/{tag}").body for repository, tag in kept}
    )
    assert rows["blob"] <= len(live) + len(kept)  # and their configs
    for repository, tag in kept:
        name = repository.partition("/")[2]
        client.api("DELETE", f"/projects/{project}/repositories/{name}/artifacts/{tag}")
    # A blob whose last read is just being noted is left to the next collection.
    wait_for(lambda: bool(collect(db)) and not any(counts(db).values()), "that nothing is left")
    assert not list(server.data.glob("blobs/*/*"))


def test_a_dry_run_finds_what_the_run_takes(server: Server, db: Database) -> None:
    project = server.create_project()
    client = server.client()
    client.push_image(f"{project}/app", "kept", b"common", b"kept")
    gone = client.push_image(f"{project}/app", "gone", b"common", b"gone")
    client.api("DELETE", f"/projects/{project}/repositories/app/artifacts/{gone}/tags/gone")
    would = collect(db, dry_run=True, delete_untagged=True)
    assert client.registry("GET", f"/v2/{project}/app/manifests/{gone}").status == 200
    assert collect(db, dry_run=True)["purged_manifests"] == 0
    assert collect(db, delete_untagged=True) == would
    assert would["purged_manifests"] == 1
    assert client.registry("GET", f"/v2/{project}/app/manifests/{gone}").status == 404
    assert client.registry("GET", f"/v2/{project}/app/manifests/kept").status == 200
