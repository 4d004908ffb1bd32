"""/v2/<name>/manifests/<reference> (OCI distribution specification, "Pulling Manifests", "Pushing Manifests",
"Deleting Manifests").
"""

from typing import Final

from sqlalchemy import FromClause, and_, bindparam, select

from mooring.core.clock import now
from mooring.core.errors import (
    BadRequest,
    DigestInvalid,
    ManifestUnknown,
    NameUnknown,
    ObjectMissing,
    Unsupported,
)
from mooring.core.media import MAX_MANIFEST, Descriptor, parse
from mooring.core.reference import algorithm, digest_fault, digest_of, is_digest, is_tag
from mooring.db.prepared import Prepared, Row
from mooring.features.artifacts.deletion import delete_artifact
from mooring.features.artifacts.kinds import kind_of, needs_config
from mooring.features.artifacts.service import Push, push
from mooring.features.artifacts.tables import artifact, manifest, tag
from mooring.features.artifacts.tagging import delete_tag
from mooring.features.blobs.content import read_whole
from mooring.features.blobs.queries import IN_REPOSITORY, to_blob
from mooring.features.projects.tables import project
from mooring.features.repositories.tables import repository
from mooring.http.exchange import Headers, Request, Response
from mooring.registry import gates
from mooring.registry.blobs import matches
from mooring.registry.context import Registry
from mooring.registry.gate import PROJECT, Lookup, Passed
from mooring.registry.pulls import Pulled

_MAX_TAGS: Final = 10  # that one push may set by `tag` parameters; the specification asks for at least ten

_CONTENT: Final = Prepared(select(manifest.c.content).where(manifest.c.digest == bindparam("digest")))


def _repository(base: FromClause) -> FromClause:
    return base.outerjoin(
        repository, and_(repository.c.name == bindparam("repository"), repository.c.project_id == base.c.id)
    )


def _by_tag(base: FromClause) -> FromClause:
    named = and_(tag.c.repository_id == repository.c.id, tag.c.name == bindparam("reference"))
    return _repository(base).outerjoin(tag, named).outerjoin(artifact, artifact.c.id == tag.c.artifact_id)


def _by_digest(base: FromClause) -> FromClause:
    named = and_(artifact.c.repository_id == repository.c.id, artifact.c.digest == bindparam("reference"))
    return _repository(base).outerjoin(artifact, named)


_FOUND: Final = (
    repository.c.id,
    artifact.c.id,
    artifact.c.digest,
    artifact.c.manifest_media_type,
    artifact.c.manifest_size,
    project.c.is_gated,
)
_BY_TAG: Final = Lookup(*_FOUND, tag.c.id, joins=_by_tag)
_BY_DIGEST: Final = Lookup(*_FOUND, joins=_by_digest)


async def get(registry: Registry, request: Request, name: str, reference: str) -> Response:
    """The manifest's exact bytes under its own media type, whatever the client lists in Accept: it is never
    converted.
    """
    passed = await _find(registry, request, name, reference, "pull")
    repository_id, artifact_id, digest, media_type, size, is_gated = passed.subject[:6]
    if is_gated:
        await gates.check(registry, request, passed, artifact_id)
    if matches(request, digest):
        return Response(304)
    headers: Headers = [
        (b"content-type", media_type.encode()),
        (b"docker-content-digest", digest.encode()),
        (b"etag", b'"%s"' % digest.encode()),
    ]
    if request.method == "HEAD":
        return Response(200, [*headers, (b"content-length", b"%d" % size)])
    content = registry.manifests.get(digest)
    if content is None:
        row = await registry.db.reader.one(_CONTENT, digest=digest)
        if row is None:  # deleted between the two reads
            raise _unknown(name, reference)
        content = bytes(row[0])
        registry.manifests.put(digest, content)
    tag_id = passed.subject[6] if len(passed.subject) > 6 else 0
    registry.buffer.pulled(
        Pulled(
            actor=passed.caller.actor,
            project_id=passed.project_id,
            project=passed.project,
            repository_id=repository_id,
            repository=name,
            artifact_id=artifact_id,
            digest=digest,
            tag_id=tag_id,
            tag=reference if tag_id else "",
            moment=now(),
        )
    )
    return Response(200, headers, content)


