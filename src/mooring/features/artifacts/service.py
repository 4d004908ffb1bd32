"""Pushing and deleting artifacts: the model of Harbor, one transaction each."""

import json
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.exc import IntegrityError

from mooring.core.clock import now
from mooring.core.errors import (
    BadRequest,
    Conflict,
    ManifestBlobUnknown,
    ManifestInvalid,
    NotFound,
    ReferencedByIndex,
    SizeInvalid,
    WireErrors,
)
from mooring.core.media import Descriptor, Manifest
from mooring.core.reference import is_digest, is_tag
from mooring.db.prepared import Prepared
from mooring.db.query import in_batches
from mooring.db.turns import take_turns
from mooring.features.artifacts import queries, statements
from mooring.features.artifacts.kinds import Kind, accessory_of
from mooring.features.artifacts.queries import Found
from mooring.features.artifacts.tables import artifact, artifact_accessory, artifact_reference, tag
from mooring.features.blobs import queries as blobs
from mooring.features.blobs import service as blob_service
from mooring.features.repositories import service as repositories
from mooring.features.repositories.tables import repository

_MAX_SIZE: Final = 1 << 53  # bytes of an artifact: what JSON's numbers hold exactly, and far below where sums overflow


class Push(Struct, frozen=True):
    """A manifest that a client sends, verified against its digest, with the kind that was read from its config.

    `may_be_sparse` lets it name blobs and children that the repository lacks.
    """

    project_id: int
    repository: str
    digest: str
    content: bytes
    manifest: Manifest
    kind: Kind
    tags: list[str]
    may_be_sparse: bool = False


class Pushed(Struct, frozen=True):
    repository_id: int
    artifact_id: int


class Pull(Struct, frozen=True):
    """Pulls of one artifact that were counted together; `tag_id` is 0 for those by digest, `moment` is the last
    one's.
    """

    repository_id: int
    artifact_id: int
    tag_id: int
    count: int
    moment: int

    def plus(self, other: "Pull") -> "Pull":
        return msgspec.structs.replace(self, count=self.count + other.count, moment=max(self.moment, other.moment))


def push(connection: Connection, what: Push) -> Pushed:
    """Make the manifest an artifact of the repository and set its tags.

    An artifact that is there already is left as it is; only the tags and the accessory are seen to. Raises
    ManifestBlobUnknown for every blob and every child that the repository lacks, SizeInvalid for one of another length,
    ManifestInvalid for sizes that cannot be.
    """
    repository_id = repositories.ensure(connection, what.project_id, what.repository)
    accessory = accessory_of(what.manifest, what.tags)
    # Of a subject and an accessory that come together, the later one must see the other.
    subjects = [accessory[0]] if accessory else []
    take_turns(connection, [f"{repository_id} {digest}" for digest in (what.digest, *subjects)])
    row = statements.FIND_ARTIFACT.one(connection, repository=repository_id, digest=what.digest)
    artifact_id: int = row[0] if row else _create(connection, what, repository_id)
    for name in sorted(what.tags):
        statements.SET_TAG.run(
            connection, repository_id=repository_id, artifact_id=artifact_id, name=name, push_time=now()
        )
    if accessory is not None:
        _link_subject(connection, accessory, repository_id, artifact_id)
    return Pushed(repository_id, artifact_id)


def _create(connection: Connection, what: Push, repository_id: int) -> int:
    found = _blobs(connection, what)
    children = _children(connection, repository_id, what.manifest.children)
    _check(what, {digest: size for digest, (_, size) in found.items()} | {key: row[1] for key, row in children.items()})
    config = what.manifest.config
    size = len(what.content) + (config.size if config else 0) + sum(layer.size for layer in what.manifest.layers)
    size += sum(total for _, _, total in children.values())
    if size > _MAX_SIZE:
        raise ManifestInvalid(f"the sizes add up to {size} bytes, which nothing can hold")
    statements.ADD_MANIFEST.run(
        connection, digest=what.digest, media_type=what.manifest.media_type, content=what.content
    )
    statements.ADD_ARTIFACT.run(
        connection,
        repository_id=repository_id,
        project_id=what.project_id,
        digest=what.digest,
        type=what.kind.type,
        media_type=what.kind.media_type,
        manifest_media_type=what.manifest.media_type,
        artifact_type=what.kind.artifact_type,
        manifest_size=len(what.content),
        size=size,
        icon="",
        extra_attrs=_json(what.kind.extra_attrs),
        annotations=_json(what.manifest.annotations),
        push_time=now(),
        pull_time=0,
    )
    artifact_id: int = statements.FIND_ARTIFACT.sure(connection, repository=repository_id, digest=what.digest)[0]
    for blob_id, _ in found.values():
        statements.ADD_BLOB.run(connection, artifact_id=artifact_id, blob_id=blob_id)
    for child in what.manifest.children:
        statements.ADD_REFERENCE.run(
            connection,
            parent_id=artifact_id,
            child_id=children[child.digest][0] if child.digest in children else None,
            child_digest=child.digest,
            platform=bytes(child.platform).decode(),
            urls=_json(child.urls),
            annotations=_json(child.annotations),
        )
    statements.CLAIM_ACCESSORIES.run(connection, repository=repository_id, digest=what.digest, subject=artifact_id)
    statements.CLAIM_REFERENCES.run(connection, repository=repository_id, digest=what.digest, child=artifact_id)
    return artifact_id


