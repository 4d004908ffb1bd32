"""Reading artifacts with their tags, references and accessories."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, Select, and_, exists, false, func, select
from sqlalchemy.sql.elements import ColumnElement

from mooring.core.errors import BadRequest
from mooring.core.page import AllOf, Exact, Filter, Fuzzy, Listing
from mooring.core.reference import is_digest
from mooring.db import query
from mooring.features.artifacts.statements import HAS_TAG, IS_ACCESSORY
from mooring.features.artifacts.tables import artifact, artifact_accessory, artifact_reference, tag
from mooring.features.repositories.tables import repository


class Found(Struct, frozen=True):
    """An artifact's row; times in microseconds since the epoch, 0 when they have not come."""

    id: int
    repository_id: int
    project_id: int
    digest: str
    type: str
    media_type: str
    manifest_media_type: str
    artifact_type: str
    size: int
    icon: str
    extra_attrs: str
    annotations: str
    push_time: int
    pull_time: int


class Tag(Struct, frozen=True):
    id: int
    repository_id: int
    artifact_id: int
    name: str
    push_time: int
    pull_time: int


class Reference(Struct, frozen=True):
    """A child of an index; `child_id` is None when it is not here."""

    parent_id: int
    child_id: int | None
    child_digest: str
    platform: Mapping[str, Any] | None
    urls: list[str] | None
    annotations: Mapping[str, str] | None


class Accessory(Struct, frozen=True):
    """An artifact that belongs to another, with that one's repository."""

    id: int
    artifact_id: int
    subject_id: int
    subject_digest: str
    repository: str
    digest: str
    size: int
    type: str
    creation_time: int


class View(Struct, frozen=True):
    """An artifact with what was asked for beside it."""

    artifact: Found
    repository: str
    references: Sequence[Reference]
    tags: Sequence[Tag]
    accessories: Sequence[Accessory]


_COLUMNS: Final = tuple(artifact.c[field] for field in Found.__struct_fields__)
_TAG: Final = tuple(tag.c[field] for field in Tag.__struct_fields__)
_LISTED: Final = {
    name: artifact.c[name]
    for name in (
        "id",
        "digest",
        "type",
        "media_type",
        "manifest_media_type",
        "artifact_type",
        "size",
        "push_time",
        "pull_time",
    )
}
_TAGS_LISTED: Final = {name: tag.c[name] for name in ("id", "name", "artifact_id", "push_time", "pull_time")}


def find(connection: Connection, repository_id: int, reference: str) -> Found | None:
    """The artifact that a tag or a digest names."""
    statement = select(*_COLUMNS).where(artifact.c.repository_id == repository_id)
    if is_digest(reference):
        statement = statement.where(artifact.c.digest == reference)
    else:
        statement = statement.join(tag, tag.c.artifact_id == artifact.c.id).where(
            tag.c.repository_id == repository_id, tag.c.name == reference
        )
    row = connection.execute(statement).one_or_none()
    return None if row is None else Found(*row._tuple())


def page(connection: Connection, repository_id: int, listing: Listing) -> tuple[list[Found], int]:
    """One page of a repository's artifacts, and how many there are.

    Accessories are never among them, and of what an index names only what has a tag, unless `base=*` asks for it.
    """
    statement = select(*_COLUMNS).where(artifact.c.repository_id == repository_id, *_conditions(listing.filters))
    rows, total = query.page(connection, statement, listing, _LISTED, artifact.c.push_time.desc(), artifact.c.id.desc())
    return [Found(*row) for row in rows], total


def count(connection: Connection, repository_ids: Sequence[int]) -> dict[int, int]:
    """How many artifacts a list of each of the repositories shows; those without any are left out."""
    statement = (
        select(artifact.c.repository_id, func.count()).where(*_conditions({})).group_by(artifact.c.repository_id)
    )
    return dict(map(tuple, query.among(connection, statement, artifact.c.repository_id, repository_ids)))


def views(
    connection: Connection,
    found: Sequence[Found],
    repository: str,
    *,
    with_tags: bool,
    with_accessories: bool,
) -> list[View]:
    """The artifacts with what belongs to them, with as many statements for a page of them as for one."""
    ids = [each.id for each in found]
    references = _grouped(_references(connection, ids), "parent_id")
    tags = _grouped(tags_of(connection, ids), "artifact_id") if with_tags else {}
    accessories = _grouped(accessories_of(connection, ids), "subject_id") if with_accessories else {}
    return [
        View(each, repository, references.get(each.id, ()), tags.get(each.id, ()), accessories.get(each.id, ()))
        for each in found
    ]