async def put(registry: Registry, request: Request, name: str, reference: str) -> Response:
    """Push a manifest by tag or digest; `tag` parameters set further tags in the same transaction."""
    query = request.query()
    passed = await registry.gate.enter(request, name, "push", PROJECT)
    tags = _tags(query, reference)
    by_digest = is_digest(reference)
    content = await request.body(MAX_MANIFEST)
    digest = digest_of(content, algorithm(reference) if by_digest else "sha256")
    if by_digest and digest != reference:
        raise DigestInvalid
    parsed = parse(content, request.header(b"content-type"))
    config = b""
    if parsed.config is not None and needs_config(parsed):
        config = await _config(registry, passed, parsed.config)
    what = Push(
        project_id=passed.project_id,
        repository=name,
        digest=digest,
        content=content,
        manifest=parsed,
        kind=kind_of(parsed, config),
        tags=list(dict.fromkeys(tags)),
        may_be_sparse=registry.sparse,
    )
    actor = passed.caller.actor
    quotas = registry.quotas.pushing(digest, tags[0] if tags else "")
    pushed = await quotas.write(actor, passed.project_id, name, push, actor, what)
    registry.manifests.put(digest, content)
    registry.buffer.changed(pushed.repository_id)
    location = f"{registry.origin.base(request)}/v2/{name}/manifests/{digest}"
    headers: Headers = [(b"location", location.encode()), (b"docker-content-digest", digest.encode())]
    if parsed.subject is not None:
        headers.append((b"oci-subject", parsed.subject.digest.encode()))
    headers += [(b"oci-tag", value.encode()) for key, value in query if key == "tag"]
    return Response(201, headers)


async def delete(registry: Registry, request: Request, name: str, reference: str) -> Response:
    """By digest the artifact with all its tags; by tag the tag alone, and the artifact stays."""
    passed = await _find(registry, request, name, reference, "delete")
    repository_id, artifact_id = passed.subject[:2]
    actor = passed.caller.actor
    if is_digest(reference):
        await registry.db.write(delete_artifact, actor, artifact_id)
    elif not await registry.db.write(delete_tag, actor, name, repository_id, reference):
        raise _unknown(name, reference)
    registry.buffer.changed(repository_id)
    return Response(202)


async def _find(registry: Registry, request: Request, name: str, reference: str, action: str) -> Passed:
    by_digest = is_digest(reference)
    is_reference = by_digest or is_tag(reference)
    known = reference if is_reference else ""  # PostgreSQL cannot look for every text
    lookup = _BY_DIGEST if by_digest else _BY_TAG
    passed = await registry.gate.enter(request, name, action, lookup, reference=known)
    if action == "delete" and not is_reference:
        raise Unsupported(f"unsupported digest {reference}: {digest_fault(reference)}")
    if passed.subject[0] is None and action == "pull":
        raise NameUnknown(f"repository {name} not found")
    if passed.subject[1] is None:
        raise _unknown(name, reference)
    return passed


def _tags(query: list[tuple[str, str]], reference: str) -> list[str]:
    """What a push tags, the reference first if it is one. Raises BadRequest."""
    tags = [value for key, value in query if key == "tag"]
    if len(tags) > _MAX_TAGS:
        raise BadRequest(f"bad request: {len(tags)} tag parameters; {_MAX_TAGS} may be set in one request")
    if not is_digest(reference):
        tags.insert(0, reference)
    for one in tags:
        if not is_tag(one):
            raise BadRequest(f"bad request: invalid tag name: {one}")
    return tags


async def _config(registry: Registry, passed: Passed, config: Descriptor) -> bytes:
    """The config's bytes; empty when the repository lacks it, which the push itself refuses."""
    row: Row | None = await registry.db.reader.one(
        IN_REPOSITORY, repository=passed.repository, project=passed.project_id, digest=config.digest
    )
    if row is None or row[2] != config.size:
        return b""
    try:
        return await read_whole(registry.driver, to_blob(row))
    except ObjectMissing:
        return b""


def _unknown(name: str, reference: str) -> ManifestUnknown:
    return ManifestUnknown(f"artifact {name}{'@' if is_digest(reference) else ':'}{reference} not found")
