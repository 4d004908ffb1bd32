"""The artifact model (Harbor's, with the manifest's bytes beside it)."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint, true

from mooring.db.types import Id, Json, identity, metadata, moment

# Exact bytes, once for each digest however many repositories hold the artifact.
manifest = Table(
    "manifest",
    metadata,
    identity(),
    Column("digest", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    UniqueConstraint("digest"),
)

artifact = Table(
    "artifact",
    metadata,
    identity(),
    Column("repository_id", Id, ForeignKey("repository.id"), nullable=False),
    Column("project_id", Id, nullable=False),
    Column("digest", Text, nullable=False),
    Column("type", Text, nullable=False),  # IMAGE, CHART, ...
    Column("media_type", Text, nullable=False),  # of the config, or the index itself
    Column("manifest_media_type", Text, nullable=False),
    Column("artifact_type", Text, nullable=False, default=""),
    Column("manifest_size", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),  # with everything it names
    Column("icon", Text, nullable=False, default=""),
    Column("extra_attrs", Json, nullable=False, default=""),
    Column("annotations", Json, nullable=False, default=""),
    moment("push_time"),
    moment("pull_time"),
    # No accessory, and tagged unless no index names it: what statements.IS_LISTED says. Asked of each of 100 000 rows
    # for each list, that would take longer than all else together.
    Column("is_listed", Boolean, nullable=False, default=True, server_default=true()),
    UniqueConstraint("repository_id", "digest"),
    Index("ix_artifact_digest_project_id", "digest", "project_id"),
    # Lists are read in their order and counted from these alone.
    Index("ix_artifact_repository_id_listed", "repository_id", "is_listed", "push_time", "id"),
    Index("ix_artifact_project_id_listed", "project_id", "is_listed", "push_time", "id"),
    sqlite_autoincrement=True,
)

tag = Table(
    "tag",
    metadata,
    identity(),
    Column("repository_id", Id, ForeignKey("repository.id"), nullable=False),
    Column("artifact_id", Id, ForeignKey("artifact.id"), nullable=False),
    # Tags sort by byte, whatever language the database speaks.
    Column("name", Text().with_variant(Text(collation="C"), "postgresql"), nullable=False),
    moment("push_time"),
    moment("pull_time"),
    UniqueConstraint("repository_id", "name"),
    Index("ix_tag_artifact_id_push_time", "artifact_id", "push_time", "id"),
    Index("ix_tag_repository_id_push_time", "repository_id", "push_time", "id"),
    sqlite_autoincrement=True,
)

# A sparse index names children that are not here: their child_id is None.
artifact_reference = Table(
    "artifact_reference",
    metadata,
    identity(),
    Column("parent_id", Id, ForeignKey("artifact.id", ondelete="CASCADE"), nullable=False),
    Column("child_id", Id, ForeignKey("artifact.id")),
    Column("child_digest", Text, nullable=False),
    Column("platform", Json, nullable=False, default=""),
    Column("urls", Json, nullable=False, default=""),
    Column("annotations", Json, nullable=False, default=""),
    UniqueConstraint("parent_id", "child_digest"),
    Index("ix_artifact_reference_child_id", "child_id"),
    Index("ix_artifact_reference_child_digest", "child_digest"),
)

# `subject_id` is None until the subject is pushed.
artifact_accessory = Table(
    "artifact_accessory",
    metadata,
    identity(),
    Column("artifact_id", Id, ForeignKey("artifact.id", ondelete="CASCADE"), nullable=False),
    Column("repository_id", Id, nullable=False),
    Column("subject_id", Id, ForeignKey("artifact.id")),
    Column("subject_digest", Text, nullable=False),
    Column("type", Text, nullable=False),
    moment("creation_time"),
    UniqueConstraint("artifact_id", "subject_digest"),
    Index("ix_artifact_accessory_subject", "repository_id", "subject_digest"),
    Index("ix_artifact_accessory_subject_id", "subject_id"),
)

artifact_blob = Table(
    "artifact_blob",
    metadata,
    Column("artifact_id", Id, ForeignKey("artifact.id", ondelete="CASCADE"), primary_key=True),
    Column("blob_id", Id, ForeignKey("blob.id"), primary_key=True),
    Column("repository_id", Id, nullable=False, server_default="0"),  # the artifact's
    Index("ix_artifact_blob_blob_id_repository_id", "blob_id", "repository_id"),
)
