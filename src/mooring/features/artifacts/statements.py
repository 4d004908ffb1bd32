"""The statements of a push, prepared: they run for every manifest."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Table, and_, bindparam, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mooring.db.prepared import Prepared
from mooring.features.artifacts.tables import (
    artifact,
    artifact_accessory,
    artifact_blob,
    artifact_reference,
    manifest,
    tag,
)


def _binds(names: Iterable[str]) -> dict[str, Any]:
    return {name: bindparam(name) for name in names}


def _unless_there(table: Table, names: tuple[str, ...]) -> Prepared:
    values = _binds(names)
    return Prepared(
        {
            "sqlite": sqlite.insert(table).values(values).on_conflict_do_nothing(),
            "postgresql": postgresql.insert(table).values(values).on_conflict_do_nothing(),
        }
    )


_MANIFEST: Final = _binds(("digest", "media_type", "content"))
# On PostgreSQL one that is there already is held, so that garbage collection does not take it meanwhile.
ADD_MANIFEST: Final = Prepared(
    {
        "sqlite": sqlite.insert(manifest).values(_MANIFEST).on_conflict_do_nothing(),
        "postgresql": postgresql.insert(manifest)
        .values(_MANIFEST)
        .on_conflict_do_update(index_elements=["digest"], set_={"digest": manifest.c.digest}),
    }
)
ADD_ARTIFACT: Final = _unless_there(
    artifact,
    (
        "repository_id",
        "project_id",
        "digest",
        "type",
        "media_type",
        "manifest_media_type",
        "artifact_type",
        "manifest_size",
        "size",
        "icon",
        "extra_attrs",
        "annotations",
        "push_time",
        "pull_time",
        "is_listed",
    ),
)
FIND_ARTIFACT: Final = Prepared(
    select(artifact.c.id, artifact.c.is_listed).where(
        artifact.c.repository_id == bindparam("repository"), artifact.c.digest == bindparam("digest")
    )
)
ADD_REFERENCE: Final = _unless_there(
    artifact_reference, ("parent_id", "child_id", "child_digest", "platform", "urls", "annotations")
)
ADD_BLOB: Final = _unless_there(artifact_blob, ("artifact_id", "blob_id", "repository_id"))
ADD_ACCESSORY: Final = _unless_there(
    artifact_accessory, ("artifact_id", "repository_id", "subject_id", "subject_digest", "type", "creation_time")
)
# A subject or a child that comes after what names it is found here.
CLAIM_ACCESSORIES: Final = Prepared(
    update(artifact_accessory)
    .where(
        artifact_accessory.c.repository_id == bindparam("repository"),
        artifact_accessory.c.subject_digest == bindparam("digest"),
        artifact_accessory.c.subject_id.is_(None),
    )
    .values(subject_id=bindparam("subject"))
)
CLAIM_REFERENCES: Final = Prepared(
    update(artifact_reference)
    .where(
        artifact_reference.c.child_digest == bindparam("digest"),
        artifact_reference.c.child_id.is_(None),
        # Asked of each parent that is found: SQLite would make an IN a list of all artifacts of the repository.
        exists().where(
            artifact.c.id == artifact_reference.c.parent_id, artifact.c.repository_id == bindparam("repository")
        ),
    )
    .values(child_id=bindparam("child"))
)


ADD_TAG: Final = _unless_there(tag, ("repository_id", "artifact_id", "name", "push_time", "pull_time"))
MOVE_TAG: Final = Prepared(
    update(tag)
    .where(
        tag.c.repository_id == bindparam("repository"),
        tag.c.name == bindparam("of"),
        tag.c.artifact_id == bindparam("before"),
    )
    .values(artifact_id=bindparam("after"), push_time=bindparam("moment"))
)
TAGGED: Final = Prepared(
    select(artifact.c.id, artifact.c.digest)
    .join(tag, tag.c.artifact_id == artifact.c.id)
    .where(tag.c.repository_id == bindparam("repository"), tag.c.name == bindparam("name"))
)

HAS_TAG: Final = exists().where(tag.c.artifact_id == artifact.c.id)
IS_CHILD: Final = exists().where(artifact_reference.c.child_id == artifact.c.id)
IS_ACCESSORY: Final = exists().where(artifact_accessory.c.artifact_id == artifact.c.id)
# What artifact.is_listed holds. Whoever adds or takes away a tag, a reference or an accessory sees to it.
IS_LISTED: Final = and_(~IS_ACCESSORY, or_(HAS_TAG, ~IS_CHILD))
RELIST: Final = Prepared(
    update(artifact)
    .where(artifact.c.id == bindparam("of"), artifact.c.is_listed != IS_LISTED)
    .values(is_listed=IS_LISTED)
)
RELIST_CHILDREN: Final = Prepared(
    update(artifact)
    .where(
        artifact.c.id.in_(
            select(artifact_reference.c.child_id).where(artifact_reference.c.parent_id == bindparam("parent"))
        ),
        artifact.c.is_listed != IS_LISTED,
    )
    .values(is_listed=IS_LISTED)
)

PULLED_ARTIFACT: Final = Prepared(
    update(artifact)
    .where(
        artifact.c.pull_time < bindparam("moment"),
        or_(
            artifact.c.id == bindparam("of"),
            # An index is pulled whenever one of its children is.
            artifact.c.id.in_(
                select(artifact_reference.c.parent_id).where(artifact_reference.c.child_id == bindparam("of"))
            ),
        ),
    )
    .values(pull_time=bindparam("moment"))
)
PULLED_TAG: Final = Prepared(
    update(tag)
    .where(tag.c.id == bindparam("of"), tag.c.pull_time < bindparam("moment"))
    .values(pull_time=bindparam("moment"))
)
