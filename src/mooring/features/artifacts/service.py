"""Pushing artifacts: the model of Harbor, in one transaction. What takes them away is in deletion.py."""

import json
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, bindparam, select, update

from mooring.core.actor import Actor
from mooring.core.clock import now
from mooring.core.errors import (
    ManifestBlobUnknown,
    ManifestInvalid,
    NotFound,
    Precondition,
    SizeInvalid,
    WireErrors,
)
from mooring.core.events import ArtifactPushed
from mooring.core.media import Descriptor, Manifest
from mooring.core.reference import is_digest
from mooring.db.events import emit
from mooring.db.prepared import Prepared
from mooring.db.query import in_batches
from mooring.db.turns import take_turns
from mooring.features.artifacts import queries, statements
from mooring.features.artifacts.kinds import Kind, accessory_of
from mooring.features.artifacts.queries import Found
from mooring.features.artifacts.tables import artifact
from mooring.features.blobs import queries as blobs
from mooring.features.blobs import service as blob_service
from mooring.features.immutability import service as immutability
from mooring.features.immutability.queries import matcher
from mooring.features.repositories import service as repositories
from mooring.features.repositories.tables import repository

_MAX_SIZE: Final = 1 << 53  # bytes of an artifact: what JSON's numbers hold exactly, and far below where sums overflow

_MANY: Final = 500  # artifacts whose turns PostgreSQL has room to remember; for more the whole repository waits


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


def push(connection: Connection, actor: Actor, what: Push) -> Pushed:
    """As `add`, for a client that sends the manifest: then an immutable tag is not set again, whatever it names.

    Raises Precondition when one of the tags is here already and immutable, and what `add` raises.
    """
    repository_id = repositories.ensure(connection, what.project_id, what.repository)
    _check_tags(connection, what, repository_id)
    return _add(connection, actor, what, repository_id)


def add(connection: Connection, actor: Actor, what: Push) -> Pushed:
    """Make the manifest an artifact of the repository and set its tags.

    An artifact that is there already is left as it is; only the tags and the accessory are seen to. Raises
    ManifestBlobUnknown for every blob and every child that the repository lacks, SizeInvalid for one of another length,
    ManifestInvalid for sizes that cannot be, Precondition when an immutable tag would have to move.
    """
    return _add(connection, actor, what, repositories.ensure(connection, what.project_id, what.repository))


def _add(connection: Connection, actor: Actor, what: Push, repository_id: int) -> Pushed:
    accessory = accessory_of(what.manifest, what.tags)
    # Of a subject and an accessory that come together, the later one must see the other.
    take_turns(connection, turns(repository_id, what.digest, *([accessory[0]] if accessory else [])))
    row = statements.FIND_ARTIFACT.one(connection, repository=repository_id, digest=what.digest)
    artifact_id, is_listed = row or (_create(connection, what, repository_id, is_listed=accessory is None), False)
    for name in sorted(what.tags):
        set_tag(connection, what.project_id, what.repository, repository_id, artifact_id, name)
    if accessory is not None:
        _link_subject(connection, accessory, repository_id, artifact_id)
    if row:
        _keep(connection, what)  # it was set aside if it was damaged
    if row and bool(is_listed) == (accessory is not None):
        statements.RELIST.run(connection, of=artifact_id)
    event = ArtifactPushed(
        actor=actor,
        project_id=what.project_id,
        project=what.repository.partition("/")[0],
        repository=what.repository,
        artifact_id=artifact_id,
        digest=what.digest,
        tags=tuple(what.tags),
    )
    emit(connection, event)
    return Pushed(repository_id, artifact_id)


def turns(repository_id: int, *digests: str) -> list[str]:
    """The names under which transactions take turns that are about the same artifacts of a repository."""
    return [f"{repository_id} {digest}" for digest in digests]


def set_tag(
    connection: Connection, project_id: int, repository_name: str, repository_id: int, artifact_id: int, name: str
) -> None:
    """Let the tag name the artifact; another one that it named loses it. On the same artifact it stays as it was.

    Raises Precondition when another one has it and it is immutable.
    """
    values = {"repository_id": repository_id, "artifact_id": artifact_id, "name": name, "push_time": now()}
    while not statements.ADD_TAG.run(connection, **values, pull_time=0):
        row = statements.TAGGED.one(connection, repository=repository_id, name=name)
        if row is None:  # deleted just now
            continue
        holder, digest = row
        if holder == artifact_id:
            return
        immutability.check(connection, project_id, repository_name, [name], "updated")
        take_turns(connection, turns(repository_id, digest))
        if statements.MOVE_TAG.run(
            connection, repository=repository_id, of=name, before=holder, after=artifact_id, moment=values["push_time"]
        ):
            statements.RELIST.run(connection, of=holder)
            return


def _check_tags(connection: Connection, what: Push, repository_id: int) -> None:
    if not what.tags:
        return
    is_immutable = matcher(connection, what.project_id)
    for name in what.tags:
        if is_immutable(what.repository, name) and statements.TAGGED.one(
            connection, repository=repository_id, name=name
        ):
            inside = what.repository.partition("/")[2]
            raise Precondition(f"Failed to process request due to '{inside}:{name}' configured as immutable.")


