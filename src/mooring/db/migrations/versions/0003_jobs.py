"""jobs

Follows 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "execution",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("vendor_type", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_message", sa.Text(), nullable=False),
        sa.Column("extra_attrs", sa.Text(), nullable=False),
        sa.Column("flight", sa.Text(), nullable=True),
        sa.Column("start_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("update_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("end_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_execution")),
        sa.UniqueConstraint("flight", name=op.f("uq_execution_flight")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("execution", schema=None) as batch_op:
        batch_op.create_index("ix_execution_vendor", ["vendor_type", "vendor_id", "start_time"], unique=False)

    op.create_table(
        "paused_queue",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_paused_queue")),
    )
    op.create_table(
        "schedule",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("vendor_type", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cron_type", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("next_run", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("creation_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("update_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
        sa.UniqueConstraint("vendor_type", "vendor_id", name=op.f("uq_schedule_vendor_type_vendor_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("schedule", schema=None) as batch_op:
        batch_op.create_index("ix_schedule_next_run", ["next_run"], unique=False)

    op.create_table(
        "worker",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("started", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("heartbeat", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
    )
    op.create_table(
        "task",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("execution_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("extra_attrs", sa.Text(), nullable=False),
        sa.Column("run_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("is_stopping", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("run_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("creation_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("start_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("update_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("end_time", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["execution.id"], name=op.f("fk_task_execution_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("job_id", name=op.f("uq_task_job_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index("ix_task_execution_id", ["execution_id", "status"], unique=False)
        batch_op.create_index("ix_task_kind", ["kind", "status"], unique=False)
        batch_op.create_index("ix_task_status", ["status", "run_at"], unique=False)

    op.create_table(
        "job_log",
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_job_log_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", "number", name=op.f("pk_job_log")),
    )
    with op.batch_alter_table("audit_log", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_log_event"))
        batch_op.drop_index(batch_op.f("ix_audit_log_failed"), sqlite_where=sa.text("op_result IS 0"))
        batch_op.drop_index(batch_op.f("ix_audit_log_op_time"))
        batch_op.drop_index(batch_op.f("ix_audit_log_project_id"))
        batch_op.drop_index(batch_op.f("ix_audit_log_username"))

    op.drop_table("audit_log")
    op.drop_table("audit_forward")
    op.drop_table("audit_count")
    op.drop_table("audit_block")


def downgrade() -> None:
    op.create_table(
        "audit_block",
        sa.Column("number", sa.INTEGER(), nullable=False),
        sa.Column("last_time", sa.BIGINT(), server_default=sa.text("'0'"), nullable=False),
        sa.Column("last_id", sa.INTEGER(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_block")),
    )
    op.create_table(
        "audit_count",
        sa.Column("facet", sa.TEXT(), nullable=False),
        sa.Column("value", sa.TEXT(), nullable=False),
        sa.Column("block", sa.INTEGER(), nullable=False),
        sa.Column("records", sa.INTEGER(), nullable=False),
        sa.PrimaryKeyConstraint("facet", "value", "block", name=op.f("pk_audit_count")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_forward",
        sa.Column("id", sa.INTEGER(), nullable=False),
        sa.Column("line", sa.TEXT(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_forward")),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.INTEGER(), nullable=False),
        sa.Column("op_time", sa.BIGINT(), server_default=sa.text("'0'"), nullable=False),
        sa.Column("user_kind", sa.TEXT(), nullable=False),
        sa.Column("user_id", sa.INTEGER(), nullable=False),
        sa.Column("username", sa.TEXT(), nullable=False),
        sa.Column("address", sa.TEXT(), nullable=False),
        sa.Column("operation", sa.TEXT(), nullable=False),
        sa.Column("resource_type", sa.TEXT(), nullable=False),
        sa.Column("resource", sa.TEXT(), nullable=False),
        sa.Column("project_id", sa.INTEGER(), nullable=False),
        sa.Column("op_desc", sa.TEXT(), nullable=False),
        sa.Column("op_result", sa.BOOLEAN(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("audit_log", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_log_username"), ["username", "op_time", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_log_project_id"), ["project_id", "op_time", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_log_op_time"), ["op_time", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_audit_log_failed"), ["op_time", "id"], unique=False, sqlite_where=sa.text("op_result IS 0")
        )
        batch_op.create_index(
            batch_op.f("ix_audit_log_event"), ["operation", "resource_type", "op_time", "id"], unique=False
        )

    op.drop_table("job_log")
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index("ix_task_status")
        batch_op.drop_index("ix_task_kind")
        batch_op.drop_index("ix_task_execution_id")

    op.drop_table("task")
    op.drop_table("worker")
    with op.batch_alter_table("schedule", schema=None) as batch_op:
        batch_op.drop_index("ix_schedule_next_run")

    op.drop_table("schedule")
    op.drop_table("paused_queue")
    with op.batch_alter_table("execution", schema=None) as batch_op:
        batch_op.drop_index("ix_execution_vendor")

    op.drop_table("execution")
