"""Reading artifacts with their tags, references and accessories."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from msgspec import Struct, structs
from sqlalchemy import Connection, Select, and_, bindparam, exists, func, select, true, tuple_
from sqlalchemy.sql.elements import ColumnElement

from mooring.core.errors import BadRequest
from mooring.core.page import AllOf, Exact, Filter, Fuzzy, Listing
from mooring.core.reference import is_digest
from mooring.db import query
from mooring.db.places import totals
from mooring.db.prepared import Among, Prepared
from mooring.features.artifacts.statements import HAS_TAG, IS_ACCESSORY
from mooring.features.artifacts.tables import (
    artifact,
    artifact_accessory,
    artifact_blob,
    artifact_reference,
    manifest,
    tag,
)
from mooring.features.blobs.queries import BLOB
from mooring.features.blobs.tables import blob
from mooring.features.immutability.queries import matcher
from mooring.features.labels import queries as labels
from mooring.features.labels.queries import Label
from mooring.features.labels.tables import artifact_label
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
    """`is_immutable` only where it was asked for."""

    id: int
    repository_id: int
    artifact_id: int
    name: str
    push_time: int
    pull_time: int
    is_immutable: bool = False


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


class Beside(Struct, frozen=True):
    """What somebody wants to know beside the artifacts themselves. `inherited` are the accessories of the indexes that
    name them.
    """

    tags: bool = True
    immutability: bool = False
    labels: bool = False
    accessories: bool = False
    inherited: bool = False


class View(Struct, frozen=True):
    """An artifact with what was asked for beside it."""

    artifact: Found
    repository: str
    references: Sequence[Reference]
    tags: Sequence[Tag]
    labels: Sequence[Label]
    accessories: Sequence[Accessory]
    inherited: Sequence[Accessory]


_COLUMNS: Final = tuple(artifact.c[field] for field in Found.__struct_fields__)
TAG: Final = (tag.c.id, tag.c.repository_id, tag.c.artifact_id, tag.c.name, tag.c.push_time, tag.c.pull_time)
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


_IN_REPOSITORY: Final = select(*_COLUMNS).where(artifact.c.repository_id == bindparam("repository"))
_BY_DIGEST: Final = Prepared(_IN_REPOSITORY.where(artifact.c.digest == bindparam("reference")))
_BY_TAG: Final = Prepared(
    _IN_REPOSITORY.join(tag, tag.c.artifact_id == artifact.c.id).where(
        tag.c.repository_id == bindparam("repository"), tag.c.name == bindparam("reference")
    )
)
_BY_IDS: Final = Among(select(*_COLUMNS).order_by(artifact.c.id), artifact.c.id)
_COUNTS: Final = Among(
    select(artifact.c.repository_id, func.count()).where(artifact.c.is_listed).group_by(artifact.c.repository_id),
    artifact.c.repository_id,
)
_REPOSITORY_NAMES: Final = Among(select(repository.c.id, repository.c.name), repository.c.id)
_TAGS_OF: Final = Among(select(*TAG).order_by(tag.c.push_time.desc(), tag.c.id.desc()), tag.c.artifact_id)
_REFERENCES: Final = Among(
    select(
        artifact_reference.c.parent_id,
        artifact_reference.c.child_id,
        artifact_reference.c.child_digest,
        artifact_reference.c.platform,
        artifact_reference.c.urls,
        artifact_reference.c.annotations,
    ).order_by(artifact_reference.c.id),
    artifact_reference.c.parent_id,
)
_PARENTS: Final = Among(
    select(artifact_reference.c.child_id, artifact_reference.c.parent_id), artifact_reference.c.child_id
)
_ACCESSORIES: Final = (
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
_ACCESSORIES_OF: Final = Among(_ACCESSORIES.order_by(artifact_accessory.c.id), artifact_accessory.c.subject_id)


# A blob that an artifact brings along as its picture.
ICON: Final = Prepared(
    select(*BLOB).where(
        blob.c.digest == bindparam("digest"),
        exists().where(
            artifact_blob.c.blob_id == blob.c.id,
            artifact.c.id == artifact_blob.c.artifact_id,
            artifact.c.icon == blob.c.digest,
        ),
    )
)


def content(connection: Connection, digest: str) -> bytes:
    """The exact bytes of a manifest that is an artifact's."""
    found = connection.execute(select(manifest.c.content).where(manifest.c.digest == digest)).scalar_one()
    return bytes(found)


