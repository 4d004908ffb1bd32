"""Bytes that a disk has lost behind our back: a pull says so, and never looks whole."""

import random
from http.client import IncompleteRead

import pytest

from tests.crash.conftest import Start
from tests.parts.client import digest_of, expect
from tests.parts.process import wait_for

DATA = random.Random(4).randbytes(4 << 20)


def test_a_file_that_ends_early(start: Start) -> None:
    server = start("sqlite")
    client, repository = server.client(), f"{server.create_project()}/app"
    path = f"/v2/{repository}/blobs/{client.push_blob(repository, DATA)}"
    (segment,) = [file for file in server.data.glob("blobs/*/*") if file.stat().st_size == len(DATA)]
    segment.write_bytes(DATA[: len(DATA) // 2])
    connection = client.connection()
    connection.request("GET", path, headers=client.bearer(f"repository:{repository}:pull,push,delete"))
    response = connection.getresponse()
    assert (response.status, response.headers["Content-Length"]) == (200, str(len(DATA)))
    with pytest.raises(IncompleteRead):
        response.read()
    connection.close()
    wait_for(lambda: "ends at byte" in server.log(), "the line that says so")
    assert "Traceback" not in server.log()

    segment.unlink()
    answer = client.registry("GET", path)
    assert (answer.status, answer.codes()) == (500, ["UNKNOWN"])

    # Put back from a backup, it is served again.
    segment.write_bytes(DATA)
    assert digest_of(expect(client.registry("GET", path), 200).body) == digest_of(DATA)
