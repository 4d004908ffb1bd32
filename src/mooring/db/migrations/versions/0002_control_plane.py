"""control plane

Follows 0001.
"""

import sqlalchemy as sa
from alembic import op

from mooring.db.migrations import triggers_0002

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "allowlist",
        sa.Column(
            "project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("creation_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("update_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_allowlist")),
    )
    op.create_table(
        "audit_block",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_block")),
    )
    op.create_table(
        "audit_count",
        sa.Column("facet", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("facet", "value", "block", name=op.f("pk_audit_count")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_forward",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_forward")),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("op_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("user_kind", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("op_desc", sa.Text(), nullable=False),
        sa.Column("op_result", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("audit_log", schema=None) as batch_op:
        batch_op.create_index("ix_audit_log_event", ["operation", "resource_type", "op_time", "id"], unique=False)
        batch_op.create_index(
            "ix_audit_log_failed",
            ["op_time", "id"],
            unique=False,
            sqlite_where=sa.text("op_result = 0"),
            postgresql_where=sa.text("NOT op_result"),
        )
        batch_op.create_index("ix_audit_log_op_time", ["op_time", "id"], unique=False)
        batch_op.create_index("ix_audit_log_project_id", ["project_id", "op_time", "id"], unique=False)
        batch_op.create_index("ix_audit_log_username", ["username", "op_time", "id"], unique=False)

    op.create_table(
        "configuration",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_configuration")),
    )
    op.create_table(
        "label",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("color", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("update_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_label_project_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "project_storage",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_storage")),
    )
    with op.batch_alter_table("project_storage", schema=None) as batch_op:
        batch_op.create_index("ix_project_storage_project_id", ["project_id"], unique=False)

    op.create_table(
        "user_group",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("dn", sa.Text(), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("update_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_group")),
        sa.UniqueConstraint("name", name=op.f("uq_user_group_name")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("user_group", schema=None) as batch_op:
        batch_op.create_index("ix_user_group_dn", ["dn"], unique=False)

    op.create_table(
        "immutable_rule",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_disabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_immutable_rule_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_immutable_rule")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("immutable_rule", schema=None) as batch_op:
        batch_op.create_index("ix_immutable_rule_project_id", ["project_id"], unique=False)

    op.create_table(
        "personal_token",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("is_read_only", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("permissions", sa.Text(), server_default="[]", nullable=False),
        sa.Column("expires_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("creation_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_personal_token_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personal_token")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_personal_token_fingerprint")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_personal_token_user_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "quota",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hard", sa.BigInteger(), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("update_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_quota_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quota")),
        sa.UniqueConstraint("project_id", name=op.f("uq_quota_project_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("quota", schema=None) as batch_op:
        batch_op.create_index("ix_quota_creation_time", ["creation_time", "id"], unique=False)

    op.create_table(
        "session",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_admin", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("last_used", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_session_user_id")),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_session")),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index("ix_session_last_used", ["last_used"], unique=False)
        batch_op.create_index("ix_session_user_id", ["user_id"], unique=False)

    op.create_table(
        "artifact_label",
        sa.Column("artifact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("label_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["artifact_id"], ["artifact.id"], name=op.f("fk_artifact_label_artifact_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["label_id"], ["label.id"], name=op.f("fk_artifact_label_label_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("artifact_id", "label_id", name=op.f("pk_artifact_label")),
    )
    with op.batch_alter_table("artifact_label", schema=None) as batch_op:
        batch_op.create_index("ix_artifact_label_label_id", ["label_id"], unique=False)

    with op.batch_alter_table("artifact", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_listed", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.drop_index(batch_op.f("ix_artifact_digest"))
        batch_op.drop_index(batch_op.f("ix_artifact_project_id"))
        batch_op.drop_index(batch_op.f("ix_artifact_repository_id_push_time"))
        batch_op.create_index("ix_artifact_digest_project_id", ["digest", "project_id"], unique=False)
        batch_op.create_index(
            "ix_artifact_project_id_listed", ["project_id", "is_listed", "push_time", "id"], unique=False
        )
        batch_op.create_index(
            "ix_artifact_repository_id_listed", ["repository_id", "is_listed", "push_time", "id"], unique=False
        )

    with op.batch_alter_table("artifact_blob", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "repository_id",
                sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                server_default="0",
                nullable=False,
            )
        )
        batch_op.drop_index(batch_op.f("ix_artifact_blob_blob_id"))
        batch_op.create_index("ix_artifact_blob_blob_id_repository_id", ["blob_id", "repository_id"], unique=False)

    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_gated", sa.Boolean(), server_default=sa.false(), nullable=False))

    with op.batch_alter_table("repository_blob", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_counted", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.drop_index(batch_op.f("ix_repository_blob_blob_id"))
        batch_op.create_index("ix_repository_blob_blob_id_project_id", ["blob_id", "project_id"], unique=False)

    with op.batch_alter_table("robot", schema=None) as batch_op:
        batch_op.add_column(sa.Column("short_name", sa.Text(), nullable=True))
        batch_op.create_index("ix_robot_short_name", ["short_name", "secret"], unique=False)

    with op.batch_alter_table("tag", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tag_artifact_id"))
        batch_op.create_index("ix_tag_artifact_id_push_time", ["artifact_id", "push_time", "id"], unique=False)
        batch_op.create_index("ix_tag_repository_id_push_time", ["repository_id", "push_time", "id"], unique=False)

    op.execute("""
        UPDATE artifact SET is_listed = false
        WHERE id IN (SELECT artifact_id FROM artifact_accessory)
        OR (id IN (SELECT child_id FROM artifact_reference) AND id NOT IN (SELECT artifact_id FROM tag))
        """)
    op.execute("""
        UPDATE artifact_blob
        SET repository_id = (SELECT repository_id FROM artifact WHERE artifact.id = artifact_blob.artifact_id)
        """)
    op.execute("""
        UPDATE project_metadata SET value = 'true'
        WHERE name IN ('enable_content_trust', 'enable_content_trust_cosign') AND lower(value) IN ('1', 't', 'true')
        """)
    op.execute("""
        UPDATE project SET is_gated = true WHERE id IN (
            SELECT project_id FROM project_metadata
            WHERE name IN ('enable_content_trust', 'enable_content_trust_cosign') AND value = 'true'
        )
        """)
    triggers_0002.upgrade()


def downgrade() -> None:
    triggers_0002.downgrade()
    with op.batch_alter_table("tag", schema=None) as batch_op:
        batch_op.drop_index("ix_tag_repository_id_push_time")
        batch_op.drop_index("ix_tag_artifact_id_push_time")
        batch_op.create_index(batch_op.f("ix_tag_artifact_id"), ["artifact_id"], unique=False)

    with op.batch_alter_table("robot", schema=None) as batch_op:
        batch_op.drop_index("ix_robot_short_name")
        batch_op.drop_column("short_name")

    with op.batch_alter_table("repository_blob", schema=None) as batch_op:
        batch_op.drop_index("ix_repository_blob_blob_id_project_id")
        batch_op.create_index(batch_op.f("ix_repository_blob_blob_id"), ["blob_id"], unique=False)
        batch_op.drop_column("is_counted")

    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.drop_column("is_gated")

    with op.batch_alter_table("artifact_blob", schema=None) as batch_op:
        batch_op.drop_index("ix_artifact_blob_blob_id_repository_id")
        batch_op.create_index(batch_op.f("ix_artifact_blob_blob_id"), ["blob_id"], unique=False)
        batch_op.drop_column("repository_id")

    with op.batch_alter_table("artifact", schema=None) as batch_op:
        batch_op.drop_index("ix_artifact_repository_id_listed")
        batch_op.drop_index("ix_artifact_project_id_listed")
        batch_op.drop_index("ix_artifact_digest_project_id")
        batch_op.create_index(
            batch_op.f("ix_artifact_repository_id_push_time"), ["repository_id", "push_time", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_artifact_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_artifact_digest"), ["digest"], unique=False)
        batch_op.drop_column("is_listed")

    with op.batch_alter_table("artifact_label", schema=None) as batch_op:
        batch_op.drop_index("ix_artifact_label_label_id")

    op.drop_table("artifact_label")
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_index("ix_session_user_id")
        batch_op.drop_index("ix_session_last_used")

    op.drop_table("session")
    with op.batch_alter_table("quota", schema=None) as batch_op:
        batch_op.drop_index("ix_quota_creation_time")

    op.drop_table("quota")
    op.drop_table("personal_token")
    with op.batch_alter_table("immutable_rule", schema=None) as batch_op:
        batch_op.drop_index("ix_immutable_rule_project_id")

    op.drop_table("immutable_rule")
    with op.batch_alter_table("user_group", schema=None) as batch_op:
        batch_op.drop_index("ix_user_group_dn")

    op.drop_table("user_group")
    with op.batch_alter_table("project_storage", schema=None) as batch_op:
        batch_op.drop_index("ix_project_storage_project_id")

    op.drop_table("project_storage")
    op.drop_table("label")
    op.drop_table("configuration")
    with op.batch_alter_table("audit_log", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_log_username")
        batch_op.drop_index("ix_audit_log_project_id")
        batch_op.drop_index("ix_audit_log_op_time")
        batch_op.drop_index(
            "ix_audit_log_failed", sqlite_where=sa.text("op_result = 0"), postgresql_where=sa.text("NOT op_result")
        )
        batch_op.drop_index("ix_audit_log_event")

    op.drop_table("audit_log")
    op.drop_table("audit_forward")
    op.drop_table("audit_count")
    op.drop_table("audit_block")
    op.drop_table("allowlist")
