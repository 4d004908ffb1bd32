"""An object store that answers 503, answers nothing, or breaks the line, in the middle of pushes and pulls."""

import json
import random
import secrets
import threading
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Literal

import pytest

from tests.crash.pushes import Ledger, check
from tests.parts import s3
from tests.parts.client import Client, digest_of, expect
from tests.parts.process import wait_for
from tests.parts.server import Server
from tests.registry.contents import query

THREADS = 3
HASTY = {"MOORING_STORAGE__OPTIONS__READ_TIMEOUT": "2s"}
Fault = Literal["busy", "silent"]


@pytest.fixture
def line(bucket: s3.Bucket) -> Iterator[s3.Line]:
    line = s3.Line.to(bucket)
    yield line
    line.state = "up"
    line.close()


@pytest.fixture
def server(request: pytest.FixtureRequest, bucket: s3.Bucket, line: s3.Line, tmp_path: Path) -> Iterator[Server]:
    """One whose bucket is at the end of the line. The parameter, if there is one, adds settings."""
    server = Server(
        tmp_path,
        environment={
            "MOORING_STORAGE__KIND": "s3",
            "MOORING_STORAGE__ENDPOINT": line.endpoint,
            "MOORING_STORAGE__BUCKET": bucket.name,
            "MOORING_STORAGE__PREFIX": secrets.token_hex(4),
            "MOORING_STORAGE__REGION": s3.REGION,
            "MOORING_STORAGE__ACCESS_KEY": bucket.access_key,
            "MOORING_STORAGE__SECRET_KEY": bucket.secret_key,
            **getattr(request, "param", {}),
        },
    )
    yield server
    line.state = "up"
    server.stop()


def stored(server: Server, bucket: s3.Bucket) -> set[str]:
    """The keys that lie under the server's prefix in the bucket."""
    prefix = server.settings["MOORING_STORAGE__PREFIX"] + "/"
    pages = bucket.client().get_paginator("list_objects_v2").paginate(Bucket=bucket.name, Prefix=prefix)
    return {each["Key"].removeprefix(prefix) for page in pages for each in page.get("Contents", [])}


@pytest.mark.parametrize(("fault", "server"), [("busy", {}), ("silent", HASTY)], indirect=["server"])
def test_pushes_are_refused_meanwhile_and_nothing_is_lost(
    server: Server, bucket: s3.Bucket, line: s3.Line, fault: Fault
) -> None:
    client, repository = server.client(), f"{server.create_project()}/app"
    client.bearer(f"repository:{repository}:pull,push,delete")
    pulled = client.push_blob(repository, random.Random(1).randbytes(100_000))
    ledger, stop = Ledger(503), threading.Event()
    threads = [threading.Thread(target=ledger.push, args=(client, repository, seed, stop)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(ledger.manifests) > 3, "pushes before")
    line.state = fault
    wait_for(lambda: is_refused(client, repository, pulled), "a pull that is refused", seconds=60)
    before = len(ledger.manifests)
    line.state = "up"
    line.cut()
    wait_for(lambda: len(ledger.manifests) > before + 3, "pushes after", seconds=60)
    stop.set()
    for thread in threads:
        thread.join()
    check(client, ledger)
    named = {
        key
        for row in [*query(server, "SELECT segments FROM blob"), *query(server, "SELECT segments FROM upload")]
        for key, _ in json.loads(row["segments"])
    }
    assert named <= stored(server, bucket)
    assert "Traceback" not in server.log()


def is_refused(client: Client, repository: str, digest: str) -> bool:
    answer = client.registry("GET", f"/v2/{repository}/blobs/{digest}")
    if answer.status == 200:
        return False
    assert (answer.status, answer.codes()) == (503, ["UNAVAILABLE"])
    assert expect(client.registry("HEAD", f"/v2/{repository}/blobs/{digest}"), 200)
    return True


def test_a_pull_that_breaks_off_is_seen_to(server: Server, line: s3.Line) -> None:
    """Fewer bytes than were announced, never an answer that looks whole."""
    client, repository = server.client(), f"{server.create_project()}/app"
    data = random.Random(2).randbytes(40 << 20)
    digest = client.push_blob(repository, data)
    connection = client.connection()
    connection.request(
        "GET", f"/v2/{repository}/blobs/{digest}", headers=client.bearer(f"repository:{repository}:pull,push,delete")
    )
    response = connection.getresponse()
    assert response.status == 200
    begun = response.read(1 << 16)
    line.state = "busy"
    line.cut()
    with pytest.raises((HTTPException, OSError)):
        response.read()
    connection.close()
    assert data.startswith(begun)
    line.state = "up"
    assert digest_of(client.registry("GET", f"/v2/{repository}/blobs/{digest}").body) == digest
