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
from sqlalchemy import ColumnElement, Connection, bindparam, delete, exists, func, select, tuple_

from mooring.core.actor import Actor
from mooring.core.clock import now
from mooring.db.prepared import Among
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

# Of a repository's links to some blobs those that are garbage: the blob was last asked for before the moment, and no
# artifact here names it.
_GARBAGE: Final = (
    repository_blob.c.repository == bindparam("name"),
    ~exists().where(blob.c.id == repository_blob.c.blob_id, blob.c.last_used >= bindparam("before")),
    ~exists()
    .where(artifact_blob.c.blob_id == repository_blob.c.blob_id, artifact.c.id == artifact_blob.c.artifact_id)
    .where(
        artifact.c.repository_id
        == select(repository.c.id).where(repository.c.name == bindparam("name")).scalar_subquery()
    ),
)
_FIND_GARBAGE: Final = Among(select(repository_blob.c.blob_id).where(*_GARBAGE).limit(1), repository_blob.c.blob_id)
_UNLINK: Final = Among(
    delete(repository_blob).where(*_GARBAGE).returning(repository_blob.c.blob_id), repository_blob.c.blob_id
)
_DEAD: Final = (
    blob.c.last_used < bindparam("before"),
    ~exists().where(repository_blob.c.blob_id == blob.c.id),
    ~exists().where(artifact_blob.c.blob_id == blob.c.id),
)
_HAVE: Final = Among(select(blob.c.id).with_for_update(skip_locked=True), blob.c.id)
_BURY: Final = Among(delete(blob).where(*_DEAD).returning(blob.c.size, blob.c.segments), blob.c.id)
_FORGET: Final = Among(delete(dead_segment), dead_segment.c.key)


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


def unlink(connection: Connection, name: str, blob_ids: Sequence[int], before: int) -> list[int]:
    """Of one repository's links to these blobs delete those that are garbage; the blobs that lost theirs."""
    _have_alone(connection, name)
    return [blob_id for (blob_id,) in _UNLINK.all(connection, blob_ids, name=name, before=before)]


def has_garbage(connection: Connection, name: str, blob_ids: Sequence[int], before: int) -> bool:
    """Whether one of a repository's links to these blobs is garbage."""
    return bool(_FIND_GARBAGE.all(connection, blob_ids, name=name, before=before))


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
    statement = select(blob.c.id).where(blob.c.id > after, *_DEAD).order_by(blob.c.id).limit(BATCH)
    return list(connection.execute(statement, {"before": before}).scalars())


def bury(connection: Connection, blob_ids: Sequence[int], before: int) -> tuple[Buried, list[str]]:
    """Delete the rows of those blobs that are dead, and note their segments for deletion; the keys of these."""
    # Those that somebody is linking just now are locked, and not dead then. What others have committed until the locks
    # were had is seen by the next statement.
    had = [blob_id for (blob_id,) in _HAVE.all(connection, blob_ids)]
    rows = _BURY.all(connection, had, before=before)
    moment = now()
    segments = [{"key": key, "size": size, "since": moment} for _, text in rows for key, size in json.loads(text)]
    if segments:
        connection.execute(dead_segment.insert(), segments)
    return Buried(len(rows), sum(size for size, _ in rows)), [segment["key"] for segment in segments]


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


def dead_segments(connection: Connection, after: str) -> list[str]:
    """Keys above `after` of bytes that are to be deleted."""
    key = dead_segment.c.key
    return list(connection.execute(select(key).where(key > after).order_by(key).limit(BATCH)).scalars())


def forget_segments(connection: Connection, keys: Sequence[str]) -> None:
    """The bytes under these keys are gone."""
    _FORGET.run(connection, keys)