def _blobs(connection: Connection, what: Push) -> dict[str, tuple[int, int]]:
    """Those of the manifest's blobs that the repository holds, with id and size."""
    needed = list({one.digest for one in what.manifest.blobs})
    return blobs.in_repository(connection, what.project_id, what.repository, needed) if needed else {}


def _children(
    connection: Connection, repository_id: int, children: list[Descriptor]
) -> dict[str, tuple[int, int, int]]:
    """Those of an index's children that are here, with id, length, and size with all that they name."""
    if not children:
        return {}
    columns = (artifact.c.digest, artifact.c.id, artifact.c.manifest_size, artifact.c.size)
    inside = select(*columns).where(artifact.c.repository_id == repository_id)
    found: dict[str, tuple[int, int, int]] = {}
    for digests in in_batches([child.digest for child in children]):
        for digest, child_id, length, size in connection.execute(inside.where(artifact.c.digest.in_(digests))):
            found[digest] = (child_id, length, size)
    return found


def _check(what: Push, lengths: dict[str, int]) -> None:
    """Raise for what the manifest names and the repository lacks, or has with another length than the manifest says."""
    named = [*what.manifest.blobs, *what.manifest.children]
    missing = dict.fromkeys(one.digest for one in named if one.digest not in lengths)
    if missing and not what.may_be_sparse:
        raise WireErrors([ManifestBlobUnknown(detail=digest) for digest in missing])
    for one in named:
        length = lengths.get(one.digest, one.size)
        if length != one.size:
            raise SizeInvalid(f"{one.digest} has {length} bytes, not {one.size} as the manifest says")


def _link_subject(connection: Connection, accessory: tuple[str, str], repository_id: int, artifact_id: int) -> None:
    subject_digest, kind = accessory
    subject = statements.FIND_ARTIFACT.one(connection, repository=repository_id, digest=subject_digest)
    statements.ADD_ACCESSORY.run(
        connection,
        artifact_id=artifact_id,
        repository_id=repository_id,
        subject_id=subject[0] if subject else None,
        subject_digest=subject_digest,
        type=kind,
        creation_time=now(),
    )


def record_pulls(connection: Connection, pulls: list[Pull]) -> None:
    """Add what was buffered to the counts and times. Always in the same order, repositories first, so that two
    processes never wait for each other.
    """
    counts: dict[int, int] = {}
    for pull in pulls:
        counts[pull.repository_id] = counts.get(pull.repository_id, 0) + pull.count
    for repository_id, count in sorted(counts.items()):
        _COUNTED.run(connection, of=repository_id, count=count, moment=now())
    for pull in sorted(pulls, key=lambda pull: (pull.artifact_id, pull.tag_id)):
        statements.PULLED_ARTIFACT.run(connection, of=pull.artifact_id, moment=pull.moment)
        if pull.tag_id:
            statements.PULLED_TAG.run(connection, of=pull.tag_id, moment=pull.moment)


def delete_artifact(connection: Connection, artifact_id: int) -> None:
    """Delete an artifact with its tags, its accessories, and those children that nothing else holds.

    Raises ReferencedByIndex when an index names it. The bytes stay for garbage collection.
    """
    home = connection.execute(select(artifact.c.repository_id).where(artifact.c.id == artifact_id)).scalar()
    if home is None:
        return
    repositories.hold(connection, home)
    if _has_parent(connection, artifact_id):
        raise ReferencedByIndex("the deleting artifact is referenced by others")
    waiting = [artifact_id]  # no recursion: chains of accessories may be longer than Python's stack
    while waiting:
        accessories, children = _delete(connection, waiting.pop())
        waiting += [each for each in accessories if not _has_parent(connection, each)]
        waiting += [each for each in children if not _has_parent(connection, each) and not _has_tag(connection, each)]