def find(connection: Connection, repository_id: int, reference: str) -> Found | None:
    """The artifact that a tag or a digest names."""
    statement = _BY_DIGEST if is_digest(reference) else _BY_TAG
    row = statement.one(connection, repository=repository_id, reference=reference)
    return None if row is None else Found(*row)


def page(connection: Connection, repository_id: int, listing: Listing) -> tuple[list[Found], int]:
    """One page of a repository's artifacts, and how many there are.

    Accessories are never among them, and of what an index names only what has a tag, unless `base=*` asks for it.
    """
    statement = select(*_COLUMNS).where(artifact.c.repository_id == repository_id, *_conditions(listing.filters))
    return _page(connection, statement, listing, ("artifacts", repository_id))


def project_page(connection: Connection, project_id: int, listing: Listing) -> tuple[list[Found], int]:
    """The same over all repositories of a project."""
    statement = select(*_COLUMNS).where(artifact.c.project_id == project_id, *_conditions(listing.filters))
    return _page(connection, statement, listing, ("artifacts of project", project_id))


def latest_page(connection: Connection, project_id: int, listing: Listing) -> tuple[list[Found], int]:
    """One page of the artifacts that were pushed last to each of the project's repositories, among those of one type,
    which either `media_type` or `artifact_type` in the filters names. Raises BadRequest.
    """
    keys = [key for key in ("media_type", "artifact_type") if key in listing.filters]
    if len(keys) != 1:
        raise BadRequest(
            "bad request: either 'media_type' or 'artifact_type' must be specified, but not both, "
            "when querying with latest_in_repository"
        )
    later = artifact.alias()
    same = query.matches(later.c[keys[0]], listing.filters[keys[0]])
    after = tuple_(later.c.push_time, later.c.id) > tuple_(artifact.c.push_time, artifact.c.id)
    is_latest = ~exists().where(later.c.repository_id == artifact.c.repository_id, same, after)
    statement = select(*_COLUMNS).where(artifact.c.project_id == project_id, is_latest)
    return _page(connection, statement, listing, ("latest of project", project_id))


def _page(
    connection: Connection, statement: Select[Any], listing: Listing, scope: tuple[str, int]
) -> tuple[list[Found], int]:
    newest = (artifact.c.push_time.desc(), artifact.c.id.desc())
    rows, total = query.page(connection, statement, listing, _LISTED, *newest, scope=scope)
    return [Found(*row) for row in rows], total


def by_ids(connection: Connection, ids: Sequence[int]) -> list[Found]:
    """The artifacts with these ids, the oldest first."""
    return [Found(*row) for row in _BY_IDS.all(connection, ids)]


def count(connection: Connection, repository_ids: Sequence[int]) -> dict[int, int]:
    """How many artifacts a list of each of the repositories shows; those without any are left out."""

    def fresh(ids: Sequence[int]) -> dict[int, int]:
        return dict(_COUNTS.all(connection, ids))

    return totals(connection, "artifacts of repository", repository_ids, fresh)


