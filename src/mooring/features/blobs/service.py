"""How blobs come to exist: `finish` is the only way."""

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, literal, or_, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from mooring.core.clock import now
from mooring.db.prepared import Prepared
from mooring.db.query import in_batches
from mooring.features.blobs.queries import IN_REPOSITORY, Segments, Upload, to_upload
from mooring.features.blobs.tables import blob, repository_blob, upload

ASIDE: Final = "quarantined:"

_BEGIN: Final = Prepared(
    insert(upload).values(
        {
            name: bindparam(name)
            for name in ("id", "repository", "project_id", "account", "algorithm", "started", "updated")
        }
        | {"offset": 0, "digest": "", "segments": "[]"}
    )
)
_ADVANCE: Final = Prepared(
    update(upload)
    .where(upload.c.id == bindparam("of"), upload.c.offset == bindparam("was"))
    .values({name: bindparam(name) for name in ("offset", "algorithm", "digest", "segments", "updated")})
)
_END: Final = Prepared(delete(upload).where(upload.c.id == bindparam("of"), upload.c.offset == bindparam("was")))
_FIND: Final = Prepared(
    select(blob.c.digest, blob.c.id).where(
        or_(blob.c.digest == bindparam("digest"), blob.c.digest == bindparam("aside"))
    )
)
_REMOVE: Final = Prepared(delete(blob).where(blob.c.id == bindparam("of")))
_HEAL: Final = Prepared(
    update(blob)
    .where(blob.c.id == bindparam("of"))
    .values({name: bindparam(name) for name in ("digest", "size", "segments", "last_used")})
)
_BLOB: Final[dict[str, Any]] = {
    name: bindparam(name) for name in ("digest", "size", "segments", "creation_time", "last_used")
}
_ADD: Final = Prepared(
    {
        "sqlite": sqlite.insert(blob).values(_BLOB).on_conflict_do_nothing(),
        "postgresql": postgresql.insert(blob).values(_BLOB).on_conflict_do_nothing(),
    }
)
_LINK: Final[dict[str, Any]] = {name: bindparam(name) for name in ("repository", "blob_id", "project_id")}


def _linked(dialect: Any) -> Any:
    """What the repository holds already counts again. A push that ended after its project was deleted has left a link
    of that one's, which is then of the project that has the name now.
    """
    statement = dialect.insert(repository_blob).values(_LINK)
    is_others = repository_blob.c.project_id != statement.excluded.project_id
    return statement.on_conflict_do_update(
        index_elements=["repository", "blob_id"],
        set_={"is_counted": true(), "project_id": statement.excluded.project_id},
        where=or_(~repository_blob.c.is_counted, is_others),
    )


_LINKS: Final = Prepared({"sqlite": _linked(sqlite), "postgresql": _linked(postgresql)})
_UNLINK: Final = Prepared(
    delete(repository_blob).where(
        repository_blob.c.repository == bindparam("of"), repository_blob.c.blob_id == bindparam("blob")
    )
)
_TOUCH: Final = Prepared(update(blob).where(blob.c.id == bindparam("of")).values(last_used=bindparam("moment")))


def begin_upload(
    connection: Connection, upload_id: str, project_id: int, repository: str, account: str, algorithm: str
) -> None:
    moment = now()
    _BEGIN.run(
        connection,
        id=upload_id,
        repository=repository,
        project_id=project_id,
        account=account,
        algorithm=algorithm,
        started=moment,
        updated=moment,
    )


def advance_upload(connection: Connection, before: Upload, after: Upload) -> bool:
    """Record the bytes that came. False when the upload has meanwhile gone on or ended: these bytes are then
    nobody's.
    """
    return (
        _ADVANCE.run(
            connection,
            of=before.id,
            was=before.offset,
            offset=after.offset,
            algorithm=after.algorithm,
            digest=after.digest,
            segments=json.dumps(after.segments),
            updated=now(),
        )
        == 1
    )


def end_upload(connection: Connection, ended: Upload) -> bool:
    """Forget an upload. False when it has meanwhile gone on or ended."""
    return _END.run(connection, of=ended.id, was=ended.offset) == 1


def finish(
    connection: Connection, project_id: int, repository: str, digest: str, size: int, segments: Segments
) -> bool:
    """Make verified bytes a blob of the repository. False when the blob was there already, and these segments are not
    needed.
    """
    blob_id, added = _add(connection, digest, size, json.dumps(segments))
    _LINKS.run(connection, repository=repository, blob_id=blob_id, project_id=project_id)
    return added


