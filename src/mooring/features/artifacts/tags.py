"""A repository's tags, each with what it names: what a page that shows tags needs, in one request."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, exists, select

from mooring.core.page import Listing
from mooring.db import query
from mooring.db.prepared import Among
from mooring.features.artifacts import queries
from mooring.features.artifacts.queries import Found, Tag
from mooring.features.artifacts.tables import artifact, artifact_reference, tag
from mooring.features.immutability.queries import matcher
from mooring.features.labels import queries as labels
from mooring.features.labels.queries import Label
from mooring.features.labels.tables import artifact_label

Platform = Mapping[str, Any]


class NamedArtifact(Struct, frozen=True):
    """A tag and the artifact that it names. `platforms` are the artifact's own, or those of an index's children."""

    tag: Tag
    artifact: Found
    platforms: Sequence[Platform]
    labels: Sequence[Label]


_OF_TAG: Final = {name: tag.c[name] for name in ("id", "name", "artifact_id", "push_time", "pull_time")}
_OF_ARTIFACT: Final = {name: artifact.c[name] for name in ("digest", "type", "size", "media_type", "artifact_type")}
_PLATFORMS: Final = Among(
    select(artifact_reference.c.parent_id, artifact_reference.c.platform).order_by(artifact_reference.c.id),
    artifact_reference.c.parent_id,
)
_PLAIN: Final = frozenset(map(query.plain, _OF_ARTIFACT))


def page(
    connection: Connection, project_id: int, repository_id: int, repository: str, listing: Listing
) -> tuple[list[NamedArtifact], int]:
    """One page of the repository's tags, the latest first, and how many there are. Raises BadRequest."""
    statement = select(*queries.TAG).where(tag.c.repository_id == repository_id)
    columns = _OF_TAG
    if {query.plain(key) for key in (*listing.filters, *(order.key for order in listing.sort))} & _PLAIN:
        columns = _OF_TAG | _OF_ARTIFACT
        statement = statement.join(artifact, artifact.c.id == tag.c.artifact_id)
    if "labels" in listing.filters:
        carried = artifact_label.c.artifact_id == tag.c.artifact_id
        for label in queries.label_ids(listing.filters["labels"]):
            statement = statement.where(exists().where(carried, artifact_label.c.label_id == label))
    newest = (tag.c.push_time.desc(), tag.c.id.desc())
    rows, total = query.page(connection, statement, listing, columns, *newest, scope=("tags", repository_id))
    found = queries.marked([Tag(*row) for row in rows], partial(matcher(connection, project_id), repository))
    return _with_artifacts(connection, found), total


def _with_artifacts(connection: Connection, tags: Sequence[Tag]) -> list[NamedArtifact]:
    """The tags with what they name; those that were deleted since they were found are left out."""
    ids = list({each.artifact_id for each in tags})
    artifacts = {each.id: each for each in queries.by_ids(connection, ids)}
    carried = labels.of_artifacts(connection, ids)
    platforms: dict[int, list[Platform]] = {each.id: _own(each) for each in artifacts.values()}
    for parent, platform in _PLATFORMS.all(connection, ids):
        if platform:
            platforms[parent].append(json.loads(platform))
    return [
        NamedArtifact(each, artifacts[each.artifact_id], platforms[each.artifact_id], carried.get(each.artifact_id, ()))
        for each in tags
        if each.artifact_id in artifacts
    ]


def _own(found: Found) -> list[Platform]:
    """What an image says it runs on."""
    attributes = json.loads(found.extra_attrs) if found.extra_attrs else {}
    own = {name: attributes[name] for name in ("os", "architecture", "variant") if attributes.get(name)}
    return [own] if own else []