def views(
    connection: Connection, found: Sequence[Found], beside: Beside, names: Mapping[int, str] | None = None
) -> list[View]:
    """The artifacts with what belongs to them, with as many statements for a page of them as for one. `names` are those
    of their repositories, where they are known. Those whose repository was deleted since they were found are left out.
    """
    if names is None:
        homes = list({each.repository_id for each in found})
        names = dict(_REPOSITORY_NAMES.all(connection, homes))
        found = [each for each in found if each.repository_id in names]
    ids = [each.id for each in found]
    references = _grouped(_references(connection, ids), "parent_id")
    tags = _grouped(tags_of(connection, ids), "artifact_id") if beside.tags else {}
    if beside.immutability:
        projects = {each.project_id: matcher(connection, each.project_id) for each in found}
        for each in found:
            is_immutable = partial(projects[each.project_id], names[each.repository_id])
            tags[each.id] = marked(tags.get(each.id, ()), is_immutable)
    carried = labels.of_artifacts(connection, ids) if beside.labels else {}
    accessories = _grouped(accessories_of(connection, ids), "subject_id") if beside.accessories else {}
    inherited = _inherited(connection, ids) if beside.inherited else {}
    return [
        View(
            each,
            names[each.repository_id],
            references.get(each.id, ()),
            tags.get(each.id, ()),
            carried.get(each.id, ()),
            accessories.get(each.id, ()),
            inherited.get(each.id, ()),
        )
        for each in found
    ]


def marked(tags: Sequence[Tag], is_immutable: Callable[[str], bool]) -> list[Tag]:
    """The tags, each with whether it is immutable."""
    return [structs.replace(each, is_immutable=is_immutable(each.name)) for each in tags]


def tags_of(connection: Connection, artifact_ids: Sequence[int]) -> list[Tag]:
    """The tags of the artifacts, the latest first."""
    return [Tag(*row) for row in _TAGS_OF.all(connection, artifact_ids)]


def tags(connection: Connection, artifact_id: int, listing: Listing) -> tuple[list[Tag], int]:
    """One page of an artifact's tags, and how many there are."""
    statement = select(*TAG).where(tag.c.artifact_id == artifact_id)
    newest = (tag.c.push_time.desc(), tag.c.id.desc())
    scope = ("tags of artifact", artifact_id)
    rows, total = query.page(connection, statement, listing, _TAGS_LISTED, *newest, scope=scope)
    return [Tag(*row) for row in rows], total


def accessories_of(connection: Connection, subject_ids: Sequence[int]) -> list[Accessory]:
    """The accessories of the artifacts, the oldest first."""
    return [Accessory(*row) for row in _ACCESSORIES_OF.all(connection, subject_ids)]


def accessories(connection: Connection, subject_id: int, listing: Listing) -> tuple[list[Accessory], int]:
    """One page of an artifact's accessories, and how many there are."""
    statement = _ACCESSORIES.where(artifact_accessory.c.subject_id == subject_id)
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


def _inherited(connection: Connection, child_ids: Sequence[int]) -> dict[int, list[Accessory]]:
    """The accessories of the indexes that name each of the artifacts."""
    parents = _PARENTS.all(connection, child_ids)
    found = _grouped(accessories_of(connection, [parent for _, parent in parents]), "subject_id")
    inherited: dict[int, list[Accessory]] = {}
    for child, parent in parents:
        inherited.setdefault(child, []).extend(found.get(parent, ()))
    return inherited


def _references(connection: Connection, parent_ids: Sequence[int]) -> list[Reference]:
    return [
        Reference(parent_id, child_id, child_digest, *map(_loaded, described))
        for parent_id, child_id, child_digest, *described in _REFERENCES.all(connection, parent_ids)
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
    """Whether the artifact carries all these labels."""
    carries = exists().where(artifact_label.c.artifact_id == artifact.c.id)
    return and_(true(), *(carries.where(artifact_label.c.label_id == label) for label in label_ids(condition)))


def label_ids(condition: Filter) -> list[int]:
    """The labels that a filter asks for, all of them together. Raises BadRequest for what is no such filter."""
    wanted = condition.values if isinstance(condition, AllOf) else ()
    ids = [value for value in wanted if isinstance(value, int)]
    if len(ids) < len(wanted) or not isinstance(condition, AllOf):
        raise BadRequest('the value of "labels" query can only be integer list with intersetion relationship')
    return ids


def _grouped(rows: Sequence[Any], attribute: str) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = {}
    for row in rows:
        groups.setdefault(getattr(row, attribute), []).append(row)
    return groups


def _loaded(text: str) -> Any:
    """The value of a JSON column; None when it holds nothing."""
    return json.loads(text) if text else None