def tags_of(connection: Connection, artifact_ids: Sequence[int]) -> list[Tag]:
    """The tags of the artifacts, the latest first."""
    statement = select(*_TAG).order_by(tag.c.push_time.desc(), tag.c.id.desc())
    return [Tag(*row) for row in query.among(connection, statement, tag.c.artifact_id, artifact_ids)]


def tags(connection: Connection, artifact_id: int, listing: Listing) -> tuple[list[Tag], int]:
    """One page of an artifact's tags, and how many there are."""
    statement = select(*_TAG).where(tag.c.artifact_id == artifact_id)
    rows, total = query.page(connection, statement, listing, _TAGS_LISTED, tag.c.push_time.desc(), tag.c.id.desc())
    return [Tag(*row) for row in rows], total


def accessories_of(connection: Connection, subject_ids: Sequence[int]) -> list[Accessory]:
    """The accessories of the artifacts, the oldest first."""
    statement = _accessories().order_by(artifact_accessory.c.id)
    rows = query.among(connection, statement, artifact_accessory.c.subject_id, subject_ids)
    return [Accessory(*row) for row in rows]


def accessories(connection: Connection, subject_id: int, listing: Listing) -> tuple[list[Accessory], int]:
    """One page of an artifact's accessories, and how many there are."""
    statement = _accessories().where(artifact_accessory.c.subject_id == subject_id)
    columns = {
        "id": artifact_accessory.c.id,
        "type": artifact_accessory.c.type,
        "creation_time": artifact_accessory.c.creation_time,
        "artifact_id": artifact_accessory.c.artifact_id,
        "digest": artifact.c.digest,
        "size": artifact.c.size,
    }
    rows, total = query.page(connection, statement, listing, columns, artifact_accessory.c.id)
    return [Accessory(*row) for row in rows], total


def _accessories() -> Select[Any]:
    return (
        select(
            artifact_accessory.c.id,
            artifact_accessory.c.artifact_id,
            artifact_accessory.c.subject_id,
            artifact_accessory.c.subject_digest,
            repository.c.name,
            artifact.c.digest,
            artifact.c.size,
            artifact_accessory.c.type,
            artifact_accessory.c.creation_time,
        )
        .join(artifact, artifact.c.id == artifact_accessory.c.artifact_id)
        .join(repository, repository.c.id == artifact.c.repository_id)
    )


def _references(connection: Connection, parent_ids: Sequence[int]) -> list[Reference]:
    statement = select(artifact_reference).order_by(artifact_reference.c.id)
    return [
        Reference(
            row.parent_id, row.child_id, row.child_digest, *map(_loaded, (row.platform, row.urls, row.annotations))
        )
        for row in query.among(connection, statement, artifact_reference.c.parent_id, parent_ids)
    ]


def _conditions(filters: Mapping[str, Filter]) -> list[ColumnElement[bool]]:
    """What a list shows. Raises BadRequest for a tag or label filter that means nothing."""
    conditions = [~IS_ACCESSORY if filters.get("base") == Exact("*") else artifact.c.is_listed]
    if "tags" in filters:
        conditions.append(_tagged(filters["tags"]))
    if "labels" in filters:
        conditions.append(_labelled(filters["labels"]))
    return conditions


def _tagged(condition: Filter) -> ColumnElement[bool]:
    match condition:
        case Exact("*"):
            return HAS_TAG
        case Exact("nil"):
            return ~HAS_TAG
        case Exact() | Fuzzy():
            return exists().where(and_(tag.c.artifact_id == artifact.c.id, query.matches(tag.c.name, condition)))
    raise BadRequest('the value of "tags" query can only be fuzzy match value or exact match value')


def _labelled(condition: Filter) -> ColumnElement[bool]:
    """No artifact carries a label yet, so that the filter is checked and matches nothing."""
    if not isinstance(condition, AllOf) or not all(isinstance(value, int) for value in condition.values):
        raise BadRequest('the value of "labels" query can only be integer list with intersetion relationship')
    return false()


def _grouped(rows: Sequence[Any], attribute: str) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = {}
    for row in rows:
        groups.setdefault(getattr(row, attribute), []).append(row)
    return groups


def _loaded(text: str) -> Any:
    """The value of a JSON column; None when it holds nothing."""
    return json.loads(text) if text else None
