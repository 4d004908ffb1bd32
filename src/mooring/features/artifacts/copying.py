"""Copying artifacts from one repository to another: rows alone, since the bytes are here already."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from mooring.core.actor import Actor
from mooring.core.errors import BadRequest, Denied, Forbidden
from mooring.core.media import parse
from mooring.core.reference import is_digest, is_repository
from mooring.features.artifacts import queries
from mooring.features.artifacts.kinds import Kind
from mooring.features.artifacts.queries import Found
from mooring.features.artifacts.service import Push, add
from mooring.features.artifacts.tables import artifact_accessory, artifact_blob, artifact_reference
from mooring.features.blobs import service as blobs
from mooring.features.projects import queries as projects
from mooring.features.repositories import queries as repositories

# name, name:tag, name@digest; a digest counts more than a tag.
_SOURCE: Final = re.compile(r"(?P<name>[^:@\s]+)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>[^@\s]+))?", re.ASCII)


class Source(Struct, frozen=True):
    """Where an artifact is copied from: the full name of a repository, and a tag or a digest."""

    repository: str
    reference: str


class Target(Struct, frozen=True):
    project_id: int
    repository: str


def parse_source(text: str) -> Source:
    """Raises BadRequest."""
    match = _SOURCE.fullmatch(text)
    if match is None or not is_repository(match["name"]) or (match["digest"] and not is_digest(match["digest"])):
        raise BadRequest(f"invalid input: {text}")
    if not match["digest"] and not match["tag"]:
        raise BadRequest(f"artifact {text} not found")
    return Source(match["name"], match["digest"] or match["tag"])


def copy(connection: Connection, actor: Actor, source: Source, target: Target) -> None:
    """Let the target hold the artifact with all that belongs to it: children, accessories, and the tags of each.

    Copying what is there already only sees to the tags. Raises BadRequest when there is no such artifact, Forbidden for
    who may not read it, Denied for an accessory, Precondition when an immutable tag would have to move.
    """
    if not is_repository(target.repository):
        raise BadRequest(f"invalid repository name: {target.repository}")
    found = _find(connection, actor, source)
    if connection.execute(select(artifact_accessory.c.id).where(artifact_accessory.c.artifact_id == found.id)).first():
        raise Denied("an accessory is copied with its subject, not by itself")
    for each in _with_all(connection, found):
        _copy(connection, actor, each, target)


def _find(connection: Connection, actor: Actor, source: Source) -> Found:
    joint = "@" if is_digest(source.reference) else ":"
    missing = BadRequest(f"artifact {source.repository}{joint}{source.reference} not found")
    project = projects.find(connection, source.repository.partition("/")[0])
    if project is None:
        raise missing
    if not projects.may(connection, actor, "artifact", "read", project):
        raise Forbidden("forbidden")
    repository = repositories.find(connection, project.id, source.repository)
    found = queries.find(connection, repository.id, source.reference) if repository else None
    if found is None:
        raise missing
    return found


def _with_all(connection: Connection, root: Found) -> Iterator[Found]:
    """The artifact after its children, and before its accessories, each with theirs."""
    seen: set[int] = set()
    waiting: list[tuple[Found, bool]] = [(root, False)]  # no recursion: chains may be longer than Python's stack
    while waiting:
        found, is_ready = waiting.pop()
        if is_ready:
            yield found
            continue
        if found.id in seen:
            continue
        seen.add(found.id)
        references = artifact_reference.c
        children = select(references.child_id).where(references.parent_id == found.id, references.child_id.is_not(None))
        subjects = select(artifact_accessory.c.artifact_id).where(artifact_accessory.c.subject_id == found.id)
        waiting += [(each, False) for each in queries.by_ids(connection, connection.execute(subjects).scalars().all())]
        waiting.append((found, True))
        waiting += [(each, False) for each in queries.by_ids(connection, connection.execute(children).scalars().all())]


def _copy(connection: Connection, actor: Actor, found: Found, target: Target) -> None:
    content = queries.content(connection, found.digest)
    held = select(artifact_blob.c.blob_id).where(artifact_blob.c.artifact_id == found.id)
    for blob_id in connection.execute(held).scalars().all():
        blobs.mount(connection, blob_id, target.project_id, target.repository)
    what = Push(
        project_id=target.project_id,
        repository=target.repository,
        digest=found.digest,
        content=content,
        manifest=parse(content, found.manifest_media_type),
        kind=Kind(
            found.type,
            found.media_type,
            found.artifact_type,
            msgspec.json.decode(found.extra_attrs) if found.extra_attrs else {},
            found.icon,
        ),
        tags=[tag.name for tag in queries.tags_of(connection, [found.id])],
        may_be_sparse=True,  # as the source is
    )
    add(connection, actor, what)
