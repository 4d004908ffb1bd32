"""What is garbage, and letting go of it: short transactions that pushes may run beside.

A blob goes in three steps. Its links go, repository by repository: no artifact there names it, and nobody has asked
for it within the grace period; pushes to the repository wait for that moment, or it for them. Its row goes when no
link is left; whoever is about to link it holds the row, or makes a new one with new bytes. Its bytes go last, by keys
that nothing names any more.
"""

import json
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, delete, exists, func, select, tuple_

from mooring.core.actor import Actor
from mooring.core.clock import now
from mooring.db.query import in_batches
from mooring.db.turns import take_turns
from mooring.features.artifacts.deletion import delete_artifact
from mooring.features.artifacts.tables import (
    artifact,
    artifact_accessory,
    artifact_blob,
    artifact_reference,
    manifest,
    tag,
)
from mooring.features.blobs.tables import blob, repository_blob
from mooring.features.gc.tables import dead_segment
from mooring.features.repositories import service as repositories
from mooring.features.repositories.tables import repository

BATCH: Final = 1000  # rows that one transaction looks at or takes along


class Doomed(Struct, frozen=True):
    """An artifact that nothing holds."""

    id: int
    repository: str
    digest: str


class Link(Struct, frozen=True):
    """That a repository holds a blob."""

    repository: str
    blob_id: int


class Buried(Struct, frozen=True):
    """How much went."""

    count: int = 0
    size: int = 0

    def plus(self, other: "Buried") -> "Buried":
        return Buried(self.count + other.count, self.size + other.size)


def untagged(connection: Connection, before: int, after: int) -> list[Doomed]:
    """Artifacts, ids above `after`, pushed before the moment, that have no tag, are in no index, and belong to no
    subject that is here.
    """
    mine = artifact.c.id
    held = (
        exists().where(tag.c.artifact_id == mine),
        exists().where(artifact_reference.c.child_id == mine),
        exists().where(artifact_accessory.c.artifact_id == mine, artifact_accessory.c.subject_id.is_not(None)),
    )
    statement = (
        select(mine, repository.c.name, artifact.c.digest)
        .join(repository, repository.c.id == artifact.c.repository_id)
        .where(mine > after, artifact.c.push_time < before, *(~each for each in held))
        .order_by(mine)
        .limit(BATCH)
    )
    return [Doomed(*row) for row in connection.execute(statement)]


def delete_if_untagged(connection: Connection, actor: Actor, doomed: Doomed, before: int) -> bool:
    """Delete the artifact if it is still untagged, now that no push can tag it. Raises what `delete_artifact` does."""
    home = connection.execute(select(artifact.c.repository_id).where(artifact.c.id == doomed.id)).scalar()
    if home is None:
        return False
    repositories.hold(connection, home)
    if doomed.id not in [each.id for each in untagged(connection, before, doomed.id - 1)[:1]]:
        return False
    delete_artifact(connection, actor, doomed.id)
    return True


def links(connection: Connection, after: Link) -> list[Link]:
    """The next links after this one, in their order."""
    place = (repository_blob.c.repository, repository_blob.c.blob_id)
    statement = select(*place).where(tuple_(*place) > (after.repository, after.blob_id)).order_by(*place).limit(BATCH)
    return [Link(*row) for row in connection.execute(statement)]


def unlink(connection: Connection, name: str, blob_ids: Sequence[int], before: int) -> int:
    """Of these links of one repository delete those that are garbage; how many."""
    _have_alone(connection, name)
    return connection.execute(delete(repository_blob).where(*_garbage(name, blob_ids, before))).rowcount


def has_garbage(connection: Connection, name: str, blob_ids: Sequence[int], before: int) -> bool:
    """Whether one of these links of a repository is garbage."""
    statement = select(repository_blob.c.blob_id).where(*_garbage(name, blob_ids, before)).limit(1)
    return connection.execute(statement).first() is not None