def _add(connection: Connection, digest: str, size: int, segments: str) -> tuple[int, bool]:
    """The blob's row, held until this transaction ends, and whether these segments are its own. One that garbage
    collection has just taken is made again, and one that was set aside is whole again, for all that name it.
    """
    aside = quarantined(digest)
    while True:
        moment = now()
        values = {"digest": digest, "size": size, "segments": segments, "last_used": moment}
        added = _ADD.run(connection, **values, creation_time=moment) == 1
        found: dict[str, int] = dict(_FIND.all(connection, digest=digest, aside=aside))
        if added and aside in found:
            _REMOVE.run(connection, of=found[digest])
            _HEAL.run(connection, of=found[aside], **values)
            return found[aside], True
        if digest in found and (added or _TOUCH.run(connection, of=found[digest], moment=moment)):
            return found[digest], added


def quarantined(digest: str) -> str:
    """The name of a blob or manifest that was set aside: nothing finds it by its digest until it is pushed again."""
    return f"{ASIDE}{digest}"


def set_aside(connection: Connection, blob_id: int, digest: str) -> bool:
    """Let nobody find a blob whose bytes are bad, and let the next push of it make it whole. False when it is gone."""
    bad = (blob.c.id == blob_id, blob.c.digest == digest)
    changed = update(blob).where(*bad).values(digest=quarantined(digest), segments="[]")
    return connection.execute(changed).rowcount == 1


def finish_upload(connection: Connection, ended: Upload, digest: str) -> bool | None:
    """End an upload whose bytes have the digest, in one transaction with `finish`. None when it has meanwhile gone on
    or ended.
    """
    if not end_upload(connection, ended):
        return None
    return finish(connection, ended.project_id, ended.repository, digest, ended.offset, ended.segments)


def mount(connection: Connection, blob_id: int, project_id: int, repository: str) -> bool:
    """Let a repository see a blob that another one holds. False when garbage collection has just taken it."""
    if not _TOUCH.run(connection, of=blob_id, moment=now()):
        return False
    _LINKS.run(connection, repository=repository, blob_id=blob_id, project_id=project_id)
    return True


def unlink(connection: Connection, project_id: int, repository: str, digest: str) -> bool:
    """The repository holds the blob no more; the bytes stay for garbage collection. False when it did not hold it."""
    row = IN_REPOSITORY.one(connection, repository=repository, project=project_id, digest=digest)
    return row is not None and _UNLINK.run(connection, of=repository, blob=row[0]) == 1


def count(connection: Connection, repository: str, blob_ids: Sequence[int]) -> None:
    """Blobs that the repository holds weigh on its project's quota again."""
    _weigh(connection, repository, blob_ids, is_counted=True)


def release(connection: Connection, repository: str, blob_ids: Sequence[int]) -> None:
    """Blobs that no artifact of the repository names any more weigh on its project's quota no longer, but stay."""
    _weigh(connection, repository, blob_ids, is_counted=False)


def _weigh(connection: Connection, repository: str, blob_ids: Sequence[int], *, is_counted: bool) -> None:
    for some in in_batches(blob_ids):
        statement = update(repository_blob).where(
            repository_blob.c.repository == repository,
            repository_blob.c.blob_id.in_(some),
            repository_blob.c.is_counted != is_counted,
        )
        connection.execute(statement.values(is_counted=is_counted))


def touch(connection: Connection, moments: dict[int, int]) -> None:
    """Record when blobs were last asked for."""
    for blob_id, moment in sorted(moments.items()):
        _TOUCH.run(connection, of=blob_id, moment=moment)


def expire_uploads(connection: Connection, before: int, limit: int = 500) -> list[Upload]:
    """Forget uploads that nothing has come for since `before`; their segments are for the caller to delete after the
    commit.
    """
    columns = [upload.c[name] for name in Upload.__struct_fields__]
    rows = connection.execute(select(*columns).where(upload.c.updated < before).limit(limit)).all()
    expired = [to_upload(tuple(row)) for row in rows]
    return [one for one in expired if end_upload(connection, one)]


def count_uploads(connection: Connection, before: int) -> int:
    """How many uploads nothing has come for since `before`."""
    return connection.execute(select(func.count()).select_from(upload).where(upload.c.updated < before)).scalar_one()


def referenced(connection: Connection, prefix: str) -> set[str]:
    """Every key under the prefix that a blob or an upload names."""
    keys: set[str] = set()
    # Segments go from an upload to a blob: read in this order, they are found on whichever side of the step they are.
    for table in (upload, blob):
        found = connection.execute(select(table.c.segments).where(table.c.segments.contains(prefix, autoescape=True)))
        for (segments,) in found:
            keys.update(key for key, _ in json.loads(segments) if key.startswith(prefix))
    return keys


def drop_project(connection: Connection, project_id: int) -> None:
    """What a deleted project's repositories held."""
    connection.execute(delete(repository_blob).where(repository_blob.c.project_id == project_id))


def drop_repository(connection: Connection, project_id: int, repository: str) -> None:
    connection.execute(
        delete(repository_blob).where(
            and_(repository_blob.c.project_id == project_id, repository_blob.c.repository == literal(repository))
        )
    )