def _keep(connection: Connection, what: Push) -> None:
    """Keep the manifest's bytes, unless they are kept already."""
    statements.ADD_MANIFEST.run(
        connection, digest=what.digest, media_type=what.manifest.media_type, content=what.content
    )


def _create(connection: Connection, what: Push, repository_id: int, *, is_listed: bool) -> int:
    found = _blobs(connection, what)
    children = _children(connection, repository_id, what.manifest.children)
    lengths = {digest: size for digest, (_, size, _) in found.items()} | {key: row[1] for key, row in children.items()}
    _check(what, lengths)
    _keep(connection, what)
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
        size=_size(what, [total for _, _, total in children.values()]),
        icon=what.kind.icon,
        extra_attrs=_json(what.kind.extra_attrs),
        annotations=_json(what.manifest.annotations),
        push_time=now(),
        pull_time=0,
        is_listed=is_listed,
    )
    artifact_id: int = statements.FIND_ARTIFACT.sure(connection, repository=repository_id, digest=what.digest)[0]
    for blob_id, _, _ in found.values():
        statements.ADD_BLOB.run(connection, artifact_id=artifact_id, blob_id=blob_id, repository_id=repository_id)
    blob_service.count(connection, what.repository, [blob_id for blob_id, _, counted in found.values() if not counted])
    _refer(connection, what, repository_id, artifact_id, {digest: row[0] for digest, row in children.items()})
    statements.CLAIM_ACCESSORIES.run(connection, repository=repository_id, digest=what.digest, subject=artifact_id)
    claimed = statements.CLAIM_REFERENCES.run(
        connection, repository=repository_id, digest=what.digest, child=artifact_id
    )
    if claimed and not what.tags:
        statements.RELIST.run(connection, of=artifact_id)
    return artifact_id


def _size(what: Push, children: list[int]) -> int:
    """Bytes of the artifact with everything it names. Raises ManifestInvalid."""
    config = what.manifest.config
    size = len(what.content) + (config.size if config else 0) + sum(layer.size for layer in what.manifest.layers)
    size += sum(children)
    if size > _MAX_SIZE:
        raise ManifestInvalid(f"the sizes add up to {size} bytes, which nothing can hold")
    return size


def _refer(connection: Connection, what: Push, repository_id: int, artifact_id: int, children: dict[str, int]) -> None:
    """Record what an index names; `children` are the ids of those that are here."""
    for child in what.manifest.children:
        statements.ADD_REFERENCE.run(
            connection,
            parent_id=artifact_id,
            child_id=children.get(child.digest),
            child_digest=child.digest,
            platform=bytes(child.platform).decode(),
            urls=_json(child.urls),
            annotations=_json(child.annotations),
        )
    if not children:
        return
    # A tag that comes to a child or leaves it just now must see the index, or be seen.
    if len(children) > _MANY:
        repositories.hold(connection, repository_id)
    else:
        take_turns(connection, turns(repository_id, *children))
    statements.RELIST_CHILDREN.run(connection, parent=artifact_id)


def _blobs(connection: Connection, what: Push) -> dict[str, tuple[int, int, bool]]:
    """Those of the manifest's blobs that the repository holds, with id, size and whether they count."""
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


def record_pulls(connection: Connection, pulls: list[Pull], *, counts: bool = True, times: bool = True) -> None:
    """Add what was buffered to the counts and times, or to one of both. Always in the same order, repositories first,
    so that two processes never wait for each other.
    """
    if counts:
        _count_pulls(connection, pulls)
    if times:
        for pull in sorted(pulls, key=lambda pull: (pull.artifact_id, pull.tag_id)):
            statements.PULLED_ARTIFACT.run(connection, of=pull.artifact_id, moment=pull.moment)
            if pull.tag_id:
                statements.PULLED_TAG.run(connection, of=pull.tag_id, moment=pull.moment)


def _count_pulls(connection: Connection, pulls: list[Pull]) -> None:
    counts: dict[int, int] = {}
    for pull in pulls:
        counts[pull.repository_id] = counts.get(pull.repository_id, 0) + pull.count
    for repository_id, count in sorted(counts.items()):
        _COUNTED.run(connection, of=repository_id, count=count, moment=now())


def read(connection: Connection, project_id: int, name: str, reference: str) -> Found:
    """The artifact that a tag or a digest names in the repository of this full name. Raises NotFound."""
    home = repositories.read(connection, project_id, name)
    found = queries.find(connection, home.id, reference)
    if found is None:
        joint = "@" if is_digest(reference) else ":"
        raise NotFound(f"artifact {name}{joint}{reference} not found")
    return found


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")) if value else ""


_COUNTED: Final = Prepared(
    update(repository)
    .where(repository.c.id == bindparam("of"))
    .values(pull_count=repository.c.pull_count + bindparam("count"), update_time=bindparam("moment"))
)
