"""GET /v2/<name>/referrers/<digest> (OCI distribution specification, "Listing Referrers")."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select

from mooring.core.errors import BadRequest
from mooring.core.media import OCI_INDEX
from mooring.core.reference import digest_fault, is_digest
from mooring.db.prepared import Prepared, Row
from mooring.features.artifacts.tables import artifact, artifact_accessory
from mooring.features.repositories.tables import repository
from mooring.http.exchange import Headers, Request, Response
from mooring.registry.context import Registry
from mooring.registry.gate import PROJECT
from mooring.registry.paging import number

_PAGE: Final = 1000  # descriptors in one answer
_ROOM: Final = 16 << 20  # bytes of the manifests whose annotations stand in it

_OF_SUBJECT: Final = and_(
    repository.c.name == bindparam("name"),
    repository.c.project_id == bindparam("project"),
    artifact_accessory.c.repository_id == repository.c.id,
    artifact_accessory.c.subject_digest == bindparam("digest"),
    artifact.c.id == artifact_accessory.c.artifact_id,
)
_WANTED: Final[ColumnElement[bool]] = or_(bindparam("kind") == "", artifact.c.artifact_type == bindparam("kind"))
_COUNT: Final = Prepared(select(func.count(artifact_accessory.c.id)).where(_OF_SUBJECT))
# Those of a page without their annotations, which are up to 4 MiB each.
_SIZES: Final = Prepared(
    select(artifact.c.manifest_size)
    .where(_OF_SUBJECT, _WANTED, artifact_accessory.c.id > bindparam("last"))
    .order_by(artifact_accessory.c.id)
    .limit(bindparam("count"))
)
_LIST: Final = Prepared(
    select(
        artifact_accessory.c.id,
        artifact.c.digest,
        artifact.c.manifest_media_type,
        artifact.c.manifest_size,
        artifact.c.artifact_type,
        artifact.c.annotations,
    )
    .where(_OF_SUBJECT, _WANTED, artifact_accessory.c.id > bindparam("last"))
    .order_by(artifact_accessory.c.id)
    .limit(bindparam("count"))
)


async def referrers(registry: Registry, request: Request, name: str, digest: str) -> Response:
    """An index of what names the digest as its subject; empty for what nothing refers to, known or not."""
    passed = await registry.gate.enter(request, name, "pull", PROJECT)
    if not is_digest(digest):
        raise BadRequest(f"unsupported digest {digest}: {digest_fault(digest)}")
    query = request.parameters()
    kind = query.get("artifactType", "")
    count = min(number(query.get("n", "")) or _PAGE, _PAGE)
    last = number(query.get("last", "")) or 0
    of = {"name": name, "project": passed.project_id, "digest": digest}
    reader = registry.db.reader
    sizes = await reader.all(_SIZES, **of, kind=kind, last=last, count=count + 1)
    fitting = _fitting([size for (size,) in sizes[:count]])
    rows = await reader.all(_LIST, **of, kind=kind, last=last, count=fitting)
    total = await reader.one(_COUNT, **of)
    headers: Headers = [
        (b"content-type", OCI_INDEX.encode()),
        (b"x-total-count", b"%d" % (total[0] if total else 0)),
    ]
    if kind:
        headers.append((b"oci-filters-applied", b"artifactType"))
    if rows and len(sizes) > fitting:
        parameters = {"artifactType": kind} if kind else {}
        parameters |= {"last": str(rows[-1][0]), "n": str(count)}
        headers.append((b"link", f'</v2/{name}/referrers/{digest}?{urlencode(parameters)}>; rel="next"'.encode()))
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [_descriptor(row) for row in rows]}
    return Response(200, headers, msgspec.json.encode(index))


def _fitting(sizes: Sequence[int]) -> int:
    """How many manifests of these sizes come into one answer: the first one does whatever its size."""
    return sum(not at or total <= _ROOM for at, total in enumerate(accumulate(sizes)))


def _descriptor(row: Row) -> dict[str, Any]:
    _, digest, media_type, size, kind, annotations = row
    descriptor: dict[str, Any] = {"mediaType": media_type, "digest": digest, "size": size}
    if annotations:
        descriptor["annotations"] = msgspec.Raw(annotations.encode())
    if kind:
        descriptor["artifactType"] = kind
    return descriptor
