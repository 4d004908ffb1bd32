"""/v2/<name>/blobs/uploads/ (OCI distribution specification, "Pushing Blobs").

The row of an upload says how far it has come; bytes beyond that are nobody's. Whoever adds some moves the row from
the offset it read, so of two who try at once one succeeds, on any node.
"""

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final, NoReturn, TypeVar
from uuid import uuid4

import msgspec

from mooring.core.errors import (
    BadRequest,
    BlobUploadInvalid,
    BlobUploadUnknown,
    DatabaseUnavailable,
    DigestInvalid,
    ObjectMissing,
    RangeInvalid,
    SizeInvalid,
    Unsupported,
)
from mooring.core.reference import ALGORITHMS, algorithm, digest_of, is_digest, is_repository
from mooring.features.blobs import queries, service
from mooring.features.blobs.queries import Upload
from mooring.http.exchange import Headers, Request, Response
from mooring.registry.context import Registry
from mooring.registry.gate import ACTIONS, PROJECT, Passed
from mooring.storage import keys
from mooring.storage.driver import CanAppend
from mooring.storage.hashing import Hash
from mooring.storage.uploads import rehash

T = TypeVar("T")

_CONTENT_RANGE: Final = re.compile(r"(?:bytes )?(\d{1,18})-(\d{1,18})(?:/(?:\d+|\*))?")
_MOUNTS_TRIED: Final = 32  # projects that an anonymous mount looks into


async def start(registry: Registry, request: Request, name: str) -> Response:
    """POST: mount a blob that is here already, take the whole blob at once, or begin an upload."""
    query = request.parameters()
    wanted = query.get("mount", "")
    source = query.get("from", "") if wanted else ""
    if source and "/" not in source:
        raise BadRequest(f"bad request: invalid repository name: {source}")
    passed = await registry.gate.enter(request, name, "push", PROJECT)
    can_be = is_digest(wanted) and (not source or is_repository(source))
    if can_be and await _mount(registry, request, passed, source, wanted):
        return _created(registry, request, name, wanted)
    if source and not can_be:
        await registry.gate.enter_source(request, passed.caller, source, name)
    digest = query.get("digest", "")
    if digest and not wanted:
        return await _whole(registry, request, passed, digest)
    chosen = query.get("digest-algorithm", "sha256")
    if chosen not in ALGORITHMS:
        raise DigestInvalid(
            f"the digest algorithm {chosen[:40]!r} is not supported; use one of {', '.join(ALGORITHMS)}"
        )
    if not wanted:
        await registry.quotas.check(passed.caller.actor, passed.project_id, name)
    upload = Upload(str(uuid4()), name, passed.project_id, passed.caller.account, 0, chosen, "", [])
    await registry.db.write(service.begin_upload, upload.id, upload.project_id, name, upload.account, upload.algorithm)
    return _under_way(registry, request, upload, 202)


async def patch(registry: Registry, request: Request, name: str, upload_id: str) -> Response:
    """PATCH: add a chunk, or a stream of unknown length."""
    passed = await registry.gate.enter(request, name, "push", PROJECT)
    upload = await _find(registry, request, passed, upload_id)
    kind = request.header(b"content-type").partition(";")[0].strip()
    if kind not in ("", "application/octet-stream"):
        raise Unsupported(f"a chunk is sent as application/octet-stream, not as {kind[:100]!r}")
    with _while_it_lasts():
        after = await _add(registry, request, upload, upload.algorithm)
    return _under_way(registry, request, after, 202)


async def put(registry: Registry, request: Request, name: str, upload_id: str) -> Response:
    """PUT: the last chunk, if any, and the digest that the whole must have."""
    passed = await registry.gate.enter(request, name, "push", PROJECT)
    digest = request.parameters().get("digest", "")
    if not digest:
        raise BadRequest("exist blob require digest")
    upload = await _find(registry, request, passed, upload_id)
    _check(digest)
    if request.headers.get(b"content-length", b"0" if b"transfer-encoding" not in request.headers else b"") == b"0":
        _check_range(request, upload)
        with _while_it_lasts():
            await _close(registry, passed, upload, digest)
    else:
        with _while_it_lasts():
            await _add_last(registry, request, passed, upload, digest)
    registry.hashes.drop(upload.id)
    return _created(registry, request, name, digest)


async def nameless(registry: Registry, request: Request, name: str) -> NoReturn:
    """Anything but POST to the uploads' own address: it is none of them."""
    await registry.gate.enter(request, name, ACTIONS[request.method], PROJECT)
    raise BlobUploadUnknown


async def add_slash(registry: Registry, request: Request, name: str) -> Response:
    """The uploads' address ends in a slash."""
    await registry.gate.enter(request, name, ACTIONS[request.method], PROJECT)
    query: bytes = request.scope["query_string"]
    return Response(301, [(b"location", request.path + b"/" + (b"?" + query if query else b""))])


