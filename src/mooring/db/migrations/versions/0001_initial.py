"""initial

Follows an empty database.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blob",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("segments", sa.Text(), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blob")),
        sa.UniqueConstraint("digest", name=op.f("uq_blob_digest")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("expires", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "manifest",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manifest")),
        sa.UniqueConstraint("digest", name=op.f("uq_manifest_digest")),
    )
    op.create_table(
        "project",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_public", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("update_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("name", name=op.f("uq_project_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "robot",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("duration", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("is_disabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("creator_type", sa.Text(), nullable=False),
        sa.Column("creator_ref", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("update_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_robot")),
        sa.UniqueConstraint("name", name=op.f("uq_robot_name")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_robot_project_id", "robot", ["project_id"], unique=False)
    op.create_table(
        "secret",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secret")),
    )
    op.create_table(
        "signin_failure",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("principal", name=op.f("pk_signin_failure")),
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("segments", sa.Text(), nullable=False),
        sa.Column("started", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("updated", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index("ix_upload_updated", "upload", ["updated"], unique=False)
    op.create_table(
        "user",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("username_key", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=True),
        sa.Column("realname", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("is_admin", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("is_deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("update_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("email_key", name=op.f("uq_user_email_key")),
        sa.UniqueConstraint("username_key", name=op.f("uq_user_username_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "member",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity_type", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.Integer(), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("update_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_member_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint(
            "project_id", "entity_type", "entity_id", name=op.f("uq_member_project_id_entity_type_entity_id")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_member_entity", "member", ["entity_type", "entity_id"], unique=False)
    op.create_table(
        "project_metadata",
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_project_metadata_project_id")),
        sa.PrimaryKeyConstraint("project_id", "name", name=op.f("pk_project_metadata")),
    )
    op.create_table(
        "repository",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("pull_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("creation_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("update_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_repository_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repository")),
        sa.UniqueConstraint("name", name=op.f("uq_repository_name")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_repository_project_id", "repository", ["project_id"], unique=False)
    op.create_table(
        "repository_blob",
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("blob_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["blob_id"], ["blob.id"], name=op.f("fk_repository_blob_blob_id")),
        sa.PrimaryKeyConstraint("repository", "blob_id", name=op.f("pk_repository_blob")),
    )
    op.create_index("ix_repository_blob_blob_id", "repository_blob", ["blob_id"], unique=False)
    op.create_index("ix_repository_blob_project_id", "repository_blob", ["project_id"], unique=False)
    op.create_table(
        "robot_permission",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("robot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["robot_id"], ["robot.id"], name=op.f("fk_robot_permission_robot_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_robot_permission")),
    )
    op.create_index("ix_robot_permission_robot_id", "robot_permission", ["robot_id"], unique=False)
    op.create_table(
        "artifact",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("repository_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("manifest_media_type", sa.Text(), nullable=False),
        sa.Column("artifact_type", sa.Text(), nullable=False),
        sa.Column("manifest_size", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("icon", sa.Text(), nullable=False),
        sa.Column("extra_attrs", sa.Text(), nullable=False),
        sa.Column("annotations", sa.Text(), nullable=False),
        sa.Column("push_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("pull_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["repository_id"], ["repository.id"], name=op.f("fk_artifact_repository_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact")),
        sa.UniqueConstraint("repository_id", "digest", name=op.f("uq_artifact_repository_id_digest")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_artifact_digest", "artifact", ["digest"], unique=False)
    op.create_index("ix_artifact_project_id", "artifact", ["project_id"], unique=False)
    op.create_index(
        "ix_artifact_repository_id_push_time", "artifact", ["repository_id", "push_time", "id"], unique=False
    )
    op.create_table(
        "artifact_accessory",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("artifact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("repository_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("subject_digest", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["artifact_id"], ["artifact.id"], name=op.f("fk_artifact_accessory_artifact_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["artifact.id"], name=op.f("fk_artifact_accessory_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact_accessory")),
        sa.UniqueConstraint(
            "artifact_id", "subject_digest", name=op.f("uq_artifact_accessory_artifact_id_subject_digest")
        ),
    )
    op.create_index(
        "ix_artifact_accessory_subject", "artifact_accessory", ["repository_id", "subject_digest"], unique=False
    )
    op.create_index("ix_artifact_accessory_subject_id", "artifact_accessory", ["subject_id"], unique=False)
    op.create_table(
        "artifact_blob",
        sa.Column("artifact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("blob_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["artifact_id"], ["artifact.id"], name=op.f("fk_artifact_blob_artifact_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["blob_id"], ["blob.id"], name=op.f("fk_artifact_blob_blob_id")),
        sa.PrimaryKeyConstraint("artifact_id", "blob_id", name=op.f("pk_artifact_blob")),
    )
    op.create_index("ix_artifact_blob_blob_id", "artifact_blob", ["blob_id"], unique=False)
    op.create_table(
        "artifact_reference",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("child_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("child_digest", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("urls", sa.Text(), nullable=False),
        sa.Column("annotations", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["artifact.id"], name=op.f("fk_artifact_reference_child_id")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["artifact.id"], name=op.f("fk_artifact_reference_parent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact_reference")),
        sa.UniqueConstraint("parent_id", "child_digest", name=op.f("uq_artifact_reference_parent_id_child_digest")),
    )
    op.create_index("ix_artifact_reference_child_digest", "artifact_reference", ["child_digest"], unique=False)
    op.create_index("ix_artifact_reference_child_id", "artifact_reference", ["child_id"], unique=False)
    op.create_table(
        "tag",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("repository_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("artifact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("push_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("pull_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifact.id"], name=op.f("fk_tag_artifact_id")),
        sa.ForeignKeyConstraint(["repository_id"], ["repository.id"], name=op.f("fk_tag_repository_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag")),
        sa.UniqueConstraint("repository_id", "name", name=op.f("uq_tag_repository_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tag_artifact_id", "tag", ["artifact_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_tag_artifact_id", table_name="tag")
    op.drop_table("tag")
    op.drop_index("ix_artifact_reference_child_id", table_name="artifact_reference")
    op.drop_index("ix_artifact_reference_child_digest", table_name="artifact_reference")
    op.drop_table("artifact_reference")
    op.drop_index("ix_artifact_blob_blob_id", table_name="artifact_blob")
    op.drop_table("artifact_blob")
    op.drop_index("ix_artifact_accessory_subject_id", table_name="artifact_accessory")
    op.drop_index("ix_artifact_accessory_subject", table_name="artifact_accessory")
    op.drop_table("artifact_accessory")
    op.drop_index("ix_artifact_repository_id_push_time", table_name="artifact")
    op.drop_index("ix_artifact_project_id", table_name="artifact")
    op.drop_index("ix_artifact_digest", table_name="artifact")
    op.drop_table("artifact")
    op.drop_index("ix_robot_permission_robot_id", table_name="robot_permission")
    op.drop_table("robot_permission")
    op.drop_index("ix_repository_blob_project_id", table_name="repository_blob")
    op.drop_index("ix_repository_blob_blob_id", table_name="repository_blob")
    op.drop_table("repository_blob")
    op.drop_index("ix_repository_project_id", table_name="repository")
    op.drop_table("repository")
    op.drop_table("project_metadata")
    op.drop_index("ix_member_entity", table_name="member")
    op.drop_table("member")
    op.drop_table("user")
    op.drop_index("ix_upload_updated", table_name="upload")
    op.drop_table("upload")
    op.drop_table("signin_failure")
    op.drop_table("secret")
    op.drop_index("ix_robot_project_id", table_name="robot")
    op.drop_table("robot")
    op.drop_table("project")
    op.drop_table("manifest")
    op.drop_table("lease")
    op.drop_table("blob")