def _delete(connection: Connection, artifact_id: int) -> tuple[Sequence[int], Sequence[int]]:
    """Delete one artifact; what were its accessories, and its children."""
    links, references = artifact_accessory.c, artifact_reference.c
    of_subject = select(links.artifact_id).where(links.subject_id == artifact_id)
    of_parent = select(references.child_id).where(references.parent_id == artifact_id, references.child_id.is_not(None))
    accessories = connection.execute(of_subject).scalars().all()
    children = connection.execute(of_parent).scalars().all()
    own = (links.subject_id == artifact_id) | (links.artifact_id == artifact_id)
    connection.execute(delete(artifact_accessory).where(own))
    connection.execute(delete(artifact_reference).where(references.parent_id == artifact_id))
    connection.execute(delete(tag).where(tag.c.artifact_id == artifact_id))
    connection.execute(delete(artifact).where(artifact.c.id == artifact_id))
    return accessories, children


def read(connection: Connection, project_id: int, name: str, reference: str) -> Found:
    """The artifact that a tag or a digest names in the repository of this full name. Raises NotFound."""
    home = repositories.read(connection, project_id, name)
    found = queries.find(connection, home.id, reference)
    if found is None:
        joint = "@" if is_digest(reference) else ":"
        raise NotFound(f"artifact {name}{joint}{reference} not found")
    return found


def create_tag(connection: Connection, found: Found, name: str) -> None:
    """Tag an artifact with a name that the repository does not use yet. Raises BadRequest, Conflict."""
    if not is_tag(name):
        raise BadRequest(f"bad request: invalid tag name: {name}")
    moment = now()
    values = {"repository_id": found.repository_id, "artifact_id": found.id, "name": name}
    try:
        connection.execute(tag.insert().values(**values, push_time=moment, pull_time=0))
    except IntegrityError:
        raise Conflict(f"tag {name} already exists under the repository {found.repository_id}") from None
    repositories.touch(connection, {found.repository_id: moment})


def untag(connection: Connection, found: Found, name: str) -> None:
    """Take a tag from an artifact, which stays. Raises NotFound when it is not this artifact's."""
    statement = delete(tag).where(tag.c.artifact_id == found.id, tag.c.name == name)
    if not connection.execute(statement).rowcount:
        raise NotFound(f"tag {name} attached to artifact {found.id} not found")
    repositories.touch(connection, {found.repository_id: now()})


def delete_tag(connection: Connection, repository_id: int, name: str) -> bool:
    """Take a tag away; its artifact stays. False when there is none."""
    found = connection.execute(delete(tag).where(tag.c.repository_id == repository_id, tag.c.name == name))
    return found.rowcount == 1


def delete_repository(connection: Connection, repository_id: int) -> None:
    """Delete a repository with everything in it."""
    repositories.hold(connection, repository_id)
    row = connection.execute(
        select(repository.c.project_id, repository.c.name).where(repository.c.id == repository_id)
    ).one_or_none()
    if row is None:
        return
    inside = select(artifact.c.id).where(artifact.c.repository_id == repository_id)
    connection.execute(delete(artifact_accessory).where(artifact_accessory.c.repository_id == repository_id))
    connection.execute(delete(artifact_reference).where(artifact_reference.c.parent_id.in_(inside)))
    connection.execute(delete(tag).where(tag.c.repository_id == repository_id))
    connection.execute(delete(artifact).where(artifact.c.repository_id == repository_id))
    blob_service.drop_repository(connection, row.project_id, row.name)
    repositories.remove(connection, repository_id)


def _has_parent(connection: Connection, artifact_id: int) -> bool:
    found = select(artifact_reference.c.id).where(artifact_reference.c.child_id == artifact_id).limit(1)
    return connection.execute(found).first() is not None


def _has_tag(connection: Connection, artifact_id: int) -> bool:
    return connection.execute(select(tag.c.id).where(tag.c.artifact_id == artifact_id).limit(1)).first() is not None


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")) if value else ""


_COUNTED: Final = Prepared(
    update(repository)
    .where(repository.c.id == bindparam("of"))
    .values(pull_count=repository.c.pull_count + bindparam("count"), update_time=bindparam("moment"))
)