async def status(registry: Registry, request: Request, name: str, upload_id: str) -> Response:
    """GET: how far the upload has come."""
    passed = await registry.gate.enter(request, name, "pull", PROJECT)
    upload = await _find(registry, request, passed, upload_id)
    return _under_way(registry, request, upload, 204)


async def cancel(registry: Registry, request: Request, name: str, upload_id: str) -> Response:
    """DELETE: forget the upload and its bytes."""
    passed = await registry.gate.enter(request, name, "delete", PROJECT)
    upload = await _find(registry, request, passed, upload_id)
    await _drop(registry, upload)
    return Response(204, [(b"docker-upload-uuid", upload.id.encode())])


async def _whole(registry: Registry, request: Request, passed: Passed, digest: str) -> Response:
    """POST with a digest and the blob as its body."""
    _check(digest)
    running: Hash = hashlib.new(algorithm(digest))
    key = keys.segment()
    size = await registry.driver.write(key, request.stream(), running)
    segments = [(key, size)] if size else []
    if f"{running.name}:{running.hexdigest()}" != digest:
        await registry.driver.delete([key])
        raise _mismatch(digest)
    home = (passed.project_id, passed.repository)
    written = registry.quotas.write(passed.caller.actor, *home, service.finish, *home, digest, size, segments)
    kept = await _commit(registry, [key], written)
    if not (kept and size):
        await registry.driver.delete([key])
    return _created(registry, request, passed.repository, digest)


async def _mount(registry: Registry, request: Request, passed: Passed, source: str, digest: str) -> bool:
    """Link a blob from a repository the caller may pull from. False when there is none: the client then uploads."""
    reader = registry.db.reader
    if source:
        project_id = await registry.gate.enter_source(request, passed.caller, source, passed.repository)
        row = await reader.one(queries.IN_REPOSITORY, repository=source, project=project_id, digest=digest)
        blob_id = row[0] if row else None
    else:
        blob_id = None
        for held_by, found, *_ in (await reader.all(queries.HOLDERS, digest=digest))[:_MOUNTS_TRIED]:
            if await registry.gate.may_pull(passed.caller, held_by):
                blob_id = found
                break
    if blob_id is None:
        return False
    home = (passed.project_id, passed.repository)
    mounted: bool = await registry.quotas.write(passed.caller.actor, *home, service.mount, blob_id, *home)
    return mounted


async def _find(registry: Registry, request: Request, passed: Passed, upload_id: str) -> Upload:
    """The caller's own upload, at the offset that its address was given out for.

    Somebody else's is unknown, whatever their rights; so is one of another repository.
    """
    offset = _offset(request.parameters().get("_state", ""), upload_id)
    row = await registry.db.reader.one(
        queries.UPLOAD, id=upload_id, repository=passed.repository, project=passed.project_id
    )
    upload = queries.to_upload(row) if row else None
    if upload is None or upload.account != passed.caller.account:
        raise BlobUploadUnknown(detail={})
    if upload.offset != offset:
        raise BlobUploadInvalid
    return upload


async def _add(
    registry: Registry,
    request: Request,
    before: Upload,
    wanted: str,
) -> Upload:
    """Store the request's body behind what has come, and move the row. Nothing is changed when the body ends early or
    is not as announced.
    """
    announced = _check_range(request, before)
    running = registry.hashes.take(before.id, before.offset, wanted)
    if running is None:
        running = await rehash(registry.driver, before.segments, wanted)
    driver = registry.driver
    body = request.stream() if announced is None else _exactly(request.stream(), announced)
    with ExitStack() as held:
        if before.segments and isinstance(driver, CanAppend):
            key, length = before.segments[-1]
            await _alone(registry, held, driver, key, before)
            added = await driver.append(key, length, body, running)
            segments = [*before.segments[:-1], (key, length + added)]
            new: list[str] = []
        else:
            key = keys.segment()
            added = await driver.write(key, body, running)
            segments = [*before.segments, (key, added)] if added else before.segments
            new = [key]
        digest = f"{running.name}:{running.hexdigest()}"
        after = msgspec.structs.replace(
            before, offset=before.offset + added, algorithm=wanted, digest=digest, segments=segments
        )
        kept = await _commit(registry, new, registry.db.write(service.advance_upload, before, after))
        if not (kept and added):
            await driver.delete(new)
    if not kept:
        raise BlobUploadInvalid
    registry.hashes.keep(after.id, after.offset, running)
    return after


async def _commit(registry: Registry, new: list[str], written: Awaitable[T]) -> T:
    """Wait for the row that leads to new segments. When it surely was not written, they are deleted."""
    try:
        return await written
    except (DatabaseUnavailable, asyncio.CancelledError):
        raise  # the row may be there all the same: a database can go away behind its commit. What has no row is swept.
    except BaseException:
        await registry.driver.delete(new)
        raise


async def _exactly(body: AsyncIterator[bytes], announced: int) -> AsyncIterator[bytes]:
    """Pass on a body that must have so many bytes, so that no other is stored. Raises SizeInvalid."""
    size = 0
    async for piece in body:
        size += len(piece)
        if size > announced:
            raise SizeInvalid(f"the Content-Range announces {announced} bytes, the body has more")
        yield piece
    if size < announced:
        raise SizeInvalid(f"the Content-Range announces {announced} bytes, the body has {size}")


