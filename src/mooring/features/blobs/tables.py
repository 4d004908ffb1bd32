"""Blobs, the repositories that may see them, and uploads under way.

A blob's row is the commit: bytes without a row are garbage, a row without bytes cannot be. `segments` is JSON, [[key,
size], ...] in order. A blob that was found damaged and set aside has none, and `quarantined:` before its digest.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Table, Text, UniqueConstraint, true

from mooring.db.types import Id, Json, identity, metadata, moment

blob = Table(
    "blob",
    metadata,
    identity(),
    Column("digest", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("segments", Json, nullable=False),
    moment("creation_time"),
    moment("last_used"),
    UniqueConstraint("digest"),
)

# Keyed by name: blobs come before the repository, which exists from its first manifest on.
repository_blob = Table(
    "repository_blob",
    metadata,
    Column("repository", Text, primary_key=True),
    Column("blob_id", Id, ForeignKey("blob.id"), primary_key=True),
    Column("project_id", Id, nullable=False),
    # Not after the last artifact of the repository that named the blob has gone: whoever is about to push it again
    # still finds it, but it weighs on no quota.
    Column("is_counted", Boolean, nullable=False, server_default=true()),
    Index("ix_repository_blob_project_id", "project_id"),
    Index("ix_repository_blob_blob_id_project_id", "blob_id", "project_id"),
)

upload = Table(
    "upload",
    metadata,
    Column("id", Text, primary_key=True),
    Column("repository", Text, nullable=False),
    Column("project_id", Id, nullable=False),
    Column("account", Text, nullable=False),  # kind and id of who began it
    Column("offset", BigInteger, nullable=False, default=0),
    Column("algorithm", Text, nullable=False, default="sha256"),
    Column("digest", Text, nullable=False, default=""),  # of what has come so far, under `algorithm`
    Column("segments", Json, nullable=False, default="[]"),
    moment("started"),
    moment("updated"),
    Index("ix_upload_updated", "updated"),
)
