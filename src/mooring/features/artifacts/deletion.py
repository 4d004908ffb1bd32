"""Taking artifacts and repositories away. The bytes stay for garbage collection."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, exists, select

from mooring.core.actor import Actor
from mooring.core.errors import ReferencedByIndex
from mooring.core.events import ArtifactDeleted, RepositoryDeleted
from mooring.db.events import emit
from mooring.features.artifacts import statements
from mooring.features.artifacts.tables import artifact, artifact_accessory, artifact_blob, artifact_reference, tag
from mooring.features.blobs import service as blobs
from mooring.features.immutability import service as immutability
from mooring.features.repositories import service as repositories
from mooring.features.repositories.tables import repository

_NEWEST: Final = (tag.c.push_time.desc(), tag.c.id.desc())


class _Doomed(NamedTuple):
    """An artifact that goes. A child that goes with its index alone is not told of."""

    artifact_id: int
    is_told: bool = True


class _Home(NamedTuple):
    id: int
    project_id: int
    name: str


def delete_artifact(connection: Connection, actor: Actor, artifact_id: int) -> None:
    """Delete an artifact with its tags, its accessories, and those children that nothing else holds.

    Raises ReferencedByIndex when an index names it, Precondition when one of the tags is immutable.
    """
    found = select(artifact.c.repository_id).where(artifact.c.id == artifact_id)
    home = _hold(connection, connection.execute(found).scalar())
    if home is None:
        return
    if _has_parent(connection, artifact_id):
        raise ReferencedByIndex("the deleting artifact is referenced by others")
    waiting = [_Doomed(artifact_id)]  # no recursion: chains of accessories may be longer than Python's stack
    while waiting:
        doomed = waiting.pop()
        accessories, children = _delete(connection, actor, home, doomed)
        waiting += [_Doomed(each) for each in accessories if not _has_parent(connection, each)]
        kept = [each for each in accessories if _has_parent(connection, each)]
        for each in children:
            if _has_parent(connection, each) or _has_tag(connection, each):
                kept.append(each)
            else:
                waiting.append(_Doomed(each, is_told=False))
        for each in kept:
            statements.RELIST.run(connection, of=each)


def _delete(connection: Connection, actor: Actor, home: _Home, doomed: _Doomed) -> tuple[Sequence[int], Sequence[int]]:
    """Delete one artifact; what were its accessories, and its children."""
    links, references, of = artifact_accessory.c, artifact_reference.c, doomed.artifact_id
    digest = connection.execute(select(artifact.c.digest).where(artifact.c.id == of)).scalar()
    if digest is None:
        return (), ()
    of_subject = select(links.artifact_id).where(links.subject_id == of)
    of_parent = select(references.child_id).where(references.parent_id == of, references.child_id.is_not(None))
    accessories = connection.execute(of_subject).scalars().all()
    children = connection.execute(of_parent).scalars().all()
    names = connection.execute(select(tag.c.name).where(tag.c.artifact_id == of).order_by(*_NEWEST)).scalars().all()
    immutability.check(connection, home.project_id, home.name, names, "deleted")
    blobs.release(connection, home.name, _blobs_of(connection, home, of))
    connection.execute(delete(artifact_accessory).where((links.subject_id == of) | (links.artifact_id == of)))
    connection.execute(delete(artifact_reference).where(references.parent_id == of))
    connection.execute(delete(tag).where(tag.c.artifact_id == of))
    connection.execute(delete(artifact).where(artifact.c.id == of))
    if doomed.is_told:
        _tell(connection, actor, home, of, digest, names)
    return accessories, children


def delete_repository(connection: Connection, actor: Actor, repository_id: int) -> None:
    """Delete a repository with everything in it. Raises Precondition when one of the tags is immutable."""
    home = _hold(connection, repository_id)
    if home is None:
        return
    inside = select(artifact.c.id).where(artifact.c.repository_id == home.id)
    tags: dict[int, list[str]] = {}
    for owner, name in connection.execute(
        select(tag.c.artifact_id, tag.c.name).where(tag.c.repository_id == home.id).order_by(*_NEWEST)
    ):
        tags.setdefault(owner, []).append(name)
    names = [name for owner in sorted(tags, reverse=True) for name in tags[owner]]
    immutability.check(connection, home.project_id, home.name, names, "deleted")
    has_tag = exists().where(tag.c.artifact_id == artifact.c.id)
    has_parent = exists().where(artifact_reference.c.child_id == artifact.c.id)
    gone = connection.execute(
        select(artifact.c.id, artifact.c.digest)
        .where(artifact.c.repository_id == home.id, has_tag | ~has_parent)
        .order_by(artifact.c.push_time.desc(), artifact.c.id.desc())
    ).all()
    connection.execute(delete(artifact_accessory).where(artifact_accessory.c.repository_id == home.id))
    connection.execute(delete(artifact_reference).where(artifact_reference.c.parent_id.in_(inside)))
    connection.execute(delete(tag).where(tag.c.repository_id == home.id))
    connection.execute(delete(artifact).where(artifact.c.repository_id == home.id))
    blobs.drop_repository(connection, home.project_id, home.name)
    repositories.remove(connection, home.id)
    for artifact_id, digest in gone:
        _tell(connection, actor, home, artifact_id, digest, tags.get(artifact_id, ()))
    project = home.name.partition("/")[0]
    emit(
        connection,
        RepositoryDeleted(actor=actor, project_id=home.project_id, project=project, repository=home.name),
    )


def _hold(connection: Connection, repository_id: int | None) -> _Home | None:
    """The repository, which nothing is pushed to until this transaction ends."""
    if repository_id is None:
        return None
    repositories.hold(connection, repository_id)
    columns = (repository.c.id, repository.c.project_id, repository.c.name)
    row = connection.execute(select(*columns).where(repository.c.id == repository_id)).one_or_none()
    return None if row is None else _Home(*row)


def _tell(
    connection: Connection, actor: Actor, home: _Home, artifact_id: int, digest: str, tags: Sequence[str]
) -> None:
    event = ArtifactDeleted(
        actor=actor,
        project_id=home.project_id,
        project=home.name.partition("/")[0],
        repository=home.name,
        artifact_id=artifact_id,
        digest=digest,
        tags=tuple(tags),
    )
    emit(connection, event)


def _blobs_of(connection: Connection, home: _Home, artifact_id: int) -> Sequence[int]:
    """The blobs that no other artifact of the repository names."""
    other = artifact_blob.alias()
    elsewhere = exists().where(
        other.c.blob_id == artifact_blob.c.blob_id,
        other.c.repository_id == home.id,
        other.c.artifact_id != artifact_id,
    )
    own = select(artifact_blob.c.blob_id).where(artifact_blob.c.artifact_id == artifact_id, ~elsewhere)
    return connection.execute(own).scalars().all()


def _has_parent(connection: Connection, artifact_id: int) -> bool:
    found = select(artifact_reference.c.id).where(artifact_reference.c.child_id == artifact_id).limit(1)
    return connection.execute(found).first() is not None


def _has_tag(connection: Connection, artifact_id: int) -> bool:
    return connection.execute(select(tag.c.id).where(tag.c.artifact_id == artifact_id).limit(1)).first() is not None