@contextmanager
def _while_it_lasts() -> Iterator[None]:
    """An upload whose bytes vanish has ended meanwhile: it was cancelled, or it expired."""
    try:
        yield
    except ObjectMissing as error:
        raise BlobUploadUnknown(detail={}) from error


async def _alone(registry: Registry, held: ExitStack, driver: CanAppend, key: str, before: Upload) -> None:
    """Make sure that nobody else adds to the segment, and that nobody has since the row was read."""
    if not held.enter_context(driver.exclusive(key)):
        raise BlobUploadInvalid("another request is sending to this upload; ask for its status and go on from there")
    row = await registry.db.reader.one(
        queries.UPLOAD, id=before.id, repository=before.repository, project=before.project_id
    )
    if row is None or queries.to_upload(row).offset != before.offset:
        raise BlobUploadInvalid


async def _add_last(registry: Registry, request: Request, passed: Passed, upload: Upload, digest: str) -> None:
    after = await _add(registry, request, upload, algorithm(digest))
    if after.digest != digest:
        await _drop(registry, after)
        raise _mismatch(digest)
    await _close(registry, passed, after, digest)


async def _close(registry: Registry, passed: Passed, after: Upload, digest: str) -> None:
    """End the upload as a blob. A wrong digest without a body leaves it open: nothing was lost, and the client may
    know better.
    """
    wanted = algorithm(digest)
    if not after.offset:
        found = digest_of(b"", wanted)
    elif after.algorithm == wanted:
        found = after.digest
    else:
        running = await rehash(registry.driver, after.segments, wanted)
        found = f"{wanted}:{running.hexdigest()}"
    if found != digest:
        raise _mismatch(digest)
    home = (passed.project_id, passed.repository)
    added = await registry.quotas.write(passed.caller.actor, *home, service.finish_upload, after, digest)
    if added is None:
        raise BlobUploadUnknown(detail={})
    if not added:
        await registry.driver.delete([key for key, _ in after.segments])


async def _drop(registry: Registry, upload: Upload) -> None:
    registry.hashes.drop(upload.id)
    if not await registry.db.write(service.end_upload, upload):
        raise BlobUploadUnknown(detail={})
    await registry.driver.delete([key for key, _ in upload.segments])


def _check_range(request: Request, upload: Upload) -> int | None:
    """The length that Content-Range announces, None when it does not. Raises RangeInvalid unless it starts where the
    upload ends.
    """
    header = request.header(b"content-range").strip()
    if not header:
        return None
    match = _CONTENT_RANGE.fullmatch(header)
    first, last = (int(match[1]), int(match[2])) if match else (-1, -1)
    if first != upload.offset or last < first:
        raise RangeInvalid(
            f"the chunk {header[:80]!r} does not start at byte {upload.offset}, where the upload ends",
            headers={"range": _progress(upload)},
        )
    length = request.headers.get(b"content-length")
    if length is not None and int(length) != last - first + 1:
        raise SizeInvalid(f"the Content-Range announces {last - first + 1} bytes, the Content-Length {int(length)}")
    return last - first + 1


def _check(digest: str) -> None:
    if not is_digest(digest):
        raise DigestInvalid(detail="digest parsing failed")


def _mismatch(digest: str) -> DigestInvalid:
    return DigestInvalid(detail={"Digest": digest, "Reason": {}})


def _state(upload: Upload) -> str:
    return base64.urlsafe_b64encode(f"{upload.id}:{upload.offset}".encode()).decode().rstrip("=")


def _offset(state: str, upload_id: str) -> int:
    """Where the upload stood when its address was given out. Raises BlobUploadInvalid for what was not."""
    try:
        known, _, offset = base64.urlsafe_b64decode(state + "=" * (-len(state) % 4)).decode().partition(":")
        if known == upload_id:
            return int(offset)
    except ValueError:
        pass
    raise BlobUploadInvalid(detail={})


def _progress(upload: Upload) -> str:
    """The bytes that are here, inclusive and without a unit: `0-0` for none, as clients expect."""
    return f"0-{max(0, upload.offset - 1)}"


def _under_way(registry: Registry, request: Request, upload: Upload, status_code: int) -> Response:
    base = registry.origin.base(request)
    location = f"{base}/v2/{upload.repository}/blobs/uploads/{upload.id}?_state={_state(upload)}"
    headers: Headers = [
        (b"location", location.encode()),
        (b"docker-upload-uuid", upload.id.encode()),
        (b"range", _progress(upload).encode()),
    ]
    return Response(status_code, headers)


def _created(registry: Registry, request: Request, name: str, digest: str) -> Response:
    location = f"{registry.origin.base(request)}/v2/{name}/blobs/{digest}"
    return Response(201, [(b"location", location.encode()), (b"docker-content-digest", digest.encode())])
