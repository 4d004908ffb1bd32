"""/v2/<name>/blobs/<digest> (OCI distribution specification, "Pulling Blobs", "Deleting Blobs")."""

import re
from typing import Final

from sqlalchemy import FromClause, and_, bindparam

from mooring.core.errors import BlobUnknown, DigestInvalid, RangeInvalid
from mooring.core.reference import is_digest
from mooring.features.blobs.content import read
from mooring.features.blobs.queries import Blob, to_blob
from mooring.features.blobs.service import unlink
from mooring.features.blobs.tables import blob, repository_blob
from mooring.http.exchange import Headers, Request, Response
from mooring.registry.context import Registry
from mooring.registry.gate import PROJECT, Lookup
from mooring.storage.driver import CanPresign

_SIGNED_FOR: Final = 1200  # seconds a redirect is good for
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
OCTETS: Final = (b"content-type", b"application/octet-stream")


def _joins(base: FromClause) -> FromClause:
    holds = and_(
        repository_blob.c.blob_id == blob.c.id,
        repository_blob.c.repository == bindparam("repository"),
        repository_blob.c.project_id == base.c.id,
    )
    return base.outerjoin(blob, blob.c.digest == bindparam("digest")).outerjoin(repository_blob, holds)


_BLOB: Final = Lookup(repository_blob.c.blob_id, blob.c.digest, blob.c.size, blob.c.segments, joins=_joins)


async def get(registry: Registry, request: Request, name: str, digest: str) -> Response:
    """The blob or a range of it. Content is per repository: who knows a digest from elsewhere does not get it here."""
    found = await _find(registry, request, name, digest)
    registry.buffer.used(found.id)
    tag = f'"{digest}"'.encode()
    headers: Headers = [
        (b"docker-content-digest", digest.encode()),
        (b"etag", tag),
        (b"cache-control", b"max-age=31536000"),
    ]
    if matches(request, digest):
        return Response(304, headers)
    headers += [OCTETS, (b"accept-ranges", b"bytes")]
    start, stop = 0, found.size
    status = 200
    wanted = _range(request.header(b"range"), found.size)
    if wanted is not None and request.headers.get(b"if-range", tag) == tag:
        start, stop = wanted
        status = 206
        headers.append((b"content-range", b"bytes %d-%d/%d" % (start, stop - 1, found.size)))
    if request.method == "GET" and registry.redirect and len(found.segments) == 1:
        driver = registry.driver
        if isinstance(driver, CanPresign):
            address = await driver.presign(found.segments[0][0], _SIGNED_FOR)
            return Response(307, [headers[0], (b"location", address.encode())])
    headers.append((b"content-length", b"%d" % (stop - start)))
    if request.method == "HEAD":
        return Response(status, headers)
    return Response(status, headers, read(registry.driver, found, start, stop), stop - start)


async def remove(registry: Registry, request: Request, name: str, digest: str) -> Response:
    """The repository lets go of the blob; 404 when it did not hold it."""
    passed = await registry.gate.enter(request, name, "delete", PROJECT)
    _check(digest)
    if not await registry.db.write(unlink, passed.project_id, name, digest):
        raise BlobUnknown
    return Response(202)


def matches(request: Request, digest: str) -> bool:
    """Whether If-None-Match names the digest, with quotes or without, or all there is."""
    sent = request.headers.get(b"if-none-match")
    return sent is not None and not {digest, "*"}.isdisjoint(
        one.strip().removeprefix("W/").strip('"') for one in sent.decode("latin-1").split(",")
    )


async def _find(registry: Registry, request: Request, name: str, digest: str) -> Blob:
    known = digest if is_digest(digest) else ""  # PostgreSQL cannot look for every text
    passed = await registry.gate.enter(request, name, "pull", _BLOB, digest=known)
    _check(digest)
    if passed.subject[0] is None:
        raise BlobUnknown(detail=digest)
    return to_blob(passed.subject)


def _check(digest: str) -> None:
    if not is_digest(digest):
        raise DigestInvalid(detail={})


def _range(header: str, size: int) -> tuple[int, int] | None:
    """The half-open range that a Range header asks for (RFC 9110, section 14.2); None for all. Several ranges at once
    are answered whole, and so is a blob without bytes: some clients ask every blob for its first ones.

    Raises RangeInvalid for what cannot be satisfied or is no range of bytes.
    """
    if not header or ("," in header and header.startswith("bytes=")):
        return None
    match = _RANGE.fullmatch(header.replace(" ", ""))
    first, last = match.groups() if match else ("", "")
    if not size and (first or last):
        return None
    if first:
        start, stop = int(first), min(int(last) + 1 if last else size, size)
    else:
        start, stop = (max(0, size - int(last)), size) if last else (0, 0)
    if start >= stop or (first and last and int(last) < int(first)):
        raise RangeInvalid(
            f"the range {header[:80]!r} is not within the blob's {size} bytes",
            headers={"content-range": f"bytes */{size}"},
        )
    return start, stop