def _garbage(name: str, blob_ids: Sequence[int], before: int) -> tuple[ColumnElement[bool], ...]:
    """Of the repository's links to these blobs those that are garbage: the blob was last asked for before the moment,
    and no artifact here names it.
    """
    recent = exists().where(blob.c.id == repository_blob.c.blob_id, blob.c.last_used >= before)
    named = (
        exists()
        .where(artifact_blob.c.blob_id == repository_blob.c.blob_id, artifact.c.id == artifact_blob.c.artifact_id)
        .where(artifact.c.repository_id == select(repository.c.id).where(repository.c.name == name).scalar_subquery())
    )
    return repository_blob.c.repository == name, repository_blob.c.blob_id.in_(blob_ids), ~recent, ~named


def _have_alone(connection: Connection, name: str) -> None:
    """Wait for the pushes to the repository, and have those that come wait. What this transaction reads from now on is
    what they have left.
    """
    take_turns(connection, [repositories.turn(name)])
    found = connection.execute(select(repository.c.id).where(repository.c.name == name)).scalar()
    if found is not None:
        repositories.hold(connection, found)


def dead_blobs(connection: Connection, before: int, after: int) -> list[int]:
    """Ids above `after` of blobs without a link that were last asked for before the moment."""
    statement = select(blob.c.id).where(blob.c.id > after, _is_dead(before)).order_by(blob.c.id).limit(BATCH)
    return list(connection.execute(statement).scalars())


def bury(connection: Connection, blob_ids: Sequence[int], before: int) -> Buried:
    """Delete the rows of those blobs that are dead, and note their segments for deletion."""
    # Those that somebody is linking just now are locked, and not dead then. What others have committed until the locks
    # were had is seen by the next statement.
    some = select(blob.c.id).where(blob.c.id.in_(blob_ids)).with_for_update(skip_locked=True)
    had = list(connection.execute(some).scalars())
    statement = delete(blob).where(blob.c.id.in_(had), _is_dead(before)).returning(blob.c.size, blob.c.segments)
    rows = connection.execute(statement).all()
    moment = now()
    segments = [{"key": key, "size": size, "since": moment} for _, text in rows for key, size in json.loads(text)]
    if segments:
        connection.execute(dead_segment.insert(), segments)
    return Buried(len(rows), sum(size for size, _ in rows))


def _is_dead(before: int) -> ColumnElement[bool]:
    linked = exists().where(repository_blob.c.blob_id == blob.c.id)
    named = exists().where(artifact_blob.c.blob_id == blob.c.id)
    return (blob.c.last_used < before) & ~linked & ~named


def dead_manifests(connection: Connection, after: int) -> list[int]:
    """Ids above `after` of manifests that no artifact of any repository has."""
    statement = select(manifest.c.id).where(manifest.c.id > after, _is_nobodys()).order_by(manifest.c.id).limit(BATCH)
    return list(connection.execute(statement).scalars())


def bury_manifests(connection: Connection, manifest_ids: Sequence[int]) -> Buried:
    """Delete those manifests that no artifact has. A push that makes one has locked its manifest."""
    some = select(manifest.c.id).where(manifest.c.id.in_(manifest_ids)).with_for_update(skip_locked=True)
    had = list(connection.execute(some).scalars())
    mine = (manifest.c.id.in_(had), _is_nobodys())
    sizes = connection.execute(select(func.length(manifest.c.content)).where(*mine)).scalars().all()
    connection.execute(delete(manifest).where(*mine))
    return Buried(len(sizes), sum(sizes))


def _is_nobodys() -> ColumnElement[bool]:
    return ~exists().where(artifact.c.digest == manifest.c.digest)


def dead_segments(connection: Connection, limit: int) -> list[str]:
    """Keys of bytes that are to be deleted."""
    return list(connection.execute(select(dead_segment.c.key).order_by(dead_segment.c.key).limit(limit)).scalars())


def forget_segments(connection: Connection, keys: Sequence[str]) -> None:
    """The bytes under these keys are gone."""
    for some in in_batches(keys):
        connection.execute(delete(dead_segment).where(dead_segment.c.key.in_(some)))
