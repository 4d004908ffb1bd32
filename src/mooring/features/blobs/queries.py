"""Reading blobs and uploads."""

from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Select, Text, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB

from mooring.db.prepared import Prepared, Row
from mooring.features.blobs.tables import blob, repository_blob, upload

Segments = list[tuple[str, int]]
_segments: Final = msgspec.json.Decoder(list[tuple[str, int]])


class Blob(Struct, frozen=True):
    """Content that a repository holds. `segments` are keys and sizes in order."""

    id: int
    digest: str
    size: int
    segments: Segments


class Upload(Struct, frozen=True):
    """An upload under way: `digest` is that of the `offset` bytes which have come, under `algorithm`; empty before
    the first.
    """

    id: str
    repository: str
    project_id: int
    account: str
    offset: int
    algorithm: str
    digest: str
    segments: Segments


BLOB: Final = (blob.c.id, blob.c.digest, blob.c.size, blob.c.segments)
_UPLOAD: Final = tuple(upload.c[name] for name in Upload.__struct_fields__)

IN_REPOSITORY: Final = Prepared(
    select(*BLOB)
    .join(repository_blob, repository_blob.c.blob_id == blob.c.id)
    .where(
        repository_blob.c.repository == bindparam("repository"),
        repository_blob.c.project_id == bindparam("project"),
        blob.c.digest == bindparam("digest"),
    )
)


def _several(digests: Select[tuple[str]]) -> Select[tuple[str, int, int, bool | None]]:
    # Asked of each blob that is found: SQLite would join from all blobs of the project.
    link = select(repository_blob.c.is_counted).where(
        repository_blob.c.blob_id == blob.c.id,
        repository_blob.c.repository == bindparam("repository"),
        repository_blob.c.project_id == bindparam("project"),
    )
    return select(blob.c.digest, blob.c.id, blob.c.size, link.scalar_subquery()).where(blob.c.digest.in_(digests))


# A list of any length as one parameter: JSON, which both databases take apart.
_DIGESTS: Final = cast(bindparam("digests"), Text)
_SEVERAL_IN_REPOSITORY: Final = Prepared(
    {
        "sqlite": _several(select(func.json_each(_DIGESTS).table_valued("value").c.value)),
        "postgresql": _several(select(func.jsonb_array_elements_text(cast(_DIGESTS, JSONB)).column_valued("value"))),
    }
)
# Any repository that holds the digest, the caller's rights in its project still to be asked for.
HOLDERS: Final = Prepared(
    select(repository_blob.c.project_id, *BLOB)
    .join(blob, blob.c.id == repository_blob.c.blob_id)
    .where(blob.c.digest == bindparam("digest"))
    .distinct()
)
UPLOAD: Final = Prepared(
    select(*_UPLOAD).where(
        upload.c.id == bindparam("id"),
        upload.c.repository == bindparam("repository"),
        upload.c.project_id == bindparam("project"),
    )
)


def to_blob(row: Row) -> Blob:
    return Blob(row[0], row[1], row[2], _segments.decode(row[3]))


def to_upload(row: Row) -> Upload:
    upload_id, repository, project_id, account, offset, algorithm, digest, segments = row
    return Upload(upload_id, repository, project_id, account, offset, algorithm, digest, _segments.decode(segments))


def in_repository(
    connection: Connection, project_id: int, repository: str, digests: list[str]
) -> dict[str, tuple[int, int, bool]]:
    """Of the digests those that the repository holds, with the blob's id and size, and whether it counts."""
    rows = _SEVERAL_IN_REPOSITORY.all(
        connection, repository=repository, project=project_id, digests=msgspec.json.encode(digests).decode()
    )
    return {digest: (blob_id, size, bool(counts)) for digest, blob_id, size, counts in rows if counts is not None}
