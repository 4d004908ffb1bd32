"""`mooring scrub` beside a running server, over bytes that were really damaged."""

import json
import os
import subprocess
import sys
from typing import Any, Protocol

from sqlalchemy import select, update

from mooring.db.engine import Database
from mooring.features.artifacts.tables import manifest
from mooring.features.blobs.tables import blob
from tests.parts.client import digest_of, expect
from tests.parts.s3 import Bucket
from tests.parts.server import Server


class Store(Protocol):
    """Where the server's bytes are, to get at them behind its back."""

    def write(self, key: str, data: bytes) -> None: ...
    def delete(self, key: str) -> None: ...
    def read(self, key: str) -> bytes: ...


class Folder:
    def __init__(self, server: Server) -> None:
        self._root = server.data

    def write(self, key: str, data: bytes) -> None:
        (self._root / key).write_bytes(data)

    def delete(self, key: str) -> None:
        (self._root / key).unlink()

    def read(self, key: str) -> bytes:
        return (self._root / key).read_bytes()


class Objects:
    def __init__(self, server: Server) -> None:
        of = server.settings
        names = ("ENDPOINT", "BUCKET", "ACCESS_KEY", "SECRET_KEY")
        bucket = Bucket(*(of[f"MOORING_STORAGE__{name}"] for name in names))
        self._client = bucket.client()
        self._bucket, self._prefix = bucket.name, of["MOORING_STORAGE__PREFIX"]

    def _at(self, key: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}/{key}"}

    def write(self, key: str, data: bytes) -> None:
        self._client.put_object(**self._at(key), Body=data)

    def delete(self, key: str) -> None:
        self._client.delete_object(**self._at(key))

    def read(self, key: str) -> bytes:
        data: bytes = self._client.get_object(**self._at(key))["Body"].read()
        return data


def store_of(server: Server) -> Store:
    return Objects(server) if "MOORING_STORAGE__KIND" in server.settings else Folder(server)


def scrub(server: Server, *arguments: str) -> tuple[int, str]:
    """Run it as an administrator would; the exit status and what it said."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MOORING_")}
    command = [sys.executable, "-m", "mooring", "scrub", *arguments]
    done = subprocess.run(command, env=inherited | server.settings, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def key_of(db: Database, data: bytes) -> str:
    statement = select(blob.c.segments).where(blob.c.digest == digest_of(data))
    [[key, _]] = json.loads(db.read_now(lambda connection: connection.execute(statement).scalar_one()))
    return str(key)


def test_damage_is_found_set_aside_and_healed_by_the_next_push(server: Server, db: Database) -> None:
    project, client, store = server.create_project(), server.client(), store_of(server)
    changed, missing, cut, whole = (f"{word} of {project}".encode() for word in ("changed", "missing", "cut", "whole"))
    layers = (changed, missing, cut, whole)
    client.push_image(f"{project}/app", "v1", *layers)
    client.push_image(f"{project}/other", "v1", changed)
    status, said = scrub(server)
    assert status == 0, said
    assert "all are whole" in said

    wrong = changed.replace(b"changed", b"CHANGED")
    keys = {data: key_of(db, data) for data in layers}
    store.write(keys[changed], wrong)
    store.delete(keys[missing])
    store.write(keys[cut], cut[:3])
    for arguments in ((), ("--quarantine",)):
        status, said = scrub(server, *arguments)
        assert status == 1, said
        assert f"blob {digest_of(changed)} of {project}/app, {project}/other: its bytes are those of" in said
        assert f"blob {digest_of(missing)} of {project}/app: " in said
        assert f"blob {digest_of(cut)} of {project}/app: " in said
        assert digest_of(whole) not in said
        assert "3 are bad" in said
    for data in (changed, missing, cut):
        expect(client.registry("GET", f"/v2/{project}/app/blobs/{digest_of(data)}"), 404)
    expect(client.registry("GET", f"/v2/{project}/other/blobs/{digest_of(changed)}"), 404)
    assert store.read(f"quarantine/{keys[changed]}") == wrong
    status, said = scrub(server)
    assert status == 0, said
    assert "3 blobs that were set aside before wait" in said

    client.push_image(f"{project}/app", "v1", *layers)
    for data in layers:
        assert expect(client.registry("GET", f"/v2/{project}/app/blobs/{digest_of(data)}"), 200).body == data
    assert expect(client.registry("GET", f"/v2/{project}/other/blobs/{digest_of(changed)}"), 200).body == changed
    status, said = scrub(server)
    assert status == 0, said
    assert "wait" not in said


def test_a_damaged_manifest_is_found_and_healed_by_the_next_push(server: Server, db: Database) -> None:
    project, client = server.create_project(), server.client()
    digest = client.push_image(f"{project}/app", "v1", b"layer")
    damage = update(manifest).where(manifest.c.digest == digest).values(content=b"{}")
    db.write_now(lambda connection: connection.execute(damage))
    for arguments in ((), ("--quarantine",)):
        status, said = scrub(server, *arguments)
        assert status == 1, said
        assert f"manifest {digest} of {project}/app: its bytes are those of {digest_of(b'{}')}" in said
    pulled = client.registry("GET", f"/v2/{project}/app/manifests/v1")
    assert pulled.status == 404 or digest_of(pulled.body) == digest  # which a process may still have in memory
    assert client.push_image(f"{project}/app", "v1", b"layer") == digest
    for _ in range(16):  # whichever of the server's processes answers
        assert digest_of(expect(client.registry("GET", f"/v2/{project}/app/manifests/v1"), 200).body) == digest
    status, said = scrub(server)
    assert status == 0, said
