"""Whether what is stored is what was pushed: all of it is read and hashed again.

What is bad can be set aside. Then nothing finds it by its digest, so that pulls get 404 and clients which are about to
push it send it; with that it is whole again wherever it is named.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Final, Literal

from msgspec import Struct
from sqlalchemy import Connection, delete, select, update

from mooring.core.errors import ObjectMissing, StorageError, StorageUnavailable
from mooring.core.reference import algorithm, digest_of
from mooring.db.engine import Database
from mooring.features.artifacts.tables import artifact, manifest
from mooring.features.blobs import content
from mooring.features.blobs.queries import BLOB, Blob, Segments, to_blob
from mooring.features.blobs.service import ASIDE, quarantined, set_aside
from mooring.features.blobs.tables import blob, repository_blob
from mooring.features.repositories.tables import repository
from mooring.storage.driver import Driver
from mooring.storage.keys import QUARANTINE

_BATCH: Final = 500
_SEVERAL: Final = 50  # manifests in memory at once, each of up to 4 MiB


class Fault(Struct, frozen=True):
    """Something that is not what its digest says, or is not there; `keys` are where its bytes should be."""

    what: Literal["blob", "manifest"]
    id: int
    digest: str
    reason: str
    keys: Sequence[str] = ()


class Tally(Struct):
    """What was looked at; `size` is in bytes, `waiting` is what was set aside before and not been pushed since."""

    blobs: int = 0
    manifests: int = 0
    size: int = 0
    waiting: int = 0


class Manifest(Struct, frozen=True):
    id: int
    digest: str
    content: bytes


async def faults(db: Database, driver: Driver, tally: Tally) -> AsyncIterator[Fault]:
    """Everything that is bad, while `tally` counts. Raises StorageUnavailable when the storage as a whole is."""
    after = 0
    while manifests := await db.read(_manifests, after):
        after = manifests[-1].id
        for each in manifests:
            if each.digest.startswith(ASIDE):
                continue
            tally.manifests += 1
            tally.size += len(each.content)
            actual = digest_of(each.content, algorithm(each.digest))
            if actual != each.digest:
                yield Fault("manifest", each.id, each.digest, f"its bytes are those of {actual}")
    after = 0
    while blobs := await db.read(_blobs, after):
        after = blobs[-1].id
        for found in blobs:
            if found.digest.startswith(ASIDE):
                tally.waiting += 1
                continue
            tally.blobs += 1
            tally.size += found.size
            reason = await _reason(driver, found)
            if not reason:
                continue
            if await db.read(_is_still, found.id, found.segments):
                yield Fault("blob", found.id, found.digest, reason, [key for key, _ in found.segments])


async def quarantine(db: Database, driver: Driver, fault: Fault) -> None:
    """Set what is bad aside; the bytes, as far as they can be read, under another key. Raises StorageError."""
    if fault.what == "manifest":
        await db.write(_set_manifest_aside, fault)
        return
    if not await db.write(set_aside, fault.id, fault.digest):
        return
    for key in fault.keys:
        async for entry in driver.list(key):
            # What cannot be read stays where it is, and goes with what no row names.
            with suppress(ObjectMissing, StorageUnavailable):
                await driver.write(QUARANTINE + key, driver.read(key, 0, entry.size))
                await driver.delete([key])


def repositories(connection: Connection, fault: Fault) -> list[str]:
    """The names of those that hold it."""
    if fault.what == "blob":
        statement = select(repository_blob.c.repository).where(repository_blob.c.blob_id == fault.id)
    else:
        statement = (
            select(repository.c.name)
            .join(artifact, artifact.c.repository_id == repository.c.id)
            .where(artifact.c.digest == fault.digest)
        )
    return sorted(connection.execute(statement).scalars())


async def _reason(driver: Driver, found: Blob) -> str:
    """What is bad about a blob's bytes; empty when nothing is."""
    running = hashlib.new(algorithm(found.digest))
    try:
        async for piece in content.read(driver, found, 0, found.size):
            running.update(piece)
    except ObjectMissing as error:
        return str(error)
    except StorageError as error:
        await driver.check()  # the storage as a whole is well, so this one is bad
        return str(error)
    actual = f"{running.name}:{running.hexdigest()}"
    return "" if actual == found.digest else f"its bytes are those of {actual}"


def _blobs(connection: Connection, after: int) -> list[Blob]:
    statement = select(*BLOB).where(blob.c.id > after).order_by(blob.c.id).limit(_BATCH)
    return [to_blob(tuple(row)) for row in connection.execute(statement)]


def _manifests(connection: Connection, after: int) -> list[Manifest]:
    columns = select(manifest.c.id, manifest.c.digest, manifest.c.content)
    statement = columns.where(manifest.c.id > after).order_by(manifest.c.id).limit(_SEVERAL)
    return [Manifest(*row) for row in connection.execute(statement)]


def _is_still(connection: Connection, blob_id: int, segments: Segments) -> bool:
    """Whether garbage collection has not taken the blob while it was read."""
    row = connection.execute(select(*BLOB).where(blob.c.id == blob_id)).first()
    return row is not None and to_blob(tuple(row)).segments == segments


def _set_manifest_aside(connection: Connection, fault: Fault) -> None:
    """It stays until garbage collection finds that nobody has it."""
    connection.execute(delete(manifest).where(manifest.c.digest == quarantined(fault.digest)))
    renamed = update(manifest).where(manifest.c.id == fault.id).values(digest=quarantined(fault.digest))
    connection.execute(renamed)
