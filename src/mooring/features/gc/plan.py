"""What a collection would take, found without changing anything: the dry run."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, func, select

from mooring.db.prepared import Among
from mooring.features.artifacts.tables import (
    artifact,
    artifact_accessory,
    artifact_blob,
    artifact_reference,
    manifest,
    tag,
)
from mooring.features.blobs.tables import blob
from mooring.features.gc import service
from mooring.features.gc.service import BATCH, Buried, Doomed

_ACCESSORIES: Final = Among(select(artifact_accessory.c.artifact_id), artifact_accessory.c.subject_id)
_CHILDREN: Final = Among(
    select(artifact_reference.c.child_id).where(artifact_reference.c.child_id.is_not(None)),
    artifact_reference.c.parent_id,
)
_PARENTS: Final = Among(
    select(artifact_reference.c.child_id, artifact_reference.c.parent_id), artifact_reference.c.child_id
)
_TAGGED: Final = Among(select(tag.c.artifact_id), tag.c.artifact_id)
_NAMING: Final = Among(select(artifact_blob.c.blob_id, artifact_blob.c.artifact_id), artifact_blob.c.blob_id)
_HOLDERS: Final = Among(select(artifact.c.digest, artifact.c.id), artifact.c.digest)
_NAMED: Final = "no artifact names it"


class Survey(Struct, frozen=True):
    """`lines` say what would go and why."""

    lines: list[str]
    blobs: Buried
    manifests: Buried


def survey(connection: Connection, before: int, *, delete_untagged: bool) -> Survey:
    """What a collection that began now would take."""
    lines: list[str] = []
    doomed: set[int] = set()
    if delete_untagged:
        roots = list(_untagged(connection, before))
        lines += [f"{each.repository}@{each.digest}: untagged" for each in roots]
        doomed = _with_dependants(connection, {each.id for each in roots})
    blobs = Buried()
    for digest, size in _dead_blobs(connection, before, doomed):
        lines.append(f"blob {digest}, {size} bytes: {_NAMED}")
        blobs = blobs.plus(Buried(1, size))
    manifests = Buried()
    for digest, size in _dead_manifests(connection, doomed):
        lines.append(f"manifest {digest}, {size} bytes: no repository holds it")
        manifests = manifests.plus(Buried(1, size))
    return Survey(lines, blobs, manifests)


def _untagged(connection: Connection, before: int) -> Iterator[Doomed]:
    after = 0
    while page := service.untagged(connection, before, after):
        yield from page
        after = page[-1].id


def _with_dependants(connection: Connection, roots: set[int]) -> set[int]:
    """The artifacts with what goes with them: accessories, and children that nothing else holds."""
    doomed, waiting = set(roots), set(roots)
    while waiting:
        ids = sorted(waiting)
        found = {artifact_id for (artifact_id,) in _ACCESSORIES.all(connection, ids)}
        below = {child for (child,) in _CHILDREN.all(connection, ids)}
        tagged = {artifact_id for (artifact_id,) in _TAGGED.all(connection, sorted(below))}
        held = {child for child, parent in _PARENTS.all(connection, sorted(below)) if parent not in doomed}
        waiting = (found | (below - tagged - held)) - doomed
        doomed |= waiting
    return doomed


def _dead_blobs(connection: Connection, before: int, doomed: set[int]) -> Iterator[tuple[str, int]]:
    after = 0
    columns = select(blob.c.id, blob.c.digest, blob.c.size)
    while True:
        statement = columns.where(blob.c.id > after, blob.c.last_used < before).order_by(blob.c.id).limit(BATCH)
        page = connection.execute(statement).all()
        if not page:
            return
        after = page[-1][0]
        named = _NAMING.all(connection, [row[0] for row in page])
        alive = {blob_id for blob_id, artifact_id in named if artifact_id not in doomed}
        yield from ((digest, size) for blob_id, digest, size in page if blob_id not in alive)


def _dead_manifests(connection: Connection, doomed: set[int]) -> Iterator[tuple[str, int]]:
    after = 0
    columns = select(manifest.c.id, manifest.c.digest, func.length(manifest.c.content))
    while True:
        page = connection.execute(columns.where(manifest.c.id > after).order_by(manifest.c.id).limit(BATCH)).all()
        if not page:
            return
        after = page[-1][0]
        holders = _HOLDERS.all(connection, [row[1] for row in page])
        alive = {digest for digest, artifact_id in holders if artifact_id not in doomed}
        yield from ((digest, size) for _, digest, size in page if digest not in alive)
